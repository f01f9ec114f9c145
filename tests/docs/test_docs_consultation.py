"""The lines of the page about a consultation do what the page says, one after the other."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Program

pytestmark = pytest.mark.program

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "hold-a-consultation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", PAGE, re.MULTILINE | re.DOTALL)


def test_a_visit_is_held_by_the_lines_of_the_page(
    start: Callable[..., Program], environment: dict[str, str], tmp_path: Path
) -> None:
    database = {"RINGLIGHT_DATABASE_URL": f"sqlite:///{tmp_path / 'rooms.db'}"}
    server = start("demo", "--port", "0", **database)
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    assert len(BLOCKS) == 4
    for script, said in BLOCKS:
        here = script.replace("http://127.0.0.1:8000/", server.url)
        done = subprocess.run(
            ["bash", "-eu", "-c", here], env={**environment, **database, "PATH": path}, cwd=tmp_path, text=True,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        expected = ".+".join(map(re.escape, said.split("…"))).replace("\n", "\n*")
        assert re.fullmatch(expected, re.sub(r"}(?={|$)", "}\n", done.stdout)), done.stdout


def test_every_code_and_setting_of_the_page_is_one_that_there_is() -> None:
    from ringlight.faults import FAULTS
    from ringlight.settings import RoomSettings, ServerSettings

    assert set(re.findall(r"ROOM-[A-Z-]+", PAGE)) <= set(FAULTS)
    assert set(re.findall(r"`rooms\.(\w+)`", PAGE)) <= set(RoomSettings.model_fields)
    assert set(re.findall(r"`server\.(\w+)`", PAGE)) <= set(ServerSettings.model_fields)
