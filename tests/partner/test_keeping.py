"""Threads and tasks share a link: one renewal at a time, which ends with nobody who waits for it."""

import asyncio
import io
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ringlight.errors import DeadlineExceeded, LinkLost, RingError, StoreError, TokenEndpointUnavailable, fault_error
from ringlight.http.flow import Response
from ringlight.http.scripted import ScriptedDriver
from ringlight.partner.async_keeping import AsyncLinkKeeper
from ringlight.partner.call import Call
from ringlight.partner.keeping import LinkKeeper, moment
from ringlight.partner.link import Link, Moment
from ringlight.partner.token_calls import App, Grant, ask
from ringlight.resilience.actions import Bearer
from ringlight.resilience.events import Event, TokenRefreshed
from ringlight.secrets import Secret
from ringlight.store import MemoryPairStore, PairStore, TokenPair, open_pairs
from strict_tokens import LIFETIME, StrictTokens

pytestmark = pytest.mark.anyio

ADA = "ava1.ring.account.ADA"
CANARY = "canary-a71f-"
Answer = Callable[[Call[Grant]], Response]


class Service:
    """The token service in this process; it can be held up, and told to answer something else."""

    def __init__(self, mark: str = "") -> None:
        self.tokens = StrictTokens(mark=mark, now=moment().wall)
        self.calls = 0
        self.answer: Answer = lambda call: self.tokens.answer(call.request)
        self.asked = threading.Event()
        self.free = threading.Event()
        self.free.set()
        self.ahead = 0.0  # seconds that have passed besides those of the real clock

    def now(self) -> Moment:
        real = moment()
        return Moment(real.monotonic + self.ahead, real.wall + self.ahead)

    def send(self, call: Call[Grant]) -> Grant:
        self.calls += 1
        response = self.answer(call)
        self.asked.set()
        self.free.wait(30)
        return _read(call, response)

    async def asend(self, call: Call[Grant]) -> Grant:
        self.calls += 1
        response = self.answer(call)
        self.asked.set()
        while not self.free.is_set():
            await asyncio.sleep(0)
        return await ScriptedDriver(lambda _: response).run(ask(call))

    def store(self, *, left: float = 0.0) -> MemoryPairStore:
        store = MemoryPairStore()
        self.link(store, left=left)
        return store

    def link(self, store: PairStore, *, left: float = 0.0) -> None:
        one, ends = self.tokens, moment().wall + left
        pair = TokenPair(one.token("access", 1), one.token("refresh", 1), ends - LIFETIME, ends)
        assert store.write(ADA, pair, over=None)


def _read(call: Call[Grant], response: Response) -> Grant:
    flow = ask(call)
    next(flow)
    try:
        flow.send(response)
    except StopIteration as end:
        grant: Grant = end.value
        return grant
    raise AssertionError("it asked twice")


@pytest.fixture
def service() -> Service:
    return Service()


def whole(came: Bearer | RingError) -> Bearer:
    """Return what a keeper gave; raise what it gave instead of a token."""
    if isinstance(came, RingError):
        raise came
    return came


def _held(keeper: LinkKeeper, refused: Bearer | None = None) -> Bearer:
    if refused is not None:
        keeper.rejected(refused.id)
    return whole(keeper.bearer(30.0))


async def _aheld(keeper: AsyncLinkKeeper, refused: Bearer | None = None) -> Bearer:
    if refused is not None:
        keeper.rejected(refused.id)
    return whole(await keeper.bearer(30.0))


def _link() -> Link:
    return Link(ADA, App("client-1", Secret(f"{CANARY}secret")))


def _threads(service: Service, store: PairStore) -> LinkKeeper:
    return LinkKeeper(_link(), store, service.send, clock=service.now)


def _tasks(service: Service, store: PairStore) -> AsyncLinkKeeper:
    return AsyncLinkKeeper(_link(), store, service.asend, clock=service.now)


def test_twenty_threads_make_one_renewal(service: Service) -> None:
    keeper = _threads(service, service.store())
    with ThreadPoolExecutor(20) as pool:
        bearers = list(pool.map(lambda _: _held(keeper), range(20)))
    assert {bearer.token for bearer in bearers} == {Secret("access-2")}
    assert service.calls == 1
    keeper.close()


async def test_a_hundred_tasks_make_one_renewal(service: Service) -> None:
    keeper = _tasks(service, service.store())
    bearers = await asyncio.gather(*(_aheld(keeper) for _ in range(100)))
    assert {bearer.token for bearer in bearers} == {Secret("access-2")}
    assert service.calls == 1
    await keeper.aclose()


