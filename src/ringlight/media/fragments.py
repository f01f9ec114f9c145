"""A file that is whole at any moment: fragments reach the disk one by one, each in one go."""

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

# Seconds between two orders to the disk. A killed program loses nothing that was written, the kernel has it;
# only a power cut does, and kernels alone wait for 30 s. More often would wear out memory cards.
SYNC_EVERY = 10.0
_BOX = 8  # bytes of a box's size and type


class FragmentFile:
    """Takes what a muxer writes, and writes it on in whole fragments.

    Nothing is touched before the first fragment is whole. It goes into a hidden file beside, which then takes
    the name: what had that name before is either there as it was, or replaced by something that plays.

    Args:
        path: The name. Something else than a regular file (a pipe, a device) is written to as it is.

    Attributes:
        size: Bytes in the file, always up to the end of a fragment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._buffer = bytearray()
        self._fd: int | None = None
        self._synced = time.monotonic()

    def write(self, data: bytes) -> int:
        """Take bytes from the muxer; never fails."""
        self._buffer += data
        return len(data)

    def keep(self) -> bool:
        """Write what is whole; return whether there was anything.

        Raises:
            OSError: It cannot be written. The file ends with the last fragment that could.
        """
        end = whole(self._buffer)
        if not end:
            return False
        if self._fd is None:
            self._begin(bytes(self._buffer[:end]))
        else:
            self._append(self._fd, bytes(self._buffer[:end]))
        del self._buffer[:end]
        if self._fd is not None and time.monotonic() - self._synced >= SYNC_EVERY:
            _sync(self._fd)
            self._synced = time.monotonic()
        return True

    def close(self) -> None:
        """Write what is whole, see it on the disk, and let go.

        Raises:
            OSError: It could not be written.
        """
        try:
            self.keep()
        finally:
            fd, self._fd = self._fd, None
            if fd is not None:
                try:
                    _sync(fd)
                finally:
                    os.close(fd)

    def _begin(self, data: bytes) -> None:
        target = Path(os.path.realpath(self.path))
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(target.stat().st_mode):
                self._fd = os.open(target, os.O_WRONLY)
                self._append(self._fd, data)
                return
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            self._append(fd, data)
            beside.replace(target)
        except BaseException:
            os.close(fd)
            beside.unlink(missing_ok=True)
            self.size = 0
            raise
        self._fd = fd

    def _append(self, fd: int, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(fd, rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, self.size)
                os.lseek(fd, self.size, os.SEEK_SET)
            raise
        self.size += len(data)


def whole(data: bytes | bytearray) -> int:
    """Return how many of the first bytes are whole fragments: up to the end of the last complete `mdat`."""
    at = end = 0
    while at + _BOX <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < _BOX or at + size > len(data):
            break
        at += size
        if data[at - size + 4 : at - size + 8] == b"mdat":
            end = at
    return end


def _sync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # pipes and devices know no such order
            raise


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of what is inside of each whole box, of those beside each other."""
    at, end = start, len(data) if end is None else end
    while at + _BOX <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if size < _BOX or at + size > end:
            return
        yield data[at + 4 : at + 8], at + _BOX, at + size
        at += size


def split(data: bytes) -> tuple[bytes, list[bytes]]:
    """Cut whole fragments apart; what comes before the first `moof` describes the tracks."""
    starts = [start - _BOX for kind, start, _ in boxes(data) if kind == b"moof"]
    if not starts:
        return data, []
    return data[: starts[0]], [data[at:end] for at, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def begins_at(fragment: bytes, track: int = 1) -> int | None:
    """Return when a track begins in a fragment, in units of its clock; `None` where nothing of it is there."""
    for kind, start, end in boxes(fragment):
        if kind != b"moof":
            continue
        for inner, first, last in boxes(fragment, start, end):
            found = {name: fragment[at:to] for name, at, to in boxes(fragment, first, last)} if inner == b"traf" else {}
            head, time = found.get(b"tfhd", b""), found.get(b"tfdt", b"")
            if int.from_bytes(head[4:8], "big") == track and time:
                return int.from_bytes(time[4:12] if time[0] else time[4:8], "big")  # ISO/IEC 14496-12 section 8.8.12
    return None
