"""What was measured of the cameras' batteries, in a small file of the state directory."""

import contextlib
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

__all__ = ["MeasuredFile"]

KEPT_CAMERAS = 200
LOCK_TIMEOUT = 5.0  # seconds; a write takes milliseconds
log = logging.getLogger("ringlight.store")

Rows = list[tuple[float, int]]


class MeasuredFile:
    """Keeps pairs of minutes and per cent for each camera. It may be lost: then it is measured anew.

    Args:
        path: The file.
        kept: How many pairs of a camera are kept, the newest.
    """

    def __init__(self, path: Path, *, kept: int) -> None:
        self._path, self._kept = path, kept

    def load(self) -> dict[str, Rows]:
        """Return what is kept, by camera; nothing where the file is missing or damaged."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Rows])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, UnicodeError) as error:
            log.warning("%s cannot be read, so batteries are measured anew: %s", self._path, type(error).__name__)
            return {}
        return {camera: _sound(rows)[-self._kept :] for camera, rows in found.items()}

    def add(self, camera: str, minutes: float, drop: int) -> None:
        """Keep one pair more. Where it cannot be written the log says so."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=LOCK_TIMEOUT, mode=0o600):
                all_rows = self.load()
                rows = [*all_rows.pop(camera, []), (round(minutes, 3), drop)][-self._kept :]
                self._write({**dict(list(all_rows.items())[-KEPT_CAMERAS + 1 :]), camera: rows})
        except (OSError, Timeout) as error:
            log.warning("%s cannot be written: %s", self._path, type(error).__name__)

    def _write(self, rows: Mapping[str, Rows]) -> None:
        handle, name = tempfile.mkstemp(".tmp", f"{self._path.name}.", self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(rows))
            Path(name).replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


def _sound(rows: Rows) -> Rows:
    return [(minutes, drop) for minutes, drop in rows if 0 <= minutes < 10_000 and 0 <= drop <= 100]
