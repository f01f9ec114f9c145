"""A small file that only its owner may read: written whole or not at all, whatever kills the process."""

import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from filelock import FileLock, Timeout

from ringlight.errors import RingError, fault_error
from ringlight.store.sealing import Seal, is_sealed, unsealed

__all__ = ["PrivateFile", "held_lock", "is_full", "words"]

T = TypeVar("T")
PLACE = "a private file"  # of all: a copy may be put back by another name


class PrivateFile:
    """Reads, replaces and locks one file. Every failure names the path and is CFG-STATE-DIR, or STORE-FULL.

    Args:
        path: The file. It and its directory are made when needed.
        seal: Seals what is in it; `None` leaves it as it is.
    """

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        self.path = path
        self._seal = seal

    def read(self, parse: Callable[[bytes], T]) -> T | None:
        """Return what is in the file, or `None` where there is none.

        Args:
            parse: Reads the bytes; its `ValueError` says what is wrong with them, without secrets.

        Raises:
            SetupError: CFG-STATE-DIR, the file cannot be read, or is damaged; then it is kept beside itself
                with `.damaged` at its end, and the next call finds none. STORE-SEALED, it needs another key.
        """
        try:
            with self.path.open("rb") as file:
                try:
                    return parse(self._opened(file.read()))
                except ValueError as error:
                    raise self._set_aside(file, str(error)) from None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.disk_error(error) from error

    def write(self, content: Callable[[], bytes]) -> None:
        """Replace the file and see it to the disk.

        Args:
            content: Makes what is to be written. It is in no variable of ours, as a crash report shows those.

        Raises:
            SetupError: CFG-STATE-DIR; the former file is still whole.
            StoreError: STORE-FULL, as above.
        """
        try:
            self.make_directory()
            handle, name = tempfile.mkstemp(".tmp", f"{self.path.name}.", self.path.parent)  # made with mode 0600
            temporary = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(self._closed(content()))
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self.path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            _sync_directory(self.path.parent)
        except OSError as error:
            raise self.disk_error(error) from error

    @contextmanager
    def lock(self, timeout: float) -> Iterator[None]:
        """Exclude every other writer of this file for a moment, in other processes too.

        Raises:
            SetupError: CFG-STATE-DIR, no lock can be made there, or it was not free within `timeout` seconds.
            StoreError: STORE-FULL.
        """
        with held_lock(Path(f"{self.path}.lock"), timeout, self.error):
            self.sweep()
            yield

    def reseal(self) -> bool:
        """Seal by the first key what is not; hold the lock. Returns whether that changed anything.

        Raises:
            SetupError: CFG-STATE-DIR or STORE-SEALED.
            StoreError: STORE-FULL.
        """
        if self._seal is None or not self.path.exists():
            return False
        if not self._seal.needs_closing(self.path.read_bytes().decode("ascii", "replace")):
            return False
        plain = self.read(bytes)
        self.write(lambda: plain or b"")
        return True

    def _opened(self, content: bytes) -> bytes:
        kept = content.decode("latin-1")
        if self._seal is None:
            unsealed(kept, PLACE)
            return content
        return self._seal.open(kept, PLACE).encode("latin-1") if is_sealed(kept) else content

    def _closed(self, content: bytes) -> bytes:
        return content if self._seal is None else self._seal.close(content.decode("latin-1"), PLACE).encode()

    def make_directory(self) -> None:
        """Make the directory, for its owner only."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove what a killed process left half written; holding the lock, nobody else is writing."""
        for left in self.path.parent.glob(f"{self.path.name}.*.tmp"):
            with suppress(OSError):
                left.unlink()

    def error(self, problem: str) -> RingError:
        """Make the error that says what is wrong with this file."""
        return fault_error("CFG-STATE-DIR", f"{self.path}: {problem}")

    def disk_error(self, error: OSError) -> RingError:
        """Make the error that says what the system reported of this file."""
        return fault_error("STORE-FULL" if is_full(error) else "CFG-STATE-DIR", f"{self.path}: {words(error)}")

    def _set_aside(self, file: IO[bytes], problem: str) -> RingError:
        """Move the damaged file out of the way, unless somebody has just replaced it by a good one."""
        aside = self.path.with_name(f"{self.path.name}.damaged")
        count = 1
        while aside.exists():
            count += 1
            aside = self.path.with_name(f"{self.path.name}.damaged-{count}")
        if os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
            self.path.rename(aside)
        return self.error(f"the file is damaged: {problem}; it is kept as {aside.name}")


@contextmanager
def held_lock(path: Path, timeout: float, failed: Callable[[str], RingError]) -> Iterator[None]:
    """Hold a lock file. It may be freed by another thread than the one that took it; a killed process frees it.

    Args:
        path: The lock file; its directory is made when needed.
        timeout: Seconds to wait for whoever else holds it.
        failed: Makes the error from what went wrong, unless the disk is full.

    Raises:
        StoreError: STORE-FULL.
    """
    lock = FileLock(path, timeout=timeout, mode=0o600, thread_local=False)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise failed(f"another process has held {path.name} for {timeout:g} s") from None
    except OSError as error:
        full = is_full(error)
        raise (fault_error("STORE-FULL", f"{path}: {words(error)}") if full else failed(words(error))) from error
    try:
        yield
    finally:
        lock.release()


def is_full(error: OSError) -> bool:
    """Whether the disk or a quota is used up."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def words(error: OSError) -> str:
    """Say what the system reports."""
    return (error.strerror or type(error).__name__).lower()


def _sync_directory(path: Path) -> None:
    if sys.platform == "win32":  # directories cannot be opened there; the rename is durable by itself
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
