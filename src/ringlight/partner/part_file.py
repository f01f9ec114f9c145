"""A file that is there only once it is whole: written beside its place, then moved there."""

import os
from pathlib import Path
from typing import IO

from ringlight.media.space import disk_fault

__all__ = ["Memory", "PartFile"]


class PartFile:
    """A sink that ends as a file. Until it is whole it is beside its place, with `.part` at the end.

    Every method raises a `MediaError` (FILE-WRITE or FILE-FULL) where the disk does not take it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._file: IO[bytes] | None = None

    def restart(self) -> None:
        """Begin with an empty file."""
        try:
            if self._file is None:
                self._file = self._part.open("wb", buffering=0)
            else:
                self._file.seek(0)
                self._file.truncate()
        except OSError as error:
            raise disk_fault(self._part, error) from error

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        left = memoryview(piece)
        try:
            while left and self._file is not None:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise disk_fault(self._part, error) from error

    def finish(self) -> None:
        """Move the file to its place, where it stays also after a loss of power."""
        if self._file is None:
            self.restart()
        try:
            if self._file is not None:
                os.fsync(self._file.fileno())
                self._file.close()
            self._part.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise disk_fault(self._path, error) from error
        self._file = None

    def discard(self) -> None:
        """Remove what is not whole. A file that was at the place before stays."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        try:
            self._part.unlink(missing_ok=True)
        except OSError:
            return  # the folder itself may be gone


class Memory:
    """A sink that keeps the bytes in `data`."""

    def __init__(self) -> None:
        self.data = bytearray()

    def restart(self) -> None:
        """Forget all."""
        self.data.clear()

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        self.data += piece

    def finish(self) -> None:
        """Do nothing: what is here is here."""

    def discard(self) -> None:
        """Forget all."""
        self.data.clear()


def _sync_folder(folder: Path) -> None:
    """Make the new name last; a system that cannot open folders does that by itself."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(number)
    finally:
        os.close(number)
