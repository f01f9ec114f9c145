"""What one of several servers does for all is done by one, and by the next when that is gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from own_redis import PROGRAM, OwnRedis
from ringlight.nodes.keeper import CameraLeases
from ringlight.nodes.role import held_by_one

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]
WITHIN = 30.0  # seconds that anything may take on a busy machine


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


class Work:
    """Something that must not be done twice at once."""

    def __init__(self) -> None:
        self.done_by: list[str] = []
        self.told = asyncio.Event()

    @contextlib.asynccontextmanager
    async def by(self, name: str) -> AsyncIterator[None]:
        assert len(self.done_by) % 2 == 0, f"{name} begins, and {self.done_by[-1]} has not ended"
        self.done_by.append(name)
        self.told.set()
        try:
            yield
        finally:
            self.done_by.append(f"{name} ends")

    async def until(self, *expected: str) -> None:
        async with asyncio.timeout(WITHIN):
            while self.done_by != list(expected):
                self.told.clear()
                await self.told.wait()


@contextlib.asynccontextmanager
async def server(redis: OwnRedis, work: Work, name: str) -> AsyncIterator[None]:
    leases = CameraLeases(redis.url, f"/{name}", alone_for=60)
    async with leases.running(), held_by_one(leases, "mqtt", lambda: work.by(name)):
        yield


async def test_one_does_it_and_the_next_takes_over(redis: OwnRedis) -> None:
    work = Work()
    async with contextlib.AsyncExitStack() as later:
        async with server(redis, work, "one"):
            await work.until("one")
            await later.enter_async_context(server(redis, work, "two"))
            await asyncio.sleep(1.5)  # two has looked at least once
            assert work.done_by == ["one"]
        await work.until("one", "one ends", "two")


async def test_one_server_alone_needs_nobody(redis: OwnRedis) -> None:
    work = Work()
    async with held_by_one(None, "mqtt", lambda: work.by("one")):
        assert work.done_by == ["one"]
    assert work.done_by == ["one", "one ends"]
