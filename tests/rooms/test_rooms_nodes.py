"""Rooms that several nodes share: who dies, who is cut off, and what people notice of it."""

import dataclasses
from typing import Any

import pytest
from room_nodes import Node, Nodes, same

from ringlight.rooms import ledger
from ringlight.rooms.copies import Present, Sign
from ringlight.rooms.events import Make
from ringlight.rooms.memory import MemorySocket
from ringlight.rooms.people import Returning
from ringlight.settings import RoomSettings


def enter(node: Node, role: str = "doctor", **hello: Any) -> MemorySocket:
    socket = node.connect()
    socket.say({"t": "hello", "v": 2, "room": "visit", "role": role, **hello})
    node.nodes.settle()
    return socket


def news(socket: MemorySocket) -> list[dict[str, Any]]:
    heard = socket.heard
    socket.frames.clear()
    return heard


def kinds(socket: MemorySocket) -> list[str]:
    return [frame["t"] for frame in news(socket)]


def test_people_of_two_nodes_meet_and_signal() -> None:
    nodes = Nodes(2)
    doctor, patient = enter(nodes.all[1]), enter(nodes.all[2], "patient")
    assert kinds(doctor) == ["welcome", "roster", "knock"]
    assert kinds(patient) == ["welcome", "waiting"]
    doctor.say({"t": "admit", "rid": 1})
    nodes.settle()
    me = next(frame["person"]["id"] for frame in news(doctor) if frame["t"] == "joined")
    patient.say({"t": "signal", "rid": 1, "candidate": {"candidate": "c"}})
    nodes.settle()
    assert [(frame["t"], frame.get("from")) for frame in news(doctor)] == [("signal", me)]
    assert kinds(patient) == ["roster", "ok"]


def test_who_was_on_a_node_that_dies_goes_on_at_another_and_has_missed_nothing() -> None:
    nodes = Nodes(2)
    doctor, other = enter(nodes.all[1]), enter(nodes.all[2])
    welcome, seq = doctor.heard[0], doctor.heard[-1]["seq"]
    news(other)
    other.say({"t": "chat", "rid": 1, "text": "are you there?"})
    nodes.settle()
    nodes.kill(1)  # the page never got the words
    again = enter(nodes.all[2], session=welcome["session"], resume=welcome["resume"], seq=seq)
    heard = again.heard
    assert (heard[0]["resumed"], heard[0]["you"]["id"]) == (True, welcome["you"]["id"])
    assert [frame.get("text") for frame in heard[1:]] == ["are you there?"]
    assert kinds(other) == ["ok", "back"]


def test_a_node_that_dies_leaves_nobody_behind() -> None:
    nodes = Nodes(2, RoomSettings(grace=10))
    enter(nodes.all[1])
    other = enter(nodes.all[2])
    news(other)
    nodes.kill(1)
    nodes.pass_time(4)
    assert [(frame["t"], "grace_s" in frame) for frame in news(other)] == [("left", True)]
    nodes.pass_time(12)
    assert [(frame["t"], frame["reason"]) for frame in news(other)] == [("left", "gone")]


def test_a_message_that_was_taken_counts_once_wherever_it_is_sent_again() -> None:
    nodes = Nodes(3)
    doctor, other = enter(nodes.all[1]), enter(nodes.all[3])
    welcome, seq = doctor.heard[0], doctor.heard[-1]["seq"]
    doctor.say({"t": "chat", "rid": 1, "text": "one"})
    nodes.all[1].write()
    nodes.kill(1)  # it was written, and the page was not told
    nodes.settle()
    again = enter(nodes.all[2], session=welcome["session"], resume=welcome["resume"], seq=seq)
    assert again.heard[0]["rid"] == 1
    again.say({"t": "chat", "rid": 1, "text": "one"})
    nodes.settle()
    assert [frame["text"] for frame in news(other) if frame["t"] == "chat"] == ["one"]


