"""Recording from a view made by hand: what it begins with, when it gives up, and what who watches is told."""

import asyncio
import errno
import gc
from pathlib import Path

import pytest

from ringlight.cameras import recording
from ringlight.cameras.view import View
from ringlight.errors import RingError, fault_error
from ringlight.liveview import Event, Note, Step
from ringlight.liveview.story import Story
from ringlight.media import recorder
from ringlight.media.broadcast import Broadcast
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.settings import RecordingSettings
from ringlight.simulator.clip import CLOCK_STEP, make_clip

pytestmark = pytest.mark.anyio


class Upstream:
    """One that does nothing; the test pushes its packets."""

    async def open(self) -> Agreed:
        raise NotImplementedError

    async def ended(self) -> RingError:
        raise NotImplementedError

    async def close(self) -> None:
        pass

    def ask_key_frame(self) -> None:
        pass

    async def command(self, method: str, params: object) -> None:
        pass

    async def talk(self, *, on: bool) -> None:
        pass

    def send_sound(self, packet: object) -> None:
        pass


class Stage:
    """A view, its broadcast, and what was told."""

    def __init__(self) -> None:
        self.story = Story()
        self.told: list[Event] = []
        self.counted: list[int] = []
        self.over: asyncio.Future[RingError] = asyncio.get_running_loop().create_future()
        self.broadcast = Broadcast({"video": Codec(96, "H264", 90_000, 1)}, 1500, lambda: None)
        self.view = View(
            Upstream(), self.broadcast, self.over, self.story, recordings=RecordingSettings(keep_free=0),
            on_event=self.told.append, on_recording=self.counted.append,
        )  # fmt: skip
        self._sequence = self._shown = 0

    def show(self, frames: int) -> None:
        for _ in range(frames):
            payloads = make_clip("TEST", 150, "baseline").frames[self._shown % 150].payloads
            for at, payload in enumerate(payloads):
                last = at == len(payloads) - 1
                self.broadcast.push(Packet(96, last, self._sequence % 65536, self._shown * CLOCK_STEP, 7, payload))
                self._sequence += 1
            self._shown += 1


async def test_it_begins_with_the_running_group_and_ends_where_it_has_enough(tmp_path: Path) -> None:
    stage = Stage()
    stage.show(20)
    task = asyncio.create_task(stage.view.record(tmp_path / "clip.mp4", seconds=2))
    await asyncio.sleep(0.01)
    stage.show(40)
    made = await task
    assert made.seconds == pytest.approx(2.0, abs=0.01)
    assert made.files == (tmp_path / "clip.mp4",)
    assert stage.counted == [1, -1]


async def test_without_a_key_frame_it_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FIRST_PICTURE", 0.05)
    stage = Stage()
    stage.story.tell(Step("media"))
    with pytest.raises(RingError) as caught:
        await stage.view.record(tmp_path / "clip.mp4", seconds=2)
    assert caught.value.code == "MEDIA-NO-KEY-FRAME"
    assert list(tmp_path.iterdir()) == []
    assert stage.counted == [1, -1]


async def test_the_end_of_the_view_is_the_end_and_the_file_holds_what_came(tmp_path: Path) -> None:
    stage = Stage()
    stage.show(1)
    task = asyncio.create_task(stage.view.record(tmp_path / "clip.mp4", seconds=None))
    await asyncio.sleep(0.01)
    stage.show(30)
    stage.over.set_result(fault_error("MEDIA-STALLED"))
    with pytest.raises(RingError, match="MEDIA-STALLED"):
        await task
    assert (tmp_path / "clip.mp4").stat().st_size > 100_000
    with pytest.raises(RingError, match="MEDIA-STALLED"):
        await stage.view.record(tmp_path / "again.mp4", seconds=1)


async def test_a_disk_that_is_too_slow_is_noted_in_the_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "WAITING", 10_000)
    stage = Stage()
    stage.show(1)
    async with stage.view.recorder(tmp_path / "clip.mp4", None) as running:
        stage.show(100)
    assert running.progress.left_out > 0
    assert any(isinstance(event, Note) and event.code == "FILE-SLOW" for event in stage.told)


async def test_a_recording_that_the_disk_has_no_room_for_is_not_begun(tmp_path: Path) -> None:
    stage = Stage()
    with pytest.raises(RingError) as caught:
        async with stage.view.recorder(tmp_path / "clip.mp4", 3600, allowed=lambda: 1_000_000):
            pass
    assert caught.value.code == "FILE-FULL"
    assert "900 MB are needed" in (caught.value.detail or "")
    assert stage.counted == []


async def test_a_cancelled_recording_whose_end_fails_is_complained_of_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cancelled it waits for no result, and a task left behind would tell the log of an exception of nobody's."""

    def full(_: recorder.Recorder) -> list[str]:
        raise OSError(errno.ENOSPC, "full")

    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    monkeypatch.setattr(recorder.Recorder, "_index", full)
    stage = Stage()
    stage.show(1)
    task = asyncio.create_task(stage.view.record(tmp_path / "clip.mp4", seconds=None))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    await asyncio.sleep(0.05)
    del task
    gc.collect()
    assert complaints == []
