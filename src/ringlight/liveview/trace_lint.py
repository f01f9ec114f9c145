"""The lint of a recorded dialog: the first message that breaks the protocol, and why. Pure.

Reads the JSON lines of `--trace`, and judges them with the rules that the simulator applies.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ringlight.errors import RingError
from ringlight.faults import FAULTS, find
from ringlight.liveview import messages
from ringlight.liveview.lint import Judge

MAX_SECONDS = 1e9  # a time beyond is none
MAX_LINE = 1024 * 1024  # characters; a longer line is no message


@dataclass(frozen=True, slots=True)
class TraceFinding:
    """One thing worth telling of a trace.

    Attributes:
        line: Its number in the file, from 1.
        at: Seconds since the start of the recording; `None` where the line does not say.
        method: Of the message, as far as it could be read.
        code: The fault.
        detail: What was seen and what was expected.
    """

    line: int
    at: float | None
    method: str
    code: str
    detail: str


@dataclass(slots=True)
class TraceLint:
    """Reads a trace line by line.

    Attributes:
        findings: What was found, in order; the first is the one to look at.
        seen: How many messages were read.
        unread: How many lines were none.
        last: What the last message was: `out ping`, `in close`, …
    """

    findings: list[TraceFinding] = field(default_factory=list)
    seen: int = 0
    unread: int = 0
    last: str = ""
    _judge: Judge = field(default_factory=Judge)

    def read(self, lines: Iterable[str]) -> None:
        """Read all lines. Never raises for what is in them."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                self._line(number, line)

    @property
    def verdict(self) -> str:
        """A sentence on the whole."""
        if not self.seen:
            return 'Nothing in it is a message: expected lines like {"at": 0.1, "dir": "out", "msg": {…}}.'
        skipped = f"; {self.unread} lines are no messages" if self.unread else ""
        if self.findings:
            first = self.findings[0]
            return f"Line {first.line} is the first that is wrong: {first.code}, {FAULTS[first.code].title}{skipped}."
        end = "" if self.last.endswith("close") else f" Then silence: the last was `{self.last}`, and no close."
        return f"All {self.seen} messages are right as far as it goes{skipped}.{end}"

    def _line(self, number: int, line: str) -> None:
        entry = _entry(line)
        if entry is None:
            self.unread += 1
            return
        at, direction, message = entry
        if direction == "note":
            return
        method = message.get("method")
        name = method if isinstance(method, str) else "?"
        self.seen += 1
        self.last = f"{direction} {name}"
        found = self._out(message) if direction == "out" else self._in(message)
        if found is not None:
            self.findings.append(TraceFinding(number, at, name, *found))

    def _out(self, message: dict[str, Any]) -> tuple[str, str] | None:
        verdict = self._judge.receive_envelope(message)
        return (verdict.code, verdict.detail) if verdict.code else None

    def _in(self, message: dict[str, Any]) -> tuple[str, str] | None:
        try:
            parsed = messages.parse_envelope(message)
        except RingError as error:
            return error.code, error.detail or ""
        dialog_id, body = parsed.dialog_id or "", parsed.body
        if dialog_id not in self._judge.dialogs:
            return None
        match body:
            case messages.SessionCreated() | messages.SessionStarted() if body.session_id:
                self._judge.created(dialog_id, body.session_id)
            case messages.Sdp():
                self._judge.answered(dialog_id)
            case messages.CameraStarted() | messages.Notification(text="camera_connected"):
                self._judge.connected(dialog_id)
            case messages.Notification(is_ok=False):
                return "SIG-NOTICE", body.text
            case messages.Close(reason=reason) if reason.code != 0:
                code = find("close", reason.code, reason.text) or "SIG-CLOSE-OTHER"
                return code, f"reason {reason.code}: {reason.text}"
            case _:
                pass
        return None


def _entry(line: str) -> tuple[float | None, str, dict[str, Any]] | None:
    if len(line) > MAX_LINE:
        return None
    try:
        entry = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None
    if (
        not isinstance(entry, dict)
        or entry.get("dir") not in ("in", "out", "note")
        or not isinstance(entry.get("msg"), dict)
    ):
        return None
    at = entry.get("at")
    seconds = float(at) if isinstance(at, int | float) and abs(at) < MAX_SECONDS else None
    return seconds, entry["dir"], entry["msg"]
