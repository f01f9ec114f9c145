"""Webhooks into a Redis stream: many processes share them, and none is lost while Redis is away. A real Redis."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from own_redis import PROGRAM, OwnRedis
from ringlight.errors import SetupError, StoreError
from ringlight.partner.webhooks import Arrival, Handlers, Pace, RedisStream, Verifier, Webhooks, parse, signature_of
from ringlight.secrets import Secret
from ringlight.simulator.partner.envelope import envelope

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]
KEY = "a-key"
SOON = Pace(first_pause=0.05, longest_pause=0.2, attempts=50)


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


def arrival(number: int) -> Arrival:
    body = envelope(
        "button_press", request_id=f"r-{number}-{uuid.uuid4()}", account="A", device=f"D{number % 3}",
        at_ns=time.time_ns(),
    )  # fmt: skip
    return Arrival(body, "application/json", signature_of(body, KEY))


def taking(stream: RedisStream, tmp_path: Path) -> Webhooks:
    handlers = Handlers()
    handlers.on(repeatable=True)(stream)
    return Webhooks(Verifier(KEY), f"sqlite:///{tmp_path / 'app.db'}", handlers, pace=SOON)


async def until_there(redis: OwnRedis, count: int) -> None:
    async with asyncio.timeout(40):
        while (await asyncio.to_thread(redis.client().xlen, "ring-events")) < count:
            await asyncio.sleep(0.05)


async def test_many_processes_share_the_events_and_read_them_as_typed(redis: OwnRedis, tmp_path: Path) -> None:
    async with RedisStream(redis.url) as stream, taking(stream, tmp_path) as webhooks:
        sent = [arrival(number) for number in range(12)]
        assert {(await webhooks.receive(one)).status for one in sent} == {200}
        await until_there(redis, 12)
    with redis.client() as reader:
        reader.xgroup_create("ring-events", "workers", "0")
        seen = []
        for worker in ("one", "two", "one", "two"):
            ((_, entries),) = reader.xreadgroup("workers", worker, {"ring-events": ">"}, count=3)
            seen += entries
    assert len({identifier for identifier, _ in seen}) == 12, "each went to one of them"
    events = [parse(fields[b"body"]) for _, fields in seen]
    assert sorted(event.request_id for event in events) == sorted(parse(one.body).request_id for one in sent)
    assert {(fields[b"type"], fields[b"account"]) for _, fields in seen} == {(b"button_press", b"A")}
    for device in ("D0", "D1", "D2"):
        own = [event.request_id for event in events if event.device == device]
        assert own == [one.request_id for one in map(parse, (one.body for one in sent)) if one.device == device]


async def test_none_is_lost_while_redis_is_away(redis: OwnRedis, tmp_path: Path) -> None:
    """They are answered 200 all the same, since they are in the inbox; and go on when Redis is back."""
    async with RedisStream(redis.url) as stream, taking(stream, tmp_path) as webhooks:
        redis.kill()
        sent = [arrival(number) for number in range(5)]
        assert {(await webhooks.receive(one)).status for one in sent} == {200}
        async with asyncio.timeout(40):
            while not any(row.attempts for row in await asyncio.to_thread(webhooks.inbox.latest, 10)):
                await asyncio.sleep(0.05)
        await asyncio.to_thread(redis.start)
        await until_there(redis, 5)


async def test_the_stream_is_bounded(redis: OwnRedis, tmp_path: Path) -> None:
    async with RedisStream(redis.url, most=100) as stream:
        for number in range(600):
            await stream(parse(arrival(number).body))
    assert redis.client().xlen("ring-events") < 400


def test_an_address_that_cannot_be_used_is_not_repeated() -> None:
    with pytest.raises(SetupError) as caught:
        RedisStream(Secret("nonsense://user:mark-4711@host"))
    assert "mark-4711" not in str(caught.value)
    assert caught.value.code == "CFG-INVALID"


async def test_a_cut_connection_is_not_tried_again_by_the_client_itself() -> None:
    """The inbox tries again; a client that did so too would hold up the device's next events."""
    came = 0

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with RedisStream(f"redis://127.0.0.1:{port}") as stream:
            with pytest.raises(StoreError) as caught:
                await stream(parse(arrival(1).body))
    assert caught.value.code == "STORE-UNREACHABLE"
    assert came == 1
