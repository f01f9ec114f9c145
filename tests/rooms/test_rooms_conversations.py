"""Visits as they go, on a clock that is moved by hand."""

from typing import Any

import pytest

from ringlight.rooms.ice import Turn
from ringlight.rooms.memory import MemoryRooms, MemorySocket
from ringlight.rooms.people import ROLES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.settings import RoomSettings

KEY = Secret("for tests")


def enter(house: MemoryRooms, role: str, **hello: Any) -> MemorySocket:
    socket = house.connect("/ws/v2")
    socket.say({"t": "hello", "v": 2, "room": "visit", "role": role, **hello})
    return socket


def kinds(socket: MemorySocket) -> list[str]:
    return [frame.get("code") or frame["t"] for frame in socket.heard]


def news(socket: MemorySocket) -> list[dict[str, Any]]:
    """What came since this was asked last."""
    heard = socket.heard
    socket.frames.clear()
    return heard


def test_a_connection_that_does_not_come_back_is_gone_after_the_grace() -> None:
    house = MemoryRooms()
    doctor, other = enter(house, "doctor"), enter(house, "doctor")
    news(doctor)
    other.drop()
    house.pass_time(29)
    assert [frame["t"] for frame in news(doctor)] == ["left"]
    house.pass_time(2)
    assert [(frame["reason"], "grace_s" in frame) for frame in news(doctor)] == [("gone", False)]


def test_somebody_who_sleeps_is_told_on_waking_and_may_resume() -> None:
    house = MemoryRooms()
    doctor = enter(house, "doctor")
    welcome = doctor.heard[0]
    house.pass_time(30)
    doctor.say({"t": "ping"})
    house.pass_time(44)
    assert doctor.closed is None
    house.pass_time(2)
    assert doctor.closed == (4408, "ROOM-SILENT")
    again = enter(house, "doctor", session=welcome["session"], resume=welcome["resume"], seq=1)
    assert again.heard[0]["resumed"] is True


def test_whoever_resumes_need_not_say_in_which_room_they_were() -> None:
    """`session` is known in one room only, so its page may have forgotten the room's name."""
    house = MemoryRooms()
    doctor = enter(house, "doctor")
    enter(house, "doctor", room="another")
    welcome = doctor.heard[0]
    doctor.drop()
    page = house.connect("/ws/v2")
    page.say({"t": "hello", "v": 2, "session": welcome["session"], "resume": welcome["resume"], "seq": 1})
    assert (page.heard[0]["resumed"], page.heard[0]["room"]) == (True, welcome["room"])
    page = house.connect("/ws/v2")
    page.say({"t": "hello", "v": 2, "session": "p_nobody", "resume": welcome["resume"], "seq": 1})
    assert page.heard[0]["code"] == "ROOM-TOKEN-NEEDED"


def test_the_others_are_told_by_which_fault_somebody_is_away() -> None:
    """Silence is told apart from a connection that broke, for pages that say so in words."""
    house = MemoryRooms()
    doctor, patient = enter(house, "doctor"), enter(house, "doctor")
    news(doctor)
    house.pass_time(30)
    doctor.say({"t": "ping"})
    house.pass_time(16)
    assert [(one["t"], one["reason"], one["code"], one["grace_s"]) for one in news(doctor) if one["t"] != "pong"] == [
        ("left", "silent", "ROOM-SILENT", 30.0)
    ]
    refusal = next(frame for frame in patient.heard if frame["t"] == "error")
    assert (refusal["code"], refusal["retry"]) == ("ROOM-SILENT", "now")
    third = enter(house, "doctor")
    news(doctor)
    third.drop()
    assert [(one["reason"], "code" in one) for one in news(doctor)] == [("network", False)]


