"""What a judge says of a recording: what breaks the protocol, and who was to speak when nobody did."""

from dataclasses import dataclass
from typing import Protocol

from ringlight.doctor.traces.entries import Ended, Opened, Said

__all__ = ["Judge", "Judged", "Silence"]

Judged = tuple[str, str]  # the fault's code, and what was seen and expected


@dataclass(frozen=True, slots=True)
class Silence:
    """Who was to speak next when the recording ends.

    Attributes:
        who: In words.
        owes: What was to come.
        since: When the last thing happened after which it was due; `None` where there are no times.
        within: Seconds in which it comes at the latest; `None` where nobody knows.
        code: The fault, if it took longer.
    """

    who: str
    owes: str
    since: float | None = None
    within: float | None = None
    code: str | None = None


class Judge(Protocol):
    """Judges the dialog of one socket."""

    def opened(self, entry: Opened) -> list[Judged]:
        """Judge how it was opened."""

    def said(self, entry: Said) -> list[Judged]:
        """Judge a message."""

    def ended(self, entry: Ended) -> list[Judged]:
        """Judge how it ended."""

    def silence(self) -> Silence | None:
        """Return who was to speak next; `None` where all is said."""
