"""The shared view with a driver made by hand: who opens it, who shares it, when it closes."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ringlight.cameras.shared_view import SharedView
from ringlight.errors import RingError, fault_error
from ringlight.liveview import Event, Note, Step, Trying
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Transport
from ringlight.settings import CameraSettings, Settings

pytestmark = pytest.mark.anyio
VIDEO = Codec(96, "H264", 90_000, 1, {"profile-level-id": "640034"})


class HandUpstream:
    """An upstream that does what the test says."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.over: asyncio.Future[RingError] = asyncio.get_running_loop().create_future()
        self.closed = False
        self.asked = 0
        self.commands: list[tuple[str, str]] = []
        self.talks: list[bool] = []
        self.sound: list[Packet] = []
        self.on_packet: Callable[[Packet], None]
        self.on_agreed: Callable[[Agreed], None]
        self.on_event: Callable[[Event], None]
        self.is_watched: Callable[[], bool]
        self.may_renew: Callable[[], bool]

    async def open(self) -> Agreed:
        self.on_event(Trying(1))
        await self.answered
        agreed = Agreed({"video": VIDEO}, Transport())
        self.on_agreed(agreed)
        return agreed

    async def ended(self) -> RingError:
        return await asyncio.shield(self.over)

    async def close(self) -> None:
        self.closed = True
        if not self.over.done():
            self.over.set_result(fault_error("SIG-CLOSED"))

    def ask_key_frame(self) -> None:
        self.asked += 1

    async def command(self, method: str, params: Mapping[str, Any]) -> None:
        self.commands.append((method, params["direction"]))

    async def talk(self, *, on: bool) -> None:
        self.talks.append(on)

    def send_sound(self, packet: Packet) -> None:
        self.sound.append(packet)


class House:
    """A shared view whose upstreams are made by hand."""

    def __init__(self, linger: float = 0.0) -> None:
        self.made: list[HandUpstream] = []
        self.view = SharedView(self.dial, Settings(cameras=CameraSettings(linger=linger)))

    def dial(
        self,
        *,
        on_packet: Callable[[Packet], None],
        on_agreed: Callable[[Agreed], None],
        on_event: Callable[[Event], None],
        is_watched: Callable[[], bool],
        may_renew: Callable[[], bool],
    ) -> HandUpstream:
        upstream = HandUpstream()
        upstream.on_packet, upstream.on_agreed, upstream.on_event = on_packet, on_agreed, on_event
        upstream.is_watched, upstream.may_renew = is_watched, may_renew
        self.made.append(upstream)
        return upstream


async def settle() -> None:
    """Let all tasks go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def hold(view: SharedView, leave: asyncio.Event, *, guest: bool = False) -> str:
    """Watch until told to leave; return the fault's code if it could not be watched."""
    try:
        async with view.join(guest=guest):
            await leave.wait()
    except RingError as error:
        return error.code
    return "left"


async def test_the_first_opens_and_others_share() -> None:
    house, leave = House(), asyncio.Event()
    watchers = [asyncio.create_task(hold(house.view, leave)) for _ in range(5)]
    await settle()
    assert len(house.made) == 1
    assert house.view.progress.viewers == 5
    house.made[0].answered.set_result(None)
    await settle()
    leave.set()
    assert await asyncio.gather(*watchers) == ["left"] * 5
    await settle()
    assert house.made[0].closed
    assert house.view.progress.state == "closed"


async def test_a_guest_sees_the_camera_for_as_long_as_somebody_else_watches() -> None:
    """A recorder that joined a person at a camera on battery must not keep it awake after that person."""
    house, leave, never = House(), asyncio.Event(), asyncio.Event()
    person = asyncio.create_task(hold(house.view, leave))
    guests = [asyncio.create_task(hold(house.view, never, guest=True)) for _ in range(2)]
    await settle()
    upstream = house.made[0]
    upstream.answered.set_result(None)
    await settle()
    assert house.view.progress.viewers == 3
    assert upstream.is_watched()
    assert upstream.may_renew()
    leave.set()
    assert await person == "left"
    assert not upstream.is_watched()
    assert not upstream.may_renew()
    await settle()
    assert upstream.closed
    assert house.view.progress.viewers == 0
    never.set()
    assert await asyncio.gather(*guests) == ["left", "left"]
    assert len(house.made) == 1
    assert house.view.progress.viewers == 0


