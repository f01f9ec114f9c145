"""Faults at random, one at a time: Ring's, a database that somebody locks, a server that stands still or is killed."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2

from own_redis import OwnRedis
from soak.judge import Counts
from soak.programs import Running

# Those that a view gets over, or that end a view that viewers and pages then open again.
SWITCHES = (
    "socket-1006", "socket-1001", "socket-4002", "not-ready", "session-lost", "ping-lost", "short-view", "ticket-500",
    "upgrade-403", "rate-429", "token-expired", "noise", "duplicates", "unknown-methods", "trickled-candidates",
    "answer-first", "no-answer", "no-camera", "black-hole", "expired-ticket", "session-lapsed", "slow-ticket",
    "empty-answer",
)  # fmt: skip


class Faults:
    """What goes wrong.

    Args:
        simulator: Ring.
        server: The one that is measured; it is never killed.
        other: A second server with the same rooms; `None` where there is none.
        redis: What both share.
        database: The first server's.
    """

    def __init__(
        self, simulator: Running, server: Running, other: Running | None, redis: OwnRedis | None, database: Path,
        counts: Counts, chance: random.Random,
    ) -> None:  # fmt: skip
        self._simulator, self._server, self._other, self._redis = simulator, server, other, redis
        self._database, self._counts, self._chance = database, counts, chance
        self.log: list[str] = []

    async def run(self, until: float, *, every: tuple[float, float]) -> None:
        """Let one happen after another, with pauses between."""
        kinds: list[Callable[[], Awaitable[str]]] = [self._switch, self._switch, self._switch, self._lock, self._freeze]
        if self._other is not None and self._redis is not None:
            kinds += [self._kill_other, self._kill_redis]
        began = time.monotonic()
        while time.monotonic() < until:
            await asyncio.sleep(self._chance.uniform(*every))
            what = await self._chance.choice(kinds)()
            self._counts.add("faults")
            self.log.append(f"until {time.monotonic() - began:6.0f} s  {what}")

    def kinds(self) -> dict[str, int]:
        """Return how often what went wrong; Ring's faults as one."""
        plain = (line.partition(" s  ")[2] for line in self.log)
        return dict(
            Counter("a fault of Ring's" if one.startswith("Ring:") else one.partition(" for ")[0] for one in plain)
        )

    async def _switch(self) -> str:
        name, seconds = self._chance.choice(SWITCHES), self._chance.uniform(1, 8)
        async with httpx2.AsyncClient(base_url=self._simulator.url, timeout=10, trust_env=False) as http:
            (await http.put("/_sim/faults", json={"on": [name]})).raise_for_status()
            await asyncio.sleep(seconds)
            (await http.put("/_sim/faults", json={"on": []})).raise_for_status()
        return f"Ring: {name} for {seconds:.1f} s"

    async def _lock(self) -> str:
        seconds = self._chance.uniform(0.5, 6)
        with contextlib.closing(sqlite3.connect(self._database, isolation_level=None, timeout=10)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            connection.execute("ROLLBACK")
        return f"the database is locked for {seconds:.1f} s"

    async def _freeze(self) -> str:
        seconds = self._chance.uniform(0.2, 2)
        self._server.freeze(on=True)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._server.freeze(on=False)
        return f"the server stands still for {seconds:.1f} s"

    async def _kill_other(self) -> str:
        assert self._other is not None
        self._other.kill()
        await asyncio.sleep(self._chance.uniform(0, 2))
        await asyncio.to_thread(self._other.start)
        return "the other server is killed and started again"

    async def _kill_redis(self) -> str:
        assert self._redis is not None
        self._redis.kill()
        await asyncio.sleep(self._chance.uniform(0, 3))
        await asyncio.to_thread(self._redis.start)
        return "Redis is killed and started again, empty"
