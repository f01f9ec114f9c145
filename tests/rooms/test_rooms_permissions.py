"""Who may do what in a room: each permission opens its own messages and no others, and whoever waits may do nothing."""

from typing import Any

import pytest

from ringlight.rooms.memory import MemoryRooms, MemorySocket
from ringlight.rooms.people import ROLES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret

Message = dict[str, Any]
SEED_FRAMES = [
    '{"type":"offer","offer":{"type":"offer","sdp":"v=0"}}', '{"type":"answer","answer":{"type":"answer","sdp":"v=0"}}',
    '{"type":"ice-candidate","candidate":null}', '{"type":"mute"}',
]  # fmt: skip


class Visit:
    """A visit with a lobby: a host and a patient inside, a relative who waits, and whoever else a test lets in."""

    def __init__(self) -> None:
        self.tokens = Tokens(Secret("for tests"), 600)
        self.house = MemoryRooms(tokens=self.tokens)
        self.host = self.enter("host", "clinician")
        self.patient = self.enter("patient", "patient")
        self.host.say({"t": "admit", "rid": 1})
        self.waiting = self.enter("relative", "companion")
        self.everybody = [self.host, self.patient, self.waiting]

    def token(self, person: str, role: str, may: frozenset[str] | None) -> str:
        claims = Claims("visit", person, role, ROLES[role] if may is None else may)
        return self.tokens.sign(claims, self.house.now).reveal()

    def enter(self, person: str, role: str, may: frozenset[str] | None = None) -> MemorySocket:
        socket = self.house.connect("/ws/v2")
        socket.say({"t": "hello", "v": 2, "token": self.token(person, role, may)})
        return socket

    def let_in(self, person: str, role: str, may: frozenset[str]) -> MemorySocket:
        socket = self.enter(person, role, may)
        if "admit" not in may:
            self.host.say({"t": "admit", "rid": 2, "id": id_of(socket)})
        assert socket.heard[-1]["t"] != "waiting"
        return socket

    def frames(self) -> list[int]:
        return [len(socket.frames) for socket in self.everybody]


def id_of(socket: MemorySocket) -> str:
    return str(socket.heard[0]["you"]["id"])


def asks(visit: Visit) -> list[tuple[str, Message]]:
    """What needs which permission."""
    waiting, patient = id_of(visit.waiting), id_of(visit.patient)
    return [
        ("chat", {"t": "chat", "text": "x"}), ("chat", {"t": "chat", "text": "x", "to": patient}),
        ("signal", {"t": "signal", "candidate": None}),
        ("signal", {"t": "signal", "to": patient, "description": {"type": "offer", "sdp": "v=0"}}),
        ("admit", {"t": "lock", "on": True}), ("admit", {"t": "send_back", "id": patient}),
        ("admit", {"t": "admit", "id": waiting}), ("admit", {"t": "admit"}), ("admit", {"t": "deny", "id": waiting}),
        ("end", {"t": "end"}),
    ]  # fmt: skip


COUNT = len(asks(Visit()))


@pytest.mark.parametrize("number", range(COUNT))
def test_a_permission_opens_its_messages(number: int) -> None:
    visit = Visit()
    needed, message = asks(visit)[number]
    socket = visit.let_in("somebody", "companion", frozenset({needed}))
    before = visit.frames()
    socket.say({**message, "rid": 9})
    assert [frame["t"] for frame in socket.heard if frame.get("rid") == 9] == ([] if needed == "end" else ["ok"])
    assert visit.frames() != before, "nobody has heard of it"


@pytest.mark.parametrize("number", range(COUNT))
def test_all_other_permissions_together_do_not(number: int) -> None:
    visit = Visit()
    needed, message = asks(visit)[number]
    socket = visit.let_in("somebody", "companion", frozenset().union(*ROLES.values()) - {needed})
    before = visit.frames()
    socket.say({**message, "rid": 9})
    assert (socket.heard[-1].get("code"), socket.heard[-1]["rid"]) == ("ROOM-FORBIDDEN", 9)
    assert visit.frames() == before, "somebody has heard of it"


@pytest.mark.parametrize("number", range(COUNT + 2))
def test_whoever_waits_may_do_nothing_of_it(number: int) -> None:
    visit = Visit()
    inside: list[Message] = [{"t": "state", "audio": True}, {"t": "quality", "words": "good"}]
    message = [*(message for _, message in asks(visit)), *inside][number]
    socket = visit.enter("somebody", "companion", frozenset().union(*ROLES.values()) - {"admit"})
    before = visit.frames()
    socket.say({**message, "rid": 9})
    assert (socket.heard[-1].get("code"), socket.heard[-1]["rid"]) == ("ROOM-WAITING", 9)
    assert visit.frames() == before


def test_whoever_waits_hears_nothing_of_what_goes_on_inside() -> None:
    """Neither on `/ws/v2` nor at the old address, whichever of both is spoken inside."""
    visit = Visit()
    seed = visit.house.connect("/ws/signaling/visit/patient", token=visit.token("seed", "patient", None))
    doctor = visit.house.connect("/ws/signaling/visit/doctor", token=visit.token("doctor", "clinician", None))
    before = [len(socket.frames) for socket in (visit.waiting, seed)]
    inside = len(visit.patient.frames)
    for frame in [*SEED_FRAMES[2:], *SEED_FRAMES]:  # a candidate goes another way while there is an offer
        doctor.say(frame)
    patient = id_of(visit.patient)
    for message in (
        {"t": "signal", "candidate": None}, {"t": "signal", "description": {"type": "offer", "sdp": "v=0"}},
        {"t": "signal", "to": patient, "candidate": None}, {"t": "chat", "text": "x"}, {"t": "state", "audio": False},
        {"t": "consent", "what": ["video"], "given": True},
    ):  # fmt: skip
        visit.host.say(message)
    assert len(visit.patient.frames) > inside + 8
    assert [len(socket.frames) for socket in (visit.waiting, seed)] == before
    visit.host.say({"t": "chat", "rid": 8, "to": id_of(visit.waiting), "text": "x"})
    assert visit.host.heard[-1]["code"] == "ROOM-PERSON"
    assert [len(socket.frames) for socket in (visit.waiting, seed)] == before


def test_who_may_admit_is_not_sent_to_wait() -> None:
    visit = Visit()
    other = visit.enter("other", "receptionist")
    visit.host.say({"t": "send_back", "rid": 9, "id": id_of(other)})
    assert visit.host.heard[-1]["code"] == "ROOM-FORBIDDEN"
    assert [frame["t"] for frame in other.heard] == ["welcome", "roster", "knock"]
