"""Token pairs of many accounts in a database, for programs on one machine or many."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from msgspec.structs import asdict

from ringlight.errors import fault_error
from ringlight.secrets import Secret
from ringlight.store.account_lock import account_lock
from ringlight.store.database import Database
from ringlight.store.pairs import LOCK_TIMEOUT, Row, TokenPair, pair_of, row_of
from ringlight.store.tables import TOKEN_PAIRS

__all__ = ["DatabasePairStore"]


class DatabasePairStore:
    """Keeps token pairs in SQLite or PostgreSQL.

    Args:
        database: Where; `close` closes it too.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, account: str) -> TokenPair | None:
        """Return what is kept, or `None`.

        Raises:
            StoreError: STORE-UNREACHABLE, STORE-NEWER or STORE-DAMAGED.
        """
        with self._database.reading() as connection:
            found = connection.execute(sa.select(TOKEN_PAIRS).where(TOKEN_PAIRS.c.account == account)).one_or_none()
        if found is None:
            return None
        try:
            return pair_of(Row(*found[1:]))
        except ValueError as error:
            raise fault_error("STORE-DAMAGED", str(error)) from None

    def write(self, account: str, pair: TokenPair, *, over: Secret | None) -> bool:
        """Keep a pair, if the table has what it is to replace.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then nothing was written.
        """
        table = TOKEN_PAIRS
        with self._database.writing() as connection:
            if over is not None:
                here = table.c.account == account
                # The row is held until the end: sealed values cannot be compared in SQL.
                kept = connection.execute(sa.select(table.c.refresh).where(here).with_for_update()).scalar()
                if kept is None or Secret(kept) != over:
                    return False
                return connection.execute(sa.update(table).where(here).values(asdict(row_of(pair)))).rowcount == 1
            try:
                connection.execute(sa.insert(table).values(account=account, **asdict(row_of(pair))))
                return True
            except sa.exc.IntegrityError:  # somebody was quicker
                return False

    def remove(self, account: str) -> None:
        """Forget an account.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        with self._database.writing() as connection:
            connection.execute(sa.delete(TOKEN_PAIRS).where(TOKEN_PAIRS.c.account == account))

    def accounts(self) -> list[str]:
        """Return the ids of all accounts.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        with self._database.reading() as connection:
            return sorted(connection.execute(sa.select(TOKEN_PAIRS.c.account)).scalars())

    @contextmanager
    def lock(self, account: str) -> Iterator[None]:
        """Exclude every other program that renews the account by this database.

        With SQLite it is a file beside the database: its own lock would keep every other writer waiting. With
        PostgreSQL it is an advisory lock, which takes one connection while it is held and ends with it.

        Raises:
            StoreError: STORE-BUSY, STORE-UNREACHABLE or STORE-NEWER.
        """
        file = self._database.file
        with account_lock(file, account) if file else self._database.advisory_lock(_number(account), LOCK_TIMEOUT):
            yield

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _number(account: str) -> int:
    """Return the number by which PostgreSQL locks an account; 64 bits, so that two rarely share one."""
    digest = hashlib.blake2b(account.encode(errors="surrogatepass"), digest_size=8, person=b"ringlight").digest()
    return int.from_bytes(digest, "big", signed=True)
