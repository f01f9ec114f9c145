"""The rate gate for many processes and hosts, over Redis, with and without an event loop.

What is asked, and what is done where Redis is away, is decided by `resilience.joint_gate`; `shared_gate.lua` is the
gate itself. Here are only the clock, the lock and the wire. Each object has one connection: an answer takes a fraction
of a millisecond, and a hundred connections at once would take longer to open than that.
"""

import asyncio
import os
import threading
import time
from contextlib import suppress
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any

from ringlight.http.redis import redis_client, redis_package, waiting_redis_client
from ringlight.resilience.actions import NoPlace, Place
from ringlight.resilience.joint_gate import JointGate, Question
from ringlight.resilience.operation import Lane
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from ringlight.settings import ResilienceSettings

__all__ = ["AsyncSharedGate", "SharedGate"]

# Seconds for Redis to answer, or to be reached; then a call goes by its own share. A thousand times what it takes.
_PATIENCE = 0.25
_UNUSABLE = "STORE-ADDRESS"  # for an address that is none, or without the package


def _script() -> str:
    return resources.files("ringlight.http").joinpath("shared_gate.lua").read_text(encoding="utf-8")


class _Common:
    """What both gates have: the part, the names of the keys, and who asks."""

    def __init__(self, client_id: str, settings: "ResilienceSettings") -> None:
        self._part = JointGate(settings.gate_rate, settings.gate_burst, settings.gate_processes)
        # In braces, as a cluster keeps keys of one script on one node by that; hashed, as it is nobody's business.
        name = f"ringlight:gate:{{{sha256(client_id.encode()).hexdigest()[:32]}}}"
        self._keys = [f"{name}:{each}" for each in ("state", "line", "turns", "peers", "rates")]
        self._id = os.urandom(8).hex()

    def _arguments(self, question: Question) -> list[str]:
        what, *rest = question
        return ["", what, f"{self._id}-{os.getpid()}", *rest]  # a fork is a process of its own


class SharedGate(_Common):
    """The gate of all processes that name the same Redis and client id. Threads may share it.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.
        client_id: Whose limit it is.
        settings: Rate and burst; the same in all processes.

    Raises:
        SetupError: STORE-ADDRESS, the address is none, or the extra `redis` is not installed.
    """

    def __init__(self, url: Secret, client_id: str, settings: "ResilienceSettings") -> None:
        super().__init__(client_id, settings)
        self._away = (redis_package(_UNUSABLE).RedisError, OSError)
        self._redis: Any = waiting_redis_client(url, _PATIENCE, connect=_PATIENCE, code=_UNUSABLE)
        self._run = self._redis.register_script(_script())
        self._lock = threading.Lock()  # for the part; held for microseconds
        self._wire = threading.Lock()  # for the connection; held while Redis is asked

    def __enter__(self) -> "SharedGate":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        with suppress(*self._away):
            self._redis.close()

    def reserve(self, lane: Lane, within: float, place: int | None = None) -> Place | NoPlace:
        """Take the turn if it has come, or tell when it will. It takes half a second at most, whatever Redis does."""
        said = self._ask(lane, within, place)
        if said is not None:
            return said
        with self._lock:
            return self._part.alone(lane, time.monotonic(), within, place)

    def release(self, place: int) -> None:
        """Give a place up; others hear of it with the next question."""
        with self._lock:
            self._part.release(place)

    def pause(self, seconds: float) -> None:
        """Close the gate for everybody."""
        with self._lock:
            self._part.pause(seconds, time.monotonic())
        self._ask(None, 0.0, None, seconds)

    def set_rate(self, per_second: float) -> None:
        """Say how many calls a second this process finds right; the slowest of all counts."""
        with self._lock:
            self._part.set_rate(per_second, time.monotonic())

    def _ask(self, lane: Lane | None, within: float, place: int | None, pause: float = 0.0) -> Place | NoPlace | None:
        """Return what Redis says, or `None` where it is away."""
        with self._lock:
            tries = self._part.is_alone
            question = self._part.question(time.monotonic(), lane, within, place, pause)
        if question is None:
            return None
        if not self._wire.acquire(timeout=4 * _PATIENCE):
            return None
        try:
            if self._part.is_alone and not tries:
                return None  # whoever asked before us found it away
            said = self._run(keys=self._keys, args=self._arguments(question))
            with self._lock:
                return self._part.answered([int(each) for each in said], time.monotonic())
        except self._away:
            with self._lock:
                self._part.failed(time.monotonic())
            return None
        finally:
            self._wire.release()


class AsyncSharedGate(_Common):
    """As `SharedGate`, for one event loop."""

    def __init__(self, url: Secret, client_id: str, settings: "ResilienceSettings") -> None:
        super().__init__(client_id, settings)
        self._away = (redis_package(_UNUSABLE).RedisError, OSError)
        self._redis: Any = redis_client(url, _PATIENCE, connect=_PATIENCE, code=_UNUSABLE)
        self._run = self._redis.register_script(_script())
        self._wire = asyncio.Lock()

    async def __aenter__(self) -> "AsyncSharedGate":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        with suppress(*self._away):
            await self._redis.aclose()

    async def reserve(self, lane: Lane, within: float, place: int | None = None) -> Place | NoPlace:
        """Take the turn if it has come, or tell when it will. It takes half a second at most, whatever Redis does."""
        said = await self._ask(lane, within, place)
        return self._part.alone(lane, time.monotonic(), within, place) if said is None else said

    def release(self, place: int) -> None:
        """Give a place up; others hear of it with the next question."""
        self._part.release(place)

    async def pause(self, seconds: float) -> None:
        """Close the gate for everybody."""
        self._part.pause(seconds, time.monotonic())
        await self._ask(None, 0.0, None, seconds)

    async def set_rate(self, per_second: float) -> None:
        """Say how many calls a second this process finds right; the slowest of all counts."""
        self._part.set_rate(per_second, time.monotonic())

    async def _ask(
        self, lane: Lane | None, within: float, place: int | None, pause: float = 0.0
    ) -> Place | NoPlace | None:
        tries = self._part.is_alone
        question = self._part.question(time.monotonic(), lane, within, place, pause)
        if question is None:
            return None
        async with self._wire:
            if self._part.is_alone and not tries:
                return None
            try:
                async with asyncio.timeout(2 * _PATIENCE):  # a name is looked up without a limit of its own
                    said = await self._run(keys=self._keys, args=self._arguments(question))
            except self._away:
                self._part.failed(time.monotonic())
                return None
            return self._part.answered([int(each) for each in said], time.monotonic())
