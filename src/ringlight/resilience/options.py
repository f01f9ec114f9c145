"""What may be chosen for a client, and again for one call."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ALL", "BARE", "Options", "Strategies"]


@dataclass(frozen=True, slots=True)
class Strategies:
    """The six recovery strategies of Ring's error guide, each a switch.

    Attributes:
        automatic_retry: Repeat what failed for a passing reason.
        token_refresh: Renew the token after a 401 and repeat once.
        exponential_backoff: Let the pauses grow and spread them; without it every pause is the first one's length.
        circuit_breaker: Stop asking a service or a device that does not answer.
        graceful_degradation: Give the last known good answer, marked as such, where there is no other.
        user_notification: Tell people what stopped working, and when it works again.
    """

    automatic_retry: bool = True
    token_refresh: bool = True
    exponential_backoff: bool = True
    circuit_breaker: bool = True
    graceful_degradation: bool = True
    user_notification: bool = True


ALL = Strategies()
BARE = Strategies(*[False] * 6)


@dataclass(frozen=True, slots=True)
class Options:
    """What one call may wish for; `None` is the operation's or the client's own.

    Attributes:
        total: Seconds for the whole call.
        attempts: How often it is sent at most for passing failures, the first time included.
        fallback: `stale` allows the last known good answer, `never` forbids it.
        strategies: The switches for this call.
        gate: Whether it waits for its turn at the rate gate.
        fresh_until: Until when, in monotonic seconds, footage that is not there may still come (416).
    """

    total: float | None = None
    attempts: int | None = None
    fallback: Literal["never", "stale"] | None = None
    strategies: Strategies | None = None
    gate: bool = True
    fresh_until: float | None = None
