"""Cameras of the Partner API against the simulator, with real pictures: watched, renewed, recorded, looked at."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringlight.account import CameraEvent
from ringlight.cameras import PartnerCameras, SharedView
from ringlight.cameras.partner import PartnerCamera
from ringlight.errors import RingError, fault_error
from ringlight.media import sdp
from ringlight.media.rtp import Packet
from ringlight.partner import AsyncClient
from ringlight.rooms.memory import MemoryRooms
from ringlight.server.bells import Bells
from ringlight.settings import CameraSettings, LiveViewSettings, PartnerSettings, ResilienceSettings, Settings
from ringlight.simulator.world import Delays
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.anyio
WITHIN = 30  # seconds; for a machine with much else to do


@asynccontextmanager
async def cameras_of(
    ring: SimulatedRing, *, renewal: Any = "auto", partner: dict[str, Any] | None = None, **live_view: Any
) -> AsyncIterator[PartnerCameras]:
    settings = Settings(
        ring_url=ring.url, cameras=CameraSettings(linger=0.0, renewal=renewal),
        live_view=LiveViewSettings(**live_view), partner=PartnerSettings(**(partner or {})),
        resilience=ResilienceSettings(device_open=0.1, device_open_cap=0.1),
    )  # fmt: skip
    async with (
        asyncio.timeout(WITHIN),
        AsyncClient(tokens="sim-token", settings=settings) as client,
        PartnerCameras(client, settings) as cameras,
    ):
        yield cameras


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


def sessions(ring: SimulatedRing) -> list[tuple[str, int]]:
    """The calls about live views: their methods and answers."""
    return [(method, status) for method, path, status in ring.world.partner.calls if "/whep/" in path]


class Pictures:
    """A sink that notes the packets of a view."""

    def __init__(self) -> None:
        self.video: list[Packet] = []
        self.sound: list[Packet] = []

    def join(self, kind: str) -> None:
        pass

    def packets(self, kind: str, batch: Any) -> None:
        (self.video if kind == "video" else self.sound).extend(batch)


async def test_partner_devices_with_video_are_cameras_like_any_other(ring: SimulatedRing) -> None:
    ring.world.switch(["partner-early-access"])  # a chime and a sensor too
    async with cameras_of(ring) as cameras:
        listed = [camera.as_dict() for camera in await cameras.cameras()]
        assert [(one["name"], one["power"], one["battery_percent"], one["renewal"]) for one in listed] == [
            ("Front Door", "wired", None, "while-watched"), ("Back Yard", "battery", None, "ask"),
            ("Driveway", "wired", None, "while-watched"),
        ]  # fmt: skip
        assert {one["state"] for one in listed} == {"online"}
        assert listed[0]["model"] == "Doorbell Pro"
        assert listed[0]["steps"] == ("offer", "answer", "media")
        assert listed[0]["id"].startswith("front-door--")
        door = await cameras.camera("front door")
        assert door is await cameras.camera(door.id) is await cameras.camera(door.device.id)
        with pytest.raises(RingError) as caught:
            await cameras.camera("Attic")
        assert caught.value.code == "CAM-UNKNOWN"


async def test_two_watch_one_view_which_is_ended_at_ring_when_both_have_left(ring: SimulatedRing) -> None:
    async with cameras_of(ring) as cameras:
        door = await cameras.camera("Front Door")
        pictures = Pictures()
        async with door.live_view() as one, door.live_view() as other:
            assert one is other
            one.broadcast.add(pictures)
            await until(lambda: len(pictures.video) > 20 and len(pictures.sound) > 5)
            assert not one.hears
            assert door.view.progress.state == "live"
        await until(lambda: len(sessions(ring)) == 2)
        assert [method for method, _ in sessions(ring)] == ["POST", "DELETE"]


async def test_a_still_of_now_needs_no_more_than_a_call(ring: SimulatedRing) -> None:
    async with cameras_of(ring) as cameras:
        still = await (await cameras.camera("Back Yard")).fresh_snapshot()
        assert still.image.startswith(b"\xff\xd8\xff")
        assert still.source == "view"


async def test_the_offer_has_high_and_baseline_and_is_whole(ring: SimulatedRing, monkeypatch: Any) -> None:
    """An offer with nothing but 42e01f was answered with 500 (partner-api.md#live-view); nothing can come later."""
    offers: list[str] = []

    async def refuse(_live: object, _device: str, offer: str, **_: object) -> None:
        offers.append(offer)
        raise fault_error("PARTNER-SERVER", "seen enough")

    async with cameras_of(ring, retries=0) as cameras:
        door = await cameras.camera("Front Door")
        monkeypatch.setattr("ringlight.partner.async_groups.AsyncLive.open", refuse)
        with pytest.raises(RingError):
            async with door.live_view():
                pass
    offer = sdp.parse(offers[0])
    video, audio = offer.find("video"), offer.find("audio")
    assert video is not None
    assert audio is not None
    assert {codec.h264_profile for codec in video.codecs} >= {"high", "baseline"}
    assert (video.direction, audio.direction) == ("recvonly", "recvonly")
    assert [codec.name for codec in audio.codecs] == ["opus"]
    assert offer.transport.candidates
    assert "a=end-of-candidates" in offers[0]


async def test_a_view_goes_on_beyond_the_limit_without_a_gap(ring: SimulatedRing) -> None:
    """The next one is opened beside it and takes over with a key frame: what is watched has one numbering."""
    ring.world.partner.view_line = 3.0
    async with cameras_of(ring, renewal="while-watched") as cameras:
        door = await cameras.camera("Front Door")
        shorten(door, 3.0)
        pictures = Pictures()
        async with door.live_view() as view:
            view.broadcast.add(pictures)
            await until(lambda: sum("Renewed" in note for note in door.view.progress.notes) >= 2)
            await until(lambda: len(sessions(ring)) >= 5)
    numbers = [packet.sequence for packet in pictures.video]
    assert {(after - before) % 65536 for before, after in itertools.pairwise(numbers)} == {1}
    assert [method for method, _ in sessions(ring)].count("POST") >= 3


def shorten(camera: PartnerCamera, limit: float) -> None:
    """Let a camera's time limit be known as that of the simulated one."""
    camera.device = replace(camera.device, view_seconds=limit)


async def test_a_view_that_may_not_go_on_ends_at_the_limit_with_its_own_fault(ring: SimulatedRing) -> None:
    """Nothing tells of it: it is noticed by pictures that stay away."""
    ring.world.partner.view_line = 1.5
    async with cameras_of(ring, renewal="never", partner={"view_stall": 1.0}) as cameras:
        door = await cameras.camera("Front Door")
        shorten(door, 1.5)
        async with door.live_view() as view:
            ended = await view.ended()
        assert ended.code == "PARTNER-VIEW-LIMIT"
        assert door.view.progress.state == "failed"
        await until(lambda: [method for method, _ in sessions(ring)] == ["POST", "DELETE"])


async def test_pictures_that_stop_early_are_a_fault_after_three_seconds(ring: SimulatedRing) -> None:
    """As in the Playground, where views were seen to end after ten seconds."""
    ring.world.switch(["partner-view-short"])
    async with cameras_of(ring, retries=0, reopen_retries=0) as cameras:
        door = await cameras.camera("Front Door")
        async with door.live_view() as view:
            await until(lambda: door.view.progress.state == "live")
            ended = await view.ended()
    assert ended.code == "MEDIA-STALLED"
    assert str(ended.detail).startswith("no packet for 3 s")


async def test_a_camera_that_shows_nothing_is_told_apart(ring: SimulatedRing) -> None:
    ring.world.switch(["partner-view-dark"])
    async with cameras_of(ring, media_timeout=0.5, retries=0) as cameras:
        door = await cameras.camera("Front Door")
        async with door.live_view() as view:
            assert (await view.ended()).code == "MEDIA-SILENT"


@pytest.mark.parametrize(
    ("switch", "code"), [("partner-offline", "PARTNER-DEVICE-OFFLINE"), ("partner-view-foreign", "PARTNER-ORIGIN")]
)
async def test_a_view_that_cannot_be_opened_says_why(switch: str, code: str, ring: SimulatedRing) -> None:
    async with cameras_of(ring, retries=0) as cameras:
        door = await cameras.camera("Front Door")
        ring.world.switch([switch])
        with pytest.raises(RingError) as caught:
            async with door.live_view():
                pass
        assert caught.value.code == code
        assert isinstance(door.view, SharedView)


async def test_where_a_camera_has_one_view_at_a_time_it_is_opened_anew_after_the_limit(ring: SimulatedRing) -> None:
    """The renewal is answered 409 while the view runs; that one is left alone, and comes again when it has ended."""
    ring.world.switch(["partner-view-busy"])
    ring.world.partner.view_line = 3.0
    async with cameras_of(ring, renewal="while-watched", partner={"view_stall": 1.0}) as cameras:
        door = await cameras.camera("Front Door")
        shorten(door, 3.0)
        async with door.live_view():
            await until(lambda: any("PARTNER-VIEW-LIMIT" in note for note in door.view.progress.notes))
            assert any("PARTNER-VIEW-BUSY" in note for note in door.view.progress.notes)
            await until(lambda: door.view.progress.state == "live")
    answers = [status for method, status in sessions(ring) if method == "POST"]
    assert 409 in answers
    assert answers.count(201) >= 2


async def test_who_leaves_while_it_opens_leaves_no_camera_awake(ring: SimulatedRing) -> None:
    ring.world.delays = Delays(answer=0.5)
    async with cameras_of(ring) as cameras:
        door = await cameras.camera("Front Door")

        async def watch() -> None:
            async with door.live_view():
                pass

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.1)
        watching.cancel()
        await until(lambda: [method for method, _ in sessions(ring)] == ["POST", "DELETE"])


