"""What is told of a row beside its cause and fix: by which signs it is known, and what another try is worth."""

from ringlight.faults.fault import Fault, Retry, Seen
from ringlight.faults.sayings import SAYINGS

__all__ = ["RETRIES", "sayings_of", "signs_of"]

RETRIES = {
    Retry.NOW: "It may be tried again at once, with something fresh.",
    Retry.BACKOFF: "It may be tried again after a pause that grows.",
    Retry.AFTER_FIX: "Another try helps only after something was changed.",
    Retry.NEVER: "Another try changes nothing.",
}
_STEPS = {
    "token": "the sign-in", "session": "the registration of this installation", "clients_api": "the device service",
    "device": "an address of one device", "ticket": "the request for a ticket", "upgrade": "the upgrade to a WebSocket",
    "old_live_view": "the retired live-view address", "partner": "the Partner API",
}  # fmt: skip
_CLOSES = {
    "close": "Ring's message `close`, reason {}", "socket": "Ring closes its WebSocket with code {}",
    "room": "a room's WebSocket closes with code {}", "websocket": "a WebSocket closes with code {}",
}  # fmt: skip


def signs_of(fault: Fault) -> list[str]:
    """Return the signs on the wire, each as a line: `HTTP 404 at the upgrade to a WebSocket`."""
    return [_sign(seen) for seen in fault.seen]


def sayings_of(code: str) -> dict[str, list[str]]:
    """Return how other programs tell of a fault: who says so (`A browser says`), with their words."""
    said: dict[str, list[str]] = {}
    for saying in SAYINGS:
        if code in saying.codes:
            words = " … ".join(word.strip() for word in saying.words)
            said.setdefault(f"{saying.speaker[:1].upper()}{saying.speaker[1:]} says", []).append(words)
    return said


def _sign(seen: Seen) -> str:
    number = "any" if seen.number is None else str(seen.number)
    where = _CLOSES[seen.at].format(number) if seen.at in _CLOSES else f"HTTP {number} at {_STEPS[seen.at]}"
    return where + (f", with “{seen.text}”" if seen.text else "")
