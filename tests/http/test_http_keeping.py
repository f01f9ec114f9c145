"""One renewal at a time, whoever asks and whoever gives up; and no call fails for it while the old token lives."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from ringlight.errors import DeadlineExceeded, NetworkError, RingError, fault_error
from ringlight.http.async_keeping import AsyncTokenKeeper
from ringlight.http.keeping import TokenKeeper
from ringlight.resilience.actions import Bearer
from ringlight.resilience.events import Event, TokenRefreshed
from ringlight.resilience.token_state import TokenState
from ringlight.secrets import Secret


class TokenService:
    """Rotates tokens as Ring does: each renewal spends the one before."""

    def __init__(self, *, lives: float | None = None) -> None:
        self.lives = lives
        self.now = 0.0
        self.renewals: list[int | None] = []
        self.stored = 0
        self.fails: RingError | None = None
        self.answering = threading.Event()
        self.answering.set()
        self.answers = asyncio.Event()
        self.answers.set()

    def clock(self) -> float:
        return self.now

    def refresh(self, refused: Bearer | None) -> Bearer:
        self.renewals.append(refused.id if refused else None)
        rotated = self.stored + 1
        assert self.answering.wait(20)
        if self.fails is not None:
            raise self.fails
        return self._store(rotated)

    async def arefresh(self, refused: Bearer | None) -> Bearer:
        self.renewals.append(refused.id if refused else None)
        rotated = self.stored + 1
        await self.answers.wait()
        if self.fails is not None:
            raise self.fails
        return self._store(rotated)

    def _store(self, rotated: int) -> Bearer:
        self.stored = rotated
        return Bearer(rotated, Secret(f"t{rotated}"), None if self.lives is None else self.now + self.lives)


def _state(pause: float = 5.0) -> TokenState:
    return TokenState(advisory=300.0, mandatory=30.0, pause=pause)


def _id(came: Bearer | RingError) -> int:
    assert isinstance(came, Bearer), came
    return came.id


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0)


pytestmark = pytest.mark.anyio


# One at a time


async def test_a_hundred_tasks_with_a_revoked_token_are_one_renewal() -> None:
    service = TokenService()
    keeper = AsyncTokenKeeper(service.arefresh, _state())
    assert _id(await keeper.bearer(10)) == 1

    async def rejected() -> int:
        keeper.rejected(1)
        return _id(await keeper.bearer(10))

    service.answers.clear()
    callers = [asyncio.create_task(rejected()) for _ in range(100)]
    await _until(lambda: len(service.renewals) == 2)
    service.answers.set()
    assert await asyncio.gather(*callers) == [2] * 100
    assert service.renewals == [None, 1]


async def test_late_refusals_of_the_old_token_renew_nothing() -> None:
    """Answers to calls that left before the renewal still come in after it."""
    service = TokenService()
    keeper = AsyncTokenKeeper(service.arefresh, _state())
    await keeper.bearer(10)
    keeper.rejected(1)
    assert _id(await keeper.bearer(10)) == 2
    for _ in range(20):
        keeper.rejected(1)
        assert _id(await keeper.bearer(10)) == 2
    assert len(service.renewals) == 2


def test_twenty_threads_are_one_renewal() -> None:
    service = TokenService()
    service.answering.clear()
    keeper = TokenKeeper(service.refresh, _state())
    came: list[int] = []
    callers = [threading.Thread(target=lambda: came.append(_id(keeper.bearer(20)))) for _ in range(20)]
    for caller in callers:
        caller.start()
    service.answering.set()
    for caller in callers:
        caller.join()
    assert (came, service.renewals) == ([1] * 20, [None])
    keeper.rejected(1)
    keeper.rejected(1)
    assert _id(keeper.bearer(20)) == 2
    keeper.rejected(1)
    assert _id(keeper.bearer(20)) == 2
    assert service.renewals == [None, 1]


# Whoever gives up


async def test_a_cancelled_caller_does_not_cancel_the_renewal() -> None:
    """The old token is spent by then: were the new one lost, so would be the link to the person's account."""
    service = TokenService()
    service.answers.clear()
    keeper = AsyncTokenKeeper(service.arefresh, _state())
    leader = asyncio.create_task(keeper.bearer(10))
    await _until(lambda: service.renewals == [None])
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    service.answers.set()
    assert _id(await keeper.bearer(10)) == 1
    assert (service.renewals, service.stored) == ([None], 1)