def test_more_than_is_kept_ends_in_a_fresh_start_with_the_same_name() -> None:
    house = MemoryRooms(RoomSettings(replay_messages=3))
    doctor, other = enter(house, "doctor"), enter(house, "doctor")
    welcome = doctor.heard[0]
    doctor.drop()
    for number in range(4):
        other.say({"t": "chat", "rid": number + 1, "text": "x"})
    news(other)
    again = enter(house, "doctor", session=welcome["session"], resume=welcome["resume"], seq=2)
    assert (again.heard[0]["resumed"], again.heard[0]["you"]["id"]) == (False, welcome["you"]["id"])
    assert kinds(again) == ["welcome", "roster"]
    assert [(frame["t"], frame["again"]) for frame in news(other)] == [("joined", True)]


def test_what_a_page_says_has_arrived_is_not_kept_for_it_and_the_rest_is() -> None:
    house = MemoryRooms()
    doctor, other = enter(house, "doctor"), enter(house, "doctor")
    welcome = doctor.heard[0]
    person = house.house.rooms["visit"].people[welcome["session"]]
    for number in range(4):
        other.say({"t": "chat", "rid": number + 1, "text": f"word {number}"})
    words = [frame for frame in doctor.heard if frame["t"] == "chat"]
    doctor.say({"t": "ping", "seen": words[1]["seq"]})
    assert len(person.outbox.kept) == 2
    doctor.say({"t": "ping", "seen": 1_000_000})  # nobody has sent that
    assert len(person.outbox.kept) == 2
    doctor.drop()
    again = enter(house, "doctor", session=welcome["session"], resume=welcome["resume"], seq=words[1]["seq"])
    assert (again.heard[0]["resumed"], [frame["text"] for frame in again.heard[1:]]) == (True, ["word 2", "word 3"])
    again.drop()
    early = {"resume": again.heard[0]["resume"], "seq": words[0]["seq"]}
    assert enter(house, "doctor", session=welcome["session"], **early).heard[0]["resumed"] is False


def test_when_the_last_who_may_admit_is_gone_the_patients_wait_again() -> None:
    """Two minutes later, and back in the line rather than out of the house."""
    house = MemoryRooms()
    doctor, patient = enter(house, "doctor"), enter(house, "patient")
    doctor.say({"t": "admit", "rid": 1})
    news(patient)
    doctor.say({"t": "bye"})
    assert doctor.closed == (1000, "left")
    house.pass_time(10)
    patient.say({"t": "ping"})
    house.pass_time(40)
    patient.say({"t": "ping"})
    house.pass_time(40)
    patient.say({"t": "ping"})
    assert {frame["t"] for frame in news(patient)} == {"left", "pong"}
    house.pass_time(31)
    assert [frame["t"] for frame in news(patient)] == ["waiting"]
    doctor = enter(house, "doctor")
    assert kinds(doctor) == ["welcome", "roster", "knock"]
    assert doctor.heard[-1]["waited_s"] == 121


def test_a_locked_room_hears_no_knocks_and_a_denied_patient_is_told_why() -> None:
    house = MemoryRooms()
    doctor, patient = enter(house, "doctor"), enter(house, "patient")
    knock = doctor.heard[-1]
    doctor.say({"t": "deny", "rid": 1, "id": knock["id"], "reason": "tomorrow at ten"})
    assert patient.heard[-1]["detail"] == "tomorrow at ten"
    assert patient.closed == (4403, "ROOM-DENIED")
    doctor.say({"t": "lock", "rid": 2, "on": True})
    assert kinds(enter(house, "patient")) == ["ROOM-LOCKED"]
    assert enter(house, "doctor").closed is None
    doctor.say({"t": "lock", "rid": 3, "on": False})
    assert kinds(enter(house, "patient")) == ["welcome", "waiting"]


def test_those_who_wait_hear_how_they_come_forward() -> None:
    house = MemoryRooms()
    first, second = enter(house, "patient"), enter(house, "patient")
    assert second.heard[-1]["position"] == 2
    first.say({"t": "bye"})
    assert second.heard[-1] == {"t": "waiting", "seq": 2, "position": 1}


