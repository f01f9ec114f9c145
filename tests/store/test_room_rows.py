"""Rooms as rows, in SQLite and PostgreSQL: a link is used once, whoever tries and from wherever."""

import subprocess
import sys
from dataclasses import replace
from typing import cast

import pytest

from ringlight.rooms.audit import AuditKey, judge
from ringlight.secrets import Secret
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.inbox import Put
from ringlight.store.retention import Limit
from ringlight.store.room_rows import ONCE_KEPT, RoomRows, room_outbox
from ringlight.store.rooms import KeptLink, KeptPerson, KeptRoom, NewAuditRow, Once, PersonIs, RoomIs

KEY = AuditKey(Secret("for tests, and for nothing else"))
ROOM = KeptRoom("visit", True, None, 900.0, 6, ("recording", "video"), 100.0)
LINK = KeptLink("hash", "visit", "patient", "B", None, None, 500.0, invited_by="Dr A")
USER = """
import sys
from ringlight.rooms.audit import AuditKey
from ringlight.secrets import Secret
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.retention import Limit
from ringlight.store.room_rows import RoomRows
from ringlight.store.rooms import NewAuditRow
key = AuditKey(Secret("for tests, and for nothing else"))
database = Database(sys.argv[1])
rows = RoomRows(database, AuditRows(database, key.hashed, key.seal))
rows.rooms(ended_after=0)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    rows.record([NewAuditRow(1.0, "room.locked")])
print(rows.use_link("hash", [NewAuditRow(2.0, "link.used")], now=200.0))
"""


@pytest.fixture
def audit(database: Database) -> AuditRows:
    return AuditRows(database, KEY.hashed, KEY.seal)


@pytest.fixture
def rows(database: Database, audit: AuditRows) -> RoomRows:
    return RoomRows(database, audit)


def test_a_room_is_made_once_and_remembers_what_has_changed(rows: RoomRows) -> None:
    assert rows.make(ROOM)
    assert not rows.make(ROOM)
    rows.record([RoomIs("visit", locked=True), RoomIs("visit", started=True), RoomIs("another", locked=True)])
    (kept,) = rows.rooms(ended_after=0)
    assert (kept.locked, kept.started, kept.lobby, kept.consent) == (True, True, True, ROOM.consent)
    rows.set_cameras("visit", {"front-door": "Front Door"})
    (kept,) = rows.rooms(ended_after=0)
    assert kept.cameras == {"front-door": "Front Door"}
    rows.record([RoomIs("visit", ended_at=300.0)])
    assert rows.rooms(ended_after=300.0) == []
    assert [room.id for room in rows.rooms(ended_after=299.0)] == ["visit"]
    ended = rows.room("visit")
    assert ended is not None
    assert ended.ended_at == 300.0
    rows.make(replace(ROOM, id="open"))
    assert rows.sweep_rooms(Limit(30.0), 330.0) == 0
    assert rows.sweep_rooms(Limit(30.0), 1e9) == 1
    assert [room.id for room in rows.rooms(ended_after=0)] == ["open"], "a room that has not ended stays"


def test_who_is_in_a_room_is_known_until_they_leave_or_it_ends(rows: RoomRows) -> None:
    rows.make(ROOM)
    inside = KeptPerson("visit", "u_1", True, ("video",))
    rows.record([PersonIs("visit", "u_1", KeptPerson("visit", "u_1", False, ())), PersonIs("visit", "u_1", inside)])
    rows.record([PersonIs("visit", "u_2", KeptPerson("visit", "u_2", False, ()))])
    assert [person.person for person in rows.people()] == ["u_1", "u_2"]
    assert rows.people()[0] == inside
    rows.record([PersonIs("visit", "u_2", None)])
    assert rows.people() == [inside]
    rows.record([RoomIs("visit", ended_at=300.0)])
    assert rows.people() == []


def test_what_two_servers_write_down_is_there_once(rows: RoomRows, audit: AuditRows, database: Database) -> None:
    """With all that belongs to it: what came later in between is not put back."""
    rows.make(ROOM)
    came = PersonIs("visit", "u_1", KeptPerson("visit", "u_1", True, ()))
    put = Put("msg_1", "", "visit", "participant.joined", b"{}", 1.0)
    entered = Once("one", 1.0, (put, NewAuditRow(1.0, "person.entered"), came))
    left = Once("two", 2.0, (NewAuditRow(2.0, "person.left"), PersonIs("visit", "u_1", None)))
    rows.record([entered, entered])
    rows.record([left])
    other = RoomRows(database, AuditRows(database, KEY.hashed, KEY.seal))
    other.record([entered, left, NewAuditRow(3.0, "room.locked")])
    assert [row.event for row in audit.read()] == ["person.entered", "person.left", "room.locked"]
    assert rows.people() == []
    assert room_outbox(database).counts() == {"waiting": 1}
    rows.record([Once("three", 2.0 + 2 * ONCE_KEPT, (NewAuditRow(4.0, "room.unlocked"),))])  # the others are forgotten
    assert judge(KEY, audit.read(), audit.head()).rows == 4


def test_a_link_is_used_once_and_not_beyond_its_time(rows: RoomRows) -> None:
    rows.make(ROOM)
    rows.add_link(LINK, [])
    assert rows.link("hash") == LINK
    assert not rows.use_link("hash", [], now=500.0)
    assert rows.use_link("hash", [], now=200.0)
    assert not rows.use_link("hash", [], now=201.0)
    used = rows.link("hash")
    assert used is not None
    assert used.used_at == 200.0
    rows.add_link(KeptLink("new", "visit", "patient", "", ("chat",), None, 1e9), [])
    end = Limit(30.0)
    assert rows.sweep_links(end, 530.0) == 0
    assert rows.sweep_links(end, 531.0) == 1
    assert rows.link("hash") is None
    fresh = rows.link("new")
    assert fresh is not None
    assert fresh.may == ("chat",)


def test_of_many_processes_one_uses_the_link_and_the_chain_stays_whole(
    where: str, rows: RoomRows, audit: AuditRows
) -> None:
    rows.make(ROOM)
    rows.add_link(LINK, [])
    command = [sys.executable, "-c", USER, where]
    many = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True) for _ in range(4)]
    for one in many:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in many:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60)[0].strip() for one in many]
    assert sorted(said) == ["False", "False", "False", "True"]
    verdict = judge(KEY, audit.read(), audit.head())
    assert (verdict.rows, verdict.problem) == (81, None)


def test_what_happened_is_written_whole_or_not_at_all(rows: RoomRows, audit: AuditRows, database: Database) -> None:
    """The audit and the webhook that tells of the same thing are one."""
    told = Put("msg_1", "", "visit", "room.ended", b"{}", 1.0)
    wrong = Put("msg_2", "", "visit", "room.ended", cast("bytes", None), 1.0)  # as a bug would have it
    with pytest.raises(Exception, match="STORE-UNREACHABLE"):
        rows.record([NewAuditRow(1.0, "room.ended"), wrong])
    assert list(audit.read()) == []
    rows.record([NewAuditRow(1.0, "room.ended"), told])
    assert [row.event for row in audit.read()] == ["room.ended"]
    assert [kept.type for kept in room_outbox(database).waiting(limit=5)] == ["room.ended"]