async def test_it_is_recorded_like_any_other(ring: SimulatedRing, tmp_path: Path) -> None:
    async with cameras_of(ring) as cameras:
        door = await cameras.camera("Front Door")
        async with door.live_view() as view:
            made = await view.record(tmp_path / "door.mp4", seconds=1)
        assert made.seconds >= 1
        assert (tmp_path / "door.mp4").stat().st_size > 10_000


async def test_a_press_rings_in_a_room_once_also_before_the_first_look(
    ring: SimulatedRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was pressed before anybody was there is history. When the ring is over, its event gets another id."""
    rooms, presses = MemoryRooms(), list[str]()
    monkeypatch.setattr(rooms.porter, "happen", lambda _, event: presses.append(event.press))
    looks = asyncio.Queue[float]()
    async with cameras_of(ring) as cameras:
        door = await cameras.camera("Front Door")
        rooms.house.make("visit", lobby=False, cameras={door.id: "Front Door"})

        async def history(*, limit: int) -> AsyncIterator[CameraEvent]:
            for event in [event async for event in PartnerCamera.history(door, limit=limit)]:
                yield event
            looks.put_nowait(asyncio.get_running_loop().time())

        monkeypatch.setattr(door, "history", history)
        ring.world.partner.event_seconds = 1.0
        before = ring.world.partner.now() - 60_000
        ring.world.partner.happened("1001", "ding", start=before, seconds=5.0)
        rooms.connect("/ws/v2").say({"t": "hello", "v": 2, "room": "visit", "role": "doctor"})
        ring.world.press(1001, "ding")
        pressed = ring.world.partner.events[-1]
        ring.world.partner.happened("1001", "motion", start=pressed.start, seconds=2.0)  # seen at the same moment
        async with Bells(rooms.porter, 0.1).reading(cameras):
            await looks.get()
            while ring.world.partner.now() < (pressed.end or 0):
                await looks.get()
            for _ in range(2):
                await looks.get()
        assert presses == [f"{pressed.start}-ding"]


async def test_its_history_plays_whole_and_in_parts(ring: SimulatedRing, tmp_path: Path) -> None:
    async with cameras_of(ring) as cameras:
        door = await cameras.camera("Front Door")
        first, *rest = [event async for event in door.history(limit=4)]
        assert [first.kind, *(event.kind for event in rest)] == ["ding", "motion", "motion", "motion"]
        later = [event async for event in door.history(limit=2, before=first.id)]
        assert [event.id for event in later] == [event.id for event in rest[:2]]
        size = await door.download(first, tmp_path / "ding.mp4")
        whole = (tmp_path / "ding.mp4").read_bytes()
        assert len(whole) == size
        assert whole[4:8] == b"ftyp"
        url = await door.recording_url(first.id)
        for wanted, status, part in (
            ({}, 200, whole), ({"Range": "bytes=4-7"}, 206, b"ftyp"), ({"Range": "bytes=-5"}, 206, whole[-5:]),
            ({"Range": f"bytes={size}-"}, 416, b""),
        ):  # fmt: skip
            async with door.stream_recording(url, wanted) as answer:
                assert answer.status == status
                assert b"".join([piece async for piece in answer.pieces]) == part
        for wrong in ("9", "1790000000000-1", "a-b", "../../etc"):
            with pytest.raises(RingError) as caught:
                await door.recording_url(wrong)
            assert caught.value.code == "REQUEST-INVALID"
        with pytest.raises(RingError) as nothing:
            await door.set_light(True)
        assert nothing.value.code == "CAM-UNABLE"
