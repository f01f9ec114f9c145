"""Recordings, read again by ffmpeg: right length, every picture, whole up to the last key frame whatever happens."""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest
from media_kit import IDR, PPS, SLICE, SPS, clip, clip_frames, frames_of, packet

from ringlight.errors import RingError
from ringlight.media.past import Past
from ringlight.media.recorder import Recorder
from ringlight.media.rtp import TIMESTAMPS, Packet
from ringlight.simulator.clip import HEIGHT, RATE, WIDTH

pytestmark = pytest.mark.anyio
FRAME = 1 / RATE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clip.mp4"


def _feed(recorder: Recorder, frames: Iterable[list[Packet]]) -> None:
    for packets in frames:
        recorder.packets("video", packets)


async def _done(recorder: Recorder) -> float:
    async with asyncio.timeout(5):
        return (await recorder.done()).seconds


class Film:
    """What is in a file."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as file:
            (video,) = file.streams
            assert isinstance(video, av.VideoStream)
            self.codec, self.size = video.codec_context.name, (video.width, video.height)
            frames = list(file.decode(video))
            self.times = [frame.time for frame in frames if frame.time is not None]
            self.pictures = [bytes(frame.planes[0]) for frame in frames]
        assert len(self.times) == len(frames)

    @property
    def forwards(self) -> bool:
        return all(earlier < later for earlier, later in pairwise(self.times))

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0] + FRAME


async def _recorded(path: Path, frames: Iterable[list[Packet]], seconds: float | None = None) -> tuple[float, Film]:
    recorder = Recorder(path, seconds)
    async with recorder:
        _feed(recorder, frames)
        length = await _done(recorder) if seconds is not None else 0.0
    return length or await _done(recorder), Film(path)


async def test_a_recording_is_h264_of_the_wanted_length_and_plays(path: Path) -> None:
    length, film = await _recorded(path, clip_frames(count=40), 2.0)
    assert length == pytest.approx(2.0, abs=FRAME)
    assert (film.codec, film.size) == ("h264", (WIDTH, HEIGHT))
    assert len(film.pictures) == pytest.approx(2 * RATE, abs=1)
    assert film.seconds == pytest.approx(length, abs=FRAME)
    assert film.times[0] == 0
    assert film.forwards
    assert len(set(film.pictures)) == len(film.pictures)


async def test_without_a_length_it_goes_on_to_the_end(path: Path) -> None:
    length, film = await _recorded(path, clip_frames(count=20))
    assert length == pytest.approx(20 * FRAME, abs=FRAME / 2)
    assert len(film.pictures) == 20


async def test_it_begins_with_a_key_frame_the_running_group_included(path: Path) -> None:
    frames = list(clip_frames(10, count=15))
    recorder = Recorder(path, None)
    async with recorder:
        past = Past()
        for number, packets in enumerate(frames[:8]):  # the sixth is a key frame
            past.push("video", packets, number * FRAME)
        recorder.begin(past.since(7 * FRAME))
        _feed(recorder, frames[8:])
        recorder.packets("audio", [packet(1, 1, b"sound")])
    assert len(Film(path).pictures) == 10


async def test_nothing_recorded_has_no_length(path: Path) -> None:
    recorder = Recorder(path, None)
    async with recorder:
        _feed(recorder, clip_frames(1, count=5))
    assert await _done(recorder) == 0.0


async def test_lost_packets_cost_what_refers_to_them_and_the_time_goes_on(path: Path) -> None:
    """A frame that refers to a lost one shows garbage: the picture stands still until the next key frame."""
    frames = list(clip_frames(count=45))
    del frames[7][-1:], frames[40][:]
    length, film = await _recorded(path, frames)
    assert film.forwards
    assert length == pytest.approx(45 * FRAME, abs=FRAME / 2)
    assert len(film.pictures) == 7 + 15 + 10
    assert film.times[7] == pytest.approx(15 * FRAME, abs=0.001)


@pytest.mark.parametrize("timestamp", [5, 3_000_000_000, (1 << 31) - 90_000, (1 << 31) + 6000 * 12])
@pytest.mark.parametrize("ssrc", [2, 0xC0FFEE])
async def test_another_session_of_the_camera_goes_on_one_frame_later(path: Path, timestamp: int, ssrc: int) -> None:
    """Neither does the time jump, nor does the recording become longer or shorter than wanted."""
    first = list(clip_frames(count=15, sequence=100))
    after = clip_frames(30, count=60, sequence=100 + sum(map(len, first)), timestamp=timestamp, ssrc=ssrc)
    length, film = await _recorded(path, [*first, *after], 3.0)
    assert length == pytest.approx(3.0, abs=FRAME)
    assert film.forwards
    assert film.seconds == pytest.approx(3.0, abs=2 * FRAME)
    assert len(set(film.pictures)) == pytest.approx(3 * RATE, abs=1)


async def test_the_time_goes_on_where_the_cameras_clock_runs_over(path: Path) -> None:
    _, film = await _recorded(path, clip_frames(count=20, timestamp=TIMESTAMPS - 6000 * 10))
    assert film.forwards
    assert film.seconds == pytest.approx(20 * FRAME, abs=FRAME / 2)


async def test_a_camera_that_stamps_two_frames_alike_is_recorded_all_the_same(path: Path) -> None:
    """Two frames at one time are more than an MP4 file can hold."""
    frames = list(clip_frames(count=10))
    frames[5] = [replace(one, timestamp=frames[4][0].timestamp) for one in frames[5]]
    _, film = await _recorded(path, frames)
    assert film.forwards
    assert len(film.pictures) == 10


async def test_a_file_that_is_cut_off_plays_up_to_the_last_whole_fragment(path: Path) -> None:
    """A power cut costs the running second and nothing before it."""
    await _recorded(path, clip_frames(count=60))
    os.truncate(path, path.stat().st_size * 5 // 8)
    with av.open(str(path)) as file:
        pictures = 0
        try:
            for _ in file.decode(video=0):
                pictures += 1
        except av.FFmpegError:
            pass
    assert pictures >= 30


async def test_while_it_records_the_file_can_be_played_already(path: Path) -> None:
    recorder = Recorder(path, None)
    async with recorder:
        _feed(recorder, clip_frames(count=47))
        async with asyncio.timeout(3):
            while not path.exists() or path.stat().st_size < 100_000:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert len(Film(path).pictures) >= 15
    assert len(Film(path).pictures) == 47


async def test_a_recording_that_is_done_takes_no_more(path: Path) -> None:
    recorder = Recorder(path, 1.0)
    async with recorder:
        _feed(recorder, clip_frames(count=20))
        await _done(recorder)
        size = path.stat().st_size
        _feed(recorder, clip_frames(20, count=20, timestamp=(1 << 31) + 20 * 6000))
        await asyncio.sleep(0.02)
        assert path.stat().st_size == size


# What goes wrong


@pytest.mark.parametrize("where", ["missing/clip.mp4", "."])
async def test_a_path_that_cannot_be_written_is_file_write_at_once(tmp_path: Path, where: str) -> None:
    with pytest.raises(RingError) as caught:
        async with Recorder(tmp_path / where, 1.0):
            pass
    assert caught.value.code == "FILE-WRITE"
    assert where in (caught.value.detail or "") or where == "."


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
async def test_a_full_disk_is_file_full(tmp_path: Path) -> None:
    path = tmp_path / "full.mp4"
    path.symlink_to("/dev/full")
    recorder = Recorder(path, 2.0)
    async with recorder:
        _feed(recorder, clip_frames(count=40))
        with pytest.raises(RingError) as caught:
            await _done(recorder)
    assert caught.value.code == "FILE-FULL"


async def test_key_frames_that_ffmpeg_cannot_read_are_no_recording_and_touch_no_file(path: Path) -> None:
    path.write_bytes(b"of yesterday")
    recorder = Recorder(path, None)
    async with recorder:
        _feed(recorder, [frames_of((SPS, PPS, IDR + b"x"), (SLICE,))])
    with pytest.raises(RingError) as caught:
        await _done(recorder)
    assert caught.value.code == "MEDIA-NO-KEY-FRAME"
    assert path.read_bytes() == b"of yesterday"


async def test_who_does_not_wait_for_an_error_is_not_warned_of_it(path: Path) -> None:
    """asyncio would complain of an exception that nobody looked at, long after the recording."""
    async with Recorder(path, None) as recorder:
        _feed(recorder, [frames_of((SPS, PPS, IDR + b"x"))])
    with pytest.raises(RingError):
        await _done(recorder)


async def test_a_cancelled_recording_leaves_a_file_that_plays(path: Path) -> None:
    async def record() -> None:
        async with Recorder(path, 100.0) as recorder:
            _feed(recorder, clip_frames(count=20))
            await recorder.done()

    task = asyncio.create_task(record())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(Film(path).pictures) == 20


async def test_the_clip_has_the_rate_that_these_tests_count_with() -> None:
    assert len(clip().frames) == 10 * RATE
