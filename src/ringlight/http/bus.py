"""Hands events to whoever listens, in order, outside every lock, and survives what listeners do."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from ringlight.http.redaction import Redacting
from ringlight.resilience.events import Event, Severity

__all__ = ["Bus", "Hook"]

Hook = Callable[[Event], object]

log = logging.getLogger("ringlight.partner")
log.addFilter(Redacting())

_LEVELS = {Severity.DEBUG: logging.DEBUG, Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING}
_LIMIT = 1000  # events that wait; a listener that is slower than the calls loses the oldest
_SHOWN = 24  # characters of what may be an id of a device or account


class Bus:
    """One queue for all listeners.

    Whoever posts while nobody hands on does so itself; whoever posts meanwhile, from another thread or from inside a
    listener, leaves its events in the queue and goes on. So a listener that blocks holds up one call and no other,
    and one that calls the client again does not come back to itself without end.

    Attributes:
        dropped: How many events nobody took in time.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._queue: deque[Event] = deque(maxlen=limit)
        self._hooks: tuple[Hook, ...] = ()
        self._lock = threading.Lock()
        self._hander: int | None = None  # the thread that hands on just now
        self._left = 0  # how many it still has to
        self.dropped = 0

    def listen(self, hook: Hook) -> Callable[[], None]:
        """Call `hook` with each event from now on, on the thread that made the call; return what ends that.

        What it returns is not looked at, and what it raises is logged.
        """
        with self._lock:
            self._hooks = (*self._hooks, hook)

        def end() -> None:
            with self._lock:
                self._hooks = tuple(one for one in self._hooks if one is not hook)

        return end

    def post(self, events: Sequence[Event]) -> None:
        """Hand events on, or leave them to whoever does so just now."""
        for event in events:
            if log.isEnabledFor(_LEVELS[event.severity]):
                log.log(_LEVELS[event.severity], "%s", _line(event))
        if not self._hooks:
            return
        with self._lock:
            for event in events:
                self.dropped += len(self._queue) == self._queue.maxlen
                self._queue.append(event)
            if self._hander is not None:
                # What a listener itself posts waits for the next post, lest the handing on never ends.
                if self._hander != threading.get_ident():
                    self._left = len(self._queue)
                return
            self._hander, self._left = threading.get_ident(), len(self._queue)
        try:
            while (due := self._next()) is not None:
                self._hand(due)
        finally:  # also where Ctrl-C comes while a listener runs
            with self._lock:
                if self._hander == threading.get_ident():  # and not another thread, which has begun since
                    self._hander = None

    def _next(self) -> Event | None:
        with self._lock:
            if self._left > 0 and self._queue:
                self._left -= 1
                return self._queue.popleft()
            self._hander = None
            return None

    def _hand(self, event: Event) -> None:
        for hook in self._hooks:
            try:
                hook(event)
            except Exception:  # a listener's fault is not the call's
                log.exception("a listener failed on %s", type(event).__name__)


def _line(event: Event) -> str:
    """Say an event in one line: its name and its fields. An id is shortened, as it tells of a home."""
    shown = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name == "at" or value is None:
            continue
        if isinstance(value, float):
            value = round(value, 4)
        text = str(getattr(value, "value", value))
        short = name != "subject" or len(text) <= _SHOWN
        shown.append(f"{name}={text if short else text[: _SHOWN - 1] + '…'}")
    return " ".join([type(event).__name__, *shown])
