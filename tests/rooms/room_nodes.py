"""Several nodes without a network: a ledger in memory, and a clock that stands until it is moved."""

import itertools
import json
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from ringlight.rooms import ledger
from ringlight.rooms.admission import Admission
from ringlight.rooms.copies import Cut, Loaded, Present, Read, Recalled, Sign
from ringlight.rooms.events import NODE_SHIFT, Keep, Leave, Load, Make, Note, Recall, Shared, Write
from ringlight.rooms.ledger import Entry
from ringlight.rooms.memory import MemorySocket
from ringlight.rooms.porter import Porter
from ringlight.rooms.shared_house import SharedHouse
from ringlight.rooms.tokens import Tokens
from ringlight.settings import RoomSettings


@dataclass
class Ledger:
    """What is kept of one room."""

    epoch: str
    first: int = 1
    entries: list[Entry] = field(default_factory=list)
    whole: bytes | None = None
    kept: int = 0
    written: dict[int, int] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.first + len(self.entries) - 1


class Nodes:
    """Some nodes and what they share; each reads when it is told to.

    Attributes:
        away: Whether Redis is dead.
    """

    def __init__(self, count: int, settings: RoomSettings | None = None, tokens: Tokens | None = None) -> None:
        self.now = 1e9
        self.away = False
        self.ledgers: dict[str, Ledger] = {}
        self.database: dict[str, Make] = {}
        self.settings, self.tokens = settings or RoomSettings(), tokens
        self._chance = itertools.count(1)
        self.all: dict[int, Node] = {}
        for number in range(1, count + 1):
            self.start(number)

    def start(self, number: int) -> "Node":
        node = self.all[number] = Node(self, number)
        self.look()
        return node

    def mint(self) -> str:
        return str(next(self._chance))

    def kill(self, number: int) -> None:
        """A node dies: its connections break, and what it had not written is lost."""
        del self.all[number]

    def look(self) -> None:
        """What each node does once a second; those that do not reach Redis are not seen there."""
        if not self.away:
            there = {number: node for number, node in self.all.items() if not node.is_cut}
            signs = {number: Sign(node.stretch, self.now + 3) for number, node in there.items()}
            for node in there.values():
                node.porter.feed(Present(signs))

    def settle(self) -> None:
        """Let everybody write and read until there is nothing more."""
        while any(node.write() or node.read() for node in list(self.all.values())):
            pass

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.look()
            self.settle()
            for node in list(self.all.values()):
                node.porter.tick()
            self.settle()

    def lose_redis(self) -> None:
        """Redis dies and forgets all."""
        self.away = True
        self.ledgers.clear()
        for node in self.all.values():
            node.cut()

    def flush_redis(self) -> None:
        """Redis forgets all, and goes on."""
        self.ledgers.clear()

    def revive_redis(self) -> None:
        """Redis is there again, and all nodes notice at once."""
        self.away = False
        for node in self.all.values():
            node.is_cut = False
        self.look()


class _SharedPorter(Porter):
    """Keeps what is to be told to Redis."""

    house: SharedHouse

    def __init__(self, house: SharedHouse, nodes: Nodes) -> None:
        super().__init__(house, lambda: nodes.now)
        self._number = house.node << NODE_SHIFT
        self.asked: deque[Shared] = deque()
        self.recalled: deque[str] = deque()

    def more(self, action: Shared) -> None:
        if isinstance(action, Recall):
            self.recalled.append(action.room)
        else:
            self.asked.append(action)


