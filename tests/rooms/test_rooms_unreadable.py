"""What is in Redis of a room and cannot be read: who comes is told so, nobody else notices, and it stays as it is."""

import dataclasses
import enum
import hashlib
import json
import logging
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from room_nodes import Node, Nodes
from test_rooms_redis import hear, node, page, say

from own_redis import PROGRAM, OwnRedis
from ringlight.errors import RingError
from ringlight.rooms import ledger, shared_keys
from ringlight.rooms.memory import MemorySocket

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]
# Of all that is written into a ledger: names and types. Where it changes, `shared_keys.PREFIX` needs another number.
SHAPE = {"ringlight:rooms:2": "39df0656681cd680"}


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


def _lacks_a_field(whole: bytes) -> bytes:
    room = json.loads(whole)
    del room["heard"]
    return json.dumps(room).encode()


def _has_a_field_more(whole: bytes) -> bytes:
    return json.dumps({**json.loads(whole), "mood": "fine"}).encode()


def _of_a_version_before(whole: bytes) -> bytes:
    """Three names had an underscore then."""
    then = ("returning_until", "ranks", "hosts_gone_at")
    room = json.loads(whole)
    return json.dumps({f"_{name}" if name in then else name: value for name, value in room.items()}).encode()


def _another_room(whole: bytes) -> bytes:
    return json.dumps({**json.loads(whole), "id": "other"}).encode()


WHOLES: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda _: b"\xff{",
    "of another program": lambda _: b'{"hello": "world"}',
    "lacks a field": _lacks_a_field,
    "of a version before": _of_a_version_before,
    "of another room": _another_room,
}
KEYS: dict[str, Callable[[Any, str], object]] = {
    "the head is a text": lambda client, name: client.set(f"{name}:head", "hello"),
    "the head has no numbers": lambda client, name: client.hset(
        f"{name}:head", mapping={"epoch": "e", "number": "many", "first": "x", "kept": "y"}
    ),
    "the head has no name": lambda client, name: client.hset(f"{name}:head", mapping={"epoch": b"\xff", "number": 1}),
    "the head has a number that is none": lambda client, name: client.hset(
        f"{name}:head", mapping={"epoch": "e", "number": 1, "first": 1, "kept": "nan"}
    ),
    "the entries are a set": lambda client, name: client.sadd(f"{name}:entries", "a"),
    "the room is a list": lambda client, name: client.rpush(f"{name}:whole", "a"),
    "the room is nonsense": lambda client, name: (
        client.set(f"{name}:whole", "nonsense"),
        client.hset(f"{name}:head", mapping={"epoch": "e", "number": 1, "first": 1, "kept": 1}),
    ),
}


# ---- without a network ----


def _enter(at: Node, room: str = "visit", role: str = "doctor") -> MemorySocket:
    socket = at.connect()
    socket.say({"t": "hello", "v": 2, "room": room, "role": role})
    at.nodes.settle()
    return socket


def _last(socket: MemorySocket) -> str:
    return str(socket.heard[-1].get("code") or socket.heard[-1]["t"])


def _kept(change: Callable[[bytes], bytes]) -> tuple[Nodes, MemorySocket]:
    """A room of the first node that was written whole, and then was changed by somebody else."""
    all_nodes = Nodes(2)
    doctor = _enter(all_nodes.all[1])
    for number in range(120):
        doctor.say({"t": "chat", "rid": number + 1, "text": "x"})
        all_nodes.now += 1
        all_nodes.settle()
    kept = all_nodes.ledgers["visit"]
    assert kept.whole is not None
    kept.whole = change(kept.whole)
    return all_nodes, doctor


