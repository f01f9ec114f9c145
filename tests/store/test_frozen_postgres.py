"""A PostgreSQL that is there and says nothing holds nobody up for long, and nobody else at all."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from own_postgres import PROGRAMS, OwnPostgres
from ringlight.errors import RingError
from ringlight.store import engine
from ringlight.store.database import Database

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")]
SILENCE, CONNECT = 1.0, 2  # seconds; libpq takes no less than two to connect
BOUND = SILENCE + CONNECT + 3.0  # seconds: the answer, another connection, and a machine with much to do
AT_ONCE = 0.5  # seconds
THREADS = 6


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnPostgres]:
    monkeypatch.setattr(engine, "SILENCE", SILENCE)
    running = OwnPostgres()
    yield running
    running.go_on()
    running.close()


def ask(database: Database) -> str:
    try:
        with database.reading() as connection:
            connection.execute(sa.text("SELECT 1"))
    except RingError as error:
        return error.code
    return "answered"


def refused_after(database: Database) -> tuple[float, RingError]:
    began = time.monotonic()
    with pytest.raises(RingError) as caught, database.reading() as connection:
        connection.execute(sa.text("SELECT 1"))
    return time.monotonic() - began, caught.value


async def test_requests_are_answered_in_time_and_their_threads_come_back(postgres: OwnPostgres) -> None:
    database = Database(f"{postgres.new_database()}&connect_timeout={CONNECT}")
    asyncio.get_running_loop().set_default_executor(executor := ThreadPoolExecutor(THREADS))
    try:
        assert set(await asyncio.gather(*(asyncio.to_thread(ask, database) for _ in range(THREADS)))) == {"answered"}
        postgres.stop()
        began = time.monotonic()
        waiting = [asyncio.create_task(asyncio.to_thread(ask, database)) for _ in range(10 * THREADS)]
        assert set(await asyncio.gather(*waiting)) == {"STORE-UNREACHABLE"}
        assert time.monotonic() - began < BOUND
        probing = asyncio.create_task(asyncio.to_thread(ask, database))
        await asyncio.sleep(0.1)
        seconds, error = await asyncio.to_thread(refused_after, database)
        assert (error.code, error.retry_after, error.fault.http) == ("STORE-UNREACHABLE", 2.0, 503)
        assert seconds < AT_ONCE, "somebody asks it already"
        assert await probing == "STORE-UNREACHABLE"
        began = time.monotonic()
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.01) for _ in range(THREADS)))
        assert time.monotonic() - began < AT_ONCE, "all threads are free"
        postgres.go_on()
        async with asyncio.timeout(BOUND):
            while await asyncio.to_thread(ask, database) != "answered":
                await asyncio.sleep(0.05)
        assert set(await asyncio.gather(*(asyncio.to_thread(ask, database) for _ in range(THREADS)))) == {"answered"}
    finally:
        database.close()
        executor.shutdown(wait=False)


async def test_what_is_asked_in_the_middle_of_a_transaction_ends_in_time(
    postgres: OwnPostgres,
) -> None:
    database = Database(f"{postgres.new_database()}&connect_timeout={CONNECT}")
    try:
        with database.writing() as connection:
            connection.execute(sa.text("CREATE TABLE counted (number integer)"))
        began = time.monotonic()
        with pytest.raises(RingError, match="STORE-UNREACHABLE"):
            _write_and_freeze(database, postgres)
        assert time.monotonic() - began < BOUND
        postgres.go_on()
        assert ask(database) == "answered"
    finally:
        database.close()


async def test_who_waits_for_a_lock_is_not_taken_for_unanswered(postgres: OwnPostgres) -> None:
    database = Database(postgres.new_database())
    try:
        with database.advisory_lock(7, 1.0):
            waiting = asyncio.create_task(asyncio.to_thread(_take_lock, database))
            await asyncio.sleep(3 * SILENCE)
        assert await waiting == "taken"
    finally:
        database.close()


def _write_and_freeze(database: Database, postgres: OwnPostgres) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("INSERT INTO counted VALUES (1)"))
        postgres.stop()  # the commit is not answered


def _take_lock(database: Database) -> str:
    with database.advisory_lock(7, 30.0):
        return "taken"