async def test_a_caller_without_time_leaves_and_the_renewal_goes_on() -> None:
    service = TokenService()
    service.answers.clear()
    keeper = AsyncTokenKeeper(service.arefresh, _state())
    assert isinstance(await keeper.bearer(0.01), DeadlineExceeded)
    closing = asyncio.create_task(keeper.aclose())
    await asyncio.sleep(0)
    assert not closing.done(), "whoever closes waits for what is under way"
    service.answers.set()
    await closing
    assert service.stored == 1


def test_a_thread_without_time_leaves_and_the_renewal_goes_on() -> None:
    service = TokenService()
    service.answering.clear()
    keeper = TokenKeeper(service.refresh, _state())
    assert isinstance(keeper.bearer(0.01), DeadlineExceeded)
    service.answering.set()
    keeper.close()
    assert (_id(keeper.bearer(10)), service.renewals) == (1, [None])


# Failure


async def test_an_outage_of_the_token_service_fails_no_call_while_the_token_lives() -> None:
    service = TokenService(lives=1000)
    events: list[Event] = []
    keeper = AsyncTokenKeeper(service.arefresh, _state(), clock=service.clock, tell=events.append)
    await keeper.bearer(10)
    service.fails = fault_error("NET-UNREACHABLE")
    for service.now in range(701, 969):
        assert _id(await keeper.bearer(10)) == 1
        await keeper.aclose()
    assert 40 < len(service.renewals) < 60, "one each five seconds"
    service.now = 971
    failed = await keeper.bearer(10)
    assert _id(failed) == 1, "it is used as long as it lasts"
    service.now = 1001
    failed = await keeper.bearer(10)
    assert isinstance(failed, NetworkError)
    service.fails, service.now = None, 1010
    assert _id(await keeper.bearer(10)) == 2
    assert events[0] == TokenRefreshed(0.0, 1)
    assert isinstance(events[1], TokenRefreshed)
    assert events[1].code == "NET-UNREACHABLE"


def test_each_caller_has_an_error_of_its_own() -> None:
    """Each adds notes about its own call."""
    service = TokenService()
    service.fails = fault_error("NET-TIMEOUT", "seen")
    keeper = TokenKeeper(service.refresh, _state())
    first, second = keeper.bearer(10), keeper.bearer(10)
    assert isinstance(first, RingError)
    assert isinstance(second, RingError)
    assert first is not second
    assert (first.code, first.detail) == (second.code, second.detail) == ("NET-TIMEOUT", "seen")


def test_a_mistake_in_the_renewal_is_seen_by_whoever_waits_and_blocks_nobody() -> None:
    came: list[Bearer | Exception] = [ZeroDivisionError(), Bearer(1, Secret("a"))]
    now = 0.0

    def refresh(_: Bearer | None) -> Bearer:
        one = came.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    keeper = TokenKeeper(refresh, _state(), clock=lambda: now)
    with pytest.raises(ZeroDivisionError):
        keeper.bearer(10)
    now = 10.0
    assert _id(keeper.bearer(10)) == 1


def test_a_lost_link_is_not_asked_for_again_until_there_is_a_new_one() -> None:
    """Asking on would not bring it back; an account that was linked anew is adopted."""
    service = TokenService()
    service.fails = fault_error("AUTH-LINK-LOST")
    keeper = TokenKeeper(service.refresh, _state(), clock=service.clock)
    for service.now in (0.0, 100.0, 10_000.0):
        came = keeper.bearer(10)
        assert isinstance(came, RingError)
        assert came.code == "AUTH-LINK-LOST"
    assert len(service.renewals) == 1
    keeper.adopt(Bearer(1, Secret("new"), 20_000.0))
    assert _id(keeper.bearer(10)) == 1


async def test_a_token_from_the_store_is_used_before_any_renewal() -> None:
    service = TokenService()
    keeper = AsyncTokenKeeper(service.arefresh, _state(), clock=service.clock)
    keeper.adopt(Bearer(7, Secret("stored"), 14_400.0))
    came = await keeper.bearer(10)
    assert isinstance(came, Bearer)
    assert (came.token.reveal(), service.renewals) == ("stored", [])
