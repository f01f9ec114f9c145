"""Rooms as rows of the database. What has to be true together is written in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox, Put
from ringlight.store.retention import Limit, Row, expired
from ringlight.store.room_tables import ONCE, OUTBOX, PEOPLE, ROOM_LINKS, ROOMS
from ringlight.store.rooms import KeptLink, KeptPerson, KeptRoom, NewAuditRow, Once, PersonIs, RoomIs
from ringlight.store.tables import insert

__all__ = ["Change", "RoomRows", "room_outbox"]

SWEPT_AT_ONCE = 500  # rows; more would keep those who write waiting
ONCE_KEPT = 2 * 86_400.0  # seconds in which an event is known that was written down; servers ask within an hour
_SENDERS_LOCK = 0x52494E47_524F4F4D  # "RINGROOM"

Change = NewAuditRow | RoomIs | PersonIs | Put | Once


def room_outbox(database: Database) -> Inbox:
    """Return the webhooks that are to be sent."""
    return Inbox(database, table=OUTBOX, lock_number=_SENDERS_LOCK, lock_name="room-webhooks")


class RoomRows:
    """What is kept of rooms. Its methods block; call them in a thread.

    Every method raises `StoreError`: STORE-UNREACHABLE or STORE-NEWER.

    Args:
        database: Where; whoever opened it closes it.
        audit: Of what happens in rooms, in the same database.
    """

    def __init__(self, database: Database, audit: AuditRows) -> None:
        self._database = database
        self._audit = audit
        self._outbox = room_outbox(database)

    # ---- rooms ----

    def make(self, room: KeptRoom, changes: Sequence[Change] = ()) -> bool:
        """Keep a new room; `False` where there is one of this id, and nothing was changed."""
        with self._database.writing() as connection:
            row = asdict(room) | {"consent": " ".join(room.consent), "cameras": json.dumps(room.cameras)}
            new = insert(connection, ROOMS).values(row).on_conflict_do_nothing(index_elements=["id"])
            if connection.execute(new.returning(ROOMS.c.id)).first() is None:
                return False
            self._write(connection, changes)
            return True

    def rooms(self, *, ended_after: float) -> list[KeptRoom]:
        """Return the rooms that have not ended, and those that have since then."""
        chosen = sa.select(ROOMS).where(ROOMS.c.ended_at.is_(None) | (ROOMS.c.ended_at > ended_after))
        with self._database.reading() as connection:
            found = connection.execute(chosen.order_by(ROOMS.c.made_at)).all()
        return [_room(row) for row in found]

    def set_cameras(self, room_id: str, cameras: dict[str, str]) -> None:
        """Change the cameras of a room, where it is kept."""
        with self._database.writing() as connection:
            here = sa.update(ROOMS).where(ROOMS.c.id == room_id)
            connection.execute(here.values(cameras=json.dumps(cameras)))

    def room(self, room_id: str) -> KeptRoom | None:
        """Return one of them, also long after its end."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(ROOMS).where(ROOMS.c.id == room_id)).one_or_none()
        return None if row is None else _room(row)

    def people(self, room_id: str | None = None) -> list[KeptPerson]:
        """Return who was in rooms that have not ended, or in one of them, or waited before them."""
        here = sa.select(PEOPLE).join(ROOMS, ROOMS.c.id == PEOPLE.c.room).where(ROOMS.c.ended_at.is_(None))
        if room_id is not None:
            here = here.where(ROOMS.c.id == room_id)
        with self._database.reading() as connection:
            found = connection.execute(here.order_by(PEOPLE.c.room, PEOPLE.c.person)).all()
        return [KeptPerson(**{**row._mapping, "consents": _words(row.consents)}) for row in found]

    # ---- links ----

    def add_link(self, link: KeptLink, changes: Sequence[Change]) -> None:
        """Keep a new link."""
        row = asdict(link) | {"may": None if link.may is None else " ".join(link.may)}
        with self._database.writing() as connection:
            connection.execute(sa.insert(ROOM_LINKS).values(row))
            self._write(connection, changes)

    def link(self, hashed: str) -> KeptLink | None:
        """Return a link by the hash of its token."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(ROOM_LINKS).where(ROOM_LINKS.c.hash == hashed)).one_or_none()
        if row is None:
            return None
        return KeptLink(**{**row._mapping, "may": None if row.may is None else _words(row.may)})

    def use_link(self, hashed: str, changes: Sequence[Change], *, now: float) -> bool:
        """Use a link up. Of all who try, in this process and others, exactly one is told `True`."""
        unused = sa.and_(ROOM_LINKS.c.hash == hashed, ROOM_LINKS.c.used_at.is_(None), ROOM_LINKS.c.expires > now)
        with self._database.writing() as connection:
            if connection.execute(sa.update(ROOM_LINKS).where(unused).values(used_at=now)).rowcount != 1:
                return False
            self._write(connection, changes)
            return True

    # ---- what is old ----

    def sweep_rooms(self, limit: Limit, now: float, by_age: bool = True) -> int:
        """Forget some rooms that ended long ago. Return how many; 0 says that all are gone."""
        return self._sweep(ROOMS.c.id, ROOMS.c.ended_at, limit, now, by_age=by_age)

    def sweep_links(self, limit: Limit, now: float, by_age: bool = True) -> int:
        """Forget some links that ended long ago. Return how many; 0 says that all are gone."""
        return self._sweep(ROOM_LINKS.c.hash, ROOM_LINKS.c.expires, limit, now, by_age=by_age)

    def _sweep(
        self, key: sa.Column[str], ended: sa.Column[float], limit: Limit, now: float, *, by_age: bool
    ) -> int:  # fmt: skip
        oldest = sa.select(key, ended).where(ended.is_not(None)).order_by(ended, key).limit(SWEPT_AT_ONCE)
        with self._database.reading() as connection:
            rows = [Row(*row) for row in connection.execute(oldest)]
        gone = [row.id for row in expired(rows, limit, now=now, kept=len(rows), by_age=by_age)]
        if not gone:
            return 0
        with self._database.writing() as connection:
            return connection.execute(sa.delete(key.table).where(key.in_(gone), ended < now)).rowcount

    # ---- what happens ----

    def record(self, changes: Sequence[Change]) -> None:
        """Write down what happened, all of it or nothing, in one transaction that survives a power cut."""
        with self._database.writing() as connection:
            self._write(connection, changes)

    def _write(self, connection: Connection, given: Sequence[Change]) -> None:
        changes = self._not_yet(connection, given)
        audit = [change for change in changes if isinstance(change, NewAuditRow)]
        puts = [change for change in changes if isinstance(change, Put)]
        last = {(change.room, change.person): change for change in changes if isinstance(change, PersonIs)}
        if audit:
            self._audit.append(connection, audit)
        if puts:
            self._outbox.put(connection, puts)
        _change_rooms(connection, [change for change in changes if isinstance(change, RoomIs)])
        _keep_people(connection, list(last.values()))

    def _not_yet(self, connection: Connection, given: Sequence[Change]) -> list[Change]:
        """Leave out what another server has written down; note what is written now."""
        once = {change.id: change for change in given if isinstance(change, Once)}
        if not once:
            return list(given)
        self._audit.locked_head(connection)  # from here on nobody else writes one of them
        connection.execute(sa.delete(ONCE).where(ONCE.c.at < max(one.at for one in once.values()) - ONCE_KEPT))
        known = set(connection.execute(sa.select(ONCE.c.id).where(ONCE.c.id.in_(once))).scalars())
        new = {name: one for name, one in once.items() if name not in known}
        if new:
            connection.execute(sa.insert(ONCE), [{"id": one.id, "at": one.at} for one in new.values()])
        changes: list[Change] = []
        for change in given:
            if isinstance(change, Once):
                one = new.pop(change.id, None)
                changes += one.changes if one is not None else ()
            else:
                changes.append(change)
        return changes


def _change_rooms(connection: Connection, changes: list[RoomIs]) -> None:
    by_field: dict[str, dict[str, Any]] = {}  # many rooms in one statement
    for change in changes:
        for name in ("lobby", "locked", "started", "ended_at"):
            if (value := getattr(change, name)) is not None:
                by_field.setdefault(name, {})[change.room] = value
    for name, rooms in by_field.items():
        update = sa.update(ROOMS).where(ROOMS.c.id == sa.bindparam("of")).values({name: sa.bindparam("to")})
        connection.execute(update, [{"of": room, "to": value} for room, value in rooms.items()])
    if ended := by_field.get("ended_at"):
        connection.execute(sa.delete(PEOPLE).where(PEOPLE.c.room == sa.bindparam("of")), [{"of": one} for one in ended])


def _keep_people(connection: Connection, changes: list[PersonIs]) -> None:
    here = [
        {"room": kept.room, "person": kept.person, "inside": kept.inside, "consents": " ".join(kept.consents)}
        for change in changes
        if (kept := change.kept) is not None
    ]
    gone = [{"of": change.room, "who": change.person} for change in changes if change.kept is None]
    if here:
        new = insert(connection, PEOPLE)
        values = {"inside": new.excluded.inside, "consents": new.excluded.consents}
        connection.execute(new.on_conflict_do_update(index_elements=["room", "person"], set_=values), here)
    if gone:
        who = sa.and_(PEOPLE.c.room == sa.bindparam("of"), PEOPLE.c.person == sa.bindparam("who"))
        connection.execute(sa.delete(PEOPLE).where(who), gone)


def _room(row: sa.Row[Any]) -> KeptRoom:
    return KeptRoom(**{**row._mapping, "consent": _words(row.consent), "cameras": json.loads(row.cameras)})


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