@pytest.mark.parametrize("what", WHOLES)
def test_who_comes_to_a_room_that_cannot_be_read_is_told_so_and_nobody_else_notices(what: str) -> None:
    """Begun anew at this node it would be another room, and be written over that of the others."""
    all_nodes, doctor = _kept(WHOLES[what])
    second, before = all_nodes.all[2], all_nodes.ledgers["visit"].whole
    elsewhere = _enter(second, "other-visit")
    heard = len(doctor.frames)
    patient = _enter(second, role="patient")
    assert _last(patient) == "ROOM-UNREADABLE"
    assert patient.closed == (4500, "ROOM-UNREADABLE")
    with pytest.raises(RingError, match="ROOM-UNREADABLE"):
        second.house.room("visit")
    elsewhere.say({"t": "chat", "rid": 1, "text": "still here"})
    all_nodes.settle()
    assert _last(elsewhere) == "ok"
    doctor.say({"t": "chat", "rid": 900, "text": "still here"})
    all_nodes.settle()
    assert _last(doctor) == "ok"
    assert len(doctor.frames) == heard + 1, "who is in the room hears nothing of it"
    assert all_nodes.ledgers["visit"].whole == before, "it is left as it is"
    all_nodes.ledgers.clear()
    assert _last(_enter(second, role="patient")) != "ROOM-UNREADABLE", "it begins anew"


def test_a_field_that_a_newer_server_has_added_hinders_nobody() -> None:
    all_nodes, _ = _kept(_has_a_field_more)
    patient = _enter(all_nodes.all[2], role="patient")
    assert "welcome" in [frame["t"] for frame in patient.heard]


def test_who_is_in_a_room_is_told_when_it_cannot_be_read_any_more() -> None:
    """As after Redis was away: what the node has is another room than what the others share."""
    all_nodes, doctor = _kept(lambda _: b"nonsense")
    all_nodes.all[1].cut()
    all_nodes.all[1].back()
    all_nodes.settle()
    assert doctor.closed == (4500, "ROOM-UNREADABLE")
    all_nodes.pass_time(5)
    assert _last(_enter(all_nodes.all[1], "other-visit")) != "ROOM-UNREADABLE"


def test_what_is_written_of_rooms_has_a_version() -> None:
    """Servers of two versions would read each other's rooms wrongly: each has keys of its own."""
    found: dict[str, list[str]] = {}
    waiting: list[Any] = [ledger._Whole, ledger._Kept, *ledger._KINDS.values()]
    while waiting:
        kind = waiting.pop()
        waiting += [one for one in typing.get_args(kind) if one is not kind]
        if not isinstance(kind, type) or kind.__name__ in found or not kind.__module__.startswith("ringlight"):
            continue
        if issubclass(kind, enum.Enum):
            found[kind.__name__] = [str(one.value) for one in kind]
            continue
        hints = typing.get_type_hints(kind)
        names = [one.name for one in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else list(hints)
        found[kind.__name__] = [f"{name}: {hints[name]}" for name in names]
        waiting += [hints[name] for name in names]
    assert {"_Whole", "_Kept", "_Someone", "Returning", "Claims", "Enter"} <= found.keys()
    shape = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    assert {shared_keys.PREFIX: shape} == SHAPE, "it has changed: count up PREFIX, and write both here"


# ---- with Redis ----


@pytest.mark.parametrize("what", KEYS)
async def test_keys_of_another_kind_stop_no_server(
    redis: OwnRedis, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even the connection to Redis breaks, by which all other rooms are shared."""
    caplog.set_level(logging.INFO, "ringlight.rooms")
    async with node(redis) as (url, porter), page(url, room="other-visit") as other:
        await hear(other, "roster")
        with redis.client() as client:
            name = shared_keys.name_of("visit")
            KEYS[what](client, name)
            for _ in range(2):
                async with page(url) as web:
                    assert (await hear(web, "error"))["code"] == "ROOM-UNREADABLE"
            with pytest.raises(RingError, match="ROOM-UNREADABLE"):
                await porter.find("visit")
            with pytest.raises(RingError, match="ROOM-UNREADABLE"):
                await porter.make("visit")
            await say(other, 1, "still here")
            assert (await hear(other, "ok"))["rid"] == 1
            said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
            assert len(said) == 1, "once a minute"
            assert f"delete {name}:head" in said[0]
            client.delete(f"{name}:head", f"{name}:entries", f"{name}:whole")
            async with page(url) as web:
                await hear(web, "roster")
