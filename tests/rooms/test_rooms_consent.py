"""Consent in a room: nothing is negotiated for somebody who has not given it, and everybody is told."""

import itertools
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ringlight.rooms.memory import MemoryRooms, MemorySocket
from ringlight.rooms.messages import CLOSE_CODES
from ringlight.rooms.people import Returning
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.settings import RoomSettings

OFFER = {"type": "offer", "sdp": "v=0"}


def house(*consent: str, lobby: bool = True) -> MemoryRooms:
    limits = RoomSettings(burst=100_000, rate=10_000)
    rooms = MemoryRooms(limits, Tokens(Secret("for tests"), limits.token_life))
    rooms.house.make("visit", consent=consent, lobby=lobby)
    return rooms


def token(rooms: MemoryRooms, role: str) -> str:
    assert rooms.house.admission.tokens is not None
    return rooms.house.admission.tokens.sign(rooms.house.claims("visit", role), rooms.now).reveal()


def enter(rooms: MemoryRooms, role: str, **hello: Any) -> MemorySocket:
    socket = rooms.connect("/ws/v2")
    socket.say({"t": "hello", "v": 2, "room": "visit", "role": role, **hello})
    return socket


def news(socket: MemorySocket) -> list[dict[str, Any]]:
    heard = socket.heard
    socket.frames.clear()
    return heard


def test_an_offer_waits_for_consent_and_comes_when_it_is_given() -> None:
    rooms = house("video", "recording", lobby=False)
    doctor, patient = enter(rooms, "doctor"), enter(rooms, "patient")
    assert doctor.heard[0]["consent"] == {"needed": [], "given": []}
    assert news(patient)[0]["consent"] == {"needed": ["recording", "video"], "given": []}
    news(doctor)
    doctor.say({"t": "signal", "rid": 1, "description": OFFER})
    assert [frame["t"] for frame in news(patient)] == []
    patient.say({"t": "signal", "rid": 1, "candidate": None})
    assert [(frame["t"], frame["code"]) for frame in news(patient)] == [("error", "ROOM-CONSENT")]
    assert patient.closed is None
    patient.say({"t": "consent", "rid": 2, "what": ["video"], "given": True})
    assert [frame["t"] for frame in news(patient)] == ["signal", "ok"]
    told = news(doctor)[-1]
    assert told == {"t": "consent", "seq": told["seq"], "id": told["id"], "what": ["video"], "given": True}


def test_an_offer_to_somebody_who_has_not_consented_is_answered() -> None:
    rooms = house("video", lobby=False)
    doctor, patient = enter(rooms, "doctor"), enter(rooms, "patient")
    name = patient.heard[0]["you"]["id"]
    doctor.say({"t": "signal", "rid": 1, "to": name, "description": OFFER})
    assert doctor.heard[-1]["code"] == "ROOM-CONSENT"
    patient.say({"t": "consent", "what": ["video"], "given": True})
    doctor.say({"t": "signal", "rid": 2, "to": name, "description": OFFER})
    assert (doctor.heard[-1]["t"], patient.heard[-1]["t"]) == ("ok", "signal")


def test_consent_that_is_withdrawn_ends_the_signals_and_everybody_knows() -> None:
    rooms = house("video", lobby=False)
    doctor, patient = enter(rooms, "doctor"), enter(rooms, "patient")
    patient.say({"t": "consent", "what": ["video"], "given": True})
    patient.say({"t": "signal", "description": OFFER})
    patient.say({"t": "consent", "what": ["video"], "given": False})
    patient.say({"t": "signal", "rid": 1, "description": OFFER})
    assert patient.heard[-1]["code"] == "ROOM-CONSENT"
    told = doctor.heard[-1]
    assert (told["t"], told["given"]) == ("consent", False)
    late = enter(rooms, "interpreter")
    late.say({"t": "consent", "what": ["video"], "given": True})
    assert "signal" not in [frame["t"] for frame in late.heard], "the offer of somebody who has withdrawn was replayed"


