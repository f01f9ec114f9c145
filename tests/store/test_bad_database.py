"""A database that cannot be used: newer, damaged, away. The fault names the fix, and what comes back is used again."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect

from conftest import RINGLIGHT
from own_postgres import PROGRAMS, OwnPostgres
from ringlight.errors import StoreError
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import MediaSettings, ServerSettings, Settings
from ringlight.store.database import Database, _problem
from ringlight.store.inbox import Inbox, Put
from ringlight.store.migrating import NEWEST

WITHIN = 90.0  # seconds


def puts(count: int) -> list[Put]:
    return [Put(f"id {number}", "a", "s", "t", os.urandom(500), 1.0) for number in range(count)]


@pytest.mark.program
def test_a_server_does_not_start_on_a_newer_database_and_says_what_to_do(
    environment: dict[str, str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    database = Database(f"sqlite:///{state / 'ringlight.db'}")
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    before = (state / "ringlight.db").read_bytes()
    ran = subprocess.run(
        [str(RINGLIGHT), "serve", "--port", "0"], env=environment, cwd=tmp_path, capture_output=True, text=True,
        timeout=WITHIN, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    said = " ".join(ran.stderr.split())
    for part in ("STORE-NEWER", "9999", NEWEST, "ringlight restore --replace"):
        assert part in said
    assert (state / "ringlight.db").read_bytes() == before, "nothing was changed"


def test_a_file_that_was_overwritten_in_its_middle_is_named_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ringlight.db"
    database = Database(f"sqlite:///{path}")
    inbox = Inbox(database)
    inbox.write(puts(200))
    database.close()
    size = path.stat().st_size
    with path.open("r+b") as file:  # all pages but the first, as a failing disk may leave them
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(StoreError) as caught:
        Inbox(Database(f"sqlite:///{path}")).latest(1000)
    assert caught.value.code == "STORE-FILE"
    assert "restore" in caught.value.fix


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('connection failed: SSL error: certificate verify failed', "STORE-CERTIFICATE"),
        ("SSL error: sslv3 alert certificate expired", "STORE-CERTIFICATE"),
        ('server certificate for "db" does not match host name "db.example"', "STORE-CERTIFICATE"),
        ("connection refused", "STORE-UNREACHABLE"),
    ],
)  # fmt: skip
def test_a_certificate_that_is_refused_is_told_from_a_server_that_is_away(said: str, code: str) -> None:
    """By libpq's words: it has no code for it."""
    problem = _problem(sa.exc.OperationalError("SELECT", {}, psycopg.OperationalError(said)))
    assert problem.code == code
    assert said not in str(problem), "a driver's words may repeat the address with its password"


async def until(condition: Any) -> None:
    while not await condition():
        await asyncio.sleep(0.05)


@asynccontextmanager
async def talking(base: str) -> AsyncIterator[tuple[Any, Any]]:
    """Two people in a room that is written down."""
    socket = base.replace("http", "ws", 1) + "ws/v2"
    async with connect(socket, proxy=None) as one, connect(socket, proxy=None) as other:
        for web in (one, other):
            await web.send(json.dumps({"t": "hello", "v": 2, "room": "visit", "role": "doctor"}))
            while json.loads(await web.recv())["t"] != "roster":
                pass
        yield one, other


@pytest.mark.anyio
@pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")
async def test_rooms_go_on_while_postgresql_is_away_and_the_record_has_no_gap(tmp_path: Path) -> None:
    server = await asyncio.to_thread(OwnPostgres)
    try:
        address = server.new_database()
        settings = Settings(
            state_dir=tmp_path, database_url=Secret(address), server=ServerSettings(port=0),
            media=MediaSettings(port=0),
        )  # fmt: skip
        async with asyncio.timeout(WITHIN), run_server(settings) as serving:
            base = f"http://127.0.0.1:{serving.port}/"
            async with httpx2.AsyncClient(base_url=base, timeout=30, trust_env=False) as http, talking(base) as both:
                one, other = both

                async def record_is(state: str) -> bool:
                    return bool((await http.get("ready")).json()["record"] == state)

                await asyncio.to_thread(server.kill)
                await one.send(json.dumps({"t": "lock", "rid": 1, "locked": True}))
                await until(lambda: record_is("behind"))
                await one.send(json.dumps({"t": "chat", "rid": 2, "text": "it is away"}))
                while (frame := json.loads(await other.recv()))["t"] != "chat":
                    pass
                assert frame["text"] == "it is away"
                await asyncio.to_thread(server.start)
                await until(lambda: record_is("ok"))
        with psycopg.connect(address.replace("postgresql+psycopg", "postgresql")) as connection:
            numbers = [row[0] for row in connection.execute("SELECT number FROM room_audit ORDER BY number")]
            events = [row[0] for row in connection.execute("SELECT event FROM room_audit ORDER BY number")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert events.count("person.entered") == 2
        assert "room.locked" in events, "what happened while it was away"
    finally:
        await asyncio.to_thread(server.close)
