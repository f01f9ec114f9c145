"""A recording of the signaling dialog: JSON lines, time-stamped, without secrets.

The form is `{"at": seconds, "dir": "out|in|note", "msg": {…}}`. A socket that the other side closed is a note:
`{"socket": "closed", "code": 4002, "reason": "…"}`.
"""

import contextlib
import hashlib
import logging
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from ringlight.errors import fault_error

log = logging.getLogger("ring.live")
MAX_DEPTH = 32  # levels of a message that are shown; the known ones have five
Direction = Literal["out", "in", "note"]
_SDP_SECRETS = re.compile(r"(a=ice-pwd:)\S+")
_SECRET_FIELDS = frozenset(
    {"session_id", "sessionId", "token", "ticket", "access_token", "refresh_token", "resume", "credential"}
)


class Trace(Protocol):
    """Takes what is worth recording."""

    def record(self, direction: Direction, message: Mapping[str, Any]) -> None:
        """Keep one message, redacted."""


class TraceFile:
    """Writes a trace to a file, a line for each message, as it happens.

    Raises:
        MediaError: FILE-WRITE where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise fault_error("FILE-WRITE", f"{path}: {error.strerror}") from error
        self._start = time.monotonic()

    def record(self, direction: Direction, message: Mapping[str, Any]) -> None:
        """Write one line. Where the disk is full the recording ends, and the view goes on."""
        if self._file.closed:
            return
        at = round(time.monotonic() - self._start, 4)
        line = {"at": at, "dir": direction, "msg": redact(message)}
        try:
            self._file.write(msgspec.json.encode(line).decode() + "\n")
            self._file.flush()
        except OSError as error:
            log.warning("the trace ends here: %s", error.strerror)
            self.close()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):  # what could not be written is lost already
            self._file.close()


@contextlib.contextmanager
def recording(path: Path | None) -> "Iterator[TraceFile | None]":
    """Record into a file for as long as the `with` lasts; `None` records nothing.

    Raises:
        MediaError: FILE-WRITE where the file cannot be written.
    """
    if path is None:
        yield None
        return
    with contextlib.closing(TraceFile(path)) as trace:
        yield trace


def redact(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return a copy without secrets. The same secret gets the same mark, so that mix-ups stay visible."""
    if isinstance(value, Mapping | list) and not depth:
        return "(nested too deep to show)"
    if isinstance(value, Mapping):
        return {key: _mark(item) if key in _SECRET_FIELDS else redact(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(item, depth - 1) for item in value]
    if isinstance(value, str):
        return _SDP_SECRETS.sub(r"\1(redacted)", value)
    return value


def _mark(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        return "(redacted)"
    if not isinstance(value, str):
        return value
    return "redacted-" + hashlib.sha256(value.encode()).hexdigest()[:8]
