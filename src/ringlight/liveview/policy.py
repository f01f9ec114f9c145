"""When a view is tried again after an attempt has ended, and when not. Pure: clock and dice are arguments.

Whether another try can help is said by the catalogue's `retry` column. Here is how long to wait, how often it is
tried in all, and that no camera is woken up for nobody.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ringlight.faults import FAULTS, Retry
from ringlight.resilience.backoff import backoff
from ringlight.settings import LiveViewSettings

__all__ = ["NEW_TOKEN", "RENEWAL_PAUSE", "TIME_LIMITS", "Failure", "Patience", "pause_before_renewal"]

READY_PAUSE = 0.3  # seconds; what the one client that knows reason 26 waits
READY_GROWTH = 1.6
READY_PAUSE_CAP = 5.0  # seconds
FIRST_PAUSE = 0.5  # seconds; the upper end of the first pause
PAUSE_CAP = 8.0  # seconds; somebody sits before a dark picture
RATE_PAUSE = 1.0  # seconds at least, after a 429 that names no wait
SPREAD = 0.2  # of a wait that Ring asked for, so that not all who got the same answer come back together
RENEWAL_PAUSE = 5.0  # seconds after a renewal that failed; the view before it still runs
RENEWAL_PAUSE_CAP = 60.0  # seconds
RENEWAL_PACE = 1.0  # seconds from one view to the next, should Ring end them as fast as they begin

# Whether the access token behind the next ticket has to be another one (observed-protocol.md#close-5).
NEW_TOKEN = frozenset({"SIG-AUTH", "SIG-TOKEN", "SIG-UPGRADE"})
# No failures but the regular end of a view: who watches, or the camera's owner, decides each time whether it goes on.
TIME_LIMITS = frozenset({"SIG-TIME-LIMIT", "PARTNER-VIEW-LIMIT"})
# A network that let a view through a moment ago needs no fix, but time: a phone's hotspot, a router that restarts.
_WORKED_BEFORE = frozenset({"SIG-BLOCKED", "MEDIA-UDP"})


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt ended.

    Attributes:
        code: The fault.
        ran: For how many seconds video had been running; `None` if none ever came.
        retry_after: Seconds that the other side asked us to wait; `None` if it did not.
    """

    code: str
    ran: float | None = None
    retry_after: float | None = None


def pause_before_renewal(failed: int, retry_after: float | None) -> float:
    """Return the seconds until a running view is renewed again, after that has failed.

    Args:
        failed: How often it had failed before.
        retry_after: Seconds that the other side asked us to wait; `None` if it did not.
    """
    return max(min(RENEWAL_PAUSE * 2.0 ** min(failed, 8), RENEWAL_PAUSE_CAP), retry_after or 0.0)


class Patience:
    """Decides about the next attempt of one view, from all that have failed.

    Each failure belongs to a run of failures, which ends when video has run for a while. Within one the number of
    attempts and the time are bounded, whatever comes.

    Args:
        settings: The limits.
        dice: Source of numbers in [0, 1); tests pass their own.

    Attributes:
        has_run: Whether video has come at any time: then what fails is a view that broke off.
    """

    def __init__(self, settings: LiveViewSettings, *, dice: Callable[[], float]) -> None:
        self._settings = settings
        self._dice = dice
        self.has_run = False
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._ended: Counter[str] = Counter()
        self._waited = self._short_runs = 0
        self._first: tuple[str, float] | None = None
        self._pauses = backoff(FIRST_PAUSE, PAUSE_CAP, rand=self._dice)

    @property
    def failed(self) -> int:
        """How many attempts have failed in this run of failures."""
        return self._ended.total()

    def pause(self, failure: Failure, *, now: float, watched: bool, may_renew: bool = False) -> float | None:
        """Take a failure into account; return the seconds to wait before the next attempt, or `None` to give up.

        Args:
            failure: How the attempt ended.
            now: In seconds, on any clock that runs forward.
            watched: Whether anybody still wants to see this camera.
            may_renew: Whether the view may go on beyond Ring's time limit; asked only where that ended it.
        """
        self._note(failure, now)
        if not watched:
            return None
        if failure.code in TIME_LIMITS and failure.ran is not None:
            return max(0.0, RENEWAL_PACE - failure.ran) if may_renew else None
        pause = self._wanted(failure.code)
        if pause is None:
            return None
        if failure.retry_after is not None:
            pause = max(pause, failure.retry_after * (1 + SPREAD * self._dice()))
        elif FAULTS[failure.code].http == 429:
            pause = max(pause, RATE_PAUSE)
        return pause if self._since(now) + pause <= self._within else None

    def story(self, now: float) -> str | None:
        """Say what was tried before it was given up; `None` if nothing was."""
        if self._first is None or self.failed < 2:
            return None
        first, _ = self._first
        times = "once" if self.failed == 2 else f"{self.failed - 1} times"
        began = f"; it began with {first}" if self._ended[first] < self.failed else ""
        return f"tried again {times} in {self._since(now):.0f} s{began}"

    def _note(self, failure: Failure, now: float) -> None:
        if failure.ran is not None:
            self.has_run = True
            if failure.ran >= self._settings.healthy_after or failure.code in TIME_LIMITS:
                self._begin_anew()
            else:
                self._short_runs += 1
        if self._first is None:
            self._first = failure.code, now
        self._ended[failure.code] += 1

    def _since(self, now: float) -> float:
        return now - self._first[1] if self._first is not None else 0.0

    @property
    def _within(self) -> float:
        return self._settings.reopen_within if self.has_run else self._settings.retry_within

    def _wanted(self, code: str) -> float | None:
        tries = self._ended[code]
        if code == "SIG-NOT-READY":
            if tries > self._settings.ready_retries:
                return None
            return min(READY_PAUSE * READY_GROWTH ** (tries - 1), READY_PAUSE_CAP)
        retry = Retry.BACKOFF if self.has_run and code in _WORKED_BEFORE else FAULTS[code].retry
        if retry is Retry.NOW:
            return 0.0 if tries == 1 else None
        if retry is not Retry.BACKOFF:
            return None
        self._waited += 1
        limit = self._settings.reopen_retries if self.has_run else self._settings.retries
        # A camera that wakes up each time only to break off again is not woken up as often as a network is tried.
        if self._waited > limit or self._short_runs > self._settings.retries:
            return None
        return next(self._pauses)
