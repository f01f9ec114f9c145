"""The client follows the policy, says so while it does, and can be closed at any moment of it. In virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from jumping import run

from dialing import FRONT_DOOR
from ringlight.errors import AuthError, RingError, fault_error
from ringlight.liveview import Ended, Event, LiveViewClient, Missed, Step, Trying
from ringlight.liveview.attempt import end_all
from ringlight.liveview.story import KEPT, Story
from ringlight.secrets import Secret
from ringlight.settings import LiveViewSettings


class Refusing:
    """A ticket service that refuses in the ways that a test names, one after the other, the last one for ever."""

    def __init__(self, *refusals: tuple[str, float | None]) -> None:
        self._refusals = list(refusals)
        self.asked_at: list[float] = []
        self.tokens: list[str] = []

    async def ticket(self) -> Secret:
        self.asked_at.append(round(asyncio.get_running_loop().time(), 3))
        code, wait = self._refusals.pop(0) if len(self._refusals) > 1 else self._refusals[0]
        raise fault_error(code, "no ticket", retry_after=wait)

    async def token(self) -> None:
        self.tokens.append("usual")

    async def renewed(self) -> None:
        self.tokens.append("renewed")

    def client(self, is_watched: Callable[[], bool] = lambda: True, **live_view: float) -> LiveViewClient:
        return LiveViewClient(
            FRONT_DOOR, token=self.token, renewed_token=self.renewed, signaling_url=self.ticket,
            settings=LiveViewSettings.model_validate(live_view), is_watched=is_watched, may_renew=lambda: True,
        )  # fmt: skip

    async def renewing_for(self, seconds: float, may_renew: Callable[[], bool] = lambda: True) -> None:
        """Let a view that runs want to be renewed, in vain."""
        client = self.client()
        client._renewal._may_renew = may_renew
        client._renewal._renew()
        await asyncio.sleep(seconds)


async def refused(opening: Awaitable[object]) -> RingError:
    with pytest.raises(RingError) as caught:
        await opening
    return caught.value


def test_a_service_that_is_down_is_asked_again_and_the_error_tells_how_often() -> None:
    async def main() -> None:
        ring = Refusing(("RING-DOWN", None))
        error = await refused(ring.client().open())
        assert error.code == "RING-DOWN"
        assert error.detail is not None
        assert error.detail.startswith("no ticket; tried again 3 times in ")
        assert len(ring.asked_at) == 4
        assert ring.asked_at[-1] <= 0.5 + 1.0 + 2.0

    run(main())


def test_a_429_is_answered_by_waiting_as_long_as_it_says() -> None:
    async def main() -> None:
        ring = Refusing(("RING-RATE", 6.0), ("CAM-OFFLINE", None))
        error = await refused(ring.client().open())
        assert error.code == "CAM-OFFLINE"
        assert len(ring.asked_at) == 2
        assert 6.0 <= ring.asked_at[1] <= 6.0 * 1.2
        assert error.detail is not None
        assert error.detail.endswith("it began with RING-RATE")

    run(main())


def test_a_wait_beyond_all_patience_is_left_to_the_caller() -> None:
    async def main() -> None:
        ring = Refusing(("RING-RATE", 600.0))
        error = await refused(ring.client().open())
        assert (error.retry_after, error.detail, ring.asked_at) == (600.0, "no ticket", [0.0])

    run(main())


@pytest.mark.parametrize("code", ["AUTH-EDGE-BLOCK", "CAM-OFFLINE", "TICKET-REFUSED", "SIG-REJECTED", "SIG-CLOSED"])
def test_what_a_person_must_change_is_not_tried_again(code: str) -> None:
    async def main() -> None:
        ring = Refusing((code, None))
        assert (await refused(ring.client().open())).code == code
        assert ring.asked_at == [0.0]

    run(main())


@pytest.mark.parametrize("code", ["SIG-AUTH", "SIG-TOKEN", "SIG-UPGRADE"])
def test_a_refused_token_is_renewed_once_and_then_the_caller_signs_in(code: str) -> None:
    async def main() -> None:
        ring = Refusing((code, None))
        error = await refused(ring.client().open())
        assert ring.tokens == ["usual", "renewed"]
        assert ring.asked_at == [0.0, 0.0]
        assert isinstance(error, AuthError) or code == "SIG-UPGRADE"

    run(main())


def test_a_stale_ticket_is_replaced_at_once_and_the_token_kept() -> None:
    async def main() -> None:
        ring = Refusing(("SIG-TICKET", None))
        assert (await refused(ring.client().open())).code == "SIG-TICKET"
        assert (ring.tokens, ring.asked_at) == (["usual", "usual"], [0.0, 0.0])

    run(main())


def test_who_leaves_during_a_pause_ends_the_trying() -> None:
    """A battery camera is not woken up for nobody, even if the view itself was not closed yet."""

    async def main() -> None:
        watching = True
        ring = Refusing(("RING-RATE", 6.0))
        client = ring.client(lambda: watching)
        opening = asyncio.ensure_future(refused(client.open()))
        await asyncio.sleep(1)
        watching = False
        assert (await opening).code == "RING-RATE"
        assert ring.asked_at == [0.0]

    run(main())


def test_closing_during_a_pause_is_immediate() -> None:
    async def main() -> None:
        ring = Refusing(("RING-RATE", 20.0))
        client = ring.client()
        opening = asyncio.ensure_future(refused(client.open()))
        await asyncio.sleep(1)
        loop = asyncio.get_running_loop()
        before = loop.time()
        await client.close()
        assert loop.time() == before
        assert (await opening).code == "SIG-CLOSED"
        assert ring.asked_at == [0.0]

    run(main())


# A view that runs, and cannot be renewed


def test_a_renewal_waits_as_long_as_ring_asks() -> None:
    """The running view goes on meanwhile, so nothing is lost by it."""

    async def main() -> None:
        ring = Refusing(("RING-RATE", 20.0))
        await ring.renewing_for(70)
        assert ring.asked_at == [0.0, 20.0, 40.0, 60.0]

    run(main())


def test_a_renewal_that_fails_again_and_again_is_tried_more_and_more_slowly() -> None:
    async def main() -> None:
        ring = Refusing(("RING-DOWN", None))
        await ring.renewing_for(200)
        assert ring.asked_at == [0.0, 5.0, 15.0, 35.0, 75.0, 135.0, 195.0]

    run(main())


def test_a_renewal_whose_token_was_refused_takes_a_new_one_once() -> None:
    async def main() -> None:
        ring = Refusing(("SIG-TOKEN", None))
        await ring.renewing_for(40)
        assert ring.tokens == ["usual", "renewed", "usual", "usual"]

    run(main())


def test_a_yes_holds_until_a_view_has_taken_over() -> None:
    """Whoever agreed to go on watching a battery camera is not asked again because the first try failed."""

    async def main() -> None:
        answers = [False, True]
        ring = Refusing(("RING-DOWN", None))
        await ring.renewing_for(41, lambda: answers.pop(0))
        assert (ring.asked_at, answers) == ([5.0, 10.0, 20.0, 40.0], [])

    run(main())


def test_a_view_that_says_goodbye_already_is_not_cut_short() -> None:
    """After a renewal the view before may still be closing when everything is closed."""

    async def main() -> None:
        said: list[str] = []

        async def leaving() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.5)
                said.append("goodbye")

        task = asyncio.create_task(leaving())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        await end_all([], leaving=[task])
        assert said == ["goodbye"]

    run(main())


# What is told


async def all_of(client: LiveViewClient) -> list[Event]:
    return [event async for event in client.events()]


def test_everybody_who_listens_hears_the_whole_story_and_so_does_who_comes_late() -> None:
    async def main() -> None:
        client = Refusing(("RING-RATE", 6.0), ("CAM-OFFLINE", None)).client()
        early = [asyncio.ensure_future(all_of(client)) for _ in range(2)]
        await asyncio.sleep(0)
        error = await refused(client.open())
        late = await all_of(client)
        assert await asyncio.gather(*early) == [late, late]
        first, token, again, second, end = late
        assert (first, token, second) == (Trying(1), Step("token"), Step("token"))
        assert isinstance(again, Trying)
        assert (again.number, again.code, again.detail, again.at) == (2, "RING-RATE", "no ticket", 0.0)
        assert again.pause >= 6.0
        assert second.at == pytest.approx(again.pause), "each has the seconds since the view began to open"
        assert end == Ended(error)

    run(main())


def test_the_story_of_a_view_that_is_closed_ends_too() -> None:
    async def main() -> None:
        client = Refusing(("RING-RATE", 20.0)).client()
        opening = asyncio.ensure_future(refused(client.open()))
        listening = asyncio.ensure_future(all_of(client))
        await asyncio.sleep(1)
        await client.close()
        *_, end = await listening
        assert isinstance(end, Ended)
        assert end.error.code == "SIG-CLOSED"
        assert end.at == pytest.approx(1.0)
        await opening

    run(main())


def test_who_listens_too_slowly_loses_the_oldest_and_is_told_how_many() -> None:
    async def main() -> None:
        story = Story()
        slow = story.listen()
        story.tell(Step("token"))
        assert await anext(slow) == Step("token")
        for number in range(KEPT + 7):
            story.tell(Trying(number))
        assert await anext(slow) == Missed(7)
        assert await anext(slow) == Trying(7)
        late = story.listen()
        assert [await anext(late), await anext(late)] == [Missed(8), Trying(7)]
        story.tell(Ended(fault_error("SIG-CLOSED")))
        assert [event async for event in slow][-2:-1] == [Trying(KEPT + 6)]
        await late.aclose()

    run(main())


_ANSWERED = tuple(Step(name) for name in ("token", "ticket", "socket", "offer", "session", "answer"))


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (_ANSWERED, "SIG-NO-CAMERA"),
        ((*_ANSWERED, Step("camera")), "MEDIA-SILENT"),
        ((*_ANSWERED, Step("camera"), Step("media")), "MEDIA-NO-KEY-FRAME"),
        ((Step("offer"), Step("answer")), "MEDIA-SILENT"),  # a camera of the Partner API tells nothing of itself
        ((*_ANSWERED, Trying(2, "MEDIA-UDP"), *_ANSWERED), "MEDIA-UDP"),
        ((*_ANSWERED, Trying(2, "MEDIA-UDP"), *_ANSWERED, Step("media")), "MEDIA-NO-KEY-FRAME"),
    ],
)
def test_why_there_is_no_picture_is_said_by_how_far_the_view_has_come(
    told: tuple[Step | Trying, ...], code: str
) -> None:
    """That packets came without a key frame is said only where packets came."""
    story = Story()
    for event in (Trying(1), *told):
        story.tell(event)
    assert story.lacks() == code


def test_who_stops_listening_is_forgotten() -> None:
    async def main() -> None:
        story = Story()
        story.tell(Step("token"))
        listening = story.listen()
        await anext(listening)
        await listening.aclose()
        assert not story._listeners

    run(main())
