"""Tokens in a file: written whole or not at all, whatever kills the process."""

import math
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from filelock import AsyncFileLock, Timeout

from ringlight.secrets import Secret
from ringlight.store.private_file import PrivateFile
from ringlight.store.sealing import Seal
from ringlight.store.tokens import Tokens

__all__ = ["FileTokenStore"]

LOCK_TIMEOUT = 60.0  # seconds; a renewal takes one HTTP exchange (15 s by default) and two disk writes


class _SignIn(msgspec.Struct):
    access: str
    refresh: str
    expires_at: float
    email: str | None = None


class _File(msgspec.Struct):
    hardware_id: str
    sign_in: _SignIn | None = None


class FileTokenStore:
    """Keeps one sign-in in a file that only its owner may read.

    Hold `lock()` around `load` and `save` where one follows from the other.

    Args:
        path: The file, usually `tokens.json` in the state directory. It and its directory are made when needed.
        seal: Seals what is in it; `None` leaves it as it is.
    """

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        self.path = path
        self._file = PrivateFile(path, seal)

    def load(self) -> Tokens | None:
        """Return what is kept, or `None` when nobody is signed in.

        Raises:
            SetupError: CFG-STATE-DIR, the file cannot be read, or is damaged; then it is kept
                beside itself as `tokens.json.damaged`, and the next call finds nobody signed in.
        """
        kept = self._file.read(_parse)
        if kept is None or kept.sign_in is None:
            return None
        one = kept.sign_in
        return Tokens(Secret(one.access), Secret(one.refresh), one.expires_at, kept.hardware_id, one.email)

    def save(self, tokens: Tokens) -> None:
        """Replace the file and see it to the disk.

        Raises:
            SetupError: CFG-STATE-DIR, naming the path; the former file is still whole.
        """
        self._file.write(lambda: msgspec.json.encode(_file_of(tokens)))

    def clear(self) -> None:
        """Forget the sign-in, but not the hardware id.

        Raises:
            SetupError: CFG-STATE-DIR, as for `save`.
        """
        kept = self._file.read(_parse)
        if kept is not None and kept.sign_in is not None:
            self._empty(kept.hardware_id)

    def hardware_id(self) -> str:
        """Return this installation's id, made at first use and kept for ever.

        Raises:
            SetupError: CFG-STATE-DIR, as for `load` and `save`.
        """
        kept = self._file.read(_parse)
        if kept is not None:
            return kept.hardware_id
        new = str(uuid.uuid4())
        self._empty(new)
        return new

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Exclude every other user of this file, in other processes too, without blocking the event loop.

        Raises:
            SetupError: CFG-STATE-DIR, no lock can be made there, or another process keeps it too long.
        """
        lock = AsyncFileLock(f"{self.path}.lock", timeout=LOCK_TIMEOUT, mode=0o600)
        try:
            self._file.make_directory()
            await lock.acquire()
        except Timeout:
            raise self._file.error(f"another process has held {self.path.name}.lock for {LOCK_TIMEOUT:g} s") from None
        except OSError as error:
            raise self._file.disk_error(error) from error
        try:
            self._file.sweep()
            yield
        finally:
            await lock.release()

    def _empty(self, hardware_id: str) -> None:
        self._file.write(lambda: msgspec.json.encode(_File(hardware_id)))


def _file_of(tokens: Tokens) -> _File:
    sign_in = _SignIn(tokens.access.reveal(), tokens.refresh.reveal(), tokens.expires_at, tokens.email)
    return _File(tokens.hardware_id, sign_in)


def _parse(content: bytes) -> _File:
    try:
        kept = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError("empty" if not content else str(error).partition(" - ")[0]) from None
    one = kept.sign_in
    # These go into header fields; whatever else they are, they are printable ASCII.
    texts = [kept.hardware_id, *([one.access, one.refresh] if one else [])]
    if not all(text and text.isascii() and text.isprintable() for text in texts):
        raise ValueError("a value in it is empty or not plain text")
    if one is not None and not math.isfinite(one.expires_at):
        raise ValueError("the time of expiry is no number")
    return kept
