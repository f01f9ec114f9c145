"""What the end of a live view means: of the dialog, by its reason, and of the socket, by its close code. Pure."""

from ringlight.faults import find
from ringlight.liveview.messages import Reason

__all__ = ["is_activation_limit", "of_dialog", "of_socket"]

ACTIVATION_WINDOW = (0.9, 1.25)  # of the limit; what was seen is "about 70 seconds" (observed-protocol.md#activation)


def of_dialog(reason: Reason) -> str:
    """Return the fault of Ring's `close` message; SIG-CLOSED where the end is regular."""
    return find("close", reason.code, reason.text) or "SIG-CLOSE-OTHER"


def is_activation_limit(age: float, limit: float) -> bool:
    """Whether an end without a reason comes when Ring ends what it takes for a view never activated.

    Args:
        age: Seconds since the answer.
        limit: Seconds after which Ring does that.
    """
    low, high = ACTIVATION_WINDOW
    return low <= age / limit <= high


def of_socket(code: int, reason: str, *, heard: bool) -> str:
    """Return the fault of a socket that Ring has closed while a view was open on it.

    Args:
        code: Of the close frame; 1006 where there was none.
        reason: Of the close frame.
        heard: Whether anything had come from Ring.
    """
    if not heard and code in (1000, 1005):
        return "SIG-USER-AGENT"
    fallback = "SIG-REJECTED" if 4000 <= code <= 4999 else "SIG-DROPPED"
    return find("socket", code, reason) or fallback
