"""The shell that makes calls for programs without an event loop. Threads may share it.

It decides nothing: `resilience.pipeline` says what is to be done, and this does it. One lock is held while the pipeline
takes a step, which takes microseconds, and never while a request is on its way, anybody sleeps or a hook runs.
"""

import copy
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from ringlight.errors import RingError
from ringlight.http.bus import Bus
from ringlight.http.flow import Response, drive_waiting
from ringlight.http.hearing import Hearing
from ringlight.http.ports import Keeper, RateGate, Transport
from ringlight.http.telemetry import Telemetry
from ringlight.http.visit import Asked, Visit, adjust
from ringlight.resilience import actions
from ringlight.resilience.options import Options
from ringlight.resilience.pipeline import Done, run
from ringlight.resilience.shared import Shared
from ringlight.resilience.stale import Key

__all__ = ["Caller"]

T = TypeVar("T")


class Caller(Hearing):
    """Makes calls.

    Args:
        driver: Sends requests.
        shared: What all calls with the same client id share; no other shell may use it.
        keeper: Has the account's token; `None` where no call needs one.
        bus: Hands events on; `None` makes one.
        gate: A gate for many processes; `None` is the one of this process.
        telemetry: Spans and metrics; `None` makes none.
        clock: Monotonic seconds.
        sleep: Waits.
    """

    def __init__(
        self,
        driver: Transport,
        shared: Shared,
        keeper: Keeper | None = None,
        *,
        bus: Bus | None = None,
        gate: RateGate | None = None,
        telemetry: Telemetry | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._driver = driver
        self._shared = shared
        self._keeper = keeper
        self.bus = bus or Bus()
        self._gate = gate
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        shared.outbox.listening = True
        if gate is not None:
            shared.give_up = gate.release

    def over(self, driver: Transport) -> "Caller":
        """Return this caller with another way to send, all else shared."""
        other = copy.copy(self)
        other._driver = driver
        return other

    def run(self, conversation: Generator[Asked, Any, T], *, options: Options | None = None) -> T:
        """Hold a conversation to its end and return its result; raise what it raises, or one of its calls."""
        return drive_waiting(conversation, lambda asked: self.call(asked, options=options).value)

    def call(self, asked: Asked, *, options: Options | None = None, keep: Key | None = None, account: str = "") -> Done:
        """Make one call and return what it came to.

        Args:
            asked: The call.
            options: What it wishes for.
            keep: Under which name a good answer is kept for a worse day; `None` keeps none.
            account: Whose call it is, for notices.

        Raises:
            RingError: As `resilience.pipeline.run` does.
        """
        visit = Visit(asked, self._telemetry)
        steps = run(
            asked.operation, self._shared, self._clock(),
            options=options, keep=keep, account=account, bearer=asked.bearer,
        )  # fmt: skip
        reply: actions.Reply | None = None
        try:
            while True:
                with self._lock:
                    action = next(steps) if reply is None else steps.send(reply)
                    events = self._shared.outbox.drain()
                if events:
                    self.bus.post(events)
                result = self._do(action, visit)
                reply = self._clock(), result
        except StopIteration as end:
            done: Done = end.value
            visit.end(None)
            return done
        except RingError as error:
            ours = visit.failed(error)
        finally:
            with self._lock:
                steps.close()  # gives back what the call still held, where it was interrupted
                events = self._shared.outbox.drain()
            visit.close()
            if events:
                self.bus.post(events)
        raise ours

    def _do(self, action: actions.Action, visit: Visit) -> actions.Result:
        if isinstance(action, actions.Send):
            request = visit.request(action)
            try:
                came: Response | actions.Failed | RingError = self._driver.attempt(request)
            except RingError as error:
                came = error
            return visit.outcome(came)
        if isinstance(action, actions.Reserve):
            if self._gate is not None:
                return self._gate.reserve(action.lane, action.within, action.place)
            with self._lock:
                return self._shared.gate.reserve(action.lane, self._clock(), action.within, action.place)
        if isinstance(action, actions.Sleep):
            self._sleep(action.seconds)
        elif isinstance(action, actions.Authorize):
            return self._keeper.bearer(action.within) if self._keeper is not None else None
        elif isinstance(action, actions.Rejected):
            if self._keeper is not None:
                self._keeper.rejected(action.id)
        else:
            self._adjust(action)
        return None

    def _adjust(self, action: actions.Pause | actions.SetRate) -> None:
        if self._gate is None:
            with self._lock:
                adjust(self._shared.gate, action, self._clock())
        elif isinstance(action, actions.Pause):
            self._gate.pause(action.seconds)
        else:
            self._gate.set_rate(action.per_second)
