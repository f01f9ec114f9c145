"""What a call has been through, and the error in which it ends. Pure."""

from copy import copy

from ringlight.errors import RingError, StatusError, fault_error
from ringlight.resilience.actions import Answered, Failed
from ringlight.resilience.classify import Seen
from ringlight.resilience.decide import CallState, Why
from ringlight.resilience.events import Attempt, Outbox, RetryRefused

__all__ = ["Story"]

_NOTES = {
    Why.ATTEMPTS: "not sent again: that was the last attempt",
    Why.DEADLINE: "not sent again: it could not end within the time for the call",
    Why.TOO_LONG: "not sent again: the wait that was asked for is longer than is ever waited",
    Why.BUDGET: "not sent again: the budget for retries is spent",
    Why.CIRCUIT: "not sent again: too many calls to this part of Ring fail just now",
    Why.SWITCHED_OFF: "not sent again: the strategy is switched off",
}


class Story:
    """Notes each attempt, and makes the error of the call: the last attempt's own, wherever there was one.

    Attributes:
        seen: The last outcome, understood; `None` before the first.
        failure: Its error; `None` if it was none.
        unauthorized: Whether the call ended because there is no token for it.
        attempts: What came of each.
    """

    def __init__(self, state: CallState, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox
        self._notes: list[str] = []
        self.seen: Seen | None = None
        self.failure: RingError | None = None
        self.unauthorized = False
        self.attempts: list[Attempt] = []

    def attempt(self, seen: Seen, outcome: Answered | Failed, began: float, now: float) -> None:
        """Write down what came of an attempt."""
        self.seen = seen
        number, name = self._state.sent, self._state.operation.name
        attempt = Attempt(now, name, number, seen.status, seen.code, now - began, seen.request_id)
        self.attempts.append(attempt)
        self._outbox.put(attempt)
        if seen.code is None:
            return
        self._notes.append(f"attempt {number}: {seen.code} after {now - began:.2f} s: {seen.detail}")
        if isinstance(outcome, Failed):
            self.failure = outcome.error
        else:
            self.failure = fault_error(seen.code, seen.detail, retry_after=seen.wait)
        if isinstance(self.failure, StatusError):
            self.failure.status, self.failure.errors = seen.status, seen.items

    def ended(self, why: Why, now: float) -> RingError:
        """Return the error of a call that is not sent again, with a note that says why."""
        error = self.failure
        if error is None:
            return self._told(fault_error("CALL-DEADLINE"))
        if why is not Why.FINAL:
            self._outbox.put(RetryRefused(now, self._state.operation.name, self._state.sent, error.code, why.value))
            self._notes.append(_NOTES[why])
        if now >= self._state.deadline and self.seen is not None and self.seen.status is None:
            # The time was over before an answer came: that is what the caller has to know, and the rest is its cause.
            over = fault_error("CALL-DEADLINE", f"last: {error}")
            over.__cause__ = error
            return self._told(over)
        return self._told(error)

    def refused(
        self, code: str, why: Why, now: float, wait: float | None = None, detail: str | None = None
    ) -> RingError:
        """Return the error of a call that is not sent at all; if it had been sent before, that attempt's own."""
        if self.failure is None:
            return self._told(fault_error(code, detail, retry_after=wait))
        if self.failure.retry_after is None:
            self.failure.retry_after = wait
        return self.ended(why, now)

    def without_token(self, error: RingError) -> RingError:
        """Return the error of a call for which there is no token.

        Many calls may have waited for the same renewal, and each has a story of its own; so it is a copy.
        """
        self.unauthorized = True
        own = copy(error)
        own.__cause__ = error.__cause__
        return self._told(own)

    def _told(self, error: RingError) -> RingError:
        error.operation, error.device = self._state.operation.name, self._state.operation.device
        error.attempts = self._state.sent
        error.request_id = None if self.seen is None else self.seen.request_id
        for note in self._notes:
            error.add_note(note)
        return error
