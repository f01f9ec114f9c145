"""When an account's access token is renewed, and who does it: at most one at a time. Pure; it never renews itself.

Two windows before the token's end: in the *advisory* one a renewal is begun aside while calls go on with the old token,
in the *mandatory* one calls wait for it. What is renewed runs on its own: a caller that gives up ends nothing.
"""

from enum import Enum
from typing import TypeAlias

from msgspec import Struct

__all__ = ["LOST", "Later", "Lost", "Step", "TokenState", "Use", "Wait", "window"]

# The codes of a renewal that came to nothing for good. No other failure means that a link is lost.
LOST = frozenset({"LINK-LOST", "AUTH-LINK-LOST"})


class Use(Struct, frozen=True):
    """Take token `id`.

    Attributes:
        id: Counts the tokens.
        renew: Begin a renewal aside, for nobody does yet.
    """

    id: int
    renew: bool = False


class Wait(Struct, frozen=True):
    """Wait until the renewal in flight has ended, then ask again.

    Attributes:
        renew: Begin it first, for nobody does yet.
    """

    renew: bool = False


class Later(Struct, frozen=True):
    """There is no token, and a renewal has just failed: fail with its error; after `seconds` it may be tried again."""

    seconds: float


class Lost(Struct, frozen=True):
    """The link is lost for good: fail with that."""


Step: TypeAlias = Use | Wait | Later | Lost


def window(seconds: float, lifetime: float) -> float:
    """Return the seconds before a token's end from which something is due: at most half of its life."""
    return min(seconds, lifetime / 2)


class _Phase(Enum):
    IDLE = "idle"
    RENEWING = "renewing"
    LOST = "lost"


class TokenState:
    """The token of one account.

    Attributes:
        id: The current token's; 0 if there never was one.
        expires: When it ends, in monotonic seconds; minus infinity without one.

    Args:
        advisory: Seconds before the end from which it is renewed aside, at most half of its life.
        mandatory: Seconds before the end from which calls wait for that, at most half of its life.
        pause: Seconds after a failed renewal in which none is begun.
        idle: Seconds after which a token that nobody used is renewed, so that the link stays alive.
    """

    def __init__(self, *, advisory: float, mandatory: float, pause: float, idle: float = 86_400.0) -> None:
        self._advisory = advisory
        self._mandatory = mandatory
        self._pause = pause
        self._idle = idle
        self._phase = _Phase.IDLE
        self._lifetime = 0.0
        self._renewed_at = float("-inf")
        self._not_before = float("-inf")
        self._hold = 0.0  # seconds from the failure to that
        self._refused = False
        self.id = 0
        self.expires = float("-inf")

    @property
    def renewing(self) -> bool:
        """Whether a renewal is in flight."""
        return self._phase is _Phase.RENEWING

    @property
    def lost(self) -> bool:
        """Whether the link is lost."""
        return self._phase is _Phase.LOST

    def ask(self, now: float) -> Step:
        """Say what a call that needs the token does. Whoever is told to renew has the one renewal in flight."""
        if self.lost:
            return Lost()
        usable = not self._refused and now < self.expires
        if usable and now < self.expires - self._within(self._mandatory):
            return Use(self.id, now >= self.expires - self._within(self._advisory) and self._begin(now))
        if self.renewing:
            return Wait()
        if self._begin(now):
            return Wait(renew=True)
        # The last renewal has just failed. The old token is used as long as it lasts, then calls fail at once.
        return (
            Use(self.id) if usable else Later(min(self._not_before - now, self._hold))
        )  # a difference is rounded, up as well

    def rejected(self, token: int, now: float) -> None:
        """Take note that the server refused a token. If it is not the current one, it was renewed meanwhile: no matter.

        Args:
            token: The id of the one that was sent.
            now: Monotonic seconds.
        """
        if token == self.id and not self._refused and not self.lost:
            self._refused = True
            self._not_before = min(self._not_before, now)  # a failure while it was still good is no reason to wait

    def renewed(self, lifetime: float, now: float) -> int:
        """Take note of a new token, renewed here or found in the store; return its id.

        Args:
            lifetime: Seconds for which it is good.
            now: Monotonic seconds, as they were when it was asked for: it may have aged on its way.
        """
        self._phase = _Phase.IDLE
        self._refused = False
        self._lifetime = lifetime
        self._renewed_at = now
        self._not_before = float("-inf")
        self.id += 1
        self.expires = now + lifetime
        return self.id

    def failed(self, now: float, *, lost: bool = False, wait: float | None = None) -> None:
        """Take note that the renewal in flight came to nothing.

        Args:
            now: Monotonic seconds.
            lost: The link is lost; nothing else means that.
            wait: Seconds that the answer asked to be left alone; `None` if it did not.
        """
        self._phase = _Phase.LOST if lost else _Phase.IDLE
        self._hold = max(self._pause, wait or 0.0)
        self._not_before = now + self._hold

    def unchanged(self) -> None:
        """Take note that the renewal in flight ended with the very token that was refused meanwhile: begin another."""
        self._phase = _Phase.IDLE

    def urge(self) -> bool:
        """Whether to begin a renewal that somebody asks for besides all windows; if so, it is in flight from here."""
        if self.renewing or self.lost:
            return False
        self._phase = _Phase.RENEWING
        return True

    def idle_renewal(self, now: float) -> bool:
        """Whether to begin a renewal because the link has been idle for so long; if so, it is in flight from here."""
        return not self.lost and self.id > 0 and now >= self._renewed_at + self._idle and self._begin(now)

    def _within(self, seconds: float) -> float:
        return window(seconds, self._lifetime)

    def _begin(self, now: float) -> bool:
        if self.renewing or now < self._not_before:
            return False
        self._phase = _Phase.RENEWING
        return True
