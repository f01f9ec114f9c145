"""What happens to calls, told to whoever listens. Pure: shells take the events out and hand them on."""

from collections import deque
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from ringlight.resilience.actions import Reason

__all__ = [
    "Attempt",
    "BreakerClosed",
    "BreakerOpened",
    "Event",
    "GateDivided",
    "GateShared",
    "Notice",
    "Outbox",
    "RateChanged",
    "RetryRefused",
    "RetryScheduled",
    "ServedStale",
    "Severity",
    "Throttled",
    "TokenRefreshed",
    "TokenRefused",
]


class Severity(Enum):
    """How much an event deserves attention, as the levels of logging do."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


class Attempt(Struct, frozen=True):
    """One attempt has ended.

    Attributes:
        at: Monotonic seconds.
        operation: The kind of call.
        number: 1 for the first.
        status: The HTTP status; `None` without one.
        code: Our code for what went wrong; `None` for a success.
        seconds: How long it took.
        request_id: By which Ring finds it; `None` if the answer named none.
    """

    at: float
    operation: str
    number: int
    status: int | None
    code: str | None
    seconds: float
    request_id: str | None = None
    severity = Severity.DEBUG


class RetryScheduled(Struct, frozen=True):
    """Strategies `automatic_retry` and `exponential_backoff`: it will be tried again, after `seconds`."""

    at: float
    operation: str
    number: int
    code: str
    seconds: float
    reason: Reason
    severity = Severity.INFO


class RetryRefused(Struct, frozen=True):
    """It could have been tried again, but was not: `why` is `budget`, `deadline`, `attempts`, `switched-off` or
    `circuit`.
    """

    at: float
    operation: str
    number: int
    code: str
    why: str
    severity = Severity.INFO


class Throttled(Struct, frozen=True):
    """A 429 has closed the gate for `seconds`, for everybody who uses the client id."""

    at: float
    operation: str
    seconds: float
    severity = Severity.WARNING


class RateChanged(Struct, frozen=True):
    """The gate's rate follows what the API allows."""

    at: float
    per_second: float
    severity = Severity.INFO


class GateDivided(Struct, frozen=True):
    """The gate for many processes cannot be reached: each goes by its own share of the limit, of `among` shares."""

    at: float
    among: int
    severity = Severity.WARNING


class GateShared(Struct, frozen=True):
    """The gate for many processes can be reached again."""

    at: float
    severity = Severity.INFO


class BreakerOpened(Struct, frozen=True):
    """Strategy `circuit_breaker`: `subject` (a service or a device) is left alone for `seconds`."""

    at: float
    subject: str
    seconds: float
    severity = Severity.WARNING


class BreakerClosed(Struct, frozen=True):
    """Strategy `circuit_breaker`: `subject` works again."""

    at: float
    subject: str
    severity = Severity.INFO


class TokenRefused(Struct, frozen=True):
    """Strategy `token_refresh`: the server refused the token of this call, which goes out once more with another."""

    at: float
    operation: str
    severity = Severity.INFO


class TokenRefreshed(Struct, frozen=True):
    """Strategy `token_refresh`: the token was renewed, or `code` says why not."""

    at: float
    id: int
    code: str | None = None
    severity = Severity.INFO


class ServedStale(Struct, frozen=True):
    """Strategy `graceful_degradation`: an answer `age` seconds old was given because of `code`."""

    at: float
    operation: str
    age: float
    code: str
    severity = Severity.WARNING


class Notice(Struct, frozen=True):
    """Strategy `user_notification`: something for people.

    Attributes:
        at: Monotonic seconds.
        episode: Counts the episodes; the notice of the end has the number of its beginning.
        topic: What it is about: `unreachable`, `service`, `rate`, `gate`, `device`, `consent`, `link` or `removed`.
        subject: Which service, device or account.
        code: The fault, whose row says cause and fix.
        over: Whether this tells of the end.
        since: When it began, in monotonic seconds.
        suppressed: How many episodes since the last notice were not told, for they came too soon after it.
    """

    at: float
    episode: int
    topic: str
    subject: str
    code: str
    over: bool
    since: float
    suppressed: int = 0
    severity = Severity.WARNING


Event: TypeAlias = (
    Attempt
    | RetryScheduled
    | RetryRefused
    | Throttled
    | RateChanged
    | GateDivided
    | GateShared
    | BreakerOpened
    | BreakerClosed
    | TokenRefused
    | TokenRefreshed
    | ServedStale
    | Notice
)


class Outbox:
    """Keeps events until the shell hands them on, outside its lock. Full, it drops the oldest and counts them.

    Attributes:
        dropped: How many events nobody took in time.
        listening: Whether anybody wants events; without a listener none is kept.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._events: deque[Event] = deque(maxlen=limit)
        self.dropped = 0
        self.listening = False

    def put(self, event: Event) -> None:
        """Add one."""
        if not self.listening:
            return
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)

    def drain(self) -> list[Event]:
        """Take all out, in order."""
        if not self._events:
            return []
        taken = list(self._events)
        self._events.clear()
        return taken
