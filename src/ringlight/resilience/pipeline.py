"""One call from its first wait to its result, as a generator that asks for everything it needs. Pure."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ringlight.errors import RingError, fault_error
from ringlight.resilience.actions import (
    Action,
    Answered,
    Authorize,
    Bearer,
    Failed,
    NoPlace,
    Place,
    Reason,
    Reply,
    Reserve,
    Send,
    Sleep,
)
from ringlight.resilience.operation import Operation
from ringlight.resilience.options import Options
from ringlight.resilience.stale import Key, Stale

if TYPE_CHECKING:
    from ringlight.resilience.shared import Shared

__all__ = ["Done", "Pipeline", "run"]


@dataclass(frozen=True, slots=True)
class Done:
    """What a call came to.

    Attributes:
        value: What its `decode` made of the answer.
        attempts: How often it was sent; 0 if the value is an old one and nothing could be sent.
        stale: How old it is, and why; `None` for an answer of now.
    """

    value: Any
    attempts: int
    stale: Stale | None = None


Pipeline: TypeAlias = Generator[Action, Reply, Done]


def run(
    operation: Operation,
    shared: "Shared",
    now: float,
    *,
    options: Options | None = None,
    keep: Key | None = None,
    bearer: bool = True,
) -> Pipeline:
    """Make one call: yield what is to be done, be sent `(now, result)`, return what it came to.

    Args:
        operation: What the call may risk.
        shared: What all calls with the same client id share.
        now: Monotonic seconds; the call's time runs from here.
        options: What this call wishes for.
        keep: Under which name a good answer is kept for a worse day; `None` keeps none and gives none.
        bearer: Whether the account's token goes with it.

    Raises:
        RingError: The last answer's, or a `Refused` where nothing was sent; its notes tell of each attempt.
    """
    deadline = now + ((options and options.total) or operation.total or shared.settings.total)
    now = yield from _turn(operation, shared, now, deadline)
    token: Bearer | None = None
    if bearer:
        now, authorized = yield Authorize(deadline - now)
        if isinstance(authorized, RingError):
            raise authorized
        if not isinstance(authorized, Bearer):
            raise TypeError(f"a keeper of tokens does not say {authorized!r}")
        token = authorized
    now, outcome = yield Send(deadline - now, token, 1)
    if isinstance(outcome, Failed):
        raise outcome.error
    if not isinstance(outcome, Answered):
        raise TypeError(f"an attempt does not end in {outcome!r}")
    if outcome.status >= 400:
        raise fault_error("PARTNER-SERVER", f"HTTP {outcome.status}")
    return Done(outcome.value, 1)


def _turn(operation: Operation, shared: "Shared", now: float, deadline: float) -> Generator[Action, Reply, float]:
    """Wait for the turn at the gate; return the time at which it came."""
    place: int | None = None
    try:
        while True:
            now, said = yield Reserve(operation.lane, deadline - now, place)
            place = None
            if isinstance(said, NoPlace):
                raise fault_error("CALL-GATE", retry_after=said.wait)
            if not isinstance(said, Place):
                raise TypeError(f"a gate does not say {said!r}")
            if said.wait <= 0:
                return now
            place = said.number
            now, _ = yield Sleep(said.wait, Reason.GATE)
            if place is None:
                return now
    finally:
        if place is not None:
            shared.gate.release(place)
