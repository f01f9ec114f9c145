"""A lock for each account beside a file, for stores that live on one machine."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringlight.errors import RingError, fault_error
from ringlight.store.pairs import LOCK_TIMEOUT
from ringlight.store.private_file import held_lock

__all__ = ["account_lock"]


@contextmanager
def account_lock(beside: Path, account: str) -> Iterator[None]:
    """Hold the lock of one account. Its file's name says nothing about the account.

    Args:
        beside: The lock is made next to this, and named after it.
        account: Ring's id of the account.

    Raises:
        StoreError: STORE-BUSY, or STORE-UNREACHABLE where no lock can be made there.
    """
    name = hashlib.blake2b(account.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    with held_lock(beside.with_name(f"{beside.name}.{name}.lock"), LOCK_TIMEOUT, _failed):
        yield


def _failed(problem: str) -> RingError:
    busy = problem.startswith("another process")
    return fault_error("STORE-BUSY" if busy else "STORE-UNREACHABLE", problem)
