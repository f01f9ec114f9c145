"""One call from its first wait to its result, as a generator that asks for everything it needs. Pure.

The order, from outside in: the last known good answer, the deadline, then for each attempt the gate, the token, the
breakers, the request, and what its outcome means. The gate is inside, for the server counts attempts; so are the
breakers, for an open one ends the call at once; the last known good answer is outside, for it stands in for any
failure.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from msgspec.structs import replace

from ringlight.errors import DeviceOfflineError, RingError
from ringlight.faults import Retry
from ringlight.resilience.actions import (
    Action,
    Answered,
    Authorize,
    Bearer,
    Failed,
    Fate,
    NoPlace,
    Pause,
    Place,
    Reason,
    Rejected,
    Reply,
    Reserve,
    Send,
    SetRate,
    Sleep,
)
from ringlight.resilience.classify import Class, Seen, classify
from ringlight.resilience.decide import Again, CallState, Decision, Fail, Finish, Refresh, Why, decide
from ringlight.resilience.events import (
    Attempt,
    RateChanged,
    RetryScheduled,
    ServedStale,
    Throttled,
    TokenRefused,
)
from ringlight.resilience.operation import Operation, Repeat
from ringlight.resilience.options import Options
from ringlight.resilience.shared import Admission, Closed, Shared
from ringlight.resilience.stale import Key, Stale
from ringlight.resilience.story import Story
from ringlight.resilience.token_state import LOST

__all__ = ["Done", "Pipeline", "run"]

_NO_OPTIONS = Options()
# There is no token, and there will be none before the account's owner does something.
_UNLINKED = LOST | {"LINK-NONE", "PARTNER-AUTH"}


@dataclass(frozen=True, slots=True)
class Done:
    """What a call came to.

    Attributes:
        value: What its `decode` made of the answer.
        attempts: How often it was sent; 0 if the value is an old one and nothing could be sent.
        stale: How old it is, and why; `None` for an answer of now.
        trail: What came of each attempt.
    """

    value: Any = field(repr=False)
    attempts: int
    stale: Stale | None = None
    trail: tuple[Attempt, ...] = ()


Pipeline: TypeAlias = Generator[Action, Reply, Done]
_Asking: TypeAlias = Generator[Action, Reply, Any]


def run(
    operation: Operation,
    shared: Shared,
    now: float,
    *,
    options: Options | None = None,
    keep: Key | None = None,
    account: str = "",
    bearer: bool = True,
) -> Pipeline:
    """Make one call: yield what is to be done, be sent `(now, result)`, return what it came to.

    Args:
        operation: What the call may risk.
        shared: What all calls with the same client id share.
        now: Monotonic seconds; the call's time runs from here.
        options: What this call wishes for.
        keep: Under which name a good answer is kept for a worse day; `None` keeps none and gives none.
        account: Whose call it is, for notices; never shown to others.
        bearer: Whether the account's token goes with it.

    Raises:
        RingError: The last answer's, or a `Refused` where nothing was sent; its notes tell of each attempt.
    """
    call = _Call(operation, shared, now, options or _NO_OPTIONS, account, bearer)
    try:
        value = yield from call.attempts()
    except RingError as error:
        old = call.old(keep, error)
        if old is None:
            raise
        return old
    if keep is not None and call.keeps:
        shared.known.keep(keep, value, call.now)
    return Done(value, call.state.sent, trail=tuple(call.story.attempts))


class _Call:
    """One call on its way; its methods are the stations."""

    def __init__(
        self, operation: Operation, shared: Shared, now: float, options: Options, account: str, bearer: bool
    ) -> None:
        settings = shared.settings
        self.shared = shared
        self.now = now
        self.options = options
        self.account = account
        self.bearer = bearer
        self.state = CallState(
            operation,
            settings,
            options.strategies or shared.strategies,
            now + (options.total or operation.total or settings.total),
            options.attempts or settings.attempts,
            options.fresh_until,
        )
        self.story = Story(self.state, shared.outbox)
        self.cost = 0  # of the last retry

    @property
    def degrades(self) -> bool:
        """Whether an old answer may stand in."""
        wanted = self.options.fallback
        return self.state.strategies.graceful_degradation if wanted is None else wanted == "stale"

    @property
    def keeps(self) -> bool:
        """Whether its answer is kept for a worse day."""
        wanted = self.degrades or self.shared.strategies.graceful_degradation
        return wanted and self.state.operation.repeat is Repeat.SAFE

    @property
    def left(self) -> float:
        return self.state.deadline - self.now

    def attempts(self) -> _Asking:
        """Send it until it is done or not to be sent again; return the value."""
        while True:
            self._in_time()
            self._not_closed()
            if self.options.gate:
                yield from self._turn()
            token = (yield from self._authorize()) if self.bearer else None
            admission: Admission | None = self._admit()
            try:
                self.state.sent += 1
                began = self.now
                self.now, outcome = yield Send(self.left, token, self.state.sent)
                if not isinstance(outcome, (Answered, Failed)):
                    raise TypeError(f"an attempt does not end in {outcome!r}")
                seen = self._understand(outcome, token)
                if admission is not None:
                    self.shared.record(self.state, admission, seen, self.now)
                    admission = None
            finally:
                if admission is not None:
                    self.shared.release(self.state, admission)
            yield from self._note(seen, outcome, began)
            reused = isinstance(outcome, Failed) and outcome.reused and outcome.fate is not Fate.BROKEN
            decision = decide(self.state, seen, self.now, self.shared.dice, reused=reused)
            if seen.kind is Class.THROTTLED:
                yield from self._throttled(seen, decision)
            if isinstance(decision, Finish):
                self.shared.budget.succeeded(self.cost, self.now)
                if token is not None:
                    self.shared.link_back(self.account, self.now)
                return outcome.value if isinstance(outcome, Answered) else None
            if isinstance(decision, Fail):
                raise self.story.ended(decision.why, self.now)
            if isinstance(decision, Refresh):
                yield from self._refresh(token)
            else:
                yield from self._again(decision, reused)

    def old(self, keep: Key | None, error: RingError) -> Done | None:
        """Return the last known good answer in place of an error, or `None` where there is none or it is not wanted."""
        state, known, seen = self.state, self.shared.known, self.story.seen
        if self.story.unauthorized and error.code in _UNLINKED:
            self.shared.link_lost(state, self.account, error.code, self.now)
        if seen is not None and error is self.story.failure and seen.follows.forgets:
            self.shared.forbidden(state, error.code, self.now)
            if keep is not None and known.drop(keep) and seen.kind is Class.NOT_FOUND:
                self.shared.removed(state, error.code, self.now)
        if keep is None or not self.degrades or not self._passing(error):
            return None
        found = known.find(keep, self.now)
        if found is None:
            return None
        self.shared.outbox.put(ServedStale(self.now, state.operation.name, found[0], error.code))
        return Done(found[1], state.sent, Stale(found[0], error), tuple(self.story.attempts))

    def _passing(self, error: RingError) -> bool:
        if error is self.story.failure and self.story.seen is not None:
            return self.story.seen.follows.stale
        if isinstance(error, DeviceOfflineError):
            return True
        return error.fault.retry is Retry.BACKOFF  # a refusal of ours, or a renewal that does not work just now

    # The stations, in their order.

    def _in_time(self) -> None:
        if self.left <= 0:
            raise self.story.refused("CALL-DEADLINE", Why.DEADLINE, self.now)

    def _not_closed(self) -> None:
        """Turn the call away before it stands in line, if a breaker would turn it away after that."""
        closed = self.shared.closed(self.state, self.now)
        if closed is not None:
            raise self._circuit(closed)

    def _turn(self) -> _Asking:
        """Wait for the turn at the gate."""
        place: int | None = None
        try:
            while True:
                self.now, said = yield Reserve(self.state.operation.lane, self.left, place)
                place = None
                if isinstance(said, (Place, NoPlace)):
                    self.shared.gate_said(self.state, said.alone, self.now)
                if isinstance(said, NoPlace):
                    raise self.story.refused("CALL-GATE", Why.DEADLINE, self.now, said.wait)
                if not isinstance(said, Place):
                    raise TypeError(f"a gate does not say {said!r}")
                if said.wait <= 0:
                    return
                place = said.number
                self.now, _ = yield Sleep(said.wait, Reason.GATE)
                if place is None:
                    return
        finally:
            if place is not None:
                self.shared.give_up(place)

    def _authorize(self) -> Generator[Action, Reply, Bearer]:
        self._in_time()
        self.now, said = yield Authorize(self.left)
        if isinstance(said, RingError):
            raise self.story.without_token(said)
        if not isinstance(said, Bearer):
            raise TypeError(f"a keeper of tokens does not say {said!r}")
        return said

    def _admit(self) -> Admission:
        self._in_time()
        shedding = self.shared.shedding
        if shedding is not None and not shedding.admit(self.now, self.shared.dice()):
            raise self.story.refused("CALL-BUDGET", Why.BUDGET, self.now)
        admission = self.shared.admit(self.state, self.now)
        if isinstance(admission, Closed):
            raise self._circuit(admission)
        return admission

    def _understand(self, outcome: Answered | Failed, token: Bearer | None) -> Seen:
        expired = token is not None and token.expires is not None and token.expires <= self.now
        seen = classify(self.state.operation, outcome, expired=expired and not self.state.replayed)
        kind = self.shared.judge(self.state.operation, seen, self.now)
        if kind is not seen.kind:
            seen = replace(seen, kind=kind, code="PARTNER-UNAVAILABLE")
        return seen

    def _note(self, seen: Seen, outcome: Answered | Failed, began: float) -> _Asking:
        """Write down what came of an attempt, and follow what it says of the rate."""
        shared = self.shared
        self.story.attempt(seen, outcome, began, self.now)
        if shared.shedding is not None and seen.kind is not Class.THROTTLED and not seen.follows.counts:
            shared.shedding.taken(self.now)
        if seen.kind is not Class.THROTTLED and seen.status is not None:
            yield from self._pace(shared.pace.answered(self.now, seen.limits))

    def _refresh(self, token: Bearer | None) -> _Asking:
        if token is None:
            raise self.story.ended(Why.FINAL, self.now)
        self.state.replayed = True
        self.shared.outbox.put(TokenRefused(self.now, self.state.operation.name))
        self.now, _ = yield Rejected(token.id)

    def _again(self, decision: Again, reused: bool) -> _Asking:
        state, shared, seen = self.state, self.shared, self.story.seen
        if seen is None:
            return
        closed = shared.closed(state, self.now)
        if closed is not None and closed.seconds > decision.seconds:
            raise self._circuit(closed)
        if not shared.budget.spend(decision.cost, self.now):
            raise self.story.ended(Why.BUDGET, self.now)
        self.cost = decision.cost
        if seen.kind is Class.THROTTLED:
            state.throttles += 1
        elif seen.kind is Class.NOT_READY:
            state.unready += 1
        elif reused and not state.reconnected:
            state.reconnected = True
        else:
            state.failures += 1
        name, code = state.operation.name, seen.code or ""
        shared.outbox.put(RetryScheduled(self.now, name, state.sent, code, decision.seconds, decision.reason))
        waits_at_the_gate = seen.kind is Class.THROTTLED and self.options.gate
        if decision.seconds > 0 and not waits_at_the_gate:
            self.now, _ = yield Sleep(decision.seconds, decision.reason)

    def _throttled(self, seen: Seen, decision: Decision) -> _Asking:
        """Close the gate for everybody, also where this call gives up; those that go on wait there."""
        state, shared = self.state, self.shared
        seconds = decision.seconds if isinstance(decision, Again) else seen.wait
        if not seconds or not self.options.gate:
            return
        shared.outbox.put(Throttled(self.now, state.operation.name, seconds))
        shared.paused(state, seconds, "PARTNER-RATE", self.now)
        rate = shared.pace.throttled(self.now, seconds)
        self.now, _ = yield Pause(seconds)
        yield from self._pace(rate)

    def _pace(self, rate: float | None) -> _Asking:
        if rate is not None and self.options.gate:
            self.shared.outbox.put(RateChanged(self.now, rate))
            self.now, _ = yield SetRate(rate)

    def _circuit(self, closed: Closed) -> RingError:
        code, detail = "CALL-CIRCUIT", None
        if closed.device:
            code, detail = "PARTNER-DEVICE-OFFLINE", f"not asked again for {closed.seconds:.0f} s"
        return self.story.refused(code, Why.CIRCUIT, self.now, closed.seconds, detail)
