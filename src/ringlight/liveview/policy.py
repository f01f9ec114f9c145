"""When to open the next attempt after one has failed. Pure; the rest follows the catalogue's retry column."""

from ringlight.faults import FAULTS, Retry

READY_PAUSE = 0.3  # seconds; what the one client that knows reason 26 waits
READY_GROWTH = 1.6
READY_PAUSE_CAP = 5.0  # seconds


def pause_before_retry(code: str, tries: int, ready_retries: int) -> float | None:
    """Return the seconds to wait before the next attempt, or `None` to give up.

    Args:
        code: The fault that ended the attempt, before any packet came.
        tries: How many attempts have ended with this fault, this one included.
        ready_retries: How often a camera that is not ready is asked again.
    """
    if code == "SIG-NOT-READY":
        if tries > ready_retries:
            return None
        return min(READY_PAUSE * READY_GROWTH ** (tries - 1), READY_PAUSE_CAP)
    if FAULTS[code].retry is Retry.NOW and tries == 1:
        return 0.0
    return None
