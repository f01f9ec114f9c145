"""Whatever people and networks do: the lobby holds, nothing is lost or doubled, rooms do not mix."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ringlight.rooms.memory import MemoryRooms, MemorySocket
from ringlight.settings import RoomSettings

ROOMS = ("red", "blue")
CAPACITY = 4
KINDS = st.sampled_from(["chat", "signal"])


def spoken(kind: str, text: str) -> dict[str, Any]:
    """A message that carries a text: words, or a candidate."""
    return {"t": "chat", "text": text} if kind == "chat" else {"t": "signal", "candidate": {"candidate": text}}


def text_of(message: dict[str, Any]) -> str | None:
    """What a message carries; `None` for one that is no speech."""
    text: str | None = message["candidate"]["candidate"] if "candidate" in message else message.get("text")
    return text


@dataclass(eq=False)
class Client:
    """A page that does its part of the protocol, and keeps what a naive observer expects of it."""

    room: str
    host: bool
    tells: bool = False  # with what it says, up to where it has heard
    socket: MemorySocket | None = None
    id: str = ""
    session: str = ""
    secret: str = ""
    seq: int = 0
    read: int = 0  # frames of this socket that came through
    said: list[dict[str, Any]] = field(default_factory=list)  # numbered messages without an answer
    rid: int = 0
    heard: list[str] = field(default_factory=list)  # words and candidates
    expected: list[str] = field(default_factory=list)
    inside: bool = False  # as the observer knows it
    thinks_inside: bool = False  # as the page was told
    numbers: list[int] = field(default_factory=list)

    def take(self, most: int | None = None) -> None:
        """Read what came, or only so much of it."""
        assert self.socket is not None
        upto = len(self.socket.frames) if most is None else min(len(self.socket.frames), self.read + most)
        for raw in self.socket.frames[self.read : upto]:
            self._frame(json.loads(raw))
        self.read = upto

    def _frame(self, frame: dict[str, Any]) -> None:
        if "seq" in frame:
            self.numbers.append(frame["seq"])
            self.seq = frame["seq"]
        match frame["t"]:
            case "welcome":
                self.id, self.session, self.secret = frame["you"]["id"], frame["session"], frame["resume"]
                if not frame["resumed"]:
                    self.numbers.clear()
                    self.seq = 0
                self.said = [message for message in self.said if message["rid"] > frame["rid"]]
            case "roster":
                self.thinks_inside = True
            case "waiting":
                self.thinks_inside = False
            case "chat" | "signal":
                text = text_of(frame) or ""
                assert self.thinks_inside, "it came to somebody who waits"
                assert text.startswith(self.room), "it is of another room"
                self.heard.append(text)
            case "ok" | "error":
                self.said = [message for message in self.said if message["rid"] != frame.get("rid")]


class Visits(RuleBasedStateMachine):
    """Two rooms with lobbies; people come, wait, are let in, talk, lose their connection and come back."""

    def __init__(self) -> None:
        super().__init__()
        # All that is said must fit into what is kept; what happens beyond is told elsewhere.
        limits = RoomSettings(capacity=CAPACITY, grace=1000, silent_after=10_000, host_grace=10_000, burst=100_000)
        self.rooms = MemoryRooms(limits)
        self.clients: list[Client] = []
        self.words = itertools.count()

    def _connect(self, client: Client) -> None:
        client.socket, client.read = self.rooms.connect("/ws/v2"), 0
        role = "clinician" if client.host else "patient"
        hello: dict[str, Any] = {"t": "hello", "v": 2, "room": client.room, "role": role}
        if client.session:
            hello |= {"session": client.session, "resume": client.secret, "seq": client.seq}
        client.socket.say(hello)

    def _say(self, client: Client, message: dict[str, Any]) -> None:
        client.rid += 1
        client.said.append({**message, "rid": client.rid})
        if client.socket is not None:
            client.socket.say(client.said[-1] | ({"seen": client.seq} if client.tells else {}))

    def _inside(self, room: str) -> list[Client]:
        return [client for client in self.clients if client.room == room and client.inside]

    def _expect(self, client: Client, message: dict[str, Any]) -> None:
        for other in self._inside(client.room) if client.inside else ():
            if other is not client and (text := text_of(message)) and message.get("to", other.id) == other.id:
                other.expected.append(text)

    def _pick(self, data: st.DataObject, clients: list[Client]) -> Client:
        return data.draw(st.sampled_from(clients))

    @precondition(lambda self: len(self.clients) < 8)
    @rule(room=st.sampled_from(ROOMS), host=st.booleans(), tells=st.booleans())
    def come(self, room: str, host: bool, tells: bool) -> None:
        client = Client(room, host, tells)
        full = len(self._inside(room)) >= CAPACITY
        self._connect(client)
        assert client.socket is not None
        if host and full:
            assert client.socket.closed == (4413, "ROOM-FULL")
            return
        client.inside = host
        self.clients.append(client)
        client.take()

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), kind=KINDS, to_one=st.booleans())
    def talk(self, data: st.DataObject, kind: str, to_one: bool) -> None:
        """Whoever is inside is heard by all others inside, or by the one who is named; whoever waits by nobody."""
        client = self._pick(data, self.clients)
        message = spoken(kind, f"{client.room} {next(self.words)}")
        if to_one:
            message["to"] = self._pick(data, self.clients).id
        if client.socket is None:
            return
        self._say(client, message)
        self._expect(client, message)

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), back=st.booleans())
    def open_the_door(self, data: st.DataObject, back: bool) -> None:
        """Anybody may try to admit anybody, or to send them back; it counts if a host inside does it in the room."""
        client, other = self._pick(data, self.clients), self._pick(data, self.clients)
        if client.socket is None:
            return
        self._say(client, {"t": "send_back" if back else "admit", "id": other.id})
        if not (client.host and client.inside and other.room == client.room and other is not client):
            return
        if back and other.inside and not other.host:
            other.inside = False
        elif not back and not other.inside and len(self._inside(client.room)) < CAPACITY:
            other.inside = True

    @precondition(lambda self: any(client.socket for client in self.clients))
    @rule(data=st.data(), read=st.integers(0, 6), sent=st.booleans(), kind=KINDS)
    def break_off(self, data: st.DataObject, read: int, sent: bool, kind: str) -> None:
        """A connection breaks: the last frames are lost on their way, and perhaps what was said last."""
        client = self._pick(data, [client for client in self.clients if client.socket])
        assert client.socket is not None
        client.take(read)
        if not sent:  # it broke before this left; the page says it again when it is back
            client.rid += 1
            client.said.append({**spoken(kind, f"{client.room} {next(self.words)}"), "rid": client.rid})
        client.socket.drop()
        client.socket = None

    @precondition(lambda self: any(client.socket is None for client in self.clients))
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        client = self._pick(data, [client for client in self.clients if client.socket is None])
        before = (client.session, client.id)
        self._connect(client)
        client.take()
        assert (client.session, client.id) == before, "a place was lost"
        again, assert_socket = list(client.said), client.socket
        assert assert_socket is not None
        for message in again:  # what had no answer is said again, under its old number
            self._expect(client, message)
            assert_socket.say(message)

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.rooms.pass_time(seconds)

    @invariant()
    def everybody_has_heard_what_was_said_to_them_once_and_in_order(self) -> None:
        for client in self.clients:
            if client.socket is None:
                assert client.heard == client.expected[: len(client.heard)]
                continue
            client.take()
            assert client.heard == client.expected
            assert client.thinks_inside == client.inside
            assert client.numbers == sorted(set(client.numbers))

    @invariant()
    def only_those_are_inside_who_were_let_in(self) -> None:
        for name in ROOMS:
            room = self.rooms.house.rooms.get(name)
            inside = {person.id for person in room.people.values() if person.inside} if room else set()
            assert inside == {client.id for client in self._inside(name)}
            assert len(inside) <= CAPACITY


TestVisits = Visits.TestCase
TestVisits.settings = settings(max_examples=60, stateful_step_count=40)
