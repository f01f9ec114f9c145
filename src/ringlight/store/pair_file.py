"""Token pairs of many accounts in one file, for programs on one machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ringlight.secrets import Secret
from ringlight.store.account_lock import account_lock
from ringlight.store.pairs import Row, TokenPair, pair_of, replaces, row_of
from ringlight.store.private_file import PrivateFile
from ringlight.store.sealing import Seal

__all__ = ["FilePairStore"]

WRITE_TIMEOUT = 10.0  # seconds; a write takes milliseconds


class _File(msgspec.Struct):
    links: dict[str, Row]


class FilePairStore:
    """Keeps token pairs in a file that only its owner may read: JSON, written whole, by account id.

    Each write copies the file; for more than some hundred accounts take a database.

    Args:
        path: The file. It and its directory are made when needed.
        seal: Seals what is in it; `None` leaves it as it is.
    """

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        self.path = path
        self._file = PrivateFile(path, seal)

    def read(self, account: str) -> TokenPair | None:
        """Return what is kept, or `None`.

        Raises:
            SetupError: CFG-STATE-DIR, the file cannot be read, or is damaged; then it is kept beside itself.
        """
        return self._all().get(account)

    def write(self, account: str, pair: TokenPair, *, over: Secret | None) -> bool:
        """Keep a pair, if the file has what it is to replace.

        Raises:
            SetupError: CFG-STATE-DIR; the former file is still whole.
        """
        with self._file.lock(WRITE_TIMEOUT):
            pairs = self._all()
            if not replaces(pairs.get(account), over):
                return False
            self._replace({**pairs, account: pair})
            return True

    def remove(self, account: str) -> None:
        """Forget an account.

        Raises:
            SetupError: CFG-STATE-DIR, as for `write`.
        """
        with self._file.lock(WRITE_TIMEOUT):
            pairs = self._all()
            if pairs.pop(account, None) is not None:
                self._replace(pairs)

    def accounts(self) -> list[str]:
        """Return the ids of all accounts.

        Raises:
            SetupError: CFG-STATE-DIR, as for `read`.
        """
        return sorted(self._all())

    @contextmanager
    def lock(self, account: str) -> Iterator[None]:
        """Exclude every other program on this machine that renews the account.

        Raises:
            StoreError: STORE-BUSY or STORE-UNREACHABLE.
        """
        with account_lock(self.path, account):
            yield

    def close(self) -> None:
        """Do nothing: the file is open only while it is read or written."""

    def _all(self) -> dict[str, TokenPair]:
        return self._file.read(_parse) or {}

    def _replace(self, pairs: dict[str, TokenPair]) -> None:
        self._file.write(lambda: msgspec.json.encode(_File({account: row_of(pair) for account, pair in pairs.items()})))


def _parse(content: bytes) -> dict[str, TokenPair]:
    try:
        rows = msgspec.json.decode(content, type=_File).links
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError("empty" if not content else str(error).partition(" - ")[0]) from None
    return {account: pair_of(row) for account, row in rows.items()}
