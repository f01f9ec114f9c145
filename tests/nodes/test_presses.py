"""A press that one server hears of rings at all of them."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from own_redis import PROGRAM, OwnRedis
from ringlight.nodes.presses import Presses

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]
WITHIN = 30.0  # seconds that anything may take on a busy machine


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


async def test_a_press_is_heard_at_all_servers_and_after_redis_was_away_again(redis: OwnRedis) -> None:
    heard: list[set[tuple[str, str]]] = [set(), set()]
    servers = [Presses(redis.url, lambda *press, at=at: at.add(press)) for at in heard]
    async with contextlib.AsyncExitStack() as stack, asyncio.timeout(WITHIN):
        for server in servers:
            await stack.enter_async_context(server.running())
            await server.is_listening.wait()
        servers[0].tell("front-door", "p1")
        assert heard[0] == {("front-door", "p1")}, "at once where it was told"
        while heard[1] != heard[0]:
            await asyncio.sleep(0.01)
        redis.kill()
        servers[0].tell("front-door", "p2")
        assert ("front-door", "p2") in heard[0]
        redis.start()
        number = 3
        while ("front-door", f"p{number - 1}") not in heard[1]:
            servers[0].tell("front-door", f"p{number}")
            number += 1
            await asyncio.sleep(0.05)