def test_without_redis_each_node_goes_on_with_its_people_and_says_so() -> None:
    nodes = Nodes(2)
    doctor, near, far = enter(nodes.all[1]), enter(nodes.all[1]), enter(nodes.all[2])
    for socket in (doctor, near, far):
        news(socket)
    nodes.lose_redis()
    notice = next(frame for frame in doctor.heard if frame["t"] == "notice")
    assert (notice["code"], notice["on"]) == ("ROOM-ALONE", True)
    assert [frame["t"] for frame in news(doctor)] == ["left", "notice"]
    assert kinds(far) == ["left", "left", "notice"]
    doctor.say({"t": "chat", "rid": 1, "text": "still here?"})
    assert kinds(doctor) == ["ok"]
    assert kinds(near) == ["left", "notice", "chat"]
    late = enter(nodes.all[1])
    assert kinds(late) == ["welcome", "roster", "notice"]
    kinds(doctor)
    nodes.revive_redis()
    nodes.settle()
    assert sorted(kinds(doctor)) == ["back", "notice"]
    heard = news(far)
    assert sorted(frame["t"] for frame in heard) == ["back", "back", "chat", "joined", "notice"]
    assert [frame["text"] for frame in heard if frame["t"] == "chat"] == ["still here?"], "said while it was away"
    assert [frame["seq"] for frame in heard] == sorted(frame["seq"] for frame in heard)
    far.say({"t": "chat", "rid": 1, "text": "yes"})
    nodes.settle()
    assert [frame["text"] for frame in news(doctor) if frame["t"] == "chat"] == ["yes"]
    same(nodes)


def test_a_node_that_stood_still_is_taken_for_dead_and_comes_back() -> None:
    """Its connections live, and what its people said meanwhile is not lost."""
    nodes = Nodes(2)
    doctor, other = enter(nodes.all[1]), enter(nodes.all[2])
    for socket in (doctor, other):
        news(socket)
    sleeper = nodes.all.pop(1)
    doctor.say({"t": "chat", "rid": 1, "text": "one"})  # written, and read only after it was said to be dead
    for _ in range(3):
        nodes.look()
        nodes.settle()
    assert kinds(other) == ["left"]
    nodes.all[1] = sleeper
    nodes.look()
    nodes.settle()
    doctor.say({"t": "chat", "rid": 2, "text": "two"})
    nodes.settle()
    heard = news(other)
    assert [frame["text"] for frame in heard if frame["t"] == "chat"] == ["one", "two"]
    assert heard[0]["t"] == "back"
    assert [frame["rid"] for frame in news(doctor) if frame["t"] == "ok"] == [1, 2]
    same(nodes)


def test_a_node_that_comes_late_reads_the_whole_room() -> None:
    nodes = Nodes(2)
    doctor, other = enter(nodes.all[1]), enter(nodes.all[1])
    for number in range(250):
        doctor.say({"t": "chat", "rid": number + 1, "text": str(number)})
        nodes.settle()
        nodes.now += 1
        for socket in (doctor, other):
            socket.say({"t": "ping"})
    kept = nodes.ledgers["visit"]
    assert kept.kept >= 200
    assert len(kept.entries) < 200, "and the oldest entries are gone"
    third = enter(nodes.all[2])
    assert [len(frame["people"]) for frame in third.heard if frame["t"] == "roster"] == [2]
    same(nodes)


def test_a_room_is_forgotten_when_all_have_left() -> None:
    nodes = Nodes(2)
    doctor, other = enter(nodes.all[1]), enter(nodes.all[2])
    doctor.say({"t": "bye"})
    other.say({"t": "bye"})
    nodes.settle()
    nodes.pass_time(2)
    assert nodes.ledgers == {}
    assert not nodes.all[1].house.rooms


def test_a_restarted_server_that_drains_says_so_at_once() -> None:
    nodes = Nodes(2)
    doctor, other = enter(nodes.all[1]), enter(nodes.all[2])
    for socket in (doctor, other):
        news(socket)
    nodes.all[1].porter.drain()
    nodes.settle()
    assert kinds(doctor) == ["bye"]
    assert kinds(other) == ["left"]


@pytest.mark.parametrize("path", ["/ws/signaling/visit/doctor"])
def test_pages_of_the_old_kind_meet_across_nodes(path: str) -> None:
    nodes = Nodes(2)
    doctor = nodes.all[1].connect(path)
    nodes.settle()
    doctor.say('{"type":"offer","offer":{"type":"offer","sdp":"v=0"}}')
    nodes.settle()
    patient = nodes.all[2].connect("/ws/signaling/visit/patient")
    nodes.settle()
    assert [frame["type"] for frame in doctor.heard] == ["user-joined"]
    assert [frame["type"] for frame in patient.heard] == ["offer"], "which nobody had answered"


