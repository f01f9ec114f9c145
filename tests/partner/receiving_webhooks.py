"""A receiver on a database of its own, told of deliveries as the router tells it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from webhook_bodies import KEY, SENT_AT, body

from ringlight.partner.webhooks import Answer, Arrival, Event, Handlers, Pace, Verifier, Webhooks, signature_of
from ringlight.store.database import Database

BEGAN = time.monotonic()
QUICK = Pace(attempts=3, first_pause=0.001, longest_pause=0.002, timeout=5.0, grace=0.2)


def arrival(content: bytes, *, key: str = KEY) -> Arrival:
    return Arrival(content, "application/json", signature_of(content, key))


def wall() -> float:
    """The time of day at which the examples were sent, and what has passed since the tests began."""
    return SENT_AT + time.monotonic() - BEGAN


def receiver(database: str | Database, handlers: Handlers | None = None, **more: Any) -> Webhooks:
    settings: dict[str, Any] = {"pace": QUICK, "wall": wall} | more
    return Webhooks(Verifier(KEY), database, handlers, **settings)


async def deliver(hooks: Webhooks, *names: str, **more: Any) -> list[Answer]:
    """Deliver events with these request ids, all at once."""
    return await asyncio.gather(*(hooks.receive(arrival(body(request_id=name, **more))) for name in names))


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for what a thread or another task does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.005)


class Log:
    """Handlers that write down what they were given."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.handlers = Handlers()

        @self.handlers.on()
        async def note(event: Event) -> None:
            self.seen.append(event.request_id)
