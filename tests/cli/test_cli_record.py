"""`ringlight record` as a process that is stopped, killed and starved: what it leaves plays."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from conftest import RINGLIGHT
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.program
Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin(environment: dict[str, str], ring: SimulatedRing, tmp_path: Path) -> Iterator[Begin]:
    """Begin to record as somebody who has signed in to the simulated Ring."""
    settings = {**environment, "RINGLIGHT_RING_URL": ring.url}
    subprocess.run(
        [str(RINGLIGHT), "login", "--email", "ada@ringlight.test"], input="ringlight\n123456\n", text=True,
        env=settings, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    begun: list[subprocess.Popen[str]] = []

    def command(*options: str, **more: str) -> "subprocess.Popen[str]":
        begun.append(
            subprocess.Popen(
                [str(RINGLIGHT), "record", "Front Door", "clip.mp4", "--json", *options],
                cwd=tmp_path, env={**settings, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        return begun[-1]

    yield command
    for process in begun:
        process.kill()
        process.communicate()


def when(condition: Callable[[], bool], within: float = 30) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def played(path: Path) -> int:
    """Let ffmpeg decode everything, sound too, and complain of nothing; return how many pictures there are."""
    decoding = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (decoding.returncode, decoding.stderr) == (0, "")
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


@pytest.mark.parametrize("moment", [1, 90_000, 150_000, 300_001])
def test_kill_9_leaves_a_file_that_plays_up_to_the_last_fragment(begin: Begin, tmp_path: Path, moment: int) -> None:
    """Killed as soon as the file has grown beyond `moment` bytes; nothing else stays in the folder."""
    path = tmp_path / "clip.mp4"
    process = begin("--seconds", "60")
    when(lambda: size(path) >= moment)
    process.kill()
    process.wait(timeout=10)
    assert played(path) >= 14 * max(1, moment // 80_000)
    assert [file.name for file in tmp_path.iterdir() if file.name not in ("state",)] == ["clip.mp4"]


def test_killed_before_its_first_picture_it_leaves_what_was_there(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"of yesterday")
    process = begin("--seconds", "60")
    assert process.stderr is not None
    assert "recording 60 s" in process.stderr.readline()
    process.kill()
    process.wait(timeout=10)
    assert path.read_bytes() == b"of yesterday"
    assert [file.name for file in tmp_path.iterdir() if file.name not in ("state",)] == ["clip.mp4"]


@pytest.mark.parametrize(("seconds", "code"), [("0", 0), ("60", 130)])
def test_ctrl_c_keeps_the_file_whole(begin: Begin, tmp_path: Path, seconds: str, code: int) -> None:
    """With `--seconds 0` it is the regular end."""
    path = tmp_path / "clip.mp4"
    process = begin("--seconds", seconds, "--faststart")
    when(lambda: size(path) > 0)
    process.send_signal(signal.SIGINT)
    said, story = process.communicate(timeout=20)
    assert process.returncode == code, story
    made = json.loads(said)
    assert made["files"] == ["clip.mp4"]
    assert made["bytes"] == size(path)
    assert played(path) / 15 == pytest.approx(made["seconds"], abs=0.2)
    assert path.read_bytes().find(b"moof") < 0


def test_without_room_it_is_refused_with_the_fix_before_the_file_is_touched(begin: Begin, tmp_path: Path) -> None:
    process = begin("--seconds", "60", RINGLIGHT_RECORDINGS__KEEP_FREE="1e12")
    _, story = process.communicate(timeout=30)
    assert process.returncode == 1
    assert story.splitlines()[-4].startswith("FILE-FULL: ")
    assert not (tmp_path / "clip.mp4").exists()


def test_without_sound_it_has_pictures_alone(begin: Begin, tmp_path: Path) -> None:
    process = begin("--seconds", "1", "--no-sound")
    process.communicate(timeout=30)
    with av.open(str(tmp_path / "clip.mp4")) as file:
        assert [stream.type for stream in file.streams] == ["video"]


def test_what_a_recording_got_over_is_said(begin: Begin, ring: SimulatedRing) -> None:
    """It has a gap for it; who reads only that the file is there would take it for whole."""
    ring.world.switch(["socket-1006"])
    _, err = begin("--seconds", "3").communicate(timeout=60)
    assert "SIG-DROPPED: The connection was cut. Trying again " in err


def test_what_needs_nobody_to_do_anything_is_not_said(begin: Begin, ring: SimulatedRing) -> None:
    ring.world.switch(["video-sendrecv"])
    _, err = begin("--seconds", "1").communicate(timeout=60)
    assert "SDP-DIRECTION" not in err
