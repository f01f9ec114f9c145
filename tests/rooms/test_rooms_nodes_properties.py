"""Nodes that die, stand still or lose Redis in any order: everybody hears everything once, under the same name."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from room_nodes import Node, Nodes, same

from ringlight.rooms.following import UNHEARD_OF
from ringlight.rooms.memory import MemorySocket
from ringlight.settings import RoomSettings

NODES = 3


@dataclass(eq=False)
class Client:
    """A page that does its part: it numbers what it says, and says again what had no answer."""

    node: int
    home: int = 0  # where it was welcomed last
    socket: MemorySocket | None = None
    session: str = ""
    secret: str = ""
    seq: int = 0
    read: int = 0
    rid: int = 0
    said: list[dict[str, Any]] = field(default_factory=list)  # without an answer
    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def take(self, most: int | None = None) -> None:
        """Read what came, or only so much of it."""
        if self.socket is None:
            return
        upto = len(self.socket.frames) if most is None else min(len(self.socket.frames), self.read + most)
        for raw in self.socket.frames[self.read : upto]:
            self._frame(json.loads(raw))
        self.read = upto
        if self.socket.closed and upto == len(self.socket.frames):
            self.socket = None

    def _frame(self, frame: dict[str, Any]) -> None:
        if "seq" in frame:
            assert frame["seq"] == self.seq + 1, (frame, self.seq)
            self.seq = frame["seq"]
        match frame["t"]:
            case "welcome":
                assert frame["session"] == self.session or not self.session, "another name"
                assert frame["resumed"] or not self.session, "something that was kept is lost"
                self.session, self.secret, self.home = frame["session"], frame["resume"], self.node
                self.said = [message for message in self.said if message["rid"] > frame["rid"]]
            case "chat":
                self.heard.append(frame["text"])
            case "ok" | "error":
                assert frame["t"] == "ok" or frame["code"] == "ROOM-BUSY", frame
                self.said = [message for message in self.said if message["rid"] != frame.get("rid")]


class Outages(RuleBasedStateMachine):
    """One room on three nodes."""

    def __init__(self) -> None:
        super().__init__()
        limits = RoomSettings(capacity=64, grace=80_000, silent_after=80_000, burst=100_000, replay_messages=5000)
        self.nodes = Nodes(NODES, limits)
        self.clients: list[Client] = []
        self.words = itertools.count()
        self.next_node = NODES + 1
        self.redis_was_away = False  # the last time that a node was cut off, it was for all of them

    @property
    def whole(self) -> bool:
        return not self.nodes.away and not any(node.is_cut for node in self.nodes.all.values())

    @property
    def _healed(self) -> bool:
        """Whether no node still has what it alone knows."""
        return not any(copy.before for node in self.nodes.all.values() for copy in node.house._copies.values())

    def _connect(self, client: Client, node: Node) -> None:
        before = self.nodes.all.get(client.node)
        if before is not None and not before.is_cut:  # a page needs longer to connect anew than a node to write
            while before.write() or before.read():
                pass
        client.node, client.socket, client.read = node.number, node.connect(), 0
        hello: dict[str, Any] = {"t": "hello", "v": 2, "room": "visit", "role": "clinician"}
        if client.session:
            hello |= {"session": client.session, "resume": client.secret, "seq": client.seq}
        client.socket.say(hello)
        for message in client.said:  # a page waits for the welcome; one that does not wait is answered twice
            client.socket.say(message)

    def _say(self, client: Client) -> None:
        client.rid += 1
        text = f"{self.clients.index(client)} {next(self.words)}"
        client.said.append({"t": "chat", "rid": client.rid, "text": text})
        for other in self.clients:
            if other is not client:
                other.expected.append(text)

    @precondition(lambda self: self.whole and len(self.clients) < 5)
    @rule(data=st.data())
    def come(self, data: st.DataObject) -> None:
        self._settle_all()
        client = Client(0)
        self._connect(client, data.draw(st.sampled_from(list(self.nodes.all.values()))))
        self.nodes.settle()
        self.clients.append(client)
        client.take()

    @precondition(lambda self: any(client.socket for client in self.clients))
    @rule(data=st.data(), arrives=st.booleans())
    def talk(self, data: st.DataObject, arrives: bool) -> None:
        """Somebody says something, which reaches the node or is lost with the connection."""
        client = data.draw(st.sampled_from([client for client in self.clients if client.socket]))
        self._say(client)
        assert client.socket is not None
        if arrives and not client.socket.closed:
            client.socket.say(client.said[-1] | {"seen": client.seq})
        else:
            self._break(client, 0)

    @precondition(lambda self: any(client.socket for client in self.clients))
    @rule(data=st.data(), read=st.integers(0, 5))
    def break_off(self, data: st.DataObject, read: int) -> None:
        self._break(data.draw(st.sampled_from([client for client in self.clients if client.socket])), read)

    def _break(self, client: Client, read: int) -> None:
        client.take(read)
        if client.socket is not None:
            client.socket.drop()
            client.socket = None

    @precondition(lambda self: any(client.socket is None for client in self.clients))
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        """To any node; one that has not heard of them, as Redis is or was away, sends them to come again."""
        client = data.draw(st.sampled_from([client for client in self.clients if client.socket is None]))
        own = self.nodes.all.get(client.home)
        if own is not None and not own.is_cut and any(copy.before for copy in own.house._copies.values()):
            self.nodes.settle()
        if own is not None and own.is_cut:
            waits = [node for node in self.nodes.all.values() if node is not own and self._sends_back(node)]
            there = [*waits, *([own] if "visit" in own.house.rooms else [])]
        else:
            there = [node for node in self.nodes.all.values() if not node.is_cut or self._sends_back(node)]
        if there:
            self._connect(client, data.draw(st.sampled_from(there)))

    def _sends_back(self, node: Node) -> bool:
        """Whether it still waits for what the others have, where Redis is or was away for all of them."""
        since = node.house._changed_at
        return self.redis_was_away and since is not None and self.nodes.now < since + UNHEARD_OF

    @precondition(lambda self: self.nodes.all)
    @rule(data=st.data(), writes=st.booleans(), most=st.integers(1, 4))
    def progress(self, data: st.DataObject, writes: bool, most: int) -> None:
        """A node writes or reads a little."""
        node = data.draw(st.sampled_from(list(self.nodes.all.values())))
        (node.write if writes else node.read)(most)

    @precondition(lambda self: self.whole and self._healed)
    @rule(data=st.data(), read=st.integers(0, 5))
    def die(self, data: st.DataObject, read: int) -> None:
        """A node is killed; another starts in its place."""
        number = data.draw(st.sampled_from(list(self.nodes.all)))
        for client in self.clients:
            if client.node == number:
                client.take(read)
                client.socket = None
        self.nodes.kill(number)
        self.nodes.start(self.next_node)
        self.next_node += 1

    @precondition(lambda self: self.whole and self._healed)
    @rule(settled=st.booleans())
    def redis_dies(self, settled: bool) -> None:
        if settled or any(client.socket is None for client in self.clients):  # what no node has would be lost with it
            self._settle_all()
        for node in self.nodes.all.values():  # what Redis took it had told; it is lost with the connection otherwise
            node.write()
            node.read()
        self.nodes.lose_redis()
        self.redis_was_away = True

    @precondition(lambda self: self.whole and self._healed and any(client.socket for client in self.clients))
    @rule(data=st.data())
    def redis_forgets_all(self, data: st.DataObject) -> None:
        """It is not away for a moment: those who have the room bring it back as soon as one of them writes."""
        self._settle_all()
        self.nodes.flush_redis()
        for client in data.draw(st.permutations(self.clients)):
            if client.socket is not None:
                self._say(client)
                client.socket.say(client.said[-1])
        self.nodes.settle()

    @precondition(lambda self: self.nodes.away)
    @rule(at_once=st.booleans())
    def redis_comes_back(self, at_once: bool) -> None:
        """All nodes notice at once, or one after the other."""
        if at_once:
            self.nodes.revive_redis()
        self.nodes.away = False

    @precondition(lambda self: self.whole and self._healed)
    @rule(data=st.data())
    def be_cut_off(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(list(self.nodes.all.values())))
        if not all(copy.loaded for copy in node.house._copies.values()):
            self.nodes.settle()  # a node that has not read a room knows nobody's name in it
        node.cut()
        self.redis_was_away = False

    @precondition(lambda self: not self.nodes.away and any(node.is_cut for node in self.nodes.all.values()))
    @rule(data=st.data())
    def be_connected_again(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from([node for node in self.nodes.all.values() if node.is_cut])).back()

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        """Nodes look for each other; one that is cut off is seen to be gone."""
        there = {number: node for number, node in self.nodes.all.items() if not node.is_cut}
        everybody, self.nodes.all = self.nodes.all, there
        self.nodes.pass_time(seconds)
        self.nodes.all = everybody

    def teardown(self) -> None:
        """In the end everybody has heard everything once, and in the order in which each of the others said it."""
        self.nodes.away = False
        for node in self.nodes.all.values():
            if node.is_cut:
                node.back()
        self.everybody_has_heard_everything_once()
        notes = {note.id: note for node in self.nodes.all.values() for note in node.recorded if note.id}
        for node in self.nodes.all.values():
            assert all(notes[note.id] == note for note in node.recorded if note.id), "a name is of one event"

    @precondition(lambda self: self.whole)
    @rule()
    def everybody_has_heard_everything_once(self) -> None:
        self._settle_all()
        for client in self.clients:
            assert sorted(client.heard) == sorted(client.expected), client
            for sender in range(len(self.clients)):
                words = [int(text.split()[1]) for text in client.heard if text.startswith(f"{sender} ")]
                assert words == sorted(words)
            assert client.said == []
        same(self.nodes)

    def _settle_all(self) -> None:
        for turn in range(3):
            self.nodes.look()
            self.nodes.settle()
            self.nodes.now += UNHEARD_OF if not turn else 0.0  # who was sent to come again is taken by now
            for client in self.clients:
                client.take()
                if client.socket is None:
                    self._connect(client, next(iter(self.nodes.all.values())))
            self.nodes.settle()
            if any(client.socket is None or client.socket.closed for client in self.clients):
                self.nodes.pass_time(int(UNHEARD_OF))  # they were sent to come again
        for client in self.clients:
            client.take()


TestOutages = Outages.TestCase
TestOutages.settings = settings(max_examples=60, stateful_step_count=30)