async def test_a_guest_that_comes_while_the_view_lingers_does_not_keep_it() -> None:
    house, leave, never = House(linger=0.05), asyncio.Event(), asyncio.Event()
    person = asyncio.create_task(hold(house.view, leave))
    await settle()
    house.made[0].answered.set_result(None)
    await settle()
    leave.set()
    await person
    guest = asyncio.create_task(hold(house.view, never, guest=True))
    await settle()
    assert house.view.progress.viewers == 1
    async with asyncio.timeout(5):
        await house.made[0].ended()
    assert house.made[0].closed
    never.set()
    assert await guest == "left"


async def test_it_lingers_for_who_comes_back() -> None:
    house, leave = House(linger=60), asyncio.Event()
    first = asyncio.create_task(hold(house.view, leave))
    await settle()
    house.made[0].answered.set_result(None)
    await settle()
    leave.set()
    await first
    await settle()
    assert not house.made[0].closed
    again = asyncio.create_task(hold(house.view, asyncio.Event()))
    await settle()
    assert len(house.made) == 1
    again.cancel()
    await house.view.close()
    assert house.made[0].closed


async def test_who_was_forgotten_can_tell_that_the_view_ended_for_want_of_viewers() -> None:
    """A laptop that slept: it still believes that it watches, and goes on; what was closed by a wish stays closed."""
    house, leave = House(), asyncio.Event()
    forgotten = asyncio.create_task(hold(house.view, leave))
    await settle()
    house.made[0].answered.set_result(None)
    await settle()
    leave.set()
    await forgotten
    await settle()
    told = house.view.progress.as_dict()
    assert (told["state"], told["unwatched"]) == ("closed", True)
    there = asyncio.create_task(hold(house.view, asyncio.Event()))
    await settle()
    assert not house.view.progress.as_dict()["unwatched"]
    house.made[1].answered.set_result(None)
    await settle()
    await house.view.close()
    told = house.view.progress.as_dict()
    assert (told["state"], told["unwatched"]) == ("closed", False)
    there.cancel()


async def test_a_view_that_is_closed_while_it_lingers_does_not_take_the_next_one_with_it() -> None:
    house, leave = House(linger=60), asyncio.Event()
    loop = asyncio.get_running_loop()
    first = asyncio.create_task(hold(house.view, leave))
    await settle()
    house.made[0].answered.set_result(None)
    await settle()
    timers: list[asyncio.TimerHandle] = []
    later = loop.call_later

    def noted(*args: Any) -> asyncio.TimerHandle:
        timers.append(later(*args))
        return timers[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "call_later", noted)
        leave.set()
        await first
    await house.view.close()
    assert [timer.cancelled() for timer in timers] == [True]


async def test_what_a_view_that_was_left_still_tells_is_not_told_of_the_next_one() -> None:
    house, leave = House(linger=60), asyncio.Event()
    first = asyncio.create_task(hold(house.view, leave))
    await settle()
    house.made[0].answered.set_result(None)
    await settle()
    house.made[0].on_event(Step("media"))
    assert house.view.progress.state == "live"
    leave.set()
    await first
    await house.view.close()
    second = asyncio.create_task(hold(house.view, asyncio.Event()))
    await settle()
    house.made[0].on_event(Step("media"))
    house.made[0].on_event(Note("the last one"))
    assert (house.view.progress.state, house.view.progress.notes) == ("opening", [])
    second.cancel()
    await house.view.close()


async def test_all_who_wait_are_told_why_it_could_not_be_opened_and_the_next_opens_anew() -> None:
    house, leave = House(), asyncio.Event()
    watchers = [asyncio.create_task(hold(house.view, leave)) for _ in range(3)]
    await settle()
    house.made[0].answered.set_exception(fault_error("SIG-TICKET"))
    assert await asyncio.gather(*watchers) == ["SIG-TICKET"] * 3
    assert house.view.progress.state == "failed"
    another = asyncio.create_task(hold(house.view, leave))
    await settle()
    assert len(house.made) == 2
    assert house.view.progress.error is None
    house.made[1].answered.set_result(None)
    await settle()
    leave.set()
    assert await another == "left"


