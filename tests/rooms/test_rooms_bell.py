"""Cameras among the people of a room: who knows of them, and who hears their bell."""

import pytest
from test_rooms_conversations import enter, kinds, news

from ringlight.errors import RingError
from ringlight.rooms import bell
from ringlight.rooms.events import AddCamera, Pressed, RemoveCamera
from ringlight.rooms.memory import MemoryRooms
from ringlight.rooms.people import ROLES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret

DOOR = {"id": "c_front-door", "role": "camera", "name": "Front Door", "camera": "front-door"}


def house_with_camera(tokens: Tokens | None = None) -> MemoryRooms:
    house = MemoryRooms(tokens=tokens)
    house.house.make("visit", lobby=False, capacity=2, cameras={"front-door": "Front Door"})
    return house


def test_who_may_see_finds_the_camera_in_the_roster_and_takes_no_place_from_anybody() -> None:
    house = house_with_camera()
    doctor, patient = enter(house, "doctor"), enter(house, "patient")
    assert doctor.heard[1]["people"] == [DOOR]
    assert [one["role"] for one in patient.heard[1]["people"]] == ["clinician"], "nobody else knows of it"
    assert house.house.room("visit").inside_count == 2


def test_a_press_rings_for_who_may_see_who_is_there_and_once() -> None:
    house = house_with_camera()
    doctor, patient = enter(house, "receptionist"), enter(house, "patient")
    room, heard = house.house.room("visit"), len(patient.frames)
    seq = doctor.heard[-1]["seq"]
    news(doctor)
    house.porter.happen(room, Pressed("front-door", "7501"))
    assert news(doctor) == [{"t": "ring", "seq": seq + 1, "id": "c_front-door"}]
    house.pass_time(30)
    house.porter.happen(room, Pressed("front-door", "7501"))
    assert news(doctor) == [], "the same press, told by another way"
    house.porter.happen(room, Pressed("front-door", "7502"))
    house.porter.happen(room, Pressed("front-door", "7503"))
    assert [frame["t"] for frame in news(doctor)] == ["ring"], "two presses within seconds"
    house.porter.happen(room, Pressed("garage", "7504"))
    assert (news(doctor), len(patient.frames)) == ([], heard)


def test_a_ring_that_was_missed_is_heard_on_return() -> None:
    house = house_with_camera()
    doctor = enter(house, "doctor")
    welcome, seq = doctor.heard[0], doctor.heard[-1]["seq"]
    doctor.drop()
    house.porter.happen(house.house.room("visit"), Pressed("front-door", "7501"))
    again = enter(house, "doctor", session=welcome["session"], resume=welcome["resume"], seq=seq)
    assert kinds(again) == ["welcome", "ring"]


def test_cameras_come_and_go() -> None:
    house = house_with_camera()
    doctor, room = enter(house, "doctor"), house.house.room("visit")
    news(doctor)
    house.porter.happen(room, AddCamera("garage", "Garage"))
    house.porter.happen(room, AddCamera("garage", "Garage"))
    house.porter.happen(room, RemoveCamera("front-door"))
    house.porter.happen(room, RemoveCamera("front-door"))
    joined, left = news(doctor)
    assert (joined["t"], joined["person"]["camera"]) == ("joined", "garage")
    assert (left["t"], left["id"], left["reason"]) == ("left", "c_front-door", "removed")


@pytest.mark.parametrize(
    ("role", "may", "camera", "permission", "code"),
    [
        ("clinician", None, "front-door", "talk", None),
        ("companion", frozenset({"signal", "view"}), "front-door", "view", None),
        ("companion", frozenset({"signal", "view"}), "front-door", "talk", "ROOM-FORBIDDEN"),
        ("companion", None, "front-door", "view", "ROOM-FORBIDDEN"),
        ("clinician", None, "garage", "view", "ROOM-CAMERA"),
    ],
)
def test_who_may_watch(role: str, may: frozenset[str] | None, camera: str, permission: str, code: str | None) -> None:
    tokens = Tokens(Secret("for tests"), 600)
    house = house_with_camera(tokens)
    claims = Claims("visit", "u_1", role, ROLES[role] if may is None else may)
    room = house.house.room("visit")
    with pytest.raises(RingError) as outside:
        bell.judge_viewer(room, "u_1", camera, permission)
    assert outside.value.code == "ROOM-PERSON", "a token alone is not enough: its person must be inside"
    enter(house, "patient", token=tokens.sign(claims, house.now).reveal())
    if code is None:
        bell.judge_viewer(room, "u_1", camera, permission)
        return
    with pytest.raises(RingError) as refused:
        bell.judge_viewer(room, "u_1", camera, permission)
    assert refused.value.code == code


def test_who_waits_in_the_lobby_watches_nothing() -> None:
    tokens = Tokens(Secret("for tests"), 600)
    house = MemoryRooms(tokens=tokens)
    room = house.house.make("visit", cameras={"front-door": "Front Door"})
    claims = Claims("visit", "u_1", "companion", frozenset({"signal", "view"}))
    waiting = enter(house, "patient", token=tokens.sign(claims, house.now).reveal())
    house.porter.happen(room, Pressed("front-door", "7501"))
    assert kinds(waiting) == ["welcome", "waiting"]
    with pytest.raises(RingError) as refused:
        bell.judge_viewer(room, "u_1", "front-door", "view")
    assert refused.value.code == "ROOM-PERSON"
