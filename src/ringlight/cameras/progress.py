"""What a person sees of a view that opens: the steps with their times, attempts, notes, the fault."""

from dataclasses import dataclass, field
from typing import Any, Literal

from ringlight.errors import RingError
from ringlight.faults import FAULTS
from ringlight.liveview import Event, Halted, Note, Renewed, Step, Trying

State = Literal["closed", "opening", "live", "failed"]
KEPT_NOTES = 20


@dataclass(slots=True)
class Progress:
    """The state of one shared view, as the page and `--json` show it.

    Attributes:
        state: `live` from the first packet on.
        viewers: How many watch.
        attempt: The number of the attempt that runs, from 1; 0 before the first.
        steps: Name and milliseconds since the view began to open.
        error: Why it failed; `None` otherwise.
        notes: What is worth knowing, newest last.
        noted: How many notes there have been; `notes` keeps the last ones.
        began: When it began to open.
        recordings: How many recordings of it run.
        halted: What stopped turning by itself, why, and in which millisecond of the view; `None` before the first time.
        retry: The pause before another attempt, and why there is one; `None` otherwise.
        renewal: Whether who watches is asked to let the view go on beyond Ring's time limit, or has agreed.
        talk: Whether the camera hears nobody (`none`), could be talked to (`free`), or is (`taken`).
        unwatched: Whether it has ended for want of viewers. Who still believes to watch was forgotten, as a machine
            that slept, and goes on.
        moved: Whether it has ended since another node shows the camera from now on: who watches looks for it there.
    """

    state: State = "closed"
    viewers: int = 0
    attempt: int = 0
    steps: list[tuple[str, float]] = field(default_factory=list)
    error: RingError | None = None
    notes: list[str] = field(default_factory=list)
    noted: int = 0
    began: float = 0.0
    recordings: int = 0
    halted: tuple[str, str, float] | None = None
    retry: Trying | None = None
    renewal: Literal["none", "asked", "granted"] = "none"
    talk: Literal["none", "free", "taken"] = "none"
    moved: bool = False
    unwatched: bool = False

    def begin(self, now: float) -> None:
        """Start over: somebody wants to watch."""
        self.state, self.attempt, self.error, self.began = "opening", 0, None, now
        self.renewal, self.halted, self.talk, self.retry, self.moved = "none", None, "none", None, False
        self.unwatched = False
        self.steps.clear()
        self.notes.clear()

    def take(self, event: Event, now: float) -> None:
        """Take what the live view tells."""
        match event:
            case Step(name):
                self.retry = None
                self.steps.append((name, round((now - self.began) * 1000, 1)))
                if name == "media":
                    self.state = "live"
            case Trying(number, code, pause):
                self.attempt = number
                self.steps.clear()
                if self.state == "live":  # it broke off: the steps that follow are those of a new view
                    self.state, self.began = "opening", now
                if code is not None:
                    self.retry = event
                    again = f"in {pause:.1f} s" if pause else "at once"
                    self._note(f"{code}: {FAULTS[code].title}. Trying again {again}.")
            case Renewed():
                self.renewal = "none"
                self._note("Renewed: the view goes on beyond Ring's time limit.")
            case Halted(axis, reason):
                self.halted = (axis, reason, round((now - self.began) * 1000, 1))
            case Note(text, code):
                self._note(f"{code}: {text}" if code else text)

    def fail(self, error: RingError) -> None:
        """The view is over for a fault."""
        self.state, self.error, self.talk, self.retry = "failed", error, "none", None

    def end(self, *, moved: bool = False, unwatched: bool = False) -> None:
        """The view was closed in the regular way, or another node has the camera."""
        self.state, self.talk, self.retry, self.moved = "closed", "none", None, moved
        self.unwatched = unwatched

    def _note(self, text: str) -> None:
        self.notes = [*self.notes, text][-KEPT_NOTES:]
        self.noted += 1

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        error = self.error
        return {
            "state": self.state,
            "viewers": self.viewers,
            "attempt": self.attempt,
            "steps": [{"name": name, "ms": at} for name, at in self.steps],
            "fault": error.fault.as_dict(error.detail) if error else None,
            "notes": list(self.notes),
            "recordings": self.recordings,
            "halted": dict(zip(("axis", "reason", "ms"), self.halted, strict=True)) if self.halted else None,
            "retry": _retry_as_dict(self.retry),
            "renewal": self.renewal,
            "talk": self.talk,
            "moved": self.moved,
            "unwatched": self.unwatched,
        }


def _retry_as_dict(trying: Trying | None) -> dict[str, Any] | None:
    if trying is None or trying.code is None:
        return None
    return {"seconds": trying.pause, **FAULTS[trying.code].as_dict(trying.detail)}
