"""What a check comes to: one line each, with what was looked at, what was seen, and what was expected. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from ringlight.doctor.checks import CHECKS, Check
from ringlight.errors import RingError
from ringlight.faults import FAULTS

__all__ = ["Finding", "Mark", "Seen", "failed", "fault", "good", "note", "skipped"]


class Mark(Enum):
    """The outcome of a check."""

    GOOD = "good"
    NOTE = "note"  # it works, and something about it is worth knowing
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a judgement says of the evidence.

    Attributes:
        mark: The outcome.
        text: What was seen, or why nothing was looked at; without secrets.
        code: The fault; `None` where there is none.
    """

    mark: Mark
    text: str
    code: str | None = None


def good(text: str) -> Seen:
    """All is well."""
    return Seen(Mark.GOOD, text)


def note(text: str, code: str | None = None) -> Seen:
    """It works; this is worth knowing."""
    return Seen(Mark.NOTE, text, code)


def fault(code: str, text: str) -> Seen:
    """It does not work."""
    return Seen(Mark.FAULT, text, code)


def skipped(text: str) -> Seen:
    """It was not looked at."""
    return Seen(Mark.SKIPPED, text)


def failed(error: RingError) -> Seen:
    """A part of Ringlight has named the fault already."""
    return fault(error.code, error.detail or error.fault.title)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes:
        check: Its name, a key of `CHECKS`.
        mark: How it came out.
        seen: What was seen, or for what it was skipped.
        code: The fault; `None` unless there is one.
        subject: The host, address, server or camera that it is about; empty for this machine or account.
    """

    check: str
    mark: Mark
    seen: str
    code: str | None = None
    subject: str = ""

    @property
    def row(self) -> Check:
        """What the check looks at and expects."""
        return CHECKS[self.check]

    @property
    def name(self) -> str:
        """The check and what it is about, to refer to it."""
        return f"{self.check} {self.subject}".strip()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, the fault's row included."""
        fault = FAULTS[self.code].as_dict(self.seen) if self.code else None
        return {
            "check": self.check, "subject": self.subject, "mark": self.mark.value, "looks_at": self.row.looks_at,
            "seen": self.seen, "expected": self.row.expected, "fault": fault,
        }  # fmt: skip
