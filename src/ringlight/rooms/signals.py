"""What two pages tell each other while they negotiate: its form, and its order (RFC 8829 section 3.2). Pure.

A room passes descriptions and candidates on without looking inside. These are the rules that the browsers at both ends
apply to them, for whoever judges a recorded call.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Exchange", "candidate_complaint", "description_complaint"]


def description_complaint(description: object, kind: str | None = None) -> str | None:
    """Say what a browser does not take of a description, or return `None`.

    Args:
        description: As it was sent: `{"type": "offer", "sdp": "v=0…"}`.
        kind: `offer` or `answer`, where the message around it says so; `None` takes either, and a rollback.
    """
    if not isinstance(description, Mapping):
        return f"a description is an object with type and sdp, not {_shown(description)}"
    named = description.get("type")
    if named not in ("offer", "answer", "pranswer", "rollback") or (kind is not None and named != kind):
        return f"the description's type is {_shown(named)}" + (f" inside of {kind!r}" if kind else "")
    text = description.get("sdp")
    if named != "rollback" and not (isinstance(text, str) and text.startswith("v=0")):
        return "the description's sdp does not begin with `v=0`"
    return None


def candidate_complaint(candidate: object) -> str | None:
    """Say what a browser does not take of a candidate, or return `None`; `null` ends them and is right."""
    if candidate is None:
        return None
    if not isinstance(candidate, Mapping) or not isinstance(candidate.get("candidate"), str):
        return f"a candidate is null, or an object with the text `candidate`, not {_shown(candidate)}"
    line = candidate["candidate"]
    if line and not line.startswith("candidate:"):
        return "the candidate's text does not begin with `candidate:`"
    if line and candidate.get("sdpMid") is None and candidate.get("sdpMLineIndex") is None:
        return "the candidate has neither sdpMid nor sdpMLineIndex"
    return None


@dataclass(slots=True)
class Exchange:
    """Descriptions between this page and one other.

    Attributes:
        yields: Whether one side takes its offer back where both offer at once, as pages of `/ws/v2` do.
        ours: Whether an offer of this page waits for its answer.
        theirs: Whether one of the other does.
        described: Whether there was any.
    """

    yields: bool
    ours: bool = False
    theirs: bool = False
    described: bool = False

    def take(self, kind: str, *, ours: bool) -> str | None:
        """Take what was sent (`ours`) or came; say what is wrong with the moment, or return `None`."""
        if kind == "offer":
            both = self.theirs if ours else self.ours
            self.described = True
            self.ours, self.theirs = self.ours or ours, self.theirs or not ours
            return "both sides have offered, and neither takes its offer back" if both and not self.yields else None
        if kind == "answer":
            asked = self.theirs if ours else self.ours
            self.ours = self.theirs = False
            return None if asked else "an answer without an offer that waits for one"
        if kind == "candidate" and not self.described:
            return "a candidate before any description"
        return None


def _shown(value: object) -> str:
    return repr(value)[:40] if isinstance(value, str | int | float | type(None)) else f"a {type(value).__name__}"