async def test_many_clients_of_one_store_make_one_renewal(service: Service) -> None:
    """More of them wait for the lock than there are threads in the loop's own pool."""
    store = service.store()
    keepers = [_tasks(service, store) for _ in range(40)]
    bearers = await asyncio.gather(*(_aheld(keeper) for keeper in keepers))
    assert {bearer.token for bearer in bearers} == {Secret("access-2")}
    assert service.calls == 1


async def test_a_storm_of_refusals_makes_one_renewal_and_the_late_ones_none(service: Service) -> None:
    keeper = _tasks(service, service.store(left=LIFETIME))
    old = await _aheld(keeper)
    assert service.calls == 0
    bearers = await asyncio.gather(*(_aheld(keeper, old) for _ in range(100)))
    for _ in range(20):
        bearers.append(await _aheld(keeper, old))
    assert {bearer.token for bearer in bearers} == {Secret("access-2")}
    assert service.calls == 1


def test_a_refusal_while_another_renewal_runs_is_not_answered_with_the_refused_token(service: Service) -> None:
    store = service.store(left=LIFETIME)
    keeper = _threads(service, store)
    old = _held(keeper)
    with ThreadPoolExecutor(8) as pool:
        assert {bearer.token for bearer in pool.map(lambda _: _held(keeper, old), range(8))} == {Secret("access-2")}
    assert service.calls == 1


async def test_a_cancelled_caller_does_not_take_the_renewal_with_it(service: Service) -> None:
    """The service has rotated already: what it said must reach the store."""
    store = service.store()
    keeper = _tasks(service, store)
    service.free.clear()
    first, second = asyncio.create_task(_aheld(keeper)), asyncio.create_task(_aheld(keeper))
    await asyncio.to_thread(service.asked.wait, 30)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    service.free.set()
    assert (await second).token == Secret("access-2")
    kept = store.read(ADA)
    assert kept is not None
    assert kept.refresh == Secret("refresh-2")


async def test_closing_waits_for_a_renewal_of_which_every_caller_is_gone(service: Service) -> None:
    store = service.store()
    keeper = _tasks(service, store)
    service.free.clear()
    caller = asyncio.create_task(_aheld(keeper))
    await asyncio.to_thread(service.asked.wait, 30)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    asyncio.get_running_loop().call_later(0.01, service.free.set)
    await keeper.aclose()
    kept = store.read(ADA)
    assert kept is not None
    assert kept.generation == 2


def test_closing_waits_for_a_renewal_in_a_thread(service: Service) -> None:
    store = service.store(left=LIFETIME)
    keeper = _threads(service, store)
    _held(keeper)
    service.ahead = LIFETIME - 200
    assert _held(keeper).token == Secret("access-1")
    keeper.close()
    kept = store.read(ADA)
    assert kept is not None
    assert kept.generation == 2
    assert _held(keeper).token == Secret("access-2")


async def test_a_renewal_that_is_not_urgent_holds_nobody_up(service: Service) -> None:
    keeper = _tasks(service, service.store(left=LIFETIME))
    await _aheld(keeper)
    service.ahead = LIFETIME - 200
    service.free.clear()
    assert (await _aheld(keeper)).token == Secret("access-1")
    await asyncio.to_thread(service.asked.wait, 30)
    for _ in range(50):  # while it is under way
        assert (await _aheld(keeper)).token == Secret("access-1")
    service.free.set()
    await keeper.aclose()
    assert (await _aheld(keeper)).token == Secret("access-2")
    assert service.calls == 1


async def test_a_task_that_has_no_more_time_is_told_and_the_renewal_goes_on(service: Service) -> None:
    service.free.clear()
    keeper = _tasks(service, service.store())
    with pytest.raises(DeadlineExceeded, match=r"within 0\.01 s"):
        whole(await keeper.bearer(0.01))
    service.free.set()
    await keeper.aclose()
    assert whole(await keeper.bearer(0.0)).token == Secret("access-2")
    assert service.calls == 1


def test_a_thread_that_has_no_more_time_is_told_and_the_renewal_goes_on(service: Service) -> None:
    service.free.clear()
    keeper = _threads(service, service.store())
    with pytest.raises(DeadlineExceeded, match=r"within 0\.01 s"):
        whole(keeper.bearer(0.01))
    service.free.set()
    keeper.close()
    assert whole(keeper.bearer(0.0)).token == Secret("access-2")
    assert service.calls == 1


