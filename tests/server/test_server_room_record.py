"""The record of rooms: answers wait for the disk, a slow or absent disk delays nobody for long, nothing is lost."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ringlight.errors import fault_error
from ringlight.rooms.audit import AuditKey, judge
from ringlight.rooms.events import Close, Send
from ringlight.rooms.held import Held
from ringlight.rooms.memory import MemoryRooms, MemorySocket
from ringlight.rooms.record import Clerk
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.server import room_record
from ringlight.server.room_record import RoomRecord
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.room_rows import Change, RoomRows
from ringlight.store.rooms import KeptRoom

pytestmark = pytest.mark.anyio
KEY = AuditKey(Secret("for tests, and for nothing else"))
TOKENS = Tokens(Secret("for tests, and for nothing else"), 600)


class Disk(RoomRows):
    """Rows that can be made to wait, or to fail."""

    def __init__(self, database: Database, audit: AuditRows) -> None:
        super().__init__(database, audit)
        self.audit = audit
        self.free = threading.Event()
        self.free.set()
        self.broken = ""

    def record(self, changes: Sequence[Change]) -> None:
        assert self.free.wait(30)
        if self.broken:
            raise fault_error(self.broken, "as the test wants it")
        super().record(changes)

    @property
    def events(self) -> list[str]:
        return [row.event for row in self.audit.read()]


@contextlib.asynccontextmanager
async def kept(path: Path) -> AsyncIterator[tuple[MemoryRooms, Disk, RoomRecord]]:
    rooms, database = MemoryRooms(tokens=TOKENS), Database(f"sqlite:///{path / 'rooms.db'}")
    disk = Disk(database, AuditRows(database, KEY.hashed, KEY.seal))
    async with RoomRecord(rooms.porter, disk, Clerk(KEY, lambda: "x")) as record:
        try:
            yield rooms, disk, record
        finally:
            disk.free.set()
    database.close()


def enter(rooms: MemoryRooms, role: str, **hello: Any) -> MemorySocket:
    socket = rooms.connect("/ws/v2")
    socket.say({"t": "hello", "v": 2, "room": "visit", "role": role, **hello})
    return socket


def kinds(socket: MemorySocket) -> list[str]:
    return [frame["t"] for frame in socket.heard]


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_nobody_is_told_of_what_is_not_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_record, "HOLD", 60.0)
    async with kept(tmp_path) as (rooms, disk, record):
        rooms.house.make("visit")
        doctor, patient, other = enter(rooms, "doctor"), enter(rooms, "patient"), enter(rooms, "doctor")
        await record.settled()
        disk.free.clear()
        before = {socket: len(socket.frames) for socket in (doctor, patient, other)}
        doctor.say({"t": "admit", "rid": 1, "id": patient.heard[0]["you"]["id"]})
        doctor.say({"t": "ping"})  # behind the answer that waits, or the order would change
        await asyncio.sleep(0)
        assert [len(socket.frames) - count for socket, count in before.items()] == [0, 0, 0]
        disk.free.set()
        await record.settled()
        assert disk.events[-2:] == ["person.admitted", "person.entered"]
        assert kinds(doctor)[before[doctor] :] == ["knock_gone", "joined", "ok", "pong"]
        assert "roster" in kinds(patient)


async def test_signals_between_others_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_record, "HOLD", 60.0)
    async with kept(tmp_path) as (rooms, disk, record):
        rooms.house.make("visit", lobby=False)
        rooms.house.make("another", lobby=False)
        doctor, patient = enter(rooms, "doctor"), enter(rooms, "patient")
        await record.settled()
        disk.free.clear()
        late = rooms.connect("/ws/v2")
        late.say({"t": "hello", "v": 2, "room": "another", "role": "doctor"})
        patient.say({"t": "signal", "candidate": None})
        assert kinds(doctor)[-1] == "signal"
        assert kinds(late) == ["welcome"]


async def test_a_slow_disk_delays_an_answer_for_a_moment_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_record, "HOLD", 0.05)
    async with kept(tmp_path) as (rooms, disk, record):
        rooms.house.make("visit")
        disk.free.clear()
        doctor = enter(rooms, "doctor")
        assert kinds(doctor) == ["welcome"]
        await until(lambda: "roster" in kinds(doctor))
        assert record.is_behind
        assert "roster" in kinds(enter(rooms, "doctor")), "while it is behind nobody waits"
        disk.free.set()
        await until(lambda: not record.is_behind)
        assert disk.events.count("person.entered") == 2


async def test_what_happens_while_the_database_is_away_is_written_when_it_is_back(tmp_path: Path) -> None:
    async with kept(tmp_path) as (rooms, disk, record):
        rooms.house.make("visit")
        disk.broken = "STORE-FULL"
        doctor, patient = enter(rooms, "doctor"), enter(rooms, "patient")
        await until(lambda: record.is_behind)
        assert record.behind_for == "STORE-FULL"
        doctor.say({"t": "admit", "rid": 1})
        assert kinds(patient)[-1] == "roster"
        disk.broken = ""
        await until(lambda: not record.is_behind)
        assert disk.events == ["person.entered", "person.waiting", "person.admitted", "person.entered"]
        verdict = judge(KEY, disk.audit.read(), disk.audit.head())
        assert (verdict.rows, verdict.problem) == (4, None)


async def test_what_the_database_will_not_take_does_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path) as (rooms, disk, record):
        rooms.house.make("visit")
        with monkeypatch.context() as patch:
            patch.setattr(disk, "record", lambda _: 1 / 0)
            enter(rooms, "doctor")
            await record.settled()
            await until(lambda: record.lost > 0)
        enter(rooms, "doctor")
        await record.settled()
        assert disk.events == ["person.entered"]


async def test_who_was_inside_is_inside_after_a_crash(tmp_path: Path) -> None:
    """And whoever does not come back has left, in the audit too."""
    async with kept(tmp_path) as (rooms, disk, record):
        disk.make(KeptRoom("visit", True, None, None, 6, ("video",), 1.0))
        rooms.house.make("visit", consent=["video"])
        names = {}
        for role in ("clinician", "patient", "companion"):
            claims = rooms.house.claims("visit", role)
            names[role] = claims.person
            socket = enter(rooms, role, token=TOKENS.sign(claims, rooms.now).reveal())
            if role == "patient":
                socket.say({"t": "consent", "what": ["video"], "given": True})
        await record.settled()
    async with kept(tmp_path) as (rooms, _, _):
        returning = rooms.house.rooms["visit"].returning
        assert {name: (one.inside, sorted(one.consents)) for name, one in returning.items()} == {
            names["clinician"]: (True, []), names["companion"]: (False, []), names["patient"]: (False, ["video"]),
        }  # fmt: skip
        rooms.pass_time(121)
        await asyncio.sleep(0)
    async with kept(tmp_path) as (rooms, disk, _):
        assert rooms.house.rooms["visit"].returning == {}
        assert disk.events[-3:] == ["person.left"] * 3


def test_what_is_held_leaves_in_its_order() -> None:
    held = Held()
    first, second, third = (Send(1, frame) for frame in (b"1", b"2", b"3"))
    elsewhere = Send(2, b"4")
    held.hold(first, 1)
    held.hold(second, None)
    held.hold(third, 2)
    held.hold(elsewhere, 1)
    held.hold(Close(2, 1000), 2)
    assert held.released(0) == []
    assert held.released(1) == [first, second, elsewhere]
    assert set(held.queues) == {1, 2}
    assert held.released(9) == [third, Close(2, 1000)]
    assert held.queues == {}
