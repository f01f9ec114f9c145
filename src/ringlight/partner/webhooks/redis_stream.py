"""Events into a Redis stream, for apps of many processes: each reads what it works on, by consumer groups."""

from types import TracebackType
from typing import Self

import msgspec

from ringlight.errors import fault_error
from ringlight.http.redis import redis_client, redis_package
from ringlight.partner.webhooks.events import Event
from ringlight.secrets import Secret

__all__ = ["RedisStream"]

WITHIN = 5.0  # seconds for one command


class RedisStream:
    """A handler that appends each event to a stream. Close it with `async with` or `aclose`.

        stream = RedisStream("redis://…", "ring-events")
        handlers.on(repeatable=True)(stream)

    An event stays in the inbox until Redis has it, and is tried again while Redis is away. So it is there at least
    once, now and then twice: whoever works on it looks whether its `request_id` is known. Events of a device are in the
    order of their arrival. An entry has `request_id`, `type`, `account`, `device` (empty for an account's events) and
    `time_ns` as text, and `body` as `parse` reads it.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`.
        name: The stream's key.
        most: About how many entries are kept; the oldest go.

    Raises:
        SetupError: CFG-INVALID, the package redis is missing or the address cannot be used.
    """

    def __init__(self, url: Secret | str, name: str = "ring-events", *, most: int = 100_000) -> None:
        redis = redis_package("CFG-INVALID")
        address = url if isinstance(url, Secret) else Secret(url)
        self._redis = redis_client(address, WITHIN, connect=WITHIN, named="the address of the Redis stream")
        self._failures: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._name, self._most = name, most

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def __call__(self, event: Event) -> None:
        """Append an event.

        Raises:
            StoreError: STORE-UNREACHABLE; the event is tried again.
        """
        fields = {
            "request_id": event.request_id, "type": event.type, "account": event.account, "device": event.device or "",
            "time_ns": str(event.time_ns), "body": msgspec.json.encode(event.document),
        }  # fmt: skip
        problem: str | None = None
        try:
            await self._redis.xadd(self._name, fields, maxlen=self._most, approximate=True)  # type: ignore[arg-type]
        except self._failures as error:
            problem = type(error).__name__
        if problem is not None:
            raise fault_error("STORE-UNREACHABLE", f"Redis: {problem}")
