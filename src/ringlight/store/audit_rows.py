"""The audit as rows of the database: only ever added to, each row with the hash of the one before."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.store.database import Database, insert
from ringlight.store.room_tables import AUDIT, AUDIT_HEAD
from ringlight.store.rooms import AuditRow, NewAuditRow

__all__ = ["AuditHead", "AuditRows"]

READ_AT_ONCE = 1000  # rows
_NEW = tuple(NewAuditRow.__dataclass_fields__)
_COLUMNS = [AUDIT.c[name] for name in AuditRow.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Where the chain ends, as whoever added last has sealed it."""

    number: int
    hash: str
    seal: str


class AuditRows:
    """The rows. Its methods block; call them in a thread.

    Args:
        database: Where; whoever opened it closes it.
        hashed: Returns the hash of a row.
        sealed: Returns the seal of a chain that ends with this number and hash.
    """

    def __init__(
        self, database: Database, hashed: Callable[[AuditRow], str], sealed: Callable[[int, str], str]
    ) -> None:
        self._database = database
        self._hashed = hashed
        self._sealed = sealed

    def append(self, connection: Connection, new: Sequence[NewAuditRow]) -> None:
        """Add rows in a transaction of the caller's. Who adds from elsewhere waits until it ends."""
        number, previous = self.locked_head(connection)
        rows = []
        for one in new:
            number += 1
            row = {name: getattr(one, name) for name in _NEW} | {"number": number, "previous": previous}
            previous = row["hash"] = self._hashed(AuditRow(**row))
            rows.append(row)
        connection.execute(sa.insert(AUDIT), rows)
        end = {"number": number, "hash": previous, "seal": self._sealed(number, previous)}
        connection.execute(sa.update(AUDIT_HEAD).where(AUDIT_HEAD.c.id == 1).values(end))

    @staticmethod
    def locked_head(connection: Connection) -> tuple[int, str]:
        """Return number and hash of the last row. Nobody else writes anything of rooms until the transaction ends."""
        chosen = sa.select(AUDIT_HEAD.c.number, AUDIT_HEAD.c.hash).where(AUDIT_HEAD.c.id == 1).with_for_update()
        found = connection.execute(chosen).one_or_none()
        if found is None:
            first = insert(connection, AUDIT_HEAD).values(id=1, number=0, hash="", seal="")
            connection.execute(first.on_conflict_do_nothing(index_elements=["id"]))
            found = connection.execute(chosen).one()
        return found.number, found.hash

    def head(self) -> AuditHead:
        """Return where the chain ends.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        with self._database.reading() as connection:
            row = connection.execute(sa.select(AUDIT_HEAD).where(AUDIT_HEAD.c.id == 1)).one_or_none()
        return AuditHead(0, "", "") if row is None else AuditHead(row.number, row.hash, row.seal)

    def read(self) -> Iterator[AuditRow]:
        """Yield all rows in their order; what is added meanwhile may come too.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        last: int | None = None
        while True:
            chosen = sa.select(*_COLUMNS).order_by(AUDIT.c.number).limit(READ_AT_ONCE)
            if last is not None:
                chosen = chosen.where(AUDIT.c.number > last)
            with self._database.reading() as connection:
                found = [AuditRow(*row) for row in connection.execute(chosen)]
            yield from found
            if len(found) < READ_AT_ONCE:
                return
            last = found[-1].number