async def test_a_bug_while_opening_is_a_fault_too() -> None:
    house = House()
    watcher = asyncio.create_task(hold(house.view, asyncio.Event()))
    await settle()
    house.made[0].answered.set_exception(ZeroDivisionError())
    assert await watcher == "SERVER-ERROR"


async def test_leaving_while_it_opens_closes_it() -> None:
    house = House()
    watcher = asyncio.create_task(hold(house.view, asyncio.Event()))
    await settle()
    watcher.cancel()
    await asyncio.wait({watcher})
    await settle()
    assert house.made[0].closed


async def test_who_watches_is_told_of_the_end() -> None:
    house = House()
    async with asyncio.timeout(2):
        joining = house.view.join()
        entering = asyncio.ensure_future(joining.__aenter__())
        await settle()
        house.made[0].answered.set_result(None)
        view = await entering
        house.made[0].over.set_result(fault_error("SIG-PING"))
        assert (await view.ended()).code == "SIG-PING"
        await joining.__aexit__(None, None, None)
    assert house.view.progress.state == "failed"
    assert house.view.progress.as_dict()["fault"]["code"] == "SIG-PING"


async def test_a_yes_to_a_renewal_is_for_one_renewal() -> None:
    house = House()
    house.view._renewal = lambda: "ask"
    watcher = asyncio.create_task(hold(house.view, asyncio.Event()))
    await settle()
    may_renew = house.made[0].may_renew
    assert [may_renew(), house.view.progress.renewal] == [False, "asked"]
    house.view.grant_renewal()
    assert [may_renew(), may_renew()] == [True, False]
    watcher.cancel()
    await asyncio.wait({watcher})


async def test_who_still_holds_a_view_that_has_ended_keeps_no_camera_awake() -> None:
    house, leave = House(), asyncio.Event()
    holder = asyncio.create_task(hold(house.view, leave))
    await settle()
    house.made[0].answered.set_result(None)
    await settle()
    house.made[0].over.set_result(fault_error("SIG-PING"))
    await settle()
    second_leaves = asyncio.Event()
    second = asyncio.create_task(hold(house.view, second_leaves))
    await settle()
    house.made[1].answered.set_result(None)
    await settle()
    second_leaves.set()
    await second
    await settle()
    assert house.made[1].closed
    leave.set()
    assert await holder == "left"
    assert house.view.progress.viewers == 0


async def test_a_view_that_has_ended_gives_no_old_pictures() -> None:
    house = House()
    joining = house.view.join()
    entering = asyncio.ensure_future(joining.__aenter__())
    await settle()
    house.made[0].answered.set_result(None)
    view = await entering
    house.made[0].over.set_result(fault_error("SIG-PING"))
    await settle()
    for use in (view.snapshot(), view.turn("left")):
        with pytest.raises(RingError, match="SIG-PING"):
            await use
    await joining.__aexit__(None, None, None)


async def test_the_progress_tells_steps_attempts_and_notes() -> None:
    house, leave = House(), asyncio.Event()
    watcher = asyncio.create_task(hold(house.view, leave))
    await settle()
    tell = house.made[0].on_event
    tell(Step("token"))
    tell(Trying(2, "SIG-NOT-READY", 0.3))
    tell(Note("low battery"))
    tell(Step("token"))
    tell(Step("media"))
    shown = house.view.progress.as_dict()
    assert shown["attempt"] == 2
    assert [step["name"] for step in shown["steps"]] == ["token", "media"]
    assert shown["state"] == "live"
    assert shown["notes"][0].startswith("SIG-NOT-READY: The camera was not ready yet.")
    assert "in 0.3 s" in shown["notes"][0]
    leave.set()
    house.made[0].answered.set_result(None)
    await watcher


async def test_changes_are_told_to_all_who_listen() -> None:
    house = House()
    heard: list[int] = []

    async def listen() -> None:
        async for progress in house.view.changes():
            heard.append(progress.viewers)
            if len(heard) > 1:
                return

    listening = asyncio.create_task(listen())
    await settle()
    watcher = asyncio.create_task(hold(house.view, asyncio.Event()))
    await asyncio.wait_for(listening, 1)
    assert heard == [0, 1]
    watcher.cancel()
    await asyncio.wait({watcher})
