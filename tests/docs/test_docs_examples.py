"""The examples, and each program and command of the documentation, do what the page says."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from ringlight.account import AccountClient
from ringlight.errors import AuthError
from ringlight.secrets import Secret
from ringlight.settings import load_settings
from ringlight.testing import SimulatedRing
from tones import tone

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
HOW_TO = "".join(
    (ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8") for name in ("live-view-in-python.md", "talk.md")
)
RECORDING = (ROOT / "docs" / "how-to" / "record-a-clip.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial" / "first-view.md").read_text(encoding="utf-8")
RINGLIGHT = Path(sys.executable).with_name("ringlight")
# A program, and what it prints where a block of text follows with nothing but a line between them.
BLOCKS = re.findall(
    r"^```python\n(.*?)^```\n(?:(?:\n[^#`\n][^\n]*:\n)?\n```text\n(.*?)^```$)?", HOW_TO, re.MULTILINE | re.DOTALL
)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(ring: SimulatedRing, tmp_path: Path) -> Run:
    """Run a program in an empty folder, with settings as a reader of the page has them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    kept |= {
        "RINGLIGHT_RING_URL": ring.url,
        "RINGLIGHT_STATE_DIR": str(tmp_path / "state"),
        "RINGLIGHT_SERVER__PORT": "0",
        "NO_COLOR": "1",
    }
    folder = tmp_path / "work"
    folder.mkdir()

    def program(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=kept, input=text, capture_output=True, text=True, timeout=60, check=False
        )

    return program


@pytest.fixture
def signed_in(run: Run, ring: SimulatedRing, tmp_path: Path) -> Run:
    """The same after `ringlight login`."""

    async def sign_in() -> None:
        settings = load_settings(ring_url=ring.url, state_dir=tmp_path / "state")
        async with AccountClient.open(settings) as account:
            with pytest.raises(AuthError, match="AUTH-CODE-NEEDED"):
                await account.sign_in(ring.world.email, Secret(ring.world.password))
            await account.sign_in(ring.world.email, Secret(ring.world.password), ring.world.code)

    asyncio.run(sign_in())
    return run


def complaints(ring: SimulatedRing) -> list[str]:
    """What the simulator found wrong with the messages that it was sent."""
    return [message["detail"] for dialog in ring.world.dialogs for message in dialog.messages if message["code"]]


def test_save_a_clip_writes_video_and_a_still(signed_in: Run, ring: SimulatedRing, tmp_path: Path) -> None:
    saved = signed_in(sys.executable, str(EXAMPLES / "save_a_clip.py"), "front door", "door.mp4", "--seconds", "2")
    assert (saved.returncode, saved.stderr) == (0, "")
    with av.open(tmp_path / "work" / "door.mp4") as clip:
        assert clip.streams.video[0].codec_context.name == "h264"
        assert len(list(clip.decode(video=0))) >= 25
    assert (tmp_path / "work" / "door.jpg").read_bytes().startswith(b"\xff\xd8")
    assert ring.world.live_views == 1
    assert complaints(ring) == []


def test_save_a_clip_names_the_fault_and_its_fix(signed_in: Run) -> None:
    failed = signed_in(sys.executable, str(EXAMPLES / "save_a_clip.py"), "Garage", "garage.mp4")
    assert failed.returncode == 1
    assert failed.stderr.startswith("CAM-UNKNOWN")
    assert "ringlight devices" in failed.stderr


def test_the_lower_level_prints_each_step(signed_in: Run, ring: SimulatedRing) -> None:
    seen = signed_in(sys.executable, str(EXAMPLES / "live_view_example.py"), "1002", "--seconds", "2")
    assert (seen.returncode, seen.stderr) == (0, "")
    steps = re.findall(r"step (\w+)", seen.stdout)
    assert steps == ["token", "ticket", "socket", "offer", "session", "answer", "camera", "media"]
    packets = re.search(r"^(\d+) packets", seen.stdout, re.MULTILINE)
    assert packets is not None
    assert int(packets[1]) > 25
    assert complaints(ring) == []


def test_the_lower_level_shows_attempts_and_a_refusal(signed_in: Run, ring: SimulatedRing) -> None:
    ring.world.switch(["not-ready"])
    seen = signed_in(sys.executable, str(EXAMPLES / "live_view_example.py"), "Front Door", "--seconds", "3")
    assert seen.returncode == 0, seen.stderr
    assert "attempt 3 after SIG-NOT-READY" in seen.stdout
    ring.world.switch(["offline"])
    refused = signed_in(sys.executable, str(EXAMPLES / "live_view_example.py"), "Front Door")
    assert refused.returncode == 1
    assert refused.stderr.startswith("CAM-OFFLINE")


def test_the_page_has_programs() -> None:
    assert len(BLOCKS) >= 6
    assert all(said for _, said in BLOCKS), "each program of the page is followed by what it prints"


@pytest.mark.parametrize(
    ("source", "said"),
    [*BLOCKS, *re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", RECORDING, re.MULTILINE | re.DOTALL)],
    ids=re.findall(r"^## ([^\n]+)\n(?=(?:(?!^##).)*?```python)", HOW_TO + RECORDING, re.M | re.S),
)
def test_a_program_of_the_how_to_prints_what_the_page_says(
    source: str, said: str, signed_in: Run, ring: SimulatedRing, tmp_path: Path
) -> None:
    tone(tmp_path / "work" / "hello.wav", 440, seconds=1.0)
    finished = signed_in(sys.executable, "-W", "error", "-c", source)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == said
    assert complaints(ring) == []


@pytest.mark.long
def test_the_commands_of_recording_a_clip_work(signed_in: Run, tmp_path: Path) -> None:
    commands = re.findall(r"^ringlight (record .*)$", RECORDING, re.MULTILINE)
    assert len(commands) >= 2
    for command in commands:
        finished = signed_in(str(RINGLIGHT), *shlex.split(command))
        assert finished.returncode == 0, finished.stderr
        with av.open(tmp_path / "work" / "door.mp4") as clip:
            assert clip.duration == pytest.approx(5_000_000, abs=100_000)


def tutorial_commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("ringlight ")]
    return [shlex.split(line) for line in lines]


@pytest.mark.long
def test_the_commands_of_the_tutorial_work_one_after_the_other(run: Run, ring: SimulatedRing, tmp_path: Path) -> None:
    """Those for the simulator are run as they stand on the page; the first is the sign-in."""
    commands = tutorial_commands()
    assert {words[1] for words in commands} >= {"login", "devices", "snapshot", "record", "explain", "doctor"}
    for words in commands:
        if words[1] in ("simulate", "serve", "demo", "logout"):
            continue
        asked = "ringlight\n123456\n" if "--email" in words else "ada@ringlight.test\nringlight\n123456\n"
        finished = run(str(RINGLIGHT), *words[1:], text=asked if words[1] == "login" else "")
        assert finished.returncode == 0, f"{shlex.join(words)}\n{finished.stdout}{finished.stderr}"
        if words[1:] in (["devices"], ["explain", "26"]):
            assert "\n".join(map(str.rstrip, finished.stdout.splitlines())) in TUTORIAL
    assert complaints(ring) == []
    assert {path.name for path in (tmp_path / "work").iterdir()} >= {"door.jpg", "door.mp4"}
