"""Renewal of a live view: the next one is opened beside the one that runs, and takes over with a key frame."""

import asyncio
from collections.abc import Callable

from ringlight.errors import RingError
from ringlight.liveview.events import Note
from ringlight.liveview.leg import Leg, outcome
from ringlight.liveview.policy import NEW_TOKEN, RENEWAL_PAUSE, pause_before_renewal

__all__ = ["Renewal"]


class Renewal:
    """Opens the next view in time, and again where that failed.

    Args:
        after: Seconds from a view's answer until the next one is opened.
        begin: Begins it; the argument says whether the access token has to be another one than before.
        is_watched: Whether anybody still wants to see the camera.
        may_renew: Whether somebody still watches and the view may go on; asked when its limit comes near.
        tell: Told of a renewal that failed.

    Attributes:
        next: The view that is to take over; `None` while there is none.
    """

    def __init__(
        self,
        after: float,
        *,
        begin: Callable[[bool], Leg],
        is_watched: Callable[[], bool],
        may_renew: Callable[[], bool],
        tell: Callable[[Note], None],
    ) -> None:
        self.next: Leg | None = None
        self._after, self._begin, self._tell = after, begin, tell
        self._is_watched, self._may_renew = is_watched, may_renew
        self._timer: asyncio.TimerHandle | None = None
        self._failed = self._refused = 0  # since a view last took over
        self._stopped = False

    def begin_later(self, leg: Leg) -> None:
        """Open the next view when the limit of this one comes near."""
        waited = asyncio.get_running_loop().time() - leg.answered_at
        self._begin_in(max(0.0, self._after - waited))

    def is_agreed(self) -> bool:
        """Ask whether the view may go on; a yes holds until one has taken over, however often that fails."""
        return (self._failed > 0 and self._is_watched()) or self._may_renew()

    def taken(self) -> None:
        """Take note that the next view has taken over."""
        self.next = None
        self.forget_failures()

    def forget_failures(self) -> None:
        """Begin anew: there is another view to renew."""
        self._failed = self._refused = 0

    def wait(self) -> None:
        """Open nothing until `begin_later`: there is no view just now."""
        if self._timer is not None:
            self._timer.cancel()

    def stop(self) -> None:
        """Open nothing any more."""
        self._stopped = True
        self.wait()

    def _begin_in(self, seconds: float) -> None:
        self.wait()
        if not self._stopped:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._renew)

    def _renew(self) -> None:
        if self.next is not None:
            return
        self._begin_in(RENEWAL_PAUSE)  # for what comes to nothing, or is not wanted yet
        if self.is_agreed():
            self.next = self._begin(self._refused == 1)
            self.next.task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[RingError]") -> None:
        if self._stopped or self.next is None or self.next.task is not task:
            return
        self.next = None
        error = outcome(task)
        self._begin_in(pause_before_renewal(self._failed, error.retry_after))
        self._failed += 1
        self._refused += error.code in NEW_TOKEN
        self._tell(Note(f"the view could not be renewed yet: {error.fault.title}", error.code))
