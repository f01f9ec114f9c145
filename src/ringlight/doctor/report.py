"""What a run of the doctor found, whole. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ringlight.doctor.findings import Finding
from ringlight.doctor.verdict import Verdict, verdict

__all__ = ["Report", "report_of"]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found.

    Attributes:
        findings: A line for each check, in order.
        verdict: The cause, and what goes away with it.
        seconds: How long the run took.
        version: Of Ringlight.
        system: What it ran on.
    """

    findings: tuple[Finding, ...]
    verdict: Verdict
    seconds: float = 0.0
    version: str = ""
    system: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            **self.verdict.as_dict(),
            "checks": [finding.as_dict() for finding in self.findings],
            "seconds": round(self.seconds, 2),
            "version": self.version,
            "system": self.system,
        }


def report_of(findings: Sequence[Finding], seconds: float = 0.0, version: str = "", system: str = "") -> Report:
    """Put a report together."""
    return Report(tuple(findings), verdict(findings), seconds, version, system)
