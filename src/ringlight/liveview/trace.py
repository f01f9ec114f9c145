"""A recording of the signaling dialog: JSON lines, time-stamped, without secrets.

The form is `{"at": seconds, "dir": "out|in|note", "msg": {…}}`.
"""

import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from ringlight.errors import fault_error

Direction = Literal["out", "in", "note"]
_SDP_SECRETS = re.compile(r"(a=ice-pwd:)\S+")
_SECRET_FIELDS = frozenset({"session_id", "sessionId", "token", "ticket", "access_token", "refresh_token"})


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
        """Write one line."""
        at = round(time.monotonic() - self._start, 4)
        line = {"at": at, "dir": direction, "msg": redact(message)}
        self._file.write(msgspec.json.encode(line).decode() + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def redact(value: Any) -> Any:
    """Return a copy without secrets. The same secret gets the same mark, so that mix-ups stay visible."""
    if isinstance(value, Mapping):
        return {key: _mark(item) if key in _SECRET_FIELDS else redact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return _SDP_SECRETS.sub(r"\1(redacted)", value)
    return value


def _mark(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return "redacted-" + hashlib.sha256(value.encode()).hexdigest()[:8]
