"""What a call asks of the shell that runs it, and what the shell says back, each time with the time.

A shell sends `(now, result)` into `pipeline.run`, `now` in monotonic seconds. It may end a call at any moment by
closing the generator: what the call held (a place at the gate, a breaker's probe) is then given back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from msgspec import Struct

from ringlight.errors import RingError
from ringlight.resilience.operation import Lane
from ringlight.secrets import Secret

__all__ = [
    "Action",
    "Answered",
    "Authorize",
    "Bearer",
    "Failed",
    "Fate",
    "NoPlace",
    "Outcome",
    "Pause",
    "Place",
    "Reason",
    "Rejected",
    "Reply",
    "Reserve",
    "Result",
    "Send",
    "SetRate",
    "Sleep",
]


class Reason(Enum):
    """Why a call sleeps."""

    GATE = "gate"  # its turn has not come
    BACKOFF = "backoff"  # the pause before a retry
    RETRY_AFTER = "retry-after"  # the answer named the pause
    NOT_READY = "not-ready"  # the recording is still being made


class Fate(Enum):
    """How far a request got that has no whole answer."""

    NEVER_SENT = "never-sent"  # DNS, refused, TLS, no free connection: nothing arrived
    MAYBE_SENT = "maybe-sent"  # reset, closed without a byte, read timeout: it may have been carried out
    BROKEN = "broken"  # an answer came that cannot be used: short, truncated, HTML for JSON


# What is asked.


class Reserve(Struct, frozen=True):  # made for each call, as most of these: a fifth of the time of a frozen dataclass
    """Ask the rate gate for a turn. Said back: a `Place` or `NoPlace`.

    Attributes:
        lane: Who goes first.
        within: Seconds that may be waited; a longer wait is refused at once.
        place: The number of the place that is already held; `None` at first.
    """

    lane: Lane
    within: float
    place: int | None = None


class Sleep(Struct, frozen=True):
    """Wait. Said back: `None`."""

    seconds: float
    reason: Reason


class Authorize(Struct, frozen=True):
    """Ask for the account's token, renewed if need be. Said back: a `Bearer`, or the error of the renewal.

    Attributes:
        within: Seconds that may be waited for a renewal.
    """

    within: float


class Rejected(Struct, frozen=True):
    """Tell the keeper of the tokens that the server refused this one. Said back: `None`.

    Attributes:
        id: As in `Bearer`. If the token has been renewed since, nothing is to be done.
    """

    id: int


class Send(Struct, frozen=True):
    """Make one attempt. Said back: an `Outcome`.

    Attributes:
        timeout: Seconds for the whole attempt, body included; the shell's own limits of connecting and reading
            are cut to it.
        bearer: The token to send; `None` for a call without one.
        attempt: 1 for the first.
    """

    timeout: float
    bearer: "Bearer | None"
    attempt: int


class Pause(Struct, frozen=True):
    """Hold the gate closed for everybody who uses the client id. Said back: `None`."""

    seconds: float


class SetRate(Struct, frozen=True):
    """Change the gate's rate. Said back: `None`."""

    per_second: float


Action: TypeAlias = Reserve | Sleep | Authorize | Rejected | Send | Pause | SetRate

# What is said back.


class Place(Struct, frozen=True):
    """A turn at the gate.

    Attributes:
        wait: Seconds until then; 0 means now, and the turn is taken.
        number: The place to ask again with after the wait, for those in a faster lane may have gone first; `None`
            where the turn is certain and is not asked for again.
        alone: Among how many processes the limit is divided, because the gate that they share cannot be reached; 0
            where it can, or there is none.
    """

    wait: float
    number: int | None = None
    alone: int = 0


class NoPlace(Struct, frozen=True):
    """The gate has no turn in time; `wait` is how many seconds it would have been, and `alone` is as in `Place`."""

    wait: float
    alone: int = 0


class Bearer(Struct, frozen=True):
    """A token in use.

    Attributes:
        id: Counts the account's tokens, so that a late refusal of an old one is known for what it is.
        token: The token.
        expires: When it ends, in monotonic seconds; `None` if that is not known.
        begun: When its life began, in monotonic seconds; `None` is when it was asked for.
    """

    id: int
    token: Secret
    expires: float | None = None
    begun: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer.

    Attributes:
        status: The HTTP status. Below 400 the call is done.
        headers: The header fields, found without regard to case.
        body: The body of an error, from which its class is read; of a success nothing needs to be kept.
        value: What the call's `decode` made of a success.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    value: Any = field(default=None, repr=False)


class Failed(Struct, frozen=True):
    """No whole answer.

    Attributes:
        fate: How far the request got.
        error: Ours, from the border at which foreign errors are translated, or what `decode` raised (`Fate.BROKEN`).
        reused: The connection had carried a call before: the server may just have closed it, so a first failure of
            this kind is repeated at once.
        own: It is our own fault, such as a pool without a free connection, and says nothing about the server.
        status: The status of a broken answer, where one was read.
    """

    fate: Fate
    error: RingError
    reused: bool = False
    own: bool = False
    status: int | None = None


Outcome: TypeAlias = Answered | Failed
Result: TypeAlias = Place | NoPlace | Bearer | RingError | Outcome | None
Reply: TypeAlias = tuple[float, Result]
