"""Recordings and the disk: full, slow, gone. The file is whole up to its last fragment, and the fault says why."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from media_kit import clip_frames

from ringlight.errors import RingError
from ringlight.media import film, recorder
from ringlight.media.fragments import FragmentFile, whole
from ringlight.media.recorder import Recorder, Recording
from ringlight.media.space import Space
from ringlight.simulator.clip import RATE
from small_disk import run_on_a_small_disk

pytestmark = pytest.mark.anyio


def pictures(path: Path) -> int:
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def fill(folder: str) -> None:
    """Record onto a disk of 300 kB until it is full; say what is there then. Runs in a process of its own."""

    async def record() -> str:
        path = Path(folder) / "clip.mp4"
        async with Recorder(path, None) as recording:
            for packets in clip_frames(count=150):
                recording.packets("video", packets)
            try:
                await recording.done()
            except RingError as error:
                return f"{error.code} {path.stat().st_size} {pictures(path)} {os.listdir(folder)}"
            return "it was not full"

    sys.stdout.write(asyncio.run(record()))


def test_a_disk_that_fills_up_ends_the_recording_in_order(tmp_path: Path) -> None:
    """On a real file system of 300 kB, in a mount namespace of its own; the camera sends 900 kB."""
    folder = tmp_path / "small"
    run = f"from test_media_recorder_disk import fill; fill({str(folder)!r})"
    ran = run_on_a_small_disk(folder, "300k", run, beside=__file__, within=60)
    code, size, shown, names = ran.stdout.split(maxsplit=3)
    assert code == "FILE-FULL"
    assert 100_000 < int(size) <= 300_000
    assert int(shown) >= 2 * RATE
    assert names.strip() == "['clip.mp4']"


def test_a_limit_on_the_size_of_files_is_file_full_too(tmp_path: Path) -> None:
    script = (
        f"import resource, sys; sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        f"from test_media_recorder_disk import fill\nfill({str(tmp_path)!r})"
    )
    ran = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    code, size, shown, _ = ran.stdout.split(maxsplit=3)
    assert code == "FILE-FULL"
    assert int(size) <= 200_000
    assert int(shown) >= RATE


async def test_it_ends_at_the_reserve_before_the_disk_is_full(tmp_path: Path) -> None:
    path, left = tmp_path / "clip.mp4", [300_000]
    space = Space(tmp_path, allowed=lambda: left[0] - (path.stat().st_size if path.exists() else 0))
    recording = Recorder(path, None, space=space)
    async with recording:
        for packets in clip_frames(count=150):
            recording.packets("video", packets)
        with pytest.raises(RingError) as caught:
            await recording.done()
    assert caught.value.code == "FILE-FULL"
    assert recording.progress.size == path.stat().st_size
    assert pictures(path) / RATE == pytest.approx(recording.progress.seconds, abs=0.1)


async def test_no_room_at_the_beginning_is_told_before_anything_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"of yesterday")
    with pytest.raises(RingError) as caught:
        async with Recorder(path, 1.0, space=Space(tmp_path, keep_free=1 << 60)):
            pass
    assert caught.value.code == "FILE-FULL"
    assert path.read_bytes() == b"of yesterday"


# What has the name already


async def test_an_older_file_stays_until_the_new_one_has_something_to_show(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"of yesterday")
    frames = list(clip_frames(count=20))
    async with Recorder(path, None) as recording:
        for packets in frames[:10]:
            recording.packets("video", packets)
        await asyncio.sleep(0.05)
        assert path.read_bytes() == b"of yesterday"
        for packets in frames[10:]:
            recording.packets("video", packets)
        await until(lambda: recording.progress.size > 0)
        assert pictures(path) == 15
    assert pictures(path) == 20
    assert os.listdir(tmp_path) == ["clip.mp4"]


async def test_a_recording_without_a_picture_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"of yesterday")
    async with Recorder(path, None) as recording:
        for packets in clip_frames(1, count=10):
            recording.packets("video", packets)
    assert path.read_bytes() == b"of yesterday"
    assert (await recording.done()) == Recording()


async def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    path, target = tmp_path / "clip.mp4", tmp_path / "elsewhere.mp4"
    path.symlink_to(target)
    async with Recorder(path, None) as recording:
        for packets in clip_frames(count=20):
            recording.packets("video", packets)
    assert path.is_symlink()
    assert pictures(target) == 20


# A slow disk


async def test_a_disk_that_is_too_slow_costs_whole_groups_and_memory_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "WAITING", 150_000)
    stuck, slow = threading.Event(), []
    keep = FragmentFile.keep

    def hang(self: FragmentFile) -> bool:
        stuck.wait()
        return keep(self)

    monkeypatch.setattr(FragmentFile, "keep", hang)
    path = tmp_path / "clip.mp4"
    recording = Recorder(path, None, on_slow=lambda: slow.append(True))
    most = 0
    async with recording:
        for number, packets in enumerate(clip_frames(count=300)):
            if number == 200:
                stuck.set()
                await until(lambda: recording._taken == recording._put)
            recording.packets("video", packets)
            most = max(most, recording._put - recording._taken)
            await asyncio.sleep(0)
    made = await recording.done()
    assert most < 350_000
    assert slow
    assert made.left_out >= 5
    assert made.seconds == pytest.approx(300 / RATE, abs=0.01)
    assert pictures(path) % RATE == 0
    assert pictures(path) < 300


# The index in front


def boxes(path: Path) -> list[str]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        found.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big")
    return found


async def test_faststart_is_one_file_with_its_index_first(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    async with Recorder(path, None, faststart=True) as recording:
        for packets in clip_frames(count=50):
            recording.packets("video", packets)
    assert [name for name in boxes(path) if name != "free"] == ["ftyp", "moov", "mdat"]
    assert pictures(path) == 50
    made = await recording.done()
    assert made.notes == ()
    assert made.size == path.stat().st_size
    assert os.listdir(tmp_path) == ["clip.mp4"]


async def test_without_room_for_a_copy_faststart_leaves_the_fragments_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    recording = Recorder(path, None, faststart=True, space=Space(tmp_path, allowed=lambda: 1000))
    async with recording:
        for packets in clip_frames(count=50):
            recording.packets("video", packets)
    made = await recording.done()
    assert len(made.notes) == 1
    assert "no room" in made.notes[0]
    assert boxes(path).count("moof") == 4
    assert pictures(path) == 50


def test_a_file_that_was_never_finished_can_be_measured(tmp_path: Path) -> None:
    assert film.measure(tmp_path / "none.mp4") == 0.0
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    assert film.measure(tmp_path / "bad.mp4") == 0.0


# Fragments


def box(kind: bytes, size: int = 20) -> bytes:
    return size.to_bytes(4, "big") + kind + bytes(size - 8)


@pytest.mark.parametrize("tail", [b"", b"\0\0\0", box(b"moof"), box(b"mdat")[:-1], box(b"moof") + b"\0\0\0\x09mdat"])
def test_only_whole_fragments_are_written(tail: bytes) -> None:
    head = box(b"ftyp") + box(b"moov") + box(b"moof") + box(b"mdat")
    assert whole(head + tail) == len(head)
    assert whole(head[:-1]) == 0


def test_what_reached_the_disk_is_cut_back_to_a_whole_fragment_where_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.mp4"
    file = FragmentFile(path)
    file.write(box(b"ftyp") + box(b"mdat"))
    assert file.keep()
    write, written = os.write, [0]

    def half(fd: int, data: bytes) -> int:
        written[0] += 1
        if written[0] > 1:
            raise OSError(28, "No space left on device")
        return write(fd, bytes(data)[:10])

    monkeypatch.setattr(os, "write", half)
    file.write(box(b"moof") + box(b"mdat"))
    with pytest.raises(OSError, match="No space"):
        file.keep()
    assert path.stat().st_size == file.size == 40
    monkeypatch.undo()
    file.close()
    assert path.stat().st_size == 80  # there was room again