def remembered(thing: object) -> set[str]:
    """The names of all that it has; a compiled class has a list of them."""
    lists = [vars(kind).get("__mypyc_attrs__", vars(kind).get("__slots__", ())) for kind in type(thing).__mro__]
    return {*getattr(thing, "__dict__", ()), *(name for names in lists for name in names)}


def test_a_room_is_written_whole() -> None:
    """Whatever a room remembers is the same after it was written and read; only what is made anew is left out."""
    nodes = Nodes(1)
    made = Make(consent=frozenset({"video"}), cameras={"front-door": "Front Door"})
    nodes.all[1].porter.perform(nodes.all[1].house.happen("visit", made, nodes.now))
    doctor, other = enter(nodes.all[1]), enter(nodes.all[1], "patient")
    doctor.say({"t": "lock", "on": True})
    doctor.say({"t": "signal", "description": {"type": "offer", "sdp": "v=0"}})
    other.drop()
    nodes.settle()
    room = nodes.all[1].house.room("visit")
    assert [len(room.people), len(room.by_socket)] == [2, 1], "one of both has gone"
    again = ledger.read_room(ledger.write_room(room), room.settings)
    made_anew = {"settings", "by_socket", "mark", "out"}
    assert remembered(room) - made_anew == set(ledger._Whole.__struct_fields__)
    for name in remembered(room) - made_anew - {"people"}:
        assert getattr(again, name) == getattr(room, name), name
    assert set(again.by_socket) == set(room.by_socket)
    for before, after in zip(room.people.values(), again.people.values(), strict=True):
        assert {part.name for part in dataclasses.fields(before)} == set(ledger._Someone.__struct_fields__)
        for part in dataclasses.fields(before):
            if part.name == "outbox":
                for name in remembered(before.outbox):
                    assert getattr(before.outbox, name) == getattr(after.outbox, name), name
            else:
                assert getattr(before, part.name) == getattr(after, part.name), part.name


def recorded(nodes: Nodes) -> list[str]:
    return [note.what for node in nodes.all.values() for note in node.recorded if note.what != "lost"]


def test_what_happens_is_recorded_by_one_node() -> None:
    nodes = Nodes(3, RoomSettings(grace=10))
    doctor, patient = enter(nodes.all[1]), enter(nodes.all[2], "patient")
    enter(nodes.all[3])
    doctor.say({"t": "admit"})
    nodes.settle()
    patient.drop()
    nodes.pass_time(20)
    doctor.say({"t": "end"})
    nodes.settle()
    assert sorted(recorded(nodes)) == ["admitted", "ended", *["entered"] * 3, "left", "started", "waiting"]


def test_what_a_node_had_not_written_down_when_it_died_is_recorded_by_the_others_under_one_name() -> None:
    nodes = Nodes(3)
    doctor = enter(nodes.all[1])
    patient = enter(nodes.all[2], "patient")
    enter(nodes.all[3])
    doctor.say({"t": "admit"})
    nodes.settle()
    assert "roster" in kinds(patient)
    lost = [note for note in nodes.all[1].recorded if note.what in ("admitted", "entered")]
    nodes.kill(1)
    nodes.pass_time(200)
    for node in nodes.all.values():
        found = [note for note in node.recorded if note in lost]
        assert found == lost, "once, with its name and its time; of all who write it down, the first counts"


def test_what_only_the_dead_node_had_read_is_recorded_by_who_comes_to_the_room_next() -> None:
    nodes = Nodes(2)
    enter(nodes.all[1])
    lost = nodes.all[1].recorded
    nodes.kill(1)
    enter(nodes.all[2], "patient")
    nodes.pass_time(4)
    assert [note for note in nodes.all[2].recorded if note in lost] == lost


def test_a_node_that_is_alone_does_not_say_that_people_of_others_have_left() -> None:
    nodes = Nodes(2, RoomSettings(grace=5))
    enter(nodes.all[1]), enter(nodes.all[2])
    before = recorded(nodes)
    nodes.lose_redis()
    nodes.pass_time(30)
    assert recorded(nodes) == before
    nodes.revive_redis()
    nodes.settle()
    assert recorded(nodes) == before
    same(nodes)


def test_a_visit_whose_time_is_over_ends_once_also_while_nodes_are_apart() -> None:
    nodes = Nodes(2)
    nodes.database["visit"] = Make(lobby=False, closes=nodes.now + 20)
    enter(nodes.all[1]), enter(nodes.all[2])
    nodes.lose_redis()
    nodes.pass_time(30)
    nodes.revive_redis()
    nodes.settle()
    ended = [note for node in nodes.all.values() for note in node.recorded if note.what == "ended"]
    assert len({note.id for note in ended}) == 1
    assert ended[0].id != ""


