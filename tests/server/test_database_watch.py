"""A database that is there and says nothing is told of, as one that is away is."""

import asyncio

import pytest

from own_postgres import PROGRAMS, OwnPostgres
from ringlight.secrets import Secret
from ringlight.server import database_watch
from ringlight.server.database_watch import DatabaseWatch, open_database
from ringlight.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")]
WITHIN = 60.0  # seconds


async def test_a_frozen_postgresql_is_told_of_and_believed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_watch, "EVERY", 0.05)
    monkeypatch.setattr(database_watch, "SILENT", 0.5)
    postgres = OwnPostgres()
    try:
        async with open_database(Settings(database_url=Secret(postgres.new_database()))) as database:
            watch = DatabaseWatch(database)
            async with watch.running():
                await asyncio.to_thread(watch._look)  # it is connected
                postgres.stop()
                try:
                    await told(watch, "STORE-UNREACHABLE")
                    assert "has not answered" in (watch.problems[0].detail or "")
                finally:
                    postgres.go_on()
                await told(watch, None)
    finally:
        postgres.close()


async def told(watch: DatabaseWatch, code: str | None) -> None:
    async with asyncio.timeout(WITHIN):
        while (watch.problem.code if watch.problem else None) != code:
            await asyncio.sleep(0.02)
