"""How much may still be written: what the disk has free beyond a reserve, or what a shelf still allows."""

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ringlight.errors import RingError, fault_error

# No space, a quota, a limit on the size of files: for who records they are one.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Space:
    """Room for one recording.

    Attributes:
        folder: Where it is written.
        keep_free: Bytes of the disk that stay free.
        allowed: How many more bytes somebody else allows; `None` sets no such limit.
    """

    folder: Path
    keep_free: int = 0
    allowed: Callable[[], int] | None = None

    def left(self) -> int:
        """Return the bytes that may still be written; negative where the reserve is used already.

        Raises:
            OSError: The folder is not there.
        """
        free = shutil.disk_usage(self.folder).free - self.keep_free
        return free if self.allowed is None else min(free, self.allowed())

    def check(self, needed: float = 0) -> None:
        """Make sure that there is room.

        Raises:
            MediaError: FILE-FULL.
        """
        left = self.left()
        if left <= needed:
            wanted = f"about {needed / MEGABYTE:.0f} MB are needed, and " if needed else ""
            raise fault_error(
                "FILE-FULL",
                f"{wanted}{max(0, left) / MEGABYTE:.0f} MB may be used in {self.folder}, where "
                f"{self.keep_free / MEGABYTE:.0f} MB stay free",
            )


def disk_fault(path: Path, error: OSError) -> RingError:
    """Return the fault for an error of the disk."""
    code = "FILE-FULL" if error.errno in _FULL else "FILE-WRITE"
    return fault_error(code, f"{path}: {error.strerror or error}")
