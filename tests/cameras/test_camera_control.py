"""A camera beside its live video, against the simulated Ring: light, siren, stills, history, recordings, turning."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import av
import pytest

from ringlight.account import Credentials
from ringlight.cameras import Account, charge
from ringlight.errors import CameraError, RingError, UsageError
from ringlight.liveview import attempt
from ringlight.secrets import Secret
from ringlight.settings import CameraSettings, Settings
from ringlight.simulator.premises import SimEvent
from ringlight.simulator.world import World
from ringlight.store import FileTokenStore, MemoryTokenStore, TokenStore
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio
KNOWN = Credentials("ada@ringlight.test", Secret("ringlight"), "123456")


@asynccontextmanager
async def _house(world: World | None = None, store: TokenStore | None = None) -> AsyncIterator[tuple[Account, World]]:
    async with simulator(world) as ring:
        settings = Settings(ring_url=ring.url, cameras=CameraSettings(linger=0))
        async with Account.open(settings, store=store or MemoryTokenStore(), credentials=KNOWN) as account:
            yield account, ring.world


async def test_light_and_siren_are_switched_and_known_at_once() -> None:
    async with _house() as (account, world):
        camera = await account.camera("driveway")
        assert (camera.as_dict()["light_on"], camera.as_dict()["siren_seconds"]) == (False, 0)
        await camera.set_light(True)
        await camera.set_siren(True, seconds=20)
        assert (camera.as_dict()["light_on"], camera.as_dict()["siren_seconds"]) == (True, 20)
        assert (world.lights[1003], world.siren_seconds(1003)) == (True, 20)
        await camera.set_light(False)
        await camera.set_siren(False)
        assert (camera.as_dict()["light_on"], camera.as_dict()["siren_seconds"]) == (False, 0)
        door = await account.camera("front-door")
        with pytest.raises(CameraError, match="CAM-UNABLE"):
            await door.set_light(True)
        assert (door.as_dict()["has_light"], door.as_dict()["light_on"]) == (False, None)
        with pytest.raises(UsageError, match="1 to 120"):
            await camera.set_siren(True, seconds=121)


async def test_a_fresh_still_is_taken_by_the_camera_without_a_view() -> None:
    async with _house() as (account, world):
        still = await (await account.camera("back-yard")).fresh_snapshot()
        assert (still.source, world.live_views) == ("camera", 0)
        assert repr(still) == "Still(source='camera')"
        with av.open(io.BytesIO(still.image), "r") as file:
            assert next(iter(file.decode(video=0))).width == 640


@pytest.mark.parametrize(("name", "takes_stills", "source"), [
    ("back-yard", True, "view"), ("driveway", True, "camera"), ("driveway", False, "view"),
])  # fmt: skip
async def test_while_it_streams_a_still_may_be_from_the_view_and_says_so(
    name: str, takes_stills: bool, source: str
) -> None:
    """A battery camera takes none while it streams; any other may fail to."""
    async with _house(World(takes_stills=takes_stills)) as (account, world):
        camera = await account.camera(name)
        async with camera.live_view() as view:
            await view.snapshot()
            still = await camera.fresh_snapshot()
        assert (still.source, still.image[:2], world.live_views) == (source, b"\xff\xd8", 1)


async def test_without_a_view_a_camera_that_takes_no_picture_is_a_fault() -> None:
    async with _house(World(takes_stills=False)) as (account, world):
        with pytest.raises(CameraError, match="CAM-SNAPSHOT"):
            await (await account.camera("back-yard")).fresh_snapshot()
        assert world.live_views == 0, "nobody asked to wake it for a view"


def _long_history(count: int) -> tuple[SimEvent, ...]:
    return tuple(SimEvent(9_000 - number, 1001, "motion", "2026-02-03T18:03:58.000Z") for number in range(count))


async def test_the_history_goes_on_from_page_to_page() -> None:
    async with _house(World(events=_long_history(130))) as (account, _):
        door = await account.camera("front-door")
        numbers = [event.id async for event in door.history(limit=None)]
        assert numbers == [str(9_000 - number) for number in range(130)]
        assert len([event async for event in door.history(limit=60)]) == 60
        assert [event.id async for event in door.history(limit=2, before="8990")] == ["8989", "8988"]
        assert [event async for event in door.history(limit=0)] == []


async def test_a_history_that_repeats_itself_ends() -> None:
    """Should Ring not heed where to go on, the same page comes for ever."""
    async with _house(World(events=_long_history(80))) as (account, _):
        door = await account.camera("front-door")
        ask = door._controls.events

        async def deaf(limit: int, before: str | None) -> object:
            return await ask(limit, None)

        door._controls.events = deaf  # type: ignore[method-assign, assignment]
        assert len([event async for event in door.history(limit=None)]) == 50


async def test_a_recording_is_saved_and_the_storage_learns_no_secret(tmp_path: Path) -> None:
    async with _house() as (account, world):
        door = await account.camera("front-door")
        bell, motion, view = [event async for event in door.history()]
        assert (motion.kind, motion.person, bell.person) == ("motion", True, False)
        assert await door.download(bell, tmp_path / "a.mp4") == (tmp_path / "a.mp4").stat().st_size
        await door.download(motion.id, tmp_path / "b.mp4")
        with av.open(tmp_path / "b.mp4") as film:
            assert film.streams.video[0].codec_context.name == "h264"
        assert [set(headers) & {"authorization", "hardware_id"} for headers in world.recording_requests] == [
            set(),
            set(),
        ]
        for wanted, code in ((view, "CAM-RECORDING"), ("99", "CAM-RECORDING"), ("../x", "REQUEST-INVALID")):
            with pytest.raises(RingError, match=code):
                await door.download(wanted, tmp_path / "c.mp4")
        assert sorted(one.name for one in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


async def test_a_camera_turns_until_it_can_go_no_further_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "COMMAND_WAIT", 60.0)  # the simulated camera shares the processor with whoever asks
    async with _house() as (account, world):
        camera = await account.camera("driveway")
        async with camera.live_view():
            assert [await camera.turn("left") for _ in range(3)] == ["moved", "moved", "limit"]
            async with asyncio.timeout(60):
                while await camera.keep_turning("right", speed=1.0) == "moved":
                    await asyncio.sleep(0.05)  # the simulated motor takes its real time
            assert await camera.stop_turning() == "limit"
            assert await camera.keep_turning("up", speed=0.001) == "moved"  # a step takes minutes
            assert await camera.stop_turning() == "moved"
            halted = camera.view.progress.as_dict()["halted"]
        assert (halted["axis"], halted["reason"]) == ("pan", "LIMIT_REACHED")
        assert (world.facing[1003].pan, world.facing[1003].tilt) == (2, 0)
        assert {message["code"] for message in world.dialogs[0].messages} == {None}
        for speed in (0.0, 1.5, -1.0):
            with pytest.raises(UsageError, match="speed"):
                await camera.keep_turning("up", speed=speed)
        with pytest.raises(CameraError, match="CAM-NO-PTZ"):
            await (await account.camera("front-door")).keep_turning("up")


# Batteries


def _weaker(world: World, percent: int) -> None:
    world.cameras = tuple(
        replace(camera, battery=percent) if camera.battery is not None else camera for camera in world.cameras
    )


async def test_a_view_of_a_battery_camera_is_measured_and_kept(tmp_path: Path) -> None:
    """Read before the view, after it, and at the end of a program; 15 minutes pass on the account's clock."""
    clock = [1_000.0]
    async with simulator() as ring:
        settings = Settings(ring_url=ring.url, cameras=CameraSettings(linger=0))
        tokens = FileTokenStore(tmp_path / "tokens.json")
        for percent in (86, 84):
            async with Account.open(settings, store=tokens, credentials=KNOWN, clock=lambda: clock[0]) as account:
                camera = await account.camera("back-yard")
                assert camera.as_dict()["battery_cost"]["text"] == "not measured yet"
                async with camera.live_view() as view:
                    await view.snapshot()
                    clock[0] += 900
                _weaker(ring.world, percent)
                ring.world.tokens.access.clear()  # an hour is over on this clock
        async with Account.open(settings, store=tokens, credentials=KNOWN, clock=lambda: clock[0]) as account:
            cameras = {camera.id: camera.as_dict() for camera in await account.cameras()}
        assert cameras["back-yard"]["battery_cost"] == {
            "percent_per_minute": 0.1, "minutes": 30.0, "text": "about 0.1 % a minute (measured over 30 minutes)",
        }  # fmt: skip
        assert cameras["front-door"]["battery_cost"] is None
        assert {name: one["renewal"] for name, one in cameras.items()} == {
            "front-door": "while-watched", "back-yard": "ask", "driveway": "while-watched",
        }  # fmt: skip


async def test_the_battery_is_read_again_after_views_but_not_after_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charge, "READ_AFTER", 0.0)
    async with _house() as (account, _):
        camera = await account.camera("back-yard")
        read: list[int] = []
        list_now = account.devices

        async def counted() -> object:
            read.append(1)
            return await list_now()

        account._charge._reread = counted
        for _ in range(3):
            async with camera.live_view() as view:
                await view.snapshot()
            async with asyncio.timeout(30):
                while camera.view.progress.state != "closed" or not read:
                    await asyncio.sleep(0.01)
        assert len(read) == 1
