"""What an outcome means: its class, its fault, and by one table what follows from that. Pure."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from msgspec import Struct

from ringlight.errors import ErrorItem
from ringlight.faults import find
from ringlight.resilience.actions import Failed, Fate, Outcome
from ringlight.resilience.limits import Limits, limits
from ringlight.resilience.operation import Lane, Operation, Repeat
from ringlight.resilience.refusals import read_refusal, said
from ringlight.resilience.retry_after import retry_after

__all__ = ["RULES", "Class", "Cost", "Crowd", "Follows", "Seen", "classify"]


class Class(Enum):
    """The kinds of outcome that are treated differently."""

    GOOD = "good"
    NEVER_SENT = "never-sent"
    MAYBE_SENT = "maybe-sent"
    BAD_ANSWER = "bad-answer"
    AUTH = "auth"  # 401, or a 403 for a token that is past its time
    PERMISSION = "permission"  # 403
    NOT_FOUND = "not-found"  # 404, 410
    NOT_READY = "not-ready"  # 425, and 416 of fresh media
    INVALID = "invalid"  # any other 4xx, and what no repetition makes better
    TIMEOUT = "timeout"  # 408: the server did not get the whole request in time
    THROTTLED = "throttled"  # 429
    SERVER = "server"  # 500, 502, 504 and what a network in front of Ring adds
    DEVICE_OFFLINE = "device-offline"  # 503 of one device
    UNAVAILABLE = "unavailable"  # 503 of the service

    __hash__ = object.__hash__  # a key of every call; Enum's own is a call of Python's


class Cost(Enum):
    """What a retry costs the budget."""

    NOTHING = 0
    THROTTLE = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class Follows:
    """What follows from a class.

    Attributes:
        repeats: The operations that may be sent again.
        cost: What that costs.
        counts: Whether the service's breaker counts it: as a failure (`True`), as a success (`False`: the service did
            answer), or not at all (`None`).
        stale: Whether the last known good answer may stand in.
        forgets: Whether that one is dropped, for what it tells of is gone or no longer allowed.
    """

    repeats: frozenset[Repeat] = frozenset()
    cost: Cost = Cost.NOTHING
    counts: bool | None = False
    stale: bool = False
    forgets: bool = False


_ALL = frozenset(Repeat)
_TWICE = frozenset({Repeat.SAFE, Repeat.IDEMPOTENT})
_READS = frozenset({Repeat.SAFE})

RULES: Mapping[Class, Follows] = MappingProxyType(
    {
        Class.GOOD: Follows(),
        Class.NEVER_SENT: Follows(_ALL, Cost.FAILURE, counts=True, stale=True),
        Class.MAYBE_SENT: Follows(_TWICE, Cost.FAILURE, counts=True, stale=True),
        Class.BAD_ANSWER: Follows(_READS, Cost.FAILURE, counts=True, stale=True),
        Class.AUTH: Follows(counts=None),
        Class.PERMISSION: Follows(forgets=True),
        Class.NOT_FOUND: Follows(forgets=True),
        Class.NOT_READY: Follows(_ALL),
        Class.INVALID: Follows(),
        Class.TIMEOUT: Follows(_TWICE, Cost.FAILURE, counts=None, stale=True),
        Class.THROTTLED: Follows(_ALL, Cost.THROTTLE, counts=None, stale=True),
        Class.SERVER: Follows(_TWICE, Cost.FAILURE, counts=True, stale=True),
        Class.DEVICE_OFFLINE: Follows(counts=None, stale=True),
        Class.UNAVAILABLE: Follows(_TWICE, Cost.FAILURE, counts=True, stale=True),
    }
)

_OF_STATUS = {
    401: Class.AUTH,
    403: Class.PERMISSION,
    404: Class.NOT_FOUND,
    408: Class.TIMEOUT,
    410: Class.NOT_FOUND,
    416: Class.NOT_READY,
    425: Class.NOT_READY,
    429: Class.THROTTLED,
    # Not implemented, version not supported, and a network that wants a log-in of its own: asking again is no help.
    501: Class.INVALID,
    505: Class.INVALID,
    511: Class.INVALID,
}
_OF_FATE = {
    Fate.NEVER_SENT: Class.NEVER_SENT,
    Fate.MAYBE_SENT: Class.MAYBE_SENT,
    Fate.BROKEN: Class.BAD_ANSWER,
}
_ID_FIELDS = ("x-request-id", "x-amzn-requestid", "x-amz-request-id")


class Seen(Struct, frozen=True):
    """One outcome, understood.

    Attributes:
        kind: Its class.
        code: The fault; `None` for a success.
        detail: What was seen, in Ring's own words where it said any; without secrets.
        status: The HTTP status; `None` without one.
        wait: Seconds that the answer asks to be left alone; `None` if it does not.
        request_id: By which Ring finds it.
        items: The refusal in Ring's own words.
        limits: What the answer tells of the rate limit.
        undecided: A 503 that may be of the device or of the service.
        own: It is our own fault and says nothing of the server.
    """

    kind: Class
    code: str | None = None
    detail: str = ""
    status: int | None = None
    wait: float | None = None
    request_id: str | None = None
    items: tuple[ErrorItem, ...] = ()
    limits: Limits | None = None
    undecided: bool = False
    own: bool = False

    @property
    def follows(self) -> Follows:
        """The row of the table."""
        return RULES[self.kind]


class Crowd:
    """Notices when so many devices seem offline at once that it must be the service.

    Args:
        many: How many different devices.
        within: Seconds in which they are counted.
    """

    def __init__(self, many: int = 3, within: float = 30.0) -> None:
        self._many = many
        self._within = within
        self._last: OrderedDict[str, float] = OrderedDict()

    def add(self, device: str, now: float) -> bool:
        """Count a device; return whether it is a crowd now."""
        self._last[device] = now
        self._last.move_to_end(device)
        while now - next(iter(self._last.values())) > self._within or len(self._last) > 10 * self._many:
            self._last.popitem(last=False)
        return len(self._last) >= self._many

    def remove(self, device: str) -> None:
        """Forget a device that answered."""
        if self._last:
            self._last.pop(device, None)


def classify(operation: Operation, outcome: Outcome, *, expired: bool = False) -> Seen:
    """Say what an outcome means.

    Args:
        operation: What was called.
        outcome: What came of the attempt.
        expired: The token that was sent is past its time; then a 403 may mean that, as Ring's Users API does.
    """
    if isinstance(outcome, Failed):
        error = outcome.error
        return Seen(_OF_FATE[outcome.fate], error.code, error.detail or "", outcome.status, own=outcome.own)
    fields, status = outcome.headers, outcome.status
    request_id = next((fields[name] for name in _ID_FIELDS if name in fields), None)
    if status < 400:
        return Seen(Class.GOOD, None, "", status, None, request_id, limits=limits(fields))
    items = read_refusal(outcome.body)
    words = said(items)
    wait = retry_after(fields)
    kind = _OF_STATUS.get(status) or (Class.INVALID if status < 500 else Class.SERVER)
    undecided = False
    if status == 403 and expired:
        kind = Class.AUTH
    elif status == 503:
        kind, undecided = _unavailable(operation, fields, items, wait)
    return Seen(
        kind,
        _code(kind, status, words, operation),
        f"HTTP {status}: {words}" if words else f"HTTP {status}",
        status,
        wait,
        request_id or next((item.id for item in items if item.id), None),
        items,
        limits(fields),
        undecided,
    )


def _code(kind: Class, status: int, words: str, operation: Operation) -> str:
    if kind is Class.DEVICE_OFFLINE:
        return "PARTNER-DEVICE-OFFLINE"
    if kind is Class.UNAVAILABLE:
        return "PARTNER-UNAVAILABLE"
    if kind is Class.AUTH:
        return "PARTNER-AUTH"
    found = find("partner", status, words)
    if found == "PARTNER-VIEW-BUSY" and operation.lane is not Lane.LIVE:
        found = "PARTNER-STATUS"  # what a 409 means elsewhere, nobody has said
    if found is None:
        found = "PARTNER-SERVER" if kind in {Class.SERVER, Class.TIMEOUT} else "PARTNER-STATUS"
    return found


def _unavailable(
    operation: Operation, fields: Mapping[str, str], items: tuple[ErrorItem, ...], wait: float | None
) -> tuple[Class, bool]:
    """Tell the two meanings of 503 apart; Ring's own pages mix them."""
    for item in items:
        text = f"{item.code} {item.title} {item.detail}".casefold().replace("_", " ")
        if "device unavailable" in text or "offline" in text:
            return Class.DEVICE_OFFLINE, False
        if "busy" in text or "overload" in text:
            return Class.UNAVAILABLE, False
    if operation.device is None or wait is not None or "html" in fields.get("content-type", ""):
        return Class.UNAVAILABLE, False
    return Class.DEVICE_OFFLINE, True
