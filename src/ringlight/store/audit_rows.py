"""The audit as rows of the database: each has the hash of the one before, and only their beginning may be cut off."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.errors import fault_error
from ringlight.store.database import Database
from ringlight.store.retention import Limit, Row, expired
from ringlight.store.room_tables import AUDIT, AUDIT_HEAD
from ringlight.store.rooms import AuditRow, NewAuditRow
from ringlight.store.tables import insert

__all__ = ["AuditHead", "AuditRows"]

READ_AT_ONCE = 1000  # rows
CUT_AT_ONCE = 500  # rows; who adds meanwhile waits
_NEW = tuple(NewAuditRow.__dataclass_fields__)
_COLUMNS = [AUDIT.c[name] for name in AuditRow.__dataclass_fields__]


_START, _END = 2, 1  # the ids of the two rows of AUDIT_HEAD
# Made once, as all that happens in rooms needs them: SQLAlchemy knows a statement again that is the same object.
_HEAD = sa.select(AUDIT_HEAD.c.number, AUDIT_HEAD.c.hash).where(AUDIT_HEAD.c.id == _END).with_for_update()
_ADD = sa.insert(AUDIT)
_MOVE_END = sa.update(AUDIT_HEAD).where(AUDIT_HEAD.c.id == _END)


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Where the chain ends, as whoever added last has sealed it; or the last row that was cut off before it."""

    number: int
    hash: str
    seal: str


class AuditRows:
    """The rows. Its methods block; call them in a thread.

    Args:
        database: Where; whoever opened it closes it.
        hashed: Returns the hash of a row.
        sealed: Returns the seal of a chain that ends with this number and hash.
        cut: Returns the seal of a chain of which the rows up to this number and hash were cut off.
    """

    def __init__(
        self, database: Database, hashed: Callable[[AuditRow], str], sealed: Callable[[int, str], str],
        cut: Callable[[int, str], str] | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._hashed = hashed
        self._sealed = sealed
        self._cut = cut

    def append(self, connection: Connection, new: Sequence[NewAuditRow]) -> None:
        """Add rows in a transaction of the caller's. Who adds from elsewhere waits until it ends."""
        number, previous = self.locked_head(connection)
        rows = []
        for one in new:
            number += 1
            row = {name: getattr(one, name) for name in _NEW} | {"number": number, "previous": previous}
            previous = row["hash"] = self._hashed(AuditRow(**row))
            rows.append(row)
        connection.execute(_ADD, rows)
        end = {"number": number, "hash": previous, "seal": self._sealed(number, previous)}
        connection.execute(_MOVE_END, end)

    @staticmethod
    def locked_head(connection: Connection) -> tuple[int, str]:
        """Return number and hash of the last row. Nobody else writes anything of rooms until the transaction ends."""
        found = connection.execute(_HEAD).one_or_none()
        if found is None:
            first = insert(connection, AUDIT_HEAD).values(id=_END, number=0, hash="", seal="")
            connection.execute(first.on_conflict_do_nothing(index_elements=["id"]))
            found = connection.execute(_HEAD).one()
        return found.number, found.hash

    def head(self) -> AuditHead:
        """Return where the chain ends.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        return self._mark(_END)

    def start(self) -> AuditHead:
        """Return the last row that was cut off; number 0 where none was.

        Raises:
            StoreError: STORE-UNREACHABLE or STORE-NEWER.
        """
        return self._mark(_START)

    def _mark(self, which: int) -> AuditHead:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(AUDIT_HEAD).where(AUDIT_HEAD.c.id == which)).one_or_none()
        return AuditHead(0, "", "") if row is None else AuditHead(row.number, row.hash, row.seal)

    def sweep(self, limit: Limit, now: float, by_age: bool = True) -> int:
        """Cut off some of the oldest rows, and leave a sealed anchor: the rest can be verified from there on.

        The newest row always stays. Rows that are not as they were written are evidence: then nothing is cut.

        Returns:
            How many went; 0 says that this was all.

        Raises:
            StoreError: AUDIT-BROKEN, STORE-UNREACHABLE or STORE-NEWER; then nothing has changed.
        """
        assert self._cut is not None, "opened without a seal for cutting"  # noqa: S101 - a mistake of ours, not of an input
        with self._database.writing() as connection:
            last, _ = self.locked_head(connection)
            oldest = sa.select(*_COLUMNS).order_by(AUDIT.c.number).limit(CUT_AT_ONCE)
            rows = [AuditRow(*row) for row in connection.execute(oldest)]
            if not rows:
                return 0
            old = [Row(str(row.number), row.at) for row in rows if row.number < last]
            gone = expired(old, limit, now=now, kept=last - rows[0].number + 1, by_age=by_age)
            # Where clocks went back, a newer row may be the older one: what is cut is a beginning without gaps.
            going = list(_beginning(rows, {row.id for row in gone}))
            if not going:
                return 0
            start = connection.execute(sa.select(AUDIT_HEAD.c.hash).where(AUDIT_HEAD.c.id == _START)).scalar()
            self._need_whole(going, start or "")
            end = going[-1]
            mark = {"number": end.number, "hash": end.hash, "seal": self._cut(end.number, end.hash)}
            new = insert(connection, AUDIT_HEAD).values(id=_START, **mark)
            connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=mark))
            connection.execute(sa.delete(AUDIT).where(AUDIT.c.number <= end.number))
        return len(going)

    def _need_whole(self, rows: Sequence[AuditRow], previous: str) -> None:
        for number, row in enumerate(rows, rows[0].number):
            if row.number != number or row.previous != previous or self._hashed(row) != row.hash:
                raise fault_error("AUDIT-BROKEN", f"row {number} is not as it was written; nothing is removed")
            previous = row.hash

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


def _beginning(rows: Sequence[AuditRow], gone: set[str]) -> Iterator[AuditRow]:
    return takewhile(lambda row: str(row.number) in gone, rows)
