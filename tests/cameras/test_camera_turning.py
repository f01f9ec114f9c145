"""Turning while a button is held: it goes on, it ends, and the end of the way is told; the camera is made by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ringlight.cameras.shared_view import SharedView
from ringlight.cameras.turning import Turner
from ringlight.errors import RingError, fault_error
from ringlight.liveview import Event
from ringlight.liveview.events import Halted
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Transport
from ringlight.settings import CameraSettings, Settings

pytestmark = pytest.mark.anyio
Ordered = tuple[str, str, float | None]


class Mount:
    """A camera that turns: does what it is told, and halts when the test says so."""

    def __init__(self) -> None:
        self.orders: asyncio.Queue[Ordered] = asyncio.Queue()
        self.refuses: str | None = None
        self.halts_at_once = False
        self.over: asyncio.Future[RingError] = asyncio.get_running_loop().create_future()

    def dial(
        self,
        *,
        on_packet: Callable[[Packet], None],
        on_agreed: Callable[[Agreed], None],
        on_event: Callable[[Event], None],
        is_watched: Callable[[], bool],
        may_renew: Callable[[], bool],
    ) -> "Mount":
        del on_packet, is_watched, may_renew
        self._on_agreed, self.tell = on_agreed, on_event
        return self

    async def open(self) -> Agreed:
        agreed = Agreed({"video": Codec(96, "H264", 90_000, 1)}, Transport())
        self._on_agreed(agreed)
        return agreed

    async def ended(self) -> RingError:
        return await asyncio.shield(self.over)

    async def close(self) -> None:
        if not self.over.done():
            self.over.set_result(fault_error("SIG-CLOSED"))

    def ask_key_frame(self) -> None:
        """Nothing: nobody looks."""

    async def command(self, method: str, params: Mapping[str, Any]) -> str | None:
        if self.refuses:
            raise fault_error("CAM-COMMAND", self.refuses)
        self.orders.put_nowait((method.removeprefix("PTZ."), params["direction"], params.get("speed")))
        if self.halts_at_once and params.get("speed") != 0:
            self.tell(Halted("pan", "LIMIT_REACHED"))
            return "LIMIT_REACHED"
        return None

    async def talk(self, *, on: bool) -> None:
        """Nothing: nobody talks."""

    def send_sound(self, packet: Packet) -> None:
        """Nothing: nobody talks."""

    async def told(self) -> Ordered:
        return await asyncio.wait_for(self.orders.get(), 30)


@asynccontextmanager
async def _turner() -> AsyncIterator[tuple[Turner, Mount]]:
    mount = Mount()
    view = SharedView(mount.dial, Settings(cameras=CameraSettings(linger=60)))
    turner = Turner(view)
    yield turner, mount
    await turner.close()
    await view.close()


async def test_a_step_says_whether_it_moved_or_came_to_the_end() -> None:
    async with _turner() as (turner, mount):
        assert await turner.step("up") == "moved"
        mount.halts_at_once = True
        assert await turner.step("left") == "limit"
        assert [await mount.told(), await mount.told()] == [("Tilt.Step", "UP", None), ("Pan.Step", "LEFT", None)]


async def test_asked_again_it_goes_on_and_is_told_once() -> None:
    async with _turner() as (turner, mount):
        for _ in range(3):
            assert await turner.keep("left", 0.5, 60) == "moved"
        assert await turner.stop() == "moved"
        assert await mount.told() == ("Pan.Continuous", "LEFT", 0.5)
        assert await mount.told() == ("Pan.Continuous", "LEFT", 0)
        assert mount.orders.empty()
        assert await turner.stop() == "moved", "there is nothing left to stop"


async def test_it_stops_by_itself_when_nobody_asks_again() -> None:
    async with _turner() as (turner, mount):
        await turner.keep("right", 1.0, 0.05)
        assert await mount.told() == ("Pan.Continuous", "RIGHT", 1.0)
        assert await mount.told() == ("Pan.Continuous", "RIGHT", 0)


async def test_another_direction_stops_the_first() -> None:
    async with _turner() as (turner, mount):
        await turner.keep("right", 0.5, 60)
        await turner.keep("up", 0.5, 60)
        told = [await mount.told() for _ in range(3)]
        assert told == [
            ("Pan.Continuous", "RIGHT", 0.5),
            ("Pan.Continuous", "RIGHT", 0),
            ("Tilt.Continuous", "UP", 0.5),
        ]


async def test_a_halt_is_told_to_who_holds_on_and_nothing_more_is_sent() -> None:
    """The camera halts some time after the answer: the next who asks hears of the limit, and so does who stops."""
    async with _turner() as (turner, mount):
        assert await turner.keep("left", 0.5, 60) == "moved"
        mount.tell(Halted("pan", "LIMIT_REACHED"))
        async with asyncio.timeout(30):
            while await turner.keep("left", 0.5, 60) == "moved":
                await asyncio.sleep(0)
        assert await turner.stop() == "limit"
        await mount.told()
        assert mount.orders.empty()
        mount.halts_at_once = True
        assert await turner.keep("left", 0.5, 60) == "limit"


async def test_a_camera_that_refuses_is_a_fault_and_the_next_try_is_a_new_one() -> None:
    async with _turner() as (turner, mount):
        mount.refuses = "tired"
        with pytest.raises(RingError, match="tired"):
            await turner.keep("left", 0.5, 60)
        mount.refuses = None
        assert await turner.keep("left", 0.5, 60) == "moved"
        mount.refuses = "tired again"
        with pytest.raises(RingError, match="tired again"):
            await turner.stop()


async def test_a_view_that_ends_ends_the_turning() -> None:
    async with _turner() as (turner, mount):
        await turner.keep("left", 0.5, 60)
        mount.over.set_result(fault_error("SIG-PING"))
        assert await turner.stop() == "moved"
        await mount.told()
        assert mount.orders.empty(), "there is nobody to be told any more"