def test_a_full_room_takes_nobody_more() -> None:
    house = MemoryRooms(RoomSettings(capacity=2))
    doctor = enter(house, "doctor")
    one, two = enter(house, "patient"), enter(house, "patient")
    doctor.say({"t": "admit", "rid": 1})
    assert (kinds(one)[-1], kinds(two)[-1]) == ("roster", "waiting")
    assert "ROOM-FULL" in kinds(doctor)
    assert enter(house, "doctor").closed == (4413, "ROOM-FULL")


def test_a_visit_has_its_time() -> None:
    house = MemoryRooms(now=1000)
    house.house.make("visit", opens=1060, closes=1120)
    early = enter(house, "patient")
    assert (early.heard[0]["code"], early.heard[0]["retry_after_s"]) == ("ROOM-EARLY", 60)
    house.pass_time(60)
    patient = enter(house, "patient")
    assert kinds(patient) == ["welcome", "waiting"]
    patient.say({"t": "ping"})
    house.pass_time(30)
    patient.say({"t": "ping"})
    house.pass_time(30)
    assert kinds(patient)[-2:] == ["ROOM-ENDED", "bye"]
    assert kinds(enter(house, "doctor")) == ["ROOM-ENDED"]


def test_exactly_one_of_two_is_polite() -> None:
    """The clinician never is towards a patient; among equals the one who came later."""
    house = MemoryRooms()
    house.house.make("visit", lobby=False)
    sockets = [enter(house, role) for role in ("patient", "doctor", "companion", "doctor")]
    ids = [socket.heard[0]["you"]["id"] for socket in sockets]
    yields: dict[tuple[int, int], bool] = {}
    for index, socket in enumerate(sockets):
        people = socket.heard[1]["people"] + [frame["person"] for frame in socket.heard if frame["t"] == "joined"]
        for person in people:
            yields[index, ids.index(person["id"])] = person.get("polite", False)
    assert {pair for pair, polite in yields.items() if polite} == {(0, 1), (0, 3), (2, 0), (2, 1), (2, 3), (3, 1)}
    assert len(yields) == 12


def test_an_unanswered_offer_is_forgotten_after_its_time_or_with_its_sender() -> None:
    offer = '{"type":"offer","offer":{"type":"offer","sdp":"v=0"}}'
    house = MemoryRooms(RoomSettings(offer_kept=60))
    doctor = house.connect("/ws/signaling/visit/doctor")
    doctor.say(offer)
    house.pass_time(61)
    patient = house.connect("/ws/signaling/visit/patient")
    assert patient.frames == []
    patient.drop()
    doctor.say(offer)
    doctor.drop()
    house.connect("/ws/signaling/visit/doctor")
    assert house.connect("/ws/signaling/visit/patient").frames == []


def test_a_token_is_renewed_in_the_call_and_ends_a_call_that_did_not_hear_of_it() -> None:
    tokens = Tokens(KEY, 100)
    house = MemoryRooms(RoomSettings(silent_after=1000), tokens)
    claims = Claims("visit", "u", "patient", ROLES["patient"], "B")
    patient = enter(house, "patient", token=tokens.sign(claims, house.now).reveal())
    house.pass_time(81)
    renewed = patient.heard[-1]
    assert (renewed["t"], renewed["expires_s"]) == ("token", 100)
    found = tokens.check(renewed["token"], house.now)
    assert (found.person, found.role, found.name, found.expires) == ("u", "patient", "B", int(house.now - 1) + 100)
    house.pass_time(300)
    assert patient.closed is None
    assert kinds(patient).count("token") == 4
    patient.drop()
    house.pass_time(31)
    late = enter(house, "patient", token=renewed["token"])
    assert kinds(late) == ["ROOM-TOKEN-EXPIRED"]


