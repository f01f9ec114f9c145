"""Webhooks of several servers with one database: handled by one of them, also after the database was away."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from receiving_webhooks import Log, deliver, receiver, until
from sqlalchemy.engine import Connection

from own_postgres import PROGRAMS, OwnPostgres
from ringlight.errors import RingError
from ringlight.partner.webhooks import Webhooks
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox, Put

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")]


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    """One of this test's own, as it is killed."""
    server = OwnPostgres()
    yield server
    server.close()


@contextlib.asynccontextmanager
async def two_servers(postgres: OwnPostgres, log: Log) -> AsyncIterator[tuple[Webhooks, Webhooks]]:
    address = postgres.new_database()
    databases = Database(address), Database(address)
    try:
        async with receiver(databases[0], log.handlers) as one, receiver(databases[1], log.handlers) as two:
            yield one, two
    finally:
        for database in databases:
            await asyncio.to_thread(database.close)


async def test_what_comes_to_two_servers_is_handled_once(postgres: OwnPostgres) -> None:
    log, names = Log(), [f"{number:03}" for number in range(100)]
    async with two_servers(postgres, log) as (one, two):
        answers = await asyncio.gather(deliver(one, *names), deliver(two, *reversed(names)))
        assert {answer.status for both in answers for answer in both} == {200}
        await until(lambda: one.inbox.counts() == {"done": len(names)})
    assert sorted(log.seen) == names


async def test_two_servers_that_wait_for_each_other_in_the_database_both_get_through(postgres: OwnPostgres) -> None:
    address = postgres.new_database()
    one, two = Inbox(Database(address)), Inbox(Database(address))
    first, second = (Put(name, "a", "s", "t", b"{}", 1.0) for name in ("first", "second"))

    def crosswise(connection: Connection) -> None:
        one.put(connection, [first])
        while not (others or connection.exec_driver_sql("select count(*) from pg_locks where not granted").scalar()):
            time.sleep(0.02)  # until the other one waits for us
        one.put(connection, [second])  # now we wait for it, and one of us is undone

    others: list[bool] = []

    async def write_other() -> None:
        others.extend(await asyncio.to_thread(two.write, [second, first]))

    async with asyncio.timeout(60):
        await asyncio.gather(asyncio.to_thread(one._database.write, crosswise), write_other())
    assert len(others) == 2
    assert [kept.request_id for kept in one.waiting(limit=5)] in (["first", "second"], ["second", "first"])
    for inbox in (one, two):
        inbox._database.close()


async def test_after_the_database_was_away_one_server_handles_and_nothing_is_lost_or_done_twice(
    postgres: OwnPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock of who handles goes with the database; who had it must notice, or two would handle."""
    log = Log()
    async with two_servers(postgres, log) as (one, two):
        await deliver(one, "before")
        await until(lambda: log.seen == ["before"])
        await asyncio.to_thread(postgres.kill)
        (refused,) = await deliver(two, "meanwhile")
        assert refused.status == 503, "Ring comes again"
        await asyncio.to_thread(postgres.start)
        names = [f"{number:02}" for number in range(20)]
        await until_taken(two, "meanwhile")
        await asyncio.gather(deliver(one, *names), deliver(two, *names))
        await until(lambda: one.inbox.counts() == {"done": 22}, 60)
        assert sorted(log.seen) == [*names, "before", "meanwhile"]
        # Who had it asks once a second; meanwhile the other one may have taken it and handled everything.
        await until(lambda: "webhooks_turn_lost" in caplog.text, 30)
        await until(lambda: somebody_has_the_turn(two), 30)
        assert caplog.text.count("webhooks_turn_lost") == 1, "and who had it knew that it was over"


def somebody_has_the_turn(hooks: Webhooks) -> bool:
    try:
        with hooks.inbox.lock():
            return False
    except RingError as error:
        return error.code == "STORE-BUSY"


async def until_taken(hooks: Webhooks, name: str) -> None:
    """Deliver it again and again, as Ring does."""
    async with asyncio.timeout(60):
        while (await deliver(hooks, name))[0].status != 200:
            await asyncio.sleep(0.05)