async def test_everybody_who_waits_hears_that_the_link_is_lost_and_ring_is_asked_once(service: Service) -> None:
    service.tokens.revoke()
    keeper = _tasks(service, service.store())
    said = await asyncio.gather(*(_aheld(keeper) for _ in range(10)), return_exceptions=True)
    assert {type(one) for one in said} == {LinkLost}
    with pytest.raises(LinkLost):
        await _aheld(keeper)
    assert service.calls == 1


def test_a_token_service_that_is_down_is_asked_once_in_five_seconds_whatever_the_hour(service: Service) -> None:
    """Also where calls wait for a renewal: each would wait for the whole of a failing one."""
    service.answer = lambda _: Response(503)
    keeper = _threads(service, service.store(left=LIFETIME))
    _held(keeper)
    for service.ahead, calls in ((LIFETIME - 20, 1), (LIFETIME - 16, 1), (LIFETIME - 14, 2)):
        for _ in range(5):
            assert _held(keeper).token == Secret("access-1"), "it is good for some seconds yet"
        assert service.calls == calls
    service.ahead = LIFETIME + 1
    for _ in range(5):
        with pytest.raises(TokenEndpointUnavailable) as caught:
            _held(keeper)
    assert service.calls == 3
    assert caught.value.retry_after == pytest.approx(5.0, abs=2.0)
    keeper.close()


async def test_a_renewal_that_began_before_a_refusal_is_followed_by_another(service: Service) -> None:
    """It ends with the very token that was refused meanwhile, for it did not know of that."""
    store, hold = service.store(left=LIFETIME), threading.Event()

    class Slow(MemoryPairStore):
        def read(self, account: str) -> TokenPair | None:
            assert hold.wait(30)
            return store.read(account)

        def write(self, account: str, pair: TokenPair, *, over: Secret | None) -> bool:
            return store.write(account, pair, over=over)

    hold.set()
    keeper = _tasks(service, Slow())
    first = await _aheld(keeper)
    hold.clear()
    keeper._keeper.renew()
    waiting = asyncio.create_task(_aheld(keeper, first))
    await asyncio.sleep(0)
    hold.set()
    assert (await waiting).token == Secret("access-2")
    assert service.calls == 1
    await keeper.aclose()


def test_a_link_that_nobody_uses_is_renewed_once_a_day(service: Service) -> None:
    """A refresh token that is never used would end after a month."""
    store = service.store(left=LIFETIME)
    keeper = _threads(service, store)
    _held(keeper)
    for service.ahead, calls in ((86_300.0, 0), (86_500.0, 1), (100_000.0, 1), (173_000.0, 2)):
        keeper.renew_idle()
        keeper.close()
        assert service.calls == calls


async def test_an_account_that_is_linked_anew_elsewhere_is_found(service: Service) -> None:
    """The command line linked it; the server that lost it goes on within seconds, and asks Ring no more of the old."""
    store = service.store()
    service.tokens.revoke()
    keeper = _tasks(service, store)
    for service.ahead in (0.0, 6.0, 12.0):
        with pytest.raises(LinkLost):
            await _aheld(keeper)
    assert service.calls == 1
    at = service.now().wall
    anew = TokenPair(Secret("n"), Secret("m"), at, at + LIFETIME, 2)
    assert store.write(ADA, anew, over=service.tokens.token("refresh", 1))
    service.ahead = 18.0
    assert (await _aheld(keeper)).token == Secret("n")


async def test_events_tell_of_renewals_and_not_of_reading(service: Service) -> None:
    told: list[Event] = []
    keeper = AsyncLinkKeeper(_link(), service.store(left=LIFETIME), service.asend, clock=service.now, tell=told.append)
    first = await _aheld(keeper)
    assert told == []
    await _aheld(keeper, first)
    right, service.answer = service.answer, lambda _: Response(503)
    service.ahead = LIFETIME - 200
    await _aheld(keeper)
    await keeper.aclose()
    service.answer = right
    assert [(event.id, event.code) for event in told if isinstance(event, TokenRefreshed)] == [
        (2, None),
        (2, "LINK-UNAVAILABLE"),
    ]


def test_a_failure_of_our_own_reaches_who_waits_and_the_next_call_tries_again(service: Service) -> None:
    def broken(_: Call[Grant]) -> Response:
        raise ZeroDivisionError

    right, service.answer = service.answer, broken
    keeper = _threads(service, service.store())
    with pytest.raises(ZeroDivisionError):
        _held(keeper)
    service.answer = right
    service.ahead += 5.0
    assert _held(keeper).token == Secret("access-2")


