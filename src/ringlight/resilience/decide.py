"""Whether a call goes on after an outcome, and when. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from ringlight.resilience.actions import Reason
from ringlight.resilience.backoff import pause
from ringlight.resilience.classify import Class, Cost, Seen
from ringlight.resilience.operation import Operation, Repeat
from ringlight.resilience.options import Strategies

if TYPE_CHECKING:
    from ringlight.settings import ResilienceSettings

__all__ = ["Again", "CallState", "Decision", "Fail", "Finish", "Refresh", "Why", "decide"]

_SPREAD = 0.2  # share by which a named wait is lengthened at random; it is never shortened
_NOT_READY_FIRST, _NOT_READY_CAP = 1.0, 5.0  # seconds between questions for footage that is being made
_SOONEST = 0.001  # seconds; with less left no attempt can end


class Why(Enum):
    """Why a call does not go on."""

    FINAL = "final"  # another try would end the same
    ATTEMPTS = "attempts"  # it was tried often enough
    DEADLINE = "deadline"  # another try could not end in time
    TOO_LONG = "too-long"  # the answer asks for a longer wait than is ever waited
    BUDGET = "budget"
    CIRCUIT = "circuit"
    SWITCHED_OFF = "switched-off"  # the strategy is


@dataclass(slots=True)
class CallState:
    """What is known of a call so far.

    Attributes:
        operation: What it may risk.
        settings: The numbers.
        strategies: The switches.
        deadline: When it must have ended, in monotonic seconds.
        attempts: How often it may be sent for passing failures.
        fresh_until: Until when footage that is not there may still come; `None` if it is not fresh.
        sent: How often it was sent.
        failures: Of those, how many failed for a passing reason.
        throttles: How many got a 429.
        unready: How many found the footage not ready.
        replayed: Whether it was repeated with another token.
        reconnected: Whether it was repeated because a kept connection had been closed.
    """

    operation: Operation
    settings: "ResilienceSettings"
    strategies: Strategies
    deadline: float
    attempts: int
    fresh_until: float | None = None
    sent: int = 0
    failures: int = 0
    throttles: int = 0
    unready: int = 0
    replayed: bool = False
    reconnected: bool = False


class Finish(Struct, frozen=True):
    """It is done."""


class Fail(Struct, frozen=True):
    """It ends with this outcome's error."""

    why: Why


class Refresh(Struct, frozen=True):
    """The token is refused: have it renewed, and send the call once more."""


class Again(Struct, frozen=True):
    """Send it again, if the budget pays.

    Attributes:
        seconds: The wait before.
        reason: What the wait is for.
        cost: What the retry costs.
    """

    seconds: float
    reason: Reason
    cost: int


Decision: TypeAlias = Finish | Fail | Refresh | Again


def decide(call: CallState, seen: Seen, now: float, dice: Callable[[], float], *, reused: bool = False) -> Decision:
    """Say what to do after an outcome. It changes nothing: `call` is counted up by whoever carries the decision out.

    Args:
        call: What is known so far, this outcome not yet counted.
        seen: The outcome, understood.
        now: Monotonic seconds.
        dice: Source of numbers in [0, 1).
        reused: The connection had carried a call before.
    """
    if seen.kind is Class.GOOD:
        return Finish()
    if seen.kind is Class.AUTH:
        if call.replayed:
            return Fail(Why.FINAL)
        return Refresh() if call.strategies.token_refresh else Fail(Why.SWITCHED_OFF)
    if not _may_repeat(call, seen, now):
        return Fail(Why.FINAL)
    if not call.strategies.automatic_retry:
        return Fail(Why.SWITCHED_OFF)
    if reused and not call.reconnected and call.operation.repeat is Repeat.SAFE:
        return Again(0.0, Reason.BACKOFF, 0)
    return _when(call, seen, now, dice)


def _may_repeat(call: CallState, seen: Seen, now: float) -> bool:
    if seen.kind is Class.NOT_READY:
        until = call.fresh_until
        return (seen.status == 425 and until is None) or (until is not None and now < until)
    if call.operation.repeat in seen.follows.repeats:
        return True
    # A 503 that names a wait says that the call was not taken, so even one that must not arrive twice may go again.
    return seen.kind is Class.UNAVAILABLE and seen.wait is not None


def _when(call: CallState, seen: Seen, now: float, dice: Callable[[], float]) -> Decision:
    settings = call.settings
    throttled, unready = seen.kind is Class.THROTTLED, seen.kind is Class.NOT_READY
    if not throttled and not unready and call.failures + 1 >= call.attempts:
        return Fail(Why.ATTEMPTS)
    if seen.wait is not None:
        if seen.wait > settings.retry_after_cap:
            return Fail(Why.TOO_LONG)
        seconds, reason = seen.wait * (1.0 + _SPREAD * dice()), Reason.RETRY_AFTER
    elif unready:
        seconds = min(_NOT_READY_FIRST * 2.0 ** min(call.unready, 10), _NOT_READY_CAP) * (1.0 + _SPREAD * dice())
        reason = Reason.NOT_READY
    else:
        first, n = (settings.throttle_first, call.throttles) if throttled else (settings.backoff_first, call.failures)
        growing = call.strategies.exponential_backoff
        seconds = pause(first, n, settings.backoff_cap, dice) if growing else min(first, settings.backoff_cap)
        reason = Reason.BACKOFF
    if now + seconds >= call.deadline - _SOONEST:
        return Fail(Why.DEADLINE)
    return Again(seconds, reason, _cost(seen, settings))


def _cost(seen: Seen, settings: "ResilienceSettings") -> int:
    cost = seen.follows.cost
    if seen.kind is Class.UNAVAILABLE and seen.wait is not None:
        cost = Cost.THROTTLE
    return {Cost.NOTHING: 0, Cost.THROTTLE: settings.budget_throttle, Cost.FAILURE: settings.budget_failure}[cost]