def test_ice_servers_are_told_with_credentials_that_end_and_are_renewed() -> None:
    """coturn's REST interface: the name is the end and the person, the password its HMAC-SHA1."""
    house = MemoryRooms(RoomSettings(silent_after=10_000), now=1000)
    assert enter(house, "doctor").heard[0]["ice"] == []
    house.house._turn = Turn(["turn:turn.example:3478"], Secret("north"), 100)
    doctor = enter(house, "doctor")
    welcome = doctor.heard[0]
    assert welcome["ice_ttl_s"] == 100
    assert welcome["ice"][0]["username"] == f"1100:{welcome['you']['id']}"
    known, _ = Turn(["turn:x"], Secret("north"), 0).servers("p_1", 1100)
    assert (known[0].username, known[0].credential) == ("1100:p_1", "2c/CgewbelVVUwm3LyXLQZQ6ISc=")
    house.pass_time(81)
    assert doctor.heard[-1]["t"] == "ice"
    assert doctor.heard[-1]["ice"][0]["username"].startswith("1180:")
    house.pass_time(81)
    assert doctor.heard[-1]["ice"][0]["username"].startswith("1260:"), "and so on"
    doctor.drop()
    house.pass_time(10)
    again = enter(house, "doctor", session=welcome["session"], resume=welcome["resume"], seq=1).heard[0]
    assert (again["resumed"], again["ice"][0]["username"].partition(":")[0]) == (True, "1272")


def test_a_restart_sends_pages_away_to_come_back_at_different_times() -> None:
    house = MemoryRooms()
    sockets = [enter(house, "doctor") for _ in range(4)]
    house.porter.drain()
    byes = [socket.heard[-1] for socket in sockets]
    assert {(bye["reason"], bye["action"]) for bye in byes} == {("restart", "rejoin")}
    assert len({bye.get("delay_s", 0) for bye in byes}) == 4
    assert {socket.closed for socket in sockets} == {(1001, "restart")}
    assert kinds(enter(house, "doctor")) == ["ROOM-BUSY"]


@pytest.mark.parametrize("message", [
    {"t": "signal", "to": "p_none", "candidate": None},
    {"t": "chat", "to": "p_none", "text": "x"},
    {"t": "send_back", "id": "p_none"},
    {"t": "admit", "id": "p_none"},
])  # fmt: skip
def test_a_message_for_nobody_is_answered(message: dict[str, Any]) -> None:
    doctor = enter(MemoryRooms(), "doctor")
    doctor.say({**message, "rid": 1})
    assert (doctor.heard[-1]["code"], doctor.heard[-1]["rid"]) == ("ROOM-PERSON", 1)


@pytest.mark.parametrize("message", [
    {"t": "signal"}, {"t": "signal", "candidate": None, "description": {"type": "offer"}},
    {"t": "signal", "description": "offer"}, {"t": "signal", "description": {}}, {"t": "lock"}, {"t": "nothing"},
    {"t": "chat", "text": 5}, {"t": "chat", "text": "x", "rid": -1}, {"t": "hello", "v": 2},
])  # fmt: skip
def test_a_message_of_the_wrong_shape_is_answered_and_changes_nothing(message: dict[str, Any]) -> None:
    house = MemoryRooms()
    doctor, other = enter(house, "doctor"), enter(house, "doctor")
    before = len(other.frames)
    doctor.say(message)
    assert doctor.heard[-1]["code"] == "ROOM-MESSAGE"
    assert len(other.frames) == before
    assert doctor.closed is None


def test_nothing_that_is_logged_names_anybody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    tokens = Tokens(KEY, 100)
    house = MemoryRooms(tokens=tokens)
    token = tokens.sign(Claims("canary-room", "canary-sub", "clinician", ROLES["clinician"], "canary-name"), house.now)
    doctor = house.connect("/ws/v2")
    doctor.say({"t": "hello", "v": 2, "token": token.reveal()})
    doctor.say({"t": "chat", "text": "canary-words"})
    doctor.say({"t": "signal", "description": {"type": "offer", "sdp": "canary-sdp"}})
    doctor.drop()
    house.pass_time(31)
    assert caplog.messages
    assert "canary" not in caplog.text
    assert token.reveal() not in caplog.text


