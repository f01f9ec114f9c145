"""What evidence means. Pure: the probes gather, this judges, so that it is tested without a network."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from ringlight.errors import RingError
from ringlight.faults import FAULTS


class Mark(Enum):
    """The outcome of a check."""

    GOOD = "good"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes:
        check: What was looked at.
        mark: How it came out.
        seen: What was seen, or for what it was skipped.
        code: The fault; `None` unless there is one.
    """

    check: str
    mark: Mark
    seen: str
    code: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, the fault's row included."""
        fault = FAULTS[self.code].as_dict(self.seen) if self.code else None
        return {"check": self.check, "mark": self.mark.value, "seen": self.seen, "fault": fault}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a probe brought: a sentence where it went well, the error where it did not."""

    check: str
    needs: tuple[str, ...] = ()
    seen: str = ""
    error: RingError | None = None


def judge(evidence: list[Evidence]) -> list[Finding]:
    """Turn evidence into findings, in order. A check whose condition failed is skipped and says so."""
    findings: dict[str, Finding] = {}
    for item in evidence:
        broken = [need for need in item.needs if need in findings and findings[need].mark is not Mark.GOOD]
        if broken:
            findings[item.check] = Finding(item.check, Mark.SKIPPED, f"not looked at, because of: {broken[0]}")
        elif item.error is not None:
            seen = item.error.detail or item.error.fault.title
            findings[item.check] = Finding(item.check, Mark.FAULT, seen, item.error.code)
        else:
            findings[item.check] = Finding(item.check, Mark.GOOD, item.seen)
    return list(findings.values())
