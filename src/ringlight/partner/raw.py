"""What a result went through on its way: attempts, times, the id by which Ring finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ringlight.resilience.events import Attempt
from ringlight.resilience.pipeline import Done
from ringlight.resilience.stale import Stale

__all__ = ["RawResponse", "note", "raw", "recording"]

T = TypeVar("T")

_heard: ContextVar[list[Done] | None] = ContextVar("ringlight_partner_heard", default=None)


@dataclass(frozen=True, slots=True)
class RawResponse(Generic[T]):
    """A result and its way.

    Attributes:
        value: The result.
        seconds: How long it took, with all waits.
        attempts: Each request that was sent: operation, number, status, code of what went wrong, seconds, request id.
        stale: How old it is, and why, where the last known good answer stands in; else `None`. Of several calls, the
            oldest.
    """

    value: T = field(repr=False)
    seconds: float
    attempts: tuple[Attempt, ...]
    stale: Stale | None = None

    @property
    def request_id(self) -> str | None:
        """By which Ring finds the last answer in its logs; `None` if it named none."""
        return self.attempts[-1].request_id if self.attempts else None

    @property
    def status(self) -> int | None:
        """The last answer's HTTP status; `None` without one."""
        return self.attempts[-1].status if self.attempts else None


@contextmanager
def recording() -> Iterator[list[Done]]:
    """Collect what the calls come to that are made inside, by this task or thread."""
    heard: list[Done] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def note(done: Done) -> None:
    """Tell whoever records."""
    heard = _heard.get()
    if heard is not None:
        heard.append(done)


def raw(value: T, seconds: float, heard: list[Done]) -> RawResponse[T]:
    """Put together what was recorded."""
    stale = max((done.stale for done in heard if done.stale is not None), key=lambda old: old.age, default=None)
    return RawResponse(value, seconds, tuple(attempt for done in heard for attempt in done.trail), stale)
