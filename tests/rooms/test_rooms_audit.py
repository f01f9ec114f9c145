"""The audit of rooms: what is in it, and that nothing can be done to it unseen."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ringlight.rooms.audit import AuditKey, as_fhir, judge
from ringlight.rooms.events import Note
from ringlight.rooms.memory import MemoryRooms
from ringlight.rooms.record import EVENTS, Clerk
from ringlight.secrets import Secret
from ringlight.store.audit_rows import AuditHead
from ringlight.store.inbox import Put
from ringlight.store.rooms import AuditRow, KeptPerson, NewAuditRow, Once, PersonIs, RoomIs

KEY = AuditKey(Secret("for tests, and for nothing else"))


def chain(count: int) -> tuple[list[AuditRow], AuditHead]:
    rows: list[AuditRow] = []
    previous = ""
    for number in range(1, count + 1):
        row = AuditRow(float(number), "person.entered", "room", f"person {number}", number=number, previous=previous)
        rows.append(replace(row, hash=KEY.hashed(row)))
        previous = rows[-1].hash
    return rows, AuditHead(count, previous, KEY.seal(count, previous))


def test_a_chain_that_nobody_touched_is_right() -> None:
    for count in (0, 1, 5):
        rows, head = chain(count) if count else ([], AuditHead(0, "", ""))
        assert judge(KEY, rows, head) == judge(KEY, iter(rows), head)
        verdict = judge(KEY, rows, head)
        assert (verdict.rows, verdict.problem) == (count, None)


def test_rows_that_were_added_while_it_is_read_are_judged_too() -> None:
    rows, _ = chain(5)
    early = AuditHead(3, rows[2].hash, KEY.seal(3, rows[2].hash))
    assert judge(KEY, rows, early).problem is None


def test_the_first_row_that_is_wrong_is_named() -> None:
    rows, head = chain(6)
    changed = [*rows[:2], replace(rows[2], detail="another"), *rows[3:]]
    renumbered = [*rows[:2], replace(rows[3], number=3), replace(rows[2], number=4), *rows[4:]]
    for wrong, at, said in (
        (changed, 2, "row 3 was changed"),
        ([*rows[:2], *rows[3:]], 2, "row 3 is missing"),
        ([*rows[:1], *rows[4:]], 1, "rows 2 to 4 are missing"),
        (rows[1:], 0, "row 1 is missing"),
        (renumbered, 2, "row 3 was changed"),
        (rows[:4], 4, "the rows from 5 to 6 were cut off"),
        ([], 0, "the rows from 1 to 6 were cut off"),
    ):
        verdict = judge(KEY, wrong, head)
        assert (verdict.rows, verdict.problem) == (at, said)


def test_who_cuts_rows_and_moves_the_end_has_no_seal_for_it() -> None:
    rows, head = chain(6)
    for end in (AuditHead(4, rows[3].hash, head.seal), AuditHead(4, rows[3].hash, ""), AuditHead(0, "", "")):
        assert judge(KEY, rows[:4], end).problem is not None


def test_a_database_put_back_to_an_older_state_is_found_by_what_was_noted() -> None:
    rows, head = chain(6)
    old, old_head = rows[:4], AuditHead(4, rows[3].hash, KEY.seal(4, rows[3].hash))
    assert judge(KEY, old, old_head).problem is None
    assert judge(KEY, old, old_head, seen=(6, rows[5].hash)).problem == "row 6, which was noted, is not there"
    assert judge(KEY, rows, head, seen=(6, rows[5].hash)).problem is None
    assert judge(KEY, rows, head, seen=(3, "0" * 64)).problem == "row 3 is not the one that was noted"


def test_another_key_sees_nothing_right() -> None:
    rows, head = chain(2)
    assert judge(AuditKey(Secret("another key")), rows, head).problem == "row 1 was changed"


@given(st.data())
def test_whatever_is_done_to_the_rows_is_found(data: st.DataObject) -> None:
    rows, head = chain(8)
    wrong = list(rows)
    at = data.draw(st.integers(0, 7))
    match data.draw(st.sampled_from(["change", "remove", "swap", "double", "cut"])):
        case "change":
            field = data.draw(st.sampled_from(["at", "event", "room", "person", "by", "role", "detail", "previous"]))
            changed: dict[str, Any] = {field: -1.0 if field == "at" else "something else"}
            wrong[at] = replace(wrong[at], **changed)
        case "remove":
            del wrong[at]
        case "swap":
            other = data.draw(st.integers(0, 7).filter(lambda one: one != at))
            wrong[at], wrong[other] = wrong[other], wrong[at]
        case "double":
            wrong.insert(at, wrong[at])
        case _:
            del wrong[at:]
    assert judge(KEY, wrong, head).problem is not None


def visit() -> list[NewAuditRow]:
    """A whole visit, as it is written down."""
    rooms, clerk = MemoryRooms(), Clerk(KEY, lambda: "x")
    rooms.house.make("visit-of-ada", consent=["video"])
    found: list[NewAuditRow] = []

    def hear(note: Note) -> None:
        found.extend(change for change in clerk.changes(note, rooms.now) if isinstance(change, NewAuditRow))

    rooms.porter.hearers.append(hear)
    doctor, patient = rooms.connect("/ws/v2"), rooms.connect("/ws/v2")
    doctor.say({"t": "hello", "v": 2, "room": "visit-of-ada", "role": "doctor", "name": "Dr A"})
    patient.say({"t": "hello", "v": 2, "room": "visit-of-ada", "role": "patient", "name": "Ada"})
    patient.say({"t": "consent", "what": ["video"], "given": True})
    doctor.say({"t": "admit"})
    doctor.say({"t": "signal", "description": {"type": "offer", "sdp": "v=0 192.0.2.7"}})
    doctor.say({"t": "lock", "on": True})
    patient.say({"t": "consent", "what": ["video"], "given": False})
    doctor.say({"t": "send_back", "id": patient.heard[0]["you"]["id"]})
    doctor.say({"t": "deny", "id": patient.heard[0]["you"]["id"], "reason": "Ada is ill"})
    rooms.connect("/ws/v2").say({"t": "hello", "v": 2, "token": "forged"})
    doctor.say({"t": "end"})
    return found


def test_a_visit_is_told_by_what_happened_and_not_by_names() -> None:
    rows = visit()
    assert [row.event for row in rows] == [
        "person.entered", "person.waiting", "consent.given", "person.admitted", "person.entered", "room.locked",
        "consent.withdrawn", "person.sent_back", "person.denied", "person.left", "token.refused", "room.ended",
    ]  # fmt: skip
    admitted, entered = rows[3], rows[0]
    assert (admitted.role, admitted.by) == ("patient", entered.person)
    assert len({row.room for row in rows} - {""}) == 1
    told = json.dumps([[row.room, row.person, row.by, row.detail] for row in rows])
    for secret in ("ada", "Ada", "Dr A", "192.0.2.7", "forged", "p_1", "u_"):
        assert secret not in told


def test_only_what_is_audited_is_audited() -> None:
    clerk = Clerk(KEY, lambda: "x")
    for note in (Note("quality", detail="poor"), Note("lost"), Note("resumed"), Note("refused", detail="ROOM-FULL")):
        assert clerk.changes(note, 1.0) == []
    assert clerk.changes(Note("entered", "patient", room="r", person="p_1", passing=True), 1.0) == []
    assert set(EVENTS.values()) >= {
        "room.made", "room.ended", "room.locked", "person.entered", "person.waiting", "person.admitted",
        "person.denied", "person.sent_back", "person.left", "consent.given", "consent.withdrawn", "link.made",
        "link.used", "token.refused",
    }  # fmt: skip


def test_what_is_kept_follows_what_happens() -> None:
    clerk = Clerk(KEY, lambda: "x")
    note = Note("entered", "patient", "", "r", "p_1", "u_1", inside=True, consents=frozenset({"video"}), kept=True)
    assert PersonIs("r", "u_1", KeptPerson("r", "u_1", True, ("video",))) in clerk.changes(note, 1.0)
    assert PersonIs("r", "u_1", None) in clerk.changes(structs.replace(note, what="left"), 1.0)
    sent = clerk.changes(structs.replace(note, what="sent_back", inside=False, by="u_2"), 1.0)
    assert RoomIs("r", lobby=True) in sent
    assert clerk.changes(Note("ended", room="r", kept=True), 7.0)[-1] == RoomIs("r", ended_at=7.0)
    assert clerk.changes(Note("unlocked", room="r", kept=True), 7.0)[-1] == RoomIs("r", locked=False)
    (row,) = clerk.changes(structs.replace(note, kept=False), 1.0)
    assert isinstance(row, NewAuditRow), "nobody comes back to a room that was not made on purpose"


def test_what_several_servers_may_write_down_has_a_name_and_its_own_time() -> None:
    note = Note("entered", "patient", "", "r", "p_1", "u_1", kept=True, id="epoch.7.0", at=5.0)
    chance = itertools.count(1)
    clerk = Clerk(KEY, lambda: str(next(chance)), webhooks=True)
    (once,) = clerk.changes(note, 99.0)
    assert clerk.changes(note, 100.0) == [once]
    assert isinstance(once, Once)
    assert once.at == 5.0
    assert [type(change) for change in once.changes] == [Put, NewAuditRow, PersonIs]


@pytest.mark.parametrize("event", sorted(set(EVENTS.values())))
def test_each_row_is_an_audit_event_of_fhir(event: str) -> None:
    """What R4 requires: type, recorded, agent with requestor, source with observer; codes of its value sets."""
    row = AuditRow(1_700_000_000.5, event, "room", "person", "doctor", "patient", "again", 7, "", "hash")
    (shown,) = as_fhir([row])
    assert shown["resourceType"] == "AuditEvent"
    assert shown["type"]["code"] in {"110100", "110113", "110114"}
    assert shown["subtype"][0]["code"] == event
    assert shown["action"] in set("CRUDE")
    assert shown["outcome"] in {"0", "4", "8", "12"}
    assert shown["recorded"] == "2023-11-14T22:13:20.500Z"
    assert [agent["requestor"] for agent in shown["agent"]] == [False, True]
    assert shown["source"]["observer"]
    assert shown["entity"][0]["what"]["identifier"]["value"] == "room"
    (alone,) = as_fhir([replace(row, by="")])
    assert [agent["requestor"] for agent in alone["agent"]] == [True]
