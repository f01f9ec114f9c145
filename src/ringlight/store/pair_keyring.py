"""Token pairs of a few accounts in the system's keyring, for a program on a desktop."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from ringlight.errors import RingError, StoreError, fault_error
from ringlight.secrets import Secret
from ringlight.store.account_lock import account_lock
from ringlight.store.discretion import raise_alone
from ringlight.store.pairs import Row, TokenPair, pair_of, replaces, row_of

__all__ = ["Keyring", "KeyringPairStore"]

SERVICE = "ringlight-partner"
# Windows keeps at most 2,560 bytes an entry, in UTF-16; a pair of tokens can be longer.
PIECE = 1_000
MOST_PIECES = 100  # a pair has two or three
_INDEX = "accounts"


class Keyring(Protocol):
    """What is used of a back end of `keyring`."""

    def get_password(self, service: str, username: str) -> str | None: ...  # noqa: D102

    def set_password(self, service: str, username: str, password: str) -> None: ...  # noqa: D102

    def delete_password(self, service: str, username: str) -> None: ...  # noqa: D102


class _Head(msgspec.Struct):
    version: int
    pieces: Annotated[int, msgspec.Meta(ge=0, le=MOST_PIECES)]


class KeyringPairStore:
    """Keeps token pairs in the system's keyring, cut into pieces, as some systems keep only short entries.

    A new pair is written beside the old one, and one short entry says which is the right one; so whatever kills the
    process, one of them is whole. A keyring knows no locks: those are files in `folder`.

    Args:
        folder: Where the locks are, usually the state directory.
        keyring: A back end of `keyring`; `None` takes the system's.

    Raises:
        SetupError: STORE-ADDRESS, the package `keyring` is not installed.
        StoreError: STORE-KEYRING, this system has no keyring.
    """

    def __init__(self, folder: Path, *, keyring: Keyring | None = None) -> None:
        self._keyring = _system() if keyring is None else keyring
        self._beside = folder / "keyring"

    def read(self, account: str) -> TokenPair | None:
        """Return what is kept, or `None`.

        Raises:
            StoreError: STORE-KEYRING or STORE-DAMAGED.
        """
        head = self._head(account)
        if head is None:
            return None
        try:
            return pair_of(msgspec.json.decode(self._pieces(account, head), type=Row))
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise fault_error("STORE-DAMAGED", "its entries in the keyring do not fit together") from None

    def write(self, account: str, pair: TokenPair, *, over: Secret | None) -> bool:
        """Keep a pair, if the keyring has what it is to replace.

        Raises:
            StoreError: STORE-KEYRING or STORE-DAMAGED; the former pair stays as it was.
        """
        with account_lock(self._beside, f"{account} write"):
            if not replaces(self.read(account), over):
                return False
            former = self._head(account)
            pieces = _cut(pair)
            head = _Head(former.version + 1 if former else 1, len(pieces))
            for number, piece in enumerate(pieces):
                self._set(_piece(account, head, number), piece)
            if self._pieces(account, head) != "".join(piece.reveal() for piece in pieces):
                raise fault_error("STORE-KEYRING", "it does not keep what it is given")
            self._list(add=account)
            self._set(_entry(account), Secret(msgspec.json.encode(head).decode()))
            self._drop(account, former)
            return True

    def remove(self, account: str) -> None:
        """Forget an account, also one whose entries are damaged.

        Raises:
            StoreError: STORE-KEYRING.
        """
        with account_lock(self._beside, f"{account} write"):
            try:
                former = self._head(account)
            except StoreError as error:
                if error.code != "STORE-DAMAGED":
                    raise
                former = None
            if self._get(_entry(account)) is not None:
                self._delete(_entry(account))
            self._drop(account, former)
            self._list(remove=account)

    def accounts(self) -> list[str]:
        """Return the ids of all accounts.

        Raises:
            StoreError: STORE-KEYRING or STORE-DAMAGED.
        """
        return [account for account in self._listed() if self._get(_entry(account)) is not None]

    @contextmanager
    def lock(self, account: str) -> Iterator[None]:
        """Exclude every other program on this machine that renews the account.

        Raises:
            StoreError: STORE-BUSY or STORE-UNREACHABLE.
        """
        with account_lock(self._beside, account):
            yield

    def close(self) -> None:
        """Do nothing."""

    def _head(self, account: str) -> _Head | None:
        text = self._get(_entry(account))
        try:
            return None if text is None else msgspec.json.decode(text, type=_Head)
        except (msgspec.DecodeError, RecursionError):
            raise fault_error("STORE-DAMAGED", "its entry in the keyring is not ours") from None

    def _pieces(self, account: str, head: _Head) -> str:
        return "".join(self._get(_piece(account, head, number)) or "" for number in range(head.pieces))

    def _listed(self) -> list[str]:
        try:
            return msgspec.json.decode(self._get(_INDEX) or "[]", type=list[str])
        except (msgspec.DecodeError, RecursionError):
            raise fault_error("STORE-DAMAGED", "the list of accounts in the keyring is no list") from None

    def _list(self, *, add: str | None = None, remove: str | None = None) -> None:
        with account_lock(self._beside, "the list of accounts"):
            known = self._listed()
            wanted = sorted({*known, *([add] if add else [])} - {remove})
            if wanted != known:
                self._set(_INDEX, Secret(msgspec.json.encode(wanted).decode()))

    def _drop(self, account: str, head: _Head | None) -> None:
        for name in [_piece(account, head, number) for number in range(head.pieces)] if head else []:
            if self._get(name) is not None:
                self._delete(name)

    def _get(self, name: str) -> str | None:
        with _border():
            return self._keyring.get_password(SERVICE, name)

    def _set(self, name: str, text: Secret) -> None:
        with _border():
            self._keyring.set_password(SERVICE, name, text.reveal())

    def _delete(self, name: str) -> None:
        with _border():
            self._keyring.delete_password(SERVICE, name)


def _entry(account: str) -> str:
    return f"link {account}"


def _piece(account: str, head: _Head, number: int) -> str:
    return f"piece {head.version}.{number} {account}"


def _cut(pair: TokenPair) -> list[Secret]:
    text = msgspec.json.encode(row_of(pair)).decode()
    return [Secret(text[start : start + PIECE]) for start in range(0, len(text), PIECE)]


def _system() -> Keyring:
    try:
        import keyring  # noqa: PLC0415
        from keyring.backends import fail  # noqa: PLC0415
    except ImportError:
        raise fault_error("STORE-ADDRESS", "the package keyring is not installed") from None
    with _border():
        found = keyring.get_keyring()
    if isinstance(found, fail.Keyring):
        raise fault_error("STORE-KEYRING", "this system has no keyring")
    return found


@contextmanager
def _border() -> Iterator[None]:
    problem: RingError | None = None
    try:
        yield
    except Exception as error:  # noqa: BLE001 - each back end raises what its system's library does
        problem = fault_error("STORE-KEYRING", type(error).__name__)
    if problem is not None:
        raise_alone(problem)