def test_before_a_room_there_is_place_for_so_many_and_no_more() -> None:
    house = MemoryRooms(RoomSettings(waiting=2))
    patients = [enter(house, "patient") for _ in range(3)]
    assert [patient.closed for patient in patients] == [None, None, (4413, "ROOM-FULL")]
    assert enter(house, "doctor").closed is None, "who may admit needs no place there"
    patients[0].say({"t": "bye"})
    assert enter(house, "patient").closed is None


def test_every_host_and_whoever_is_next_hears_that_somebody_was_let_in() -> None:
    house = MemoryRooms()
    doctor, desk = enter(house, "doctor"), enter(house, "receptionist")
    first, second = enter(house, "patient"), enter(house, "patient")
    news(desk)
    doctor.say({"t": "admit", "rid": 1, "id": first.heard[0]["you"]["id"]})
    told = news(desk)
    assert [frame["t"] for frame in told] == ["knock_gone", "joined"]
    assert told[0]["id"] == first.heard[0]["you"]["id"]
    assert (second.heard[-1]["t"], second.heard[-1]["position"]) == ("waiting", 1)


def test_an_offer_is_for_those_of_another_role_and_is_void_once_its_sender_has_to_wait() -> None:
    offer = {"t": "signal", "description": {"type": "offer", "sdp": "v=0"}}
    house = MemoryRooms()
    doctor, patient = enter(house, "doctor"), enter(house, "patient")
    doctor.say({"t": "admit", "rid": 1})
    for speaker in (doctor, patient):
        speaker.say(offer)
    colleague, relative = enter(house, "doctor"), enter(house, "companion")
    assert kinds(colleague) == ["welcome", "roster", "signal", "knock"], "the offer is the patient's"
    doctor.say({"t": "admit", "rid": 2})
    assert kinds(relative) == ["welcome", "waiting", "roster", "signal", "signal"]
    ada = patient.heard[0]["you"]["id"]
    doctor.say({"t": "send_back", "rid": 3, "id": ada})
    doctor.say({"t": "admit", "rid": 4, "id": ada})
    assert kinds(enter(house, "doctor")) == ["welcome", "roster"]


def test_of_an_offer_that_nobody_answers_only_so_many_candidates_are_kept() -> None:
    house = MemoryRooms(RoomSettings(burst=1000))
    doctor = house.connect("/ws/signaling/visit/doctor")
    doctor.say('{"type":"offer","offer":{"type":"offer","sdp":"v=0"}}')
    for number in range(200):
        doctor.say(f'{{"type":"ice-candidate","candidate":{{"candidate":"candidate:{number}"}}}}')
    patient = house.connect("/ws/signaling/visit/patient")
    told = [frame["candidate"]["candidate"] for frame in patient.heard[1:]]
    assert (len(told), told[0], told[-1]) == (64, "candidate:0", "candidate:199")


def test_a_page_that_never_got_its_new_secret_comes_back_with_the_one_before() -> None:
    """The answer to a resume is lost with its connection as easily as anything else; what is older is worth nothing."""
    house = MemoryRooms()
    page = enter(house, "doctor")
    first = page.heard[0]
    seen = {"session": first["session"], "seq": page.heard[-1]["seq"]}
    page.drop()
    lost = enter(house, "doctor", resume=first["resume"], **seen)
    lost.drop()
    again = enter(house, "doctor", resume=first["resume"], **seen)
    assert again.heard[0]["resumed"] is True
    again.drop()
    third = enter(house, "doctor", resume=again.heard[0]["resume"], **seen)
    third.drop()
    assert enter(house, "doctor", resume=first["resume"], **seen).heard[0]["session"] != first["session"]


