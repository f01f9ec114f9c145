"""Causes around our own server that the doctor must find: its database, Redis, the broker of the home, its key."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import own_mosquitto
import own_postgres
import own_redis
from own_certificates import Authority
from own_mosquitto import OwnMosquitto
from own_postgres import OwnPostgres
from own_redis import OwnRedis
from patients import Patient, Scenario, Setting, Stage, free_port, settings
from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.private_file import PrivateFile
from ringlight.store.sealing import Seal

KEY, ANOTHER = "first-" + "k" * 42, "other-" + "k" * 42


@contextlib.contextmanager
def postgres(tls: Authority | None = None) -> Iterator[OwnPostgres]:
    if not own_postgres.PROGRAMS:
        pytest.skip("PostgreSQL is not installed")
    with contextlib.closing(OwnPostgres(tls)) as running:
        yield running


@contextlib.contextmanager
def redis(tls: Authority | None = None) -> Iterator[OwnRedis]:
    if own_redis.PROGRAM is None:
        pytest.skip("Redis is not installed")
    with contextlib.closing(OwnRedis(tls)) as running:
        yield running


@contextlib.contextmanager
def mosquitto() -> Iterator[OwnMosquitto]:
    if own_mosquitto.PASSWORDS is None:
        pytest.skip("mosquitto is not installed")
    with contextlib.closing(OwnMosquitto()) as running:
        yield running


def _of_server(stage: Stage, **given: Any) -> Patient:
    return Patient(settings(stage, **given), ("server",))


@contextlib.asynccontextmanager
async def database_away(stage: Stage) -> AsyncIterator[Patient]:
    with postgres() as running:
        address = running.new_database()
        running.kill()
        yield _of_server(stage, database_url=address)


@contextlib.asynccontextmanager
async def database_silent(stage: Stage) -> AsyncIterator[Patient]:
    with postgres() as running:
        address = running.new_database()
        running.stop()
        try:
            yield _of_server(stage, database_url=address)
        finally:
            running.go_on()


@contextlib.asynccontextmanager
async def database_of_another_authority(stage: Stage) -> AsyncIterator[Patient]:
    authority = Authority(stage.folder)
    authority.put("issuer")
    with postgres(authority) as running:
        yield _of_server(stage, database_url=running.new_database())


def kept(change: str = "", content: bytes = b"") -> Setting:
    """A database in a file, after somebody has changed a row of it, or put something else in its place."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        path = stage.folder / "kept.db"
        with contextlib.closing(Database(f"sqlite:///{path}")) as database, database.reading():
            pass
        if content:
            path.write_bytes(content)
        else:
            with contextlib.closing(sqlite3.connect(path)) as file, file:
                file.execute(change)
        yield _of_server(stage, database_url=f"sqlite:///{path}")

    return setting


def given(**named: Any) -> Setting:
    """Settings that are wrong by themselves."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        yield _of_server(stage, **{name: value.format(port=free_port()) if isinstance(value, str) else value
                                   for name, value in named.items()})  # fmt: skip

    return setting


@contextlib.asynccontextmanager
async def sealed_by_another_key(stage: Stage) -> AsyncIterator[Patient]:
    """A sign-in that was kept while the settings had another key."""
    known = _of_server(stage, secrets_key=ANOTHER)
    PrivateFile(known.settings.state_dir / "tokens.json", Seal([Secret(KEY)])).write(lambda: b"{}")
    with contextlib.closing(Database(known.settings.database.reveal())) as database, database.reading():
        pass
    yield known


@contextlib.asynccontextmanager
async def redis_away(stage: Stage) -> AsyncIterator[Patient]:
    with redis() as running:
        running.kill()
        yield _of_server(stage, redis_url=running.url)


@contextlib.asynccontextmanager
async def redis_silent(stage: Stage) -> AsyncIterator[Patient]:
    with redis() as running:
        running.stop()
        try:
            yield _of_server(stage, redis_url=running.url)
        finally:
            running.go_on()


@contextlib.asynccontextmanager
async def redis_expired(stage: Stage) -> AsyncIterator[Patient]:
    authority = Authority(stage.folder)
    authority.put("expired")
    with redis(authority) as running:
        yield _of_server(stage, redis_url=running.url)


@contextlib.asynccontextmanager
async def broker_away(stage: Stage) -> AsyncIterator[Patient]:
    with mosquitto() as running:
        running.kill()
        yield _of_server(stage, mqtt={"url": running.url})


@contextlib.asynccontextmanager
async def broker_refuses(stage: Stage) -> AsyncIterator[Patient]:
    with mosquitto() as running:
        yield _of_server(stage, mqtt={"url": f"mqtt://ring:wrong@127.0.0.1:{running.port}"})


@contextlib.asynccontextmanager
async def key_wanted(stage: Stage) -> AsyncIterator[Patient]:
    """A proxy before a server of somebody else, which wants a password for sockets."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):  # of who only looked whether the port is open
            asked = await reader.readuntil(b"\r\n\r\n")
            status = b"401 Unauthorized" if b"upgrade: websocket" in asked.lower() else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield Patient(settings(stage), (f"ws://127.0.0.1:{port}/ws/signaling/5f0c/doctor",))


SERVICES = (
    Scenario("the database is away", "STORE-UNREACHABLE", database_away),
    Scenario("the database says nothing", "STORE-UNREACHABLE", database_silent, "has not answered"),
    Scenario("the database's certificate", "STORE-CERTIFICATE", database_of_another_authority, "PostgreSQL"),
    Scenario("a file that is no database", "STORE-FILE", kept(content=b"no database" * 1000)),
    Scenario("a newer database", "STORE-NEWER", kept("UPDATE alembic_version SET version_num = '9999'")),
    Scenario("a database of another kind", "STORE-ADDRESS", given(database_url="mongodb://x/y")),
    Scenario("what is kept needs another key", "STORE-SEALED", sealed_by_another_key),
    Scenario("a key for secrets that is too short", "CFG-SECRETS-KEY", given(secrets_key="short")),
    Scenario("Redis is away", "NODE-ALONE", redis_away),
    Scenario("Redis says nothing", "NODE-ALONE", redis_silent),
    Scenario("Redis's certificate", "STORE-CERTIFICATE", redis_expired, "Redis: certificate has expired"),
    Scenario("an address that names no Redis", "CFG-INVALID", given(redis_url="http://127.0.0.1:{port}")),
    Scenario("the broker is away", "MQTT-BROKER", broker_away),
    Scenario("the broker refuses the password", "MQTT-LOGIN", broker_refuses),
    Scenario("a socket that wants a key", "KEY-NEEDED", key_wanted),
)  # fmt: skip