def test_a_kept_room_is_found_in_the_database_by_a_node_that_never_had_it() -> None:
    """And as it was: locked, with its cameras, and whoever was inside comes in at once."""
    nodes = Nodes(2)
    awaited = {"u_b": Returning(True, frozenset({"video"}))}
    made = Make(cameras={"front-door": "Front Door"}, consent=frozenset({"video"}), locked=True, returning=awaited)
    nodes.database["visit"] = made
    doctor = enter(nodes.all[1])
    assert doctor.heard[-1]["people"][0]["camera"] == "front-door"
    assert [frame["code"] for frame in enter(nodes.all[2], "patient").heard if frame["t"] == "error"] == ["ROOM-LOCKED"]
    room = nodes.all[2].house.rooms["visit"]
    assert (room.kept, room.consent, room.returning) == (True, frozenset({"video"}), awaited)
    same(nodes)


def test_a_kept_room_is_found_while_redis_is_away() -> None:
    nodes = Nodes(1)
    nodes.database["visit"] = Make(ended_at=1.0)
    nodes.lose_redis()
    assert [frame["code"] for frame in enter(nodes.all[1]).heard if frame["t"] == "error"] == ["ROOM-ENDED"]
    nodes.database["other"] = Make(lobby=False)
    patient = enter(nodes.all[1], "patient", room="other")
    assert kinds(patient)[:2] == ["welcome", "roster"]


def test_a_room_that_nobody_made_begins_while_redis_is_away() -> None:
    nodes = Nodes(1)
    nodes.lose_redis()
    assert kinds(enter(nodes.all[1]))[:2] == ["welcome", "roster"]


def comes_back(node: Node, before: MemorySocket) -> str:
    """Come back to a node from another one, after all that was heard; return what came of it."""
    welcome, seq = before.heard[0], max(frame.get("seq", 0) for frame in before.heard)
    again = enter(node, session=welcome["session"], resume=welcome["resume"], seq=seq)
    first = again.heard[0]
    return str(first["code"] if first["t"] == "error" else first["resumed"])


def test_who_comes_to_a_node_that_has_not_heard_of_them_while_redis_is_away_is_sent_back_to_their_own() -> None:
    """Another name in an empty room would help nobody: their own node has all, and brings it once Redis is back."""
    nodes = Nodes(2)
    doctor = enter(nodes.all[1])
    nodes.lose_redis()
    assert comes_back(nodes.all[2], doctor) == "ROOM-BUSY"
    assert comes_back(nodes.all[1], doctor) == "True"


def test_so_it_is_with_a_node_that_knows_them_and_has_told_others_meanwhile_what_they_have_not_heard() -> None:
    """The numbers of what it would tell are those of what their own node has told."""
    nodes = Nodes(2)
    doctor, far = enter(nodes.all[1]), enter(nodes.all[2])
    nodes.lose_redis()
    far.say({"t": "chat", "rid": 1, "text": "one"})
    far.say({"t": "chat", "rid": 2, "text": "two"})
    assert comes_back(nodes.all[2], doctor) == "ROOM-BUSY"
    nodes.revive_redis()
    nodes.settle()
    assert [frame["text"] for frame in doctor.heard if frame["t"] == "chat"] == ["one", "two"]
    assert comes_back(nodes.all[2], doctor) == "True"
    same(nodes)


def test_so_it_is_while_only_one_node_has_seen_that_redis_is_back_and_has_forgotten_all() -> None:
    nodes = Nodes(2)
    doctor = enter(nodes.all[1])
    nodes.lose_redis()
    nodes.away = False
    nodes.all[2].back()
    assert comes_back(nodes.all[2], doctor) == "ROOM-BUSY"
    nodes.all[1].back()
    nodes.settle()
    assert comes_back(nodes.all[2], doctor) == "True"
    same(nodes)


def test_whose_own_node_is_gone_too_is_taken_anew_after_a_while() -> None:
    """Who is there may talk, with what there is."""
    nodes = Nodes(2)
    doctor = enter(nodes.all[1])
    nodes.lose_redis()
    nodes.kill(1)
    nodes.now += 9
    assert comes_back(nodes.all[2], doctor) == "ROOM-BUSY"
    nodes.now += 1
    assert comes_back(nodes.all[2], doctor) == "False"


