"""The sign-in of a person's Ring account in the database, for several servers that share it."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import sqlalchemy as sa

from ringlight.errors import RingError
from ringlight.secrets import Secret
from ringlight.store.account_lock import account_lock
from ringlight.store.database import Database
from ringlight.store.pairs import LOCK_TIMEOUT
from ringlight.store.tables import SIGN_IN, insert
from ringlight.store.tokens import Tokens

__all__ = ["DatabaseTokenStore"]

_ONLY = 1  # the number of the only row
_LOCK = 0x52494E47_53494E45  # "RINGSINE", for pg_advisory_xact_lock


class DatabaseTokenStore:
    """Keeps one sign-in in SQLite or PostgreSQL. Whoever renews it holds `lock`, on whichever server.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> Tokens | None:
        """Return what is kept, or `None` when nobody is signed in.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        with self._database.reading() as connection:
            row = connection.execute(sa.select(SIGN_IN)).one_or_none()
        if row is None or row.access is None:
            return None
        return Tokens(Secret(row.access), Secret(row.refresh), row.expires_at, row.hardware_id, row.email)

    def save(self, tokens: Tokens) -> None:
        """Replace what is kept; once this returns it survives a crash.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER; then the former pair is still there.
        """
        self._write(
            hardware_id=tokens.hardware_id, access=tokens.access.reveal(), refresh=tokens.refresh.reveal(),
            expires_at=tokens.expires_at, email=tokens.email,
        )  # fmt: skip

    def clear(self) -> None:
        """Forget the sign-in, but not the hardware id.

        Raises:
            StoreError: As for `save`.
        """
        with self._database.writing() as connection:
            connection.execute(sa.update(SIGN_IN).values(access=None, refresh=None, expires_at=None, email=None))

    def hardware_id(self) -> str:
        """Return the id of this installation, which is all servers together; made at first use and kept for ever.

        Raises:
            StoreError: As for `save`.
        """
        with self._database.writing() as connection:
            new = insert(connection, SIGN_IN).values(number=_ONLY, hardware_id=str(uuid.uuid4()))
            connection.execute(new.on_conflict_do_nothing())
            return str(connection.execute(sa.select(SIGN_IN.c.hardware_id)).scalar_one())

    @contextlib.asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Exclude every other server, until this is left or the process ends, without blocking the event loop.

        Raises:
            StoreError: STORE-BUSY, STORE-UNREACHABLE or STORE-NEWER.
        """
        held = contextlib.ExitStack()
        taking = asyncio.ensure_future(asyncio.to_thread(self._take, held))
        try:
            await asyncio.shield(taking)
        except asyncio.CancelledError:  # the thread goes on, and may still get it
            with contextlib.suppress(RingError):
                await taking
            await asyncio.to_thread(held.close)
            raise
        try:
            yield
        finally:
            await asyncio.shield(asyncio.to_thread(held.close))

    def _take(self, held: contextlib.ExitStack) -> None:
        file = self._database.file
        held.enter_context(account_lock(file, "sign-in") if file else self._database.advisory_lock(_LOCK, LOCK_TIMEOUT))

    def _write(self, **values: object) -> None:
        with self._database.writing() as connection:
            new = insert(connection, SIGN_IN).values(number=_ONLY, **values)
            connection.execute(new.on_conflict_do_update(index_elements=["number"], set_=values))
