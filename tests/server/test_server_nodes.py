"""Three servers over one Redis, as processes: one is killed, Redis is killed, and everybody goes on."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coming_back import ComingBack
from conftest import Program
from own_redis import PROGRAM, OwnRedis

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]
WORDS = 60


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


@pytest.fixture
def servers(redis: OwnRedis, start: Callable[..., Program], tmp_path: Path) -> list[Program]:
    shared = {"RINGLIGHT_REDIS_URL": redis.url.reveal(), "RINGLIGHT_SECRET_KEY": "k" * 32}
    return [
        start("serve", "--port", "0", RINGLIGHT_STATE_DIR=str(tmp_path / str(number)), **shared) for number in range(3)
    ]


def sockets(server: Program) -> str:
    return server.url.replace("http", "ws", 1) + "ws/v2"


async def test_a_server_and_redis_are_killed_and_nobody_is_lost(servers: list[Program], redis: OwnRedis) -> None:
    alive = [sockets(server) for server in servers]
    async with (
        ComingBack(lambda: alive, room="visit", role="doctor") as one,
        ComingBack(lambda: [alive[1], *alive], room="visit", role="doctor") as other,
    ):
        await one.until(lambda: bool(one.others))
        for word in range(WORDS):
            await one.say(f"one {word}")
            await other.say(f"other {word}")
            await asyncio.sleep(0.01)
            if word == WORDS // 4:
                os.kill(servers[0].process.pid, signal.SIGKILL)
                servers[0].process.wait()
                del alive[0]
            if word == WORDS // 2:
                await one.until(lambda: len(one.names) > 1)
                redis.kill()
                await one.until(lambda: one.notices[-1:] == [True])
                await other.until(lambda: other.notices[-1:] == [True])
            if word == 3 * WORDS // 4:
                redis.start()
        await one.answered()
        await other.answered()
        await one.until(lambda: len(one.heard) >= WORDS)
        await other.until(lambda: len(other.heard) >= WORDS)
        assert one.heard == [f"other {word}" for word in range(WORDS)]
        assert other.heard == [f"one {word}" for word in range(WORDS)]
        assert len(set(one.names)) == len(set(other.names)) == 1, "everybody keeps their name"
        await one.until(lambda: one.notices == [True, False])
        await other.until(lambda: other.notices == [True, False])