def test_who_admits_sees_in_the_knock_what_was_consented_to() -> None:
    """And is told when it changes; other patients are not, as they do not know who waits."""
    rooms = house("video")
    doctor, waiting = enter(rooms, "doctor"), enter(rooms, "patient")
    other = enter(rooms, "companion")
    waiting.say({"t": "consent", "what": ["video", "captions"], "given": True})
    assert (doctor.heard[-1]["t"], doctor.heard[-1]["what"]) == ("consent", ["video", "captions"])
    assert [frame["t"] for frame in other.heard] == ["welcome", "waiting"]
    again = enter(rooms, "doctor")
    knocks = [frame for frame in again.heard if frame["t"] == "knock"]
    assert [knock.get("consents", []) for knock in knocks] == [["captions", "video"], []]
    doctor.say({"t": "admit", "id": waiting.heard[0]["you"]["id"]})
    joined = next(frame for frame in doctor.heard if frame["t"] == "joined" and frame["person"]["role"] == "patient")
    assert joined["person"]["consents"] == ["captions", "video"]


def test_between_an_observer_and_who_minds_one_nothing_passes() -> None:
    """Neither signals nor words, until they consent, and after they withdrew; nobody else is concerned."""
    rooms = house("observer", lobby=False)
    doctor, patient, observer = (enter(rooms, role) for role in ("doctor", "patient", "observer"))
    assert [page.heard[0]["consent"]["needed"] for page in (doctor, patient, observer)] == [[], ["observer"], []]
    name_of = {page: page.heard[0]["you"]["id"] for page in (patient, observer)}
    rids = itertools.count(1)

    def passes() -> set[bool]:
        """Whether what the two say to each other and to all arrives; what is said to all comes to the doctor."""
        found = set()
        for page, other in ((patient, observer), (observer, patient)):
            said: list[dict[str, Any]] = [{"t": "signal", "candidate": None}]
            said += [{"t": "chat", "text": "words"}] if page is patient else []  # an observer only looks on
            for message in said:
                news(other), news(doctor)
                page.say(message)
                found.add([frame["t"] for frame in news(other)] == [message["t"]])
                assert [frame["t"] for frame in news(doctor)] == [message["t"]]
                page.say({**message, "to": name_of[other], "rid": next(rids)})
                found |= {bool(news(other)), page.heard[-1].get("code") != "ROOM-CONSENT"}
        return found

    assert passes() == {False}
    patient.say({"t": "consent", "what": ["observer"], "given": True})
    assert passes() == {True}
    patient.say({"t": "consent", "what": ["observer"], "given": False})
    assert passes() == {False}


def test_an_offer_to_all_comes_to_an_observer_with_the_consent() -> None:
    rooms = house("observer", lobby=False)
    observer, patient = enter(rooms, "observer"), enter(rooms, "patient")
    observer.say({"t": "signal", "description": OFFER})
    assert "signal" not in [frame["t"] for frame in news(patient)]
    patient.say({"t": "consent", "what": ["observer"], "given": True})
    assert [frame["t"] for frame in news(patient)] == ["signal"]


def test_a_page_at_the_old_address_cannot_ask_and_is_told_so() -> None:
    """Unless it is the doctor's, or the room is one of the open mode, where nobody has to be protected."""
    rooms = house("video")
    for role, refused in (("patient", True), ("doctor", False)):
        page = rooms.connect(f"/ws/signaling/visit/{role}", token=token(rooms, role))
        assert (page.closed == (CLOSE_CODES["ROOM-CONSENT"], "ROOM-CONSENT")) is refused
    opened = house("video", lobby=False)
    doctor, patient = enter(opened, "doctor"), opened.connect("/ws/signaling/visit/patient")
    doctor.say({"t": "signal", "description": OFFER})
    assert patient.heard[-1]["type"] == "offer"