@pytest.fixture
def records() -> Iterator[io.StringIO]:
    """Everything that anybody logs, with its arguments."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s %(args)r"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


class Stubborn(MemoryPairStore):
    """A store that takes nothing any more once Ring has been asked, until its disk has room."""

    full = False

    def __init__(self) -> None:
        super().__init__()
        self.saved = threading.Event()

    def write(self, account: str, pair: TokenPair, *, over: Secret | None) -> bool:
        if self.full and pair.offered_at is None:
            raise fault_error("STORE-UNREACHABLE", "disk full")
        kept = super().write(account, pair, over=over)
        if pair.offered_at is None:
            self.saved.set()
        return kept


@pytest.mark.parametrize("closed", [False, True], ids=["after a pause", "when it is closed"])
async def test_what_is_not_saved_is_saved_without_anybody_asking(closed: bool) -> None:
    """A process that is idle must not keep the only copy of a link in memory."""
    for begin in (_tasks, _threads):
        one = Service()
        store = Stubborn()
        one.link(store)
        store.saved.clear()
        store.full = True
        keeper = begin(one, store)
        keeper._link.pause = 60.0 if closed else 0.01
        with pytest.raises(StoreError):
            _ = await _aheld(keeper) if isinstance(keeper, AsyncLinkKeeper) else _held(keeper)
        store.full = False
        if not closed:
            assert await asyncio.to_thread(store.saved.wait, 30)
        await keeper.aclose() if isinstance(keeper, AsyncLinkKeeper) else keeper.close()
        kept = store.read(ADA)
        assert kept is not None
        assert (kept.generation, one.calls) == (2, 1)


def test_saving_is_tried_again_where_the_failed_renewal_has_not_quite_ended() -> None:
    """The time to try again may come while its thread is still at its last lines, as on a busy machine."""
    one, store = Service(), Stubborn()
    one.link(store)
    store.saved.clear()
    store.full = True
    keeper = _threads(one, store)
    keeper._link.pause = 0.0
    real, tries, told = keeper._keeper.renew, list[bool](), threading.Event()

    def renew() -> bool:
        tries.append(len(tries) > 2 and told.is_set() and real())
        return tries[-1]

    keeper._keeper.renew = renew  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        _held(keeper)
    store.full = False
    told.set()
    assert store.saved.wait(30)
    assert tries[:3] == [False] * 3
    keeper.close()


async def test_a_pair_that_cannot_be_written_is_a_loud_error_and_is_written_later(records: io.StringIO) -> None:
    service, store = Service(CANARY), Stubborn()
    service.link(store)
    store.full = True
    keeper = _tasks(service, store)
    for _ in range(2):
        with pytest.raises(StoreError):
            await _aheld(keeper)
    assert "ERROR ringlight.partner pair_not_saved account=nt.ADA" in records.getvalue()
    store.full = False
    service.ahead += 5.0
    assert (await _aheld(keeper)).token == Secret(f"{CANARY}access-2")
    assert service.calls == 1
    assert CANARY not in records.getvalue()


@pytest.mark.parametrize("kind", ["memory", "file", "sqlite"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_no_outcome_leaves_a_token_in_a_log_or_a_crash_report(
    kind: str, status: int, tmp_path: Path, records: io.StringIO
) -> None:
    service = Service(CANARY)
    address = {"memory": "memory:", "file": str(tmp_path / "l.json"), "sqlite": f"sqlite:///{tmp_path}/l.db"}[kind]
    store = open_pairs(address)
    service.link(store)
    echo = f'{{"error": "invalid_grant", "error_description": "{CANARY}refresh-1"}}'.encode()
    if status != 200:
        service.answer = lambda _: Response(status, {}, echo)
    keeper = _threads(service, store)
    bearers: list[Bearer] = []
    for _ in range(2):
        try:
            bearers.append(_held(keeper))
        except RingError as error:
            trace = traceback.TracebackException.from_exception(error, capture_locals=True)
            ours = [frame for frame in trace.stack if "/ringlight/" in frame.filename]
            trace.stack = traceback.StackSummary.from_list(ours)
            records.write("".join(trace.format()))
    records.write(repr(bearers) + repr(keeper) + repr(vars(keeper)).replace(repr(vars(keeper).get("_store")), ""))
    assert len(bearers) == (2 if status == 200 else 0)
    assert CANARY not in records.getvalue()
    assert "ringlight.partner" in records.getvalue()
    keeper.close()
    store.close()