class Node:
    """One node, and its connection to what is shared."""

    def __init__(self, nodes: Nodes, number: int) -> None:
        self.nodes = nodes
        self.number = number
        self.is_cut = False
        self.stretch = 1  # counts its connections to what is shared
        admission = Admission(nodes.settings, nodes.tokens, any_loopback_origin=True)
        self.house = SharedHouse(nodes.settings, nodes.mint, admission, node=number)
        self.porter = _SharedPorter(self.house, nodes)
        self.follows: set[str] = set()
        self.arrived: deque[Read | Loaded | Recalled] = deque()
        self.recorded: list[Note] = []  # what it writes down
        self.porter.record = self.recorded.append
        self.rooms_read: dict[str, int] = defaultdict(int)

    def connect(self, path: str = "/ws/v2", **options: object) -> MemorySocket:
        socket = MemorySocket(self.porter)
        from_here = {"host": "localhost", "local": True, "peer": "127.0.0.1"}
        socket.number = self.porter.open(socket, path, **{**from_here, **options})  # type: ignore[arg-type]
        return socket

    def cut(self) -> None:
        """The connection to Redis breaks; what was not sent is gone, and what was not read."""
        self.is_cut = True
        self.stretch += 1
        self.porter.asked.clear()
        self.arrived = deque(one for one in self.arrived if isinstance(one, Recalled))
        self.follows.clear()
        self.porter.feed(Cut())

    def back(self) -> None:
        self.is_cut = False
        self.nodes.look()

    def write(self, most: int = 1000) -> bool:
        """Let what is asked for reach Redis, or so much of it; whether there was anything."""
        recalled, self.porter.recalled = self.porter.recalled, deque()
        self.arrived += [Recalled(room, self.nodes.database.get(room)) for room in recalled]
        if self.is_cut or not self.porter.asked:
            return bool(recalled)
        while self.porter.asked and most:
            self._ask(self.porter.asked.popleft())
            most -= 1
        return True

    def read(self, most: int = 1000) -> bool:
        """Read what came from Redis, or so much of it; whether there was anything."""
        if not self.arrived:
            return False
        while self.arrived and most:
            self.porter.feed(self.arrived.popleft())
            most -= 1
        return True

    def _ask(self, asked: Shared) -> None:
        ledgers = self.nodes.ledgers
        match asked:
            case Write(room=room):
                kept = ledgers.setdefault(room, Ledger(self.nodes.mint()))
                if kept.written.get(self.number, 0) >= asked.serial:
                    return
                kept.written[self.number] = asked.serial
                entry = Entry(kept.epoch, kept.number + 1, self.nodes.now, self.number, asked.serial, asked.body)
                kept.entries.append(entry)
                for node in self.nodes.all.values():
                    if room in node.follows:
                        node.arrived.append(Read(room, entry))
            case Load(room=room):
                self.follows.add(room)
                found = ledgers.get(room)
                if found is None:
                    self.arrived.append(Loaded(room, "", 0, None, ()))
                    return
                goes_on = found.epoch == asked.epoch and asked.number >= found.first - 1
                begins = asked.number if goes_on else found.kept
                entries = tuple(found.entries[begins + 1 - found.first :])
                whole = None if goes_on else found.whole
                self.arrived.append(Loaded(room, found.epoch, begins, whole, entries))
            case Keep(room=room):
                kept = ledgers[room]
                if kept.epoch == asked.epoch and kept.kept < asked.number:
                    del kept.entries[: kept.kept + 1 - kept.first]
                    kept.first = kept.kept + 1
                    kept.whole, kept.kept = asked.whole, asked.number
            case Leave(room=room):
                self.follows.discard(room)
                found = ledgers.get(room)
                if found is not None and (found.epoch, found.number) == (asked.epoch, asked.forget):
                    del ledgers[room]


def same(nodes: Nodes) -> None:
    """Every node that has a room has the same."""
    for name in nodes.ledgers:
        rooms = [node.house.rooms[name] for node in nodes.all.values() if name in node.house.rooms]
        wholes = [_in_order(json.loads(ledger.write_room(room))) for room in rooms]
        assert wholes[1:] == wholes[:-1]


def _in_order(value: Any) -> Any:
    """Sets have no order of their own."""
    if isinstance(value, dict):
        return {
            name: sorted(one) if name in ("may", "consent", "consents") else _in_order(one)
            for name, one in value.items()
        }
    return [_in_order(one) for one in value] if isinstance(value, list) else value