def test_a_word_that_nobody_can_consent_to_is_refused() -> None:
    rooms = house("video", lobby=False)
    patient = enter(rooms, "patient")
    for what in ([], ["everything"], "video"):
        patient.say({"t": "consent", "rid": 1, "what": what, "given": True})
        assert patient.heard[-1]["code"] == "ROOM-MESSAGE"


def test_who_was_inside_when_the_server_stopped_goes_on_there() -> None:
    """With the consent that they had given; somebody who waited waits again."""
    rooms = house("video")
    tokens = {role: token(rooms, role) for role in ("doctor", "patient", "companion")}
    assert rooms.house.admission.tokens is not None
    names = {role: rooms.house.admission.tokens.check(one, rooms.now).person or "" for role, one in tokens.items()}
    room = rooms.house.rooms["visit"]
    room.expect(
        {names["patient"]: Returning(True, frozenset({"video"})), names["companion"]: Returning(False)}, rooms.now
    )
    patient = enter(rooms, "patient", token=tokens["patient"])
    assert [frame["t"] for frame in patient.heard] == ["welcome", "roster"]
    assert patient.heard[0]["consent"]["given"] == ["video"]
    assert enter(rooms, "companion", token=tokens["companion"]).heard[-1]["t"] == "waiting"
    rooms.pass_time(40)
    patient.say({"t": "ping"})
    rooms.pass_time(40)
    patient.say({"t": "ping"})
    rooms.pass_time(41)
    assert patient.heard[-1]["t"] == "waiting", "nobody who may admit has come back"


@dataclass(eq=False)
class Member:
    """Somebody in the room, and what an observer knows of them."""

    socket: MemorySocket
    id: str
    host: bool
    consented: bool = False
    read: int = 0

    @property
    def may_hear(self) -> bool:
        return self.host or self.consented


class Consenting(RuleBasedStateMachine):
    """People of one room give consent, withdraw it, come back with a new page, and try to call each other."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = house("video", lobby=False)
        self.members: list[Member] = []
        self.tokens: dict[int, str] = {}

    @precondition(lambda self: len(self.members) < 5)
    @rule(host=st.booleans())
    def come(self, host: bool) -> None:
        given = token(self.rooms, "doctor" if host else "patient")
        socket = enter(self.rooms, "patient", token=given)
        self.members.append(Member(socket, socket.heard[0]["you"]["id"], host))
        self.tokens[id(self.members[-1])] = given

    @precondition(lambda self: self.members)
    @rule(data=st.data(), given=st.booleans())
    def consent(self, data: st.DataObject, given: bool) -> None:
        member = data.draw(st.sampled_from(self.members))
        self._look()
        member.socket.say({"t": "consent", "what": ["video"], "given": given})
        member.consented = given

    @precondition(lambda self: self.members)
    @rule(data=st.data(), named=st.booleans(), kind=st.sampled_from(["offer", "answer", "candidate"]))
    def signal(self, data: st.DataObject, named: bool, kind: str) -> None:
        member, other = data.draw(st.sampled_from(self.members)), data.draw(st.sampled_from(self.members))
        said: dict[str, Any] = {"candidate": None} if kind == "candidate" else {"description": {"type": kind}}
        member.socket.say({"t": "signal", **({"to": other.id} if named else {}), **said})

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def reload(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(self.members))
        self._look()
        member.socket, member.read = enter(self.rooms, "patient", token=self.tokens[id(member)]), 0

    @invariant()
    def no_signal_passes_before_consent(self) -> None:
        self._look()

    def _look(self) -> None:
        by_id = {member.id: member for member in self.members}
        for member in self.members:
            for frame in member.socket.heard[member.read :]:
                if frame["t"] == "signal":
                    assert member.may_hear, "it came to somebody who has not consented"
                    assert by_id[frame["from"]].may_hear, "it came from somebody who has not consented"
            member.read = len(member.socket.frames)


TestConsenting = Consenting.TestCase
TestConsenting.settings = settings(max_examples=40, stateful_step_count=30)
