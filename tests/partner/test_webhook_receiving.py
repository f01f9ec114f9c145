"""Nothing that was answered 200 is lost or handled twice; nothing that is not Ring's leaves a trace."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from receiving_webhooks import QUICK, Log, arrival, deliver, receiver, until
from webhook_bodies import ACCOUNT, KEY, PRESS, SENT_AT, body

from own_postgres import OwnPostgres
from ringlight.errors import fault_error
from ringlight.partner.fastapi import router
from ringlight.partner.webhooks import Event, Handlers, Pace, Webhooks, signature_of
from ringlight.partner.webhooks.decision import MAX_BODY
from ringlight.partner.webhooks.schedule import Schedule, Waiting
from ringlight.store.database import Database
from ringlight.store.inbox import Change, Inbox

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        postgres: OwnPostgres = request.getfixturevalue("postgres")
        return postgres.new_database()
    return f"sqlite:///{tmp_path / 'ringlight.db'}"


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ringlight.db'}"


async def counts(hooks: Webhooks) -> dict[str, int]:
    return await asyncio.to_thread(hooks.inbox.counts)


async def test_a_delivery_is_stored_before_it_is_answered_and_a_repeated_one_once(where: str) -> None:
    async with receiver(where) as hooks:
        answers = await deliver(hooks, "a", "b", "a", "a")
        answers += await deliver(hooks, "b", "c")
        assert {answer.status for answer in answers} == {200}
    async with receiver(where) as hooks:
        assert await counts(hooks) == {"waiting": 3}
        assert [row.body for row in hooks.inbox.waiting(limit=9)] == [body(request_id=name) for name in "abc"]


async def test_two_thousand_that_waited_for_handlers_are_each_handled_once_and_in_order(where: str) -> None:
    names = [f"{number:04}" for number in range(2000)]
    async with receiver(where) as hooks:
        for device in range(20):
            await deliver(hooks, *names[device * 100 : device * 100 + 100], device=f"d-{device}")
        assert await counts(hooks) == {"waiting": 2000}
    seen: list[tuple[str, str]] = []
    handlers = Handlers()

    @handlers.on("button_press")
    async def press(event: Event) -> None:
        seen.append((event.subject, event.request_id))

    for half in (1000, 2000):  # stopped in between, in the regular way
        async with receiver(where, handlers) as hooks:
            await until(lambda half=half: len(seen) >= half)  # type: ignore[misc]
    async with receiver(where, handlers) as hooks:
        await until(lambda: len(seen) >= 2000)
        assert sorted(name for _, name in seen) == names
        for device in range(20):
            own = [name for subject, name in seen if subject == f"d-{device}"]
            assert own == sorted(own)
        await until(lambda: hooks.inbox.counts() == {"done": 2000})


async def test_events_of_a_device_wait_for_each_other_and_devices_do_not(sqlite: str) -> None:
    order: list[str] = []
    hold = asyncio.Event()
    handlers = Handlers()

    @handlers.on("button_press")
    async def press(event: Event) -> None:
        if event.request_id == "slow":
            await hold.wait()
        order.append(event.request_id)

    async with receiver(sqlite, handlers) as hooks:
        await deliver(hooks, "slow", device="one")
        await deliver(hooks, "behind", device="one")
        await deliver(hooks, "other", device="two")
        await until(lambda: order == ["other"])
        hold.set()
        await until(lambda: order == ["other", "slow", "behind"])


async def test_what_fails_is_tried_again_before_the_next_and_given_up_at_last(where: str) -> None:
    tries: list[str] = []
    handlers = Handlers()

    @handlers.on("button_press")
    async def press(event: Event) -> None:
        tries.append(event.request_id)
        if event.request_id == "bad" or (event.request_id == "flaky" and tries.count("flaky") < 3):
            raise LookupError("with a secret in it")

    async with receiver(where, handlers) as hooks:
        await deliver(hooks, "flaky")
        await deliver(hooks, "bad")
        await deliver(hooks, "good")
        await until(lambda: hooks.inbox.counts() == {"done": 2, "dead": 1})
        assert tries == ["flaky"] * 3 + ["bad"] * 3 + ["good"]
        (letter,) = hooks.inbox.dead()
        assert (letter.request_id, letter.attempts, letter.problem) == ("bad", 3, "HOOK-HANDLER: LookupError")
        assert await asyncio.to_thread(hooks.inbox.replay, None) == 1
        await until(lambda: tries.count("bad") == 6 and hooks.inbox.counts().get("dead") == 1)
        assert await asyncio.to_thread(hooks.inbox.drop, [letter.number]) == 1
        assert await counts(hooks) == {"done": 3}
        await deliver(hooks, "bad")  # its id is still known
        assert await counts(hooks) == {"done": 3}


async def test_a_handler_that_never_ends_delays_no_answer_and_is_given_up(sqlite: str) -> None:
    handlers = Handlers()

    @handlers.on()
    async def hang(_: Event) -> None:
        await asyncio.Event().wait()

    pace = Pace(attempts=1, timeout=0.05, grace=0.1)
    async with receiver(sqlite, handlers, pace=pace) as hooks:
        assert [answer.status for answer in await deliver(hooks, "a")] == [200]
        await until(lambda: hooks.inbox.counts() == {"dead": 1})
        assert (hooks.inbox.dead()[0].problem or "").startswith("HOOK-HANDLER: not done")


@pytest.mark.parametrize("repeatable", [False, True])
async def test_a_handler_that_is_interrupted_runs_again_only_if_it_may(sqlite: str, repeatable: bool) -> None:
    """How far it came is not known: for most it would be wrong to run it twice, and wrong to forget it."""
    begun = asyncio.Event()
    handlers = Handlers()

    @handlers.on("button_press", repeatable=repeatable)
    async def hang(_: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with receiver(sqlite, handlers, pace=Pace(grace=0.05)) as hooks:
        await deliver(hooks, "a")
        await begun.wait()
    log = Log()
    async with receiver(sqlite, log.handlers, pace=QUICK) as hooks:
        if repeatable:
            await until(lambda: log.seen == ["a"])
        else:
            assert [row.problem for row in hooks.inbox.dead()] == ["HOOK-INTERRUPTED"]
            hooks.inbox.replay(None)
            await until(lambda: log.seen == ["a"])


async def test_one_process_at_a_time_handles_and_the_next_goes_on(where: str) -> None:
    first, second = Log(), Log()
    async with receiver(where, second.handlers) as late:
        await deliver(late, "a")
        await until(lambda: second.seen == ["a"])
        async with receiver(where, first.handlers) as hooks:
            await deliver(hooks, "b")  # stored by one, handled by the other
            await until(lambda: second.seen == ["a", "b"])
            assert first.seen == []


async def test_what_is_done_is_forgotten_only_when_a_replay_would_be_too_old(sqlite: str) -> None:
    clock = [SENT_AT]
    for days, left in ((0, {"done": 1}), (3, {"done": 1}), (4, {})):
        clock[0] = SENT_AT + days * 86_400
        async with receiver(sqlite, Log().handlers, wall=lambda: clock[0]) as hooks:
            if not days:
                await deliver(hooks, "a")
            await until(lambda left=left, hooks=hooks: hooks.inbox.counts() == left)  # type: ignore[misc]
            again = (await deliver(hooks, "a"))[0]
            assert again.code == (None if left else "HOOK-OLD")
            assert hooks.inbox.counts() == left


@pytest.mark.parametrize("jump", [-86_400.0, -3600.0, 3600.0])
async def test_a_clock_that_is_set_makes_no_event_wait(sqlite: str, jump: float) -> None:
    """What failed is tried again after its pause, and what waits behind it comes after it: by a clock nobody sets."""
    clock, seen, handlers = [SENT_AT], list[str](), Handlers()

    @handlers.on()
    async def fail_once(event: Event) -> None:
        seen.append(event.request_id)
        if len(seen) == 1:
            clock[0] += jump
            raise RuntimeError("at the first time")

    async with receiver(sqlite, handlers, wall=lambda: clock[0]) as hooks:
        assert (await deliver(hooks, "a"))[0].code is None
        await until(lambda: hooks.inbox.counts() == {"done": 1})
    assert seen == ["a", "a"]


# What is not Ring's, and what is our own failure


@pytest.fixture
async def web(sqlite: str) -> Any:
    known = {ACCOUNT}

    async def knows(account: str) -> bool:
        return account in known

    hooks = receiver(sqlite, knows_account=knows)
    app = FastAPI()
    app.include_router(router(webhooks=hooks))
    transport = httpx2.ASGITransport(app=app)
    async with hooks, httpx2.AsyncClient(transport=transport, base_url="http://app.test") as client:
        yield client, hooks


async def post(web: Any, content: bytes, **fields: str) -> Any:
    sent = {"Content-Type": "application/json", "X-Signature": signature_of(content, KEY)} | fields
    kept = {name.replace("_", "-"): value for name, value in sent.items() if value}
    return await web[0].post("/ring/webhook", content=content, headers=kept)


LARGE = b'{"a":"' + b"x" * 1_000_000 + b'"}'


@pytest.mark.parametrize(
    ("content", "fields", "status", "code"),
    [
        (PRESS, {"X-Signature": signature_of(PRESS, "forger")}, 401, "HOOK-SIGNATURE"),
        (PRESS.replace(b":", b": "), {"X-Signature": signature_of(PRESS, KEY)}, 401, "HOOK-SIGNATURE"),
        (PRESS, {"X-Signature": ""}, 401, "HOOK-UNSIGNED"),
        (body(time="2026-09-17T14:13:20Z"), {}, 401, "HOOK-OLD"),
        (body(time="2026-09-22T14:20:00Z"), {}, 401, "HOOK-FUTURE"),
        (PRESS, {"Content-Type": "text/plain"}, 415, "HOOK-TYPE"),
        (PRESS, {"Content-Type": ""}, 415, "HOOK-TYPE"),
        (LARGE, {}, 413, "HOOK-SIZE"),
        (body(account="ava1.ring.account.SOMEBODY"), {}, 403, "HOOK-ACCOUNT"),
        (b"{}", {}, 400, "HOOK-FORM"),
    ],
)  # fmt: skip
async def test_bad_input_is_refused_without_a_row(
    web: Any, content: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    answer = await post(web, content, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await counts(web[1]) == {}
    assert (await post(web, PRESS)).status_code == 200
    assert await counts(web[1]) == {"waiting": 1}


async def test_a_body_without_a_length_is_read_no_further_than_allowed(web: Any) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while read < 100 * MAX_BODY:
            read += 65_536
            yield b"x" * 65_536

    answer = await web[0].post(
        "/ring/webhook", content=endless(), headers={"Content-Type": "application/json", "X-Signature": "sha256=0"}
    )
    assert answer.status_code == 413


async def test_a_thousand_forgeries_are_a_line_in_the_log_and_show_nothing(
    web: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ringlight"):
        for _ in range(200):
            await post(web, PRESS, **{"X-Signature": "sha256=" + "0" * 64})
    refused = [record.getMessage() for record in caplog.records if "webhook_refused" in record.getMessage()]
    assert refused == ["webhook_refused code=HOOK-SIGNATURE count=1 detail=None"]


class Broken(Inbox):
    """A store that fails or hangs."""

    def __init__(self, database: Database, act: Callable[[], None]) -> None:
        super().__init__(database)
        self.act = act

    def write(self, changes: Sequence[Change]) -> list[bool]:
        self.act()
        return super().write(changes)


def _fail(code: str) -> Callable[[], None]:
    def act() -> None:
        raise fault_error(code)

    return act


def _crash() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("act", [_fail("STORE-UNREACHABLE"), _fail("STORE-NEWER"), _fail("REQUEST-INVALID"), _crash])
async def test_a_failure_of_our_own_is_503_and_the_next_try_is_taken(sqlite: str, act: Callable[[], None]) -> None:
    """4xx would be final for Ring, and the event lost."""
    database = Database(sqlite)
    hooks = receiver(database)
    broken = Broken(database, act)
    hooks.inbox = broken
    async with hooks:
        answers = await deliver(hooks, "a", "b")
        assert {answer.status for answer in answers} == {503}
        broken.act = lambda: None
        assert [answer.status for answer in await deliver(hooks, "a")] == [200]
        assert await counts(hooks) == {"waiting": 1}
    database.close()


async def test_a_store_that_hangs_is_answered_503_in_time(sqlite: str) -> None:
    import threading

    database, go_on = Database(sqlite), threading.Event()
    hooks = receiver(database, answer_within=0.05)

    def hang() -> None:
        assert go_on.wait(20)

    hooks.inbox = Broken(database, hang)
    async with hooks:
        assert (await deliver(hooks, "a"))[0].code == "HOOK-BUSY"
        go_on.set()
        await until(lambda: hooks.inbox.counts() == {"waiting": 1})
    database.close()


async def test_before_it_is_open_and_after_it_is_closed_ring_is_to_come_again(sqlite: str) -> None:
    hooks = receiver(sqlite)
    assert (await hooks.receive(arrival(PRESS))).status == 503
    async with hooks:
        pass
    assert (await hooks.receive(arrival(PRESS))).status == 503


async def test_the_router_opens_and_closes_what_it_was_given_with_the_application(sqlite: str) -> None:
    hooks = receiver(sqlite)
    app = FastAPI()
    app.include_router(router(webhooks=hooks))
    async with app.router.lifespan_context(app):
        assert (await hooks.receive(arrival(PRESS))).status == 200
    assert (await hooks.receive(arrival(PRESS))).status == 503


# The order of work, in every order of events


def test_a_type_has_one_handler() -> None:
    log = Log()
    with pytest.raises(ValueError, match="already"):
        log.handlers.on()(log.handlers.find("x").function)  # type: ignore[union-attr]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=30), st.integers(1, 3), st.randoms())
def test_each_event_ends_once_and_those_of_a_subject_in_order(
    events: list[tuple[str, int]], at_once: int, chance: Any
) -> None:
    schedule = Schedule(at_once=at_once, attempts=3, first=1.0, longest=4.0, rand=lambda: 0.5)
    schedule.add((Waiting(number, subject) for number, (subject, _) in enumerate(events)), 0.0)
    ended: list[int] = []
    running: list[Waiting] = []
    now = 0.0
    while len(schedule):
        running += schedule.start(now)
        assert len(running) <= at_once
        assert len({one.subject for one in running}) == len(running)
        if not running:
            due = schedule.deadline
            assert due is not None
            assert due > now
            now = due
            continue
        one = running.pop(chance.randrange(len(running)))
        failures = events[one.number][1]
        due = schedule.next_try(one.attempts + 1, now) if one.attempts < failures else None
        if due is None:
            ended.append(one.number)
            schedule.ended(one.number)
        else:
            schedule.again(one.number, one.attempts + 1, due)
    assert sorted(ended) == list(range(len(events)))
    for subject in "abc":
        own = [number for number in ended if events[number][0] == subject]
        assert own == sorted(own)
