"""Turning calls away here when the service takes few of them: a second stage after the budget. Pure."""

from ringlight.resilience.window import Window

__all__ = ["Shedding"]

_WINDOW = 30.0  # seconds
_K = 2.0  # calls that are sent for each that was taken; the load at the service stays below this many times

_ASKED, _TAKEN = 0, 1


class Shedding:
    """Rejects a call with the probability `max(0, (asked - K * taken) / (asked + 1))` (SRE book, chapter 21).

    A call that was turned away here counts as asked, too; so a service that takes nothing is soon left almost alone.
    """

    def __init__(self) -> None:
        self._lately = Window(_WINDOW)

    def admit(self, now: float, dice: float) -> bool:
        """Count a call before it is sent; `False` where it shall not be.

        Args:
            now: Monotonic seconds.
            dice: A number in [0, 1).
        """
        asked, taken = self._lately.totals(now)
        self._lately.add(_ASKED, now)
        return dice >= (asked - _K * taken) / (asked + 1)

    def taken(self, now: float) -> None:
        """Count an answer by which the service took the call, also if it then refused it for a good reason."""
        self._lately.add(_TAKEN, now)