def test_a_token_that_has_ended_opens_no_session_and_keeps_no_place() -> None:
    tokens = Tokens(KEY, 100)
    house = MemoryRooms(RoomSettings(grace=1000), tokens)
    token = tokens.sign(Claims("visit", "u", "clinician", ROLES["clinician"]), house.now).reveal()
    doctor, other = enter(house, "doctor", token=token), enter(house, "doctor")
    welcome = doctor.heard[0]
    doctor.drop()
    house.pass_time(20)
    other.say({"t": "ping"})
    session = {"t": "hello", "v": 2, "room": "visit", "session": welcome["session"], "resume": welcome["resume"]}
    elsewhere = {"local": False, "host": "clinic.example"}
    in_time = house.connect("/ws/v2", **elsewhere)
    in_time.say(session)
    assert in_time.heard[0]["resumed"] is True
    in_time.drop()
    for _ in range(3):
        house.pass_time(30)
        other.say({"t": "ping"})
    news(other)
    late = house.connect("/ws/v2", **elsewhere)
    late.say(session | {"resume": in_time.heard[0]["resume"]})
    assert kinds(late) == ["ROOM-TOKEN-NEEDED"]
    house.pass_time(20)
    assert [(one["t"], one["reason"]) for one in news(other)] == [("left", "token-expired")]


def test_more_bytes_than_are_good_for_a_call_are_refused() -> None:
    """Two megabytes a minute, however few the messages are that bring them."""
    house = MemoryRooms()
    doctor, other = enter(house, "doctor"), enter(house, "doctor")
    for _ in range(50):
        doctor.say({"t": "signal", "description": {"type": "offer", "sdp": "a" * 60_000}})
        house.pass_time(0.5)
        other.say({"t": "ping"})
    heard = sum(frame["t"] == "signal" for frame in other.heard)
    assert 35 < heard < 50
    refused = [frame for frame in doctor.heard if frame["t"] == "error"]
    assert {frame["code"] for frame in refused} == {"ROOM-RATE"}
    assert refused[0]["retry_after_s"] > 0


def test_what_a_newer_page_of_somebody_says_counts_from_its_first_message_on() -> None:
    """It numbers its messages anew, and has sent none of those that the older one did."""
    tokens = Tokens(KEY, 100)
    house = MemoryRooms(tokens=tokens)
    token = tokens.sign(Claims("visit", "u", "clinician", ROLES["clinician"]), house.now).reveal()
    other, older = enter(house, "doctor"), enter(house, "doctor", token=token)
    for rid in (1, 2):
        older.say({"t": "chat", "rid": rid, "text": f"older {rid}"})
    newer = enter(house, "doctor", token=token)
    assert newer.heard[0]["rid"] == 0
    newer.say({"t": "chat", "rid": 1, "text": "newer 1"})
    assert [one["text"] for one in other.heard if one["t"] == "chat"] == ["older 1", "older 2", "newer 1"]


def test_a_room_that_nobody_made_is_forgotten_some_time_after_the_last_has_left() -> None:
    tokens = Tokens(KEY, 1000)
    house = MemoryRooms(RoomSettings(empty_after=60), tokens)
    house.house.make("made")
    token = tokens.sign(Claims("visit", "u", "clinician", ROLES["clinician"]), house.now).reveal()
    enter(house, "doctor", token=token).say({"t": "bye"})
    house.pass_time(59)
    assert set(house.house.rooms) == {"made", "visit"}
    house.pass_time(2)
    assert set(house.house.rooms) == {"made"}


def test_where_there_is_a_lobby_nobody_takes_the_place_of_another_by_saying_the_same_role() -> None:
    """At the old address a role is all that is said. Whoever may admit is no stranger to the room, and takes over."""
    house = MemoryRooms()
    house.house.make("visit")
    one, other = (house.connect("/ws/signaling/visit/patient") for _ in range(2))
    assert (one.closed, other.closed, len(house.house.room("visit").people)) == (None, None, 2)
    first, second = (house.connect("/ws/signaling/visit/doctor") for _ in range(2))
    assert (first.closed, second.closed) == ((1000, ""), None)
