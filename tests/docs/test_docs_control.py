"""The commands and programs of the page about light, siren, pictures and history do what it says."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.program

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "light-siren-history.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(ring: SimulatedRing, tmp_path: Path) -> Run:
    """Run something as a reader of the page does who has signed in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    kept |= {"RINGLIGHT_RING_URL": ring.url, "RINGLIGHT_STATE_DIR": str(tmp_path / "state"), "NO_COLOR": "1"}
    folder = tmp_path / "work"
    folder.mkdir()

    def program(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=kept, input=text, capture_output=True, text=True, timeout=60, check=False
        )

    signed = program(_ringlight(), "login", "--email", ring.world.email, text="ringlight\n123456\n")
    assert signed.returncode == 0, signed.stderr
    return program


def _ringlight() -> str:
    return str(Path(sys.executable).with_name("ringlight"))


def test_the_commands_of_the_page_work_one_after_the_other(run: Run, ring: SimulatedRing, tmp_path: Path) -> None:
    assert {words[1] for words in COMMANDS} == {"light", "siren", "snapshot", "history", "download", "ptz"}
    for words in COMMANDS:
        finished = run(_ringlight(), *words[1:])
        assert finished.returncode == 0, f"{shlex.join(words)}\n{finished.stderr}"
    assert {one.name for one in (tmp_path / "work").iterdir()} == {"yard.jpg", "bell.mp4"}
    assert (ring.world.lights, ring.world.siren_seconds(1003)) == ({1003: True}, 0)


@pytest.mark.parametrize(("source", "said"), PROGRAMS, ids=["light and history", "turning"])
def test_the_programs_of_the_page_print_what_it_says(source: str, said: str, run: Run, ring: SimulatedRing) -> None:
    finished = run(sys.executable, "-W", "error", "-c", source)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == said
    assert [one for dialog in ring.world.dialogs for one in dialog.messages if one["code"]] == []
