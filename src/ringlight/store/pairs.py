"""The tokens of many linked Ring accounts: what is kept of each, and what every store of them promises."""

import math
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import msgspec

from ringlight.errors import fault_error
from ringlight.secrets import Secret

__all__ = ["LOCK_TIMEOUT", "MemoryPairStore", "PairStore", "TokenPair"]

# Seconds to wait for another process that renews the same account: one call with its retries (30 s at most by
# default) and three writes.
LOCK_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What is kept of one linked account.

    Attributes:
        access: Goes with every call, for hours.
        refresh: Buys the next pair, once: Ring rotates it at every use.
        obtained_at: When Ring gave the pair, in seconds since the epoch by Ring's clock.
        expires_at: When `access` ends, by the same clock.
        generation: Counts the pairs of the account, from 1.
        offered_at: When `refresh` was last offered for a new pair that is not here yet, by the same clock. It may be
            spent. `None`: never.
    """

    access: Secret
    refresh: Secret
    obtained_at: float
    expires_at: float
    generation: int = 1
    offered_at: float | None = None


class PairStore(Protocol):
    """Keeps token pairs by account id. Its methods block, for a disk write or longer; call them in a thread.

    Every method raises `StoreError` or `SetupError`, never an error of somebody else's library.
    """

    def read(self, account: str) -> TokenPair | None:
        """Return what is kept, or `None` for an account that is not linked."""

    def write(self, account: str, pair: TokenPair, *, over: Secret | None) -> bool:
        """Keep a pair for good, if the store still has what it is to replace: once this returns it survives a crash.

        Args:
            account: Ring's id of the account.
            pair: What to keep.
            over: The refresh token that the store must have now; `None` where it must have nothing.

        Returns:
            Whether it was kept; `False` where the store has something else, which stays.
        """

    def remove(self, account: str) -> None:
        """Forget an account, as after its owner has removed the app."""

    def accounts(self) -> list[str]:
        """Return the ids of all linked accounts, sorted."""

    def lock(self, account: str) -> AbstractContextManager[None]:
        """Exclude everybody else who renews this account, in other processes too; a killed process excludes nobody.

        Hold it from reading until the new pair is written. Another thread may free it than the one that took it.
        """

    def close(self) -> None:
        """Free what the store has opened."""


class MemoryPairStore:
    """Keeps pairs for the life of this object: for tests, and for a token that is never renewed."""

    def __init__(self) -> None:
        self._pairs: dict[str, TokenPair] = {}
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def read(self, account: str) -> TokenPair | None:
        """Return what is kept, or `None`."""
        return self._pairs.get(account)

    def write(self, account: str, pair: TokenPair, *, over: Secret | None) -> bool:
        """Keep a pair, if there is what it is to replace."""
        with self._guard:
            if not replaces(self._pairs.get(account), over):
                return False
            self._pairs[account] = pair
            return True

    def remove(self, account: str) -> None:
        """Forget an account."""
        with self._guard:
            self._pairs.pop(account, None)

    def accounts(self) -> list[str]:
        """Return the ids of all accounts."""
        return sorted(self._pairs)

    @contextmanager
    def lock(self, account: str) -> Iterator[None]:
        """Exclude every other thread and task that uses this object.

        Raises:
            StoreError: STORE-BUSY.
        """
        with self._guard:
            lock = self._locks.setdefault(account, threading.Lock())
        if not lock.acquire(timeout=LOCK_TIMEOUT):
            raise fault_error("STORE-BUSY", f"for {LOCK_TIMEOUT:g} s")
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Do nothing."""


def replaces(kept: TokenPair | None, over: Secret | None) -> bool:
    """Whether what is kept is what a new pair is meant to replace."""
    return (kept.refresh if kept else None) == over


class Row(msgspec.Struct):
    """A pair as it is written down, in the order of the table's columns. Kept in no variable for long."""

    access: str
    refresh: str
    obtained_at: float
    expires_at: float
    generation: int
    offered_at: float | None = None

    def __repr__(self) -> str:
        return "Row(...)"


def row_of(pair: TokenPair) -> Row:
    """Make what is written down."""
    access, refresh = pair.access.reveal(), pair.refresh.reveal()
    return Row(access, refresh, pair.obtained_at, pair.expires_at, pair.generation, pair.offered_at)


def pair_of(row: Row) -> TokenPair:
    """Read what was written down.

    Raises:
        ValueError: It is no pair; says what is wrong without secrets.
    """
    # They go into header fields and forms; whatever else they are, they are printable ASCII.
    if not all(text and text.isascii() and text.isprintable() for text in (row.access, row.refresh)):
        raise ValueError("a token in it is empty or not plain text")
    if not all(math.isfinite(time or 0.0) for time in (row.obtained_at, row.expires_at, row.offered_at)):
        raise ValueError("a time in it is no number")
    access, refresh = Secret(row.access), Secret(row.refresh)
    return TokenPair(access, refresh, row.obtained_at, row.expires_at, row.generation, row.offered_at)
