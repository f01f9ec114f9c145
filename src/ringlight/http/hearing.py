"""What a shell is told from outside of its calls, mostly by webhooks."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from ringlight.http.bus import Bus
from ringlight.resilience.shared import Shared

__all__ = ["Hearing"]


class Hearing:
    """The half of a shell that takes news. Where the shell is for an event loop, so are these."""

    bus: Bus
    _shared: Shared
    _clock: Callable[[], float]
    _lock: AbstractContextManager[object] = nullcontext()

    def device_online(self, device: str) -> None:
        """A device has a connection again: the next call for it tries at once, and people hear that it is back."""
        self._hear(lambda now: self._shared.device_online(device, now))

    def device_removed(self, account: str, device: str) -> None:
        """A device is gone, or no longer shared: what is known of it is forgotten, and so are lists it may be in."""
        self._hear(lambda now: self._shared.device_removed(account, device))

    def link_back(self, account: str) -> None:
        """An account was linked anew. Its first call that goes well says so too."""
        self._hear(lambda now: self._shared.link_back(account, now))

    def _hear(self, step: Callable[[float], None]) -> None:
        with self._lock:
            step(self._clock())
            events = self._shared.outbox.drain()
        if events:
            self.bus.post(events)
