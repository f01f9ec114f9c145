"""One-time links into a room: what a link is, without using it, and what is wrong where it cannot be used. Pure."""

import hashlib
from typing import Literal

from ringlight.errors import RingError, fault_error
from ringlight.store.rooms import KeptLink, KeptRoom

__all__ = ["State", "hash_of", "opens_at", "problem_of", "state_of"]

State = Literal["good", "used", "expired", "early", "unknown", "ended"]
_FAULTS: dict[State, str] = {
    "used": "ROOM-LINK-USED", "expired": "ROOM-LINK-EXPIRED", "early": "ROOM-EARLY", "unknown": "ROOM-LINK-UNKNOWN",
    "ended": "ROOM-ENDED",
}  # fmt: skip


def hash_of(token: str) -> str:
    """Return what is kept of a token. It is chance of 192 bits: it needs neither salt nor a slow hash."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def opens_at(link: KeptLink, room: KeptRoom) -> float | None:
    """Return from when on a link can be used: its own time or its room's, whichever is later."""
    times = [at for at in (link.opens, room.opens) if at is not None]
    return max(times) if times else None


def state_of(link: KeptLink | None, room: KeptRoom | None, now: float) -> State:
    """Return what a link is. One that was used is `used`, whatever became of it and its room since."""
    if link is None or room is None:
        return "unknown"
    if link.used_at is not None:
        return "used"
    if room.ended_at is not None or (room.closes is not None and now >= room.closes):
        return "ended"
    if now >= link.expires:
        return "expired"
    opens = opens_at(link, room)
    return "early" if opens is not None and now < opens else "good"


def problem_of(state: State, opens: float | None, now: float) -> RingError:
    """Return the fault of a link that cannot be used; `opens` is when it can, where that is to come."""
    if state == "early" and opens is not None:
        return fault_error("ROOM-EARLY", f"the link opens in {opens - now:.0f} s", retry_after=max(0.0, opens - now))
    return fault_error(_FAULTS[state])