def test_nobody_waits_for_a_node_that_had_redis_all_the_time() -> None:
    """Only the other one was without it for a moment: what theirs has told is in the ledger, though it dies then."""
    nodes = Nodes(2)
    doctor, far = enter(nodes.all[1]), enter(nodes.all[2])
    nodes.all[2].cut()
    doctor.say({"t": "chat", "rid": 1, "text": "meanwhile"})
    nodes.settle()
    nodes.pass_time(1)
    nodes.all[2].back()
    nodes.settle()
    nodes.pass_time(1)  # to the first look after that
    nodes.kill(1)
    nodes.pass_time(3)
    assert comes_back(nodes.all[2], doctor) == "True"
    assert "meanwhile" in [frame.get("text") for frame in far.heard], far.heard


def test_who_was_with_a_node_whose_last_sign_is_from_before_waits() -> None:
    """It may have been without Redis as well: what it told then has the numbers of what is told here."""
    nodes = Nodes(2)
    doctor, far = enter(nodes.all[1]), enter(nodes.all[2])
    nodes.pass_time(1)
    second, old = nodes.all[2], Sign(1, nodes.now + 3)
    for node in nodes.all.values():
        node.cut()
    enter(nodes.all[1], role="patient")  # who knocks is told to the doctor alone
    nodes.kill(1)
    second.is_cut = False
    for look in range(2):
        second.porter.feed(Present({1: old, 2: Sign(2, nodes.now + 3 + look)}))
    nodes.pass_time(4)
    for rid in range(1, 6):
        far.say({"t": "chat", "rid": rid, "text": "told here"})
    nodes.settle()
    assert comes_back(second, doctor) == "ROOM-BUSY"
    nodes.pass_time(7)
    assert comes_back(second, doctor) != "ROOM-BUSY"


def test_a_node_that_was_away_itself_is_not_taken_for_steady() -> None:
    """Nor after another moment without Redis: it had not brought yet what it told in the first."""
    nodes = Nodes(2)
    doctor, far = enter(nodes.all[1]), enter(nodes.all[2])
    nodes.pass_time(1)
    first, second = nodes.all[1], nodes.all[2]
    for node in (first, second):
        node.cut()
    enter(first, role="patient")
    nodes.now += 1
    first.back()
    second.back()
    for _ in range(2):
        first.porter.asked.clear()  # nothing of it reaches Redis
        second.write()
        second.read()
        nodes.now += 1
        nodes.look()
        second.cut()
        second.back()
    nodes.now += 1
    nodes.look()
    nodes.kill(1)
    nodes.pass_time(4)
    for rid in range(1, 6):
        far.say({"t": "chat", "rid": rid, "text": "told here"})
    nodes.settle()
    assert comes_back(second, doctor) == "ROOM-BUSY"


def test_redis_forgets_all_without_being_away_and_nothing_is_lost() -> None:
    nodes = Nodes(3)
    nodes.database["visit"] = Make(lobby=False)
    doctor, patient = enter(nodes.all[1]), enter(nodes.all[2], "patient")
    nodes.flush_redis()
    news(doctor), news(patient)
    patient.say({"t": "chat", "text": "still there?"})
    nodes.settle()
    doctor.say({"t": "signal", "candidate": None})
    nodes.settle()
    told = kinds(doctor)
    assert [kind for kind in told if kind in ("chat", "left", "back")] == ["left", "back", "chat"]
    assert "signal" in kinds(patient)
    late = enter(nodes.all[3], "patient")
    assert len(late.heard[-1]["people"]) == 2
    assert nodes.all[3].house.rooms["visit"].kept
    same(nodes)


def test_who_comes_first_after_redis_has_forgotten_all_meets_those_who_were_there() -> None:
    nodes = Nodes(2, RoomSettings(silent_after=1000))
    nodes.database["visit"] = Make(lobby=False)
    doctor = enter(nodes.all[1])
    nodes.flush_redis()
    news(doctor)
    patient = enter(nodes.all[2], "patient")
    assert "joined" in kinds(doctor)
    patient.say({"t": "chat", "text": "hello"})
    nodes.settle()
    assert [frame["text"] for frame in news(doctor) if frame["t"] == "chat"] == ["hello"]
    nodes.pass_time(200)
    assert [note.what for node in nodes.all.values() for note in node.recorded if note.what == "left"] == []
    same(nodes)
