"""How long Ring wants to be left alone. Pure: the time is an argument."""

from ringlight.errors import RateLimited, RingError, fault_error
from ringlight.faults import Retry

__all__ = ["Pause", "passes"]


def passes(error: RingError) -> bool:
    """Whether a failure ends by itself, so that what is still good may be used until then."""
    return isinstance(error, RateLimited) or error.fault.retry is Retry.BACKOFF


class Pause:
    """Remembers a refusal that names a wait, so that a program does not ask again by itself before it is over.

    What a person asks for is never held back: they may know more, for example that the VPN is now off.
    """

    def __init__(self) -> None:
        self._since = self._until = float("-inf")
        self._code = ""

    def note(self, error: RingError, now: float) -> None:
        """Take an error into account; one that names no wait changes nothing."""
        if isinstance(error, RateLimited) and error.retry_after:
            self._since, self._until, self._code = now, now + error.retry_after, error.code

    def check(self, now: float) -> None:
        """Return if it may be asked at `now`, in seconds by the clock that `note` was given.

        Raises:
            RateLimited: The refusal that was remembered, with the rest of its wait.
        """
        left = self._until - now
        if left > 0 and now >= self._since:  # a clock that was set back says nothing of the wait
            raise fault_error(self._code, f"not asked again: Ring wants {left:.0f} s more", retry_after=left)

    def end(self) -> None:
        """Forget it, since Ring has just answered well."""
        self._until = float("-inf")
