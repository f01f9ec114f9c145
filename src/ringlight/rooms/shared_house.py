"""The house where there are several: every node has the rooms that its people are in, and all do the same. Pure.

What happens in a room is first written into the room's ledger, which all nodes read in the same order; it is done when
it is read. A room follows from what happens in it and when, so it is the same on every node, and nothing has to be
handed over when a node dies: whoever comes back to another one finds it. The reasons are told in
docs/decisions/0010-one-ledger-a-room.md.
"""

import contextlib
from dataclasses import dataclass, field

import msgspec

from ringlight.rooms import ledger, messages
from ringlight.rooms.events import (
    Action,
    Alone,
    Away,
    Close,
    Enter,
    Event,
    Gone,
    Keep,
    Leave,
    Load,
    Merge,
    Note,
    Said,
    Send,
    Tick,
    Write,
    node_of,
)
from ringlight.rooms.house import Heard, House, Lost, Opened
from ringlight.rooms.ledger import Entry
from ringlight.rooms.messages import Bye
from ringlight.rooms.people import Dialect
from ringlight.rooms.room import Room

__all__ = ["Cut", "Loaded", "Present", "Read", "SharedHouse"]

KEEP_EVERY = 100  # entries after which a whole room is written, so that who comes later need not read all
GONE_AFTER = 2  # looks after which a node that does not show itself is gone: a new one may be written of first
IDLE = 30.0  # seconds that a room is followed while none of its people is here
LASTS = 3600.0  # seconds that a ledger outlives its last entry
KEPT_LASTS = 32 * 86_400.0  # the same of a room that was made on purpose; it may be for next month
ENDED_LASTS = 2 * 86_400.0


@dataclass(frozen=True, slots=True)
class Read:
    """An entry of a room's ledger came."""

    room: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Loaded:
    """A room's ledger was read from where this node stood, or from its last whole room on.

    Attributes:
        room: Whose.
        epoch: Of the ledger; empty where there is none.
        number: The last entry that `whole` contains, or that this node knew.
        whole: From `write_room`; `None` where there is none yet, or the entries go on from what this node knew.
        entries: All after `number`.
    """

    room: str
    epoch: str
    number: int
    whole: bytes | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """Redis answers, and these nodes have shown themselves of late."""

    nodes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Cut:
    """Redis does not answer."""


FromRedis = Read | Loaded | Present | Cut


@dataclass(slots=True)
class _Copy:
    """How far this node has read in the ledger of a room."""

    epoch: str = ""
    number: int = 0
    loaded: bool = False
    early: list[Entry] = field(default_factory=list)  # came while it was being read
    unread: dict[int, Event] = field(default_factory=dict)  # what we wrote, or will, and have not read
    before: Room | None = None  # as it was here while we were alone; its people are not in the ledger yet
    merging: int = 0  # the number of our entry that brings them
    idle_since: float | None = None


class SharedHouse(House):
    """All rooms that this node has people in.

    Args:
        node: Its number, other than those of all other nodes, below 2**31.
        arguments: As for `House`.
    """

    def __init__(self, *arguments: object, node: int, **more: object) -> None:
        super().__init__(*arguments, **more)  # type: ignore[arg-type]
        self.node = node
        self.alone = True  # until Redis has answered
        self.nodes: frozenset[int] = frozenset()
        self._copies: dict[str, _Copy] = {}
        self._serial = 0
        self._missing: dict[int, int] = {}  # how often in a row a node was looked for and not there

    def receive(self, event: Opened | Heard | Lost | Tick | FromRedis, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises."""
        match event:
            case Read():
                actions = self._read(event, now)
            case Loaded():
                actions = self._loaded(event, now)
            case Present():
                actions = self._present(event, now)
            case Cut():
                actions = self._cut(now)
            case _:
                return super().receive(event, now)
        self.forget_closed(actions)
        return actions

    def say(
        self, room_id: str, socket: int, message: messages.Heard | messages.Seed, frame: bytes, now: float
    ) -> list[Action]:
        """Have written what a page says; a ping is nobody else's business."""
        if isinstance(message, messages.Ping) and message.rid is None:
            return [Send(socket, messages.encode(messages.Pong(at=round(now, 3))))]
        return self.happen(room_id, Said(socket, message, frame), now)

    def happen(self, room_id: str, event: Event, now: float) -> list[Action]:
        """Have something written that happens in a room; it is done when it is read."""
        self._serial += 1
        if self.alone:
            return self._take_marked(room_id, event, self._serial, now)
        actions: list[Action] = list(self.follow(room_id))
        copy = self._copies[room_id]
        if isinstance(event, Gone) and not (copy.loaded or copy.epoch or copy.before):
            # It came and went before any of it was written; its page may be with another node by now.
            mine = {serial: one for serial, one in copy.unread.items() if getattr(one, "socket", None) != event.socket}
            copy.unread = mine
            return actions
        copy.unread[self._serial] = event
        if copy.loaded:
            actions.append(self._write(room_id, self._serial, event))
        return actions

    def follow(self, room_id: str) -> list[Action]:
        """Begin to read a room's ledger, unless this is done already."""
        if self.alone or room_id in self._copies:
            return []
        self._copies[room_id] = _Copy()
        return [Load(room_id)]

    def is_settled(self, room_id: str) -> bool:
        """Whether it is known if there is such a room."""
        copy = self._copies.get(room_id)
        return self.alone or copy is None or copy.loaded

    def drain(self) -> list[Action]:
        """Take nobody any more, send all pages away to come back, and tell the other nodes."""
        rooms = {connection.room for connection in self._connections.values() if connection.room is not None}
        actions = super().drain()
        for room_id in rooms:
            actions += self.happen(room_id, Away(self.node), 0.0)
        return actions

    # The ledger

    def _read(self, event: Read, now: float) -> list[Action]:
        copy, entry = self._copies.get(event.room), event.entry
        if copy is None:
            return []
        if not copy.loaded:
            copy.early.append(entry)
            return []
        if entry.epoch == copy.epoch and entry.number <= copy.number:
            return []
        if entry.epoch != copy.epoch or entry.number > copy.number + 1:
            copy.loaded, copy.early = False, [entry]
            return [Load(event.room, copy.epoch, copy.number)]
        return self._apply(event.room, copy, entry)

    def _apply(self, room_id: str, copy: _Copy, entry: Entry) -> list[Action]:
        copy.number, copy.epoch = entry.number, entry.epoch
        ours = entry.node == self.node
        written = copy.unread.pop(entry.serial, None) if ours else None
        # Of a room that is brought in, every node has its own.
        is_known = written is not None and not isinstance(written, Merge)
        happened = written if is_known else ledger.read_event(entry.body, self.settings)
        if happened is None:
            return []
        room, actions = self.rooms.get(room_id), list[Action]()
        if room is not None:
            if isinstance(happened, Away) and happened.node == self.node and not ours and copy.before is None:
                copy.before = ledger.read_room(ledger.write_room(room), self.settings)  # we live: we come back
            if copy.before is not None and isinstance(written, Said | Gone) and written.socket not in room.by_socket:
                actions.append(self._write_again(room_id, copy, written))
            room.mark = _mark(entry.node, entry.serial, happened)
        actions += self.take(room_id, happened, entry.at)
        if (room := self.rooms.get(room_id)) is not None:
            room.heard[entry.node] = entry.serial
        if not ours:
            actions = [action for action in actions if type(action) is not Note]  # told by the node that wrote it
        if copy.before is not None:
            actions += self._coming_back(room_id, copy, entry, actions)
        if ours and entry.number % KEEP_EVERY == 0 and room is not None:
            whole = ledger.write_room(room)
            actions.append(Keep(room_id, copy.epoch, copy.number, whole, self._lasts(room_id)))
        return actions

    def _write_again(self, room_id: str, copy: _Copy, event: Event) -> Write:
        """Write what was not heard, as its connection was not in the ledger."""
        self._serial += 1
        copy.unread[self._serial] = event
        return self._write(room_id, self._serial, event)

    def _coming_back(self, room_id: str, copy: _Copy, entry: Entry, actions: list[Action]) -> list[Action]:
        """Keep from our people what is done in the ledger before they are in it: what they miss comes with them."""
        if entry.node == self.node and entry.serial == copy.merging:
            copy.before, copy.merging = None, 0
            return []
        assert copy.before is not None  # noqa: S101 - asked by the caller
        seats = copy.before.by_socket
        actions[:] = [one for one in actions if not (isinstance(one, Send | Close) and one.socket in seats)]
        return self._bring(room_id, copy) if copy.loaded and not copy.merging else []

    def _loaded(self, event: Loaded, now: float) -> list[Action]:
        copy = self._copies.get(event.room)
        if copy is None or copy.loaded:
            return []
        actions: list[Action] = []
        goes_on = event.whole is None and event.epoch == copy.epoch and event.number == copy.number
        if not goes_on:
            if self.rooms.pop(event.room, None) is not None and copy.before is None:
                actions += self._send_to_resume(event.room)
            if event.whole is not None:
                with contextlib.suppress(msgspec.MsgspecError):  # damaged, or of a version to come: it begins anew
                    self.rooms[event.room] = ledger.read_room(event.whole, self.settings)
            copy.epoch, copy.number = event.epoch, event.number
        early, copy.early = copy.early, []
        for entry in (*event.entries, *early):
            if entry.epoch != copy.epoch and copy.epoch:
                continue
            if entry.number == copy.number + 1:
                actions += self._apply(event.room, copy, entry)
        copy.loaded = True
        room = self.rooms.get(event.room)
        heard = room.heard.get(self.node, 0) if room is not None else 0
        unread = {serial: one for serial, one in copy.unread.items() if serial > heard}
        if copy.before is not None and not copy.merging:
            copy.unread = {}
            actions += self._bring(event.room, copy)
            actions += [self._write_again(event.room, copy, one) for one in unread.values()]
        else:
            copy.unread = unread
            actions += [self._write(event.room, serial, one) for serial, one in unread.items()]
        if event.room not in self.rooms and not copy.unread:
            del self._copies[event.room]
            actions.append(Leave(event.room))
        return actions

    def _bring(self, room_id: str, copy: _Copy) -> list[Action]:
        """Write our people into the ledger; those leave it whose nodes are not there."""
        assert copy.before is not None  # noqa: S101 - asked by the caller
        room = self.rooms.get(room_id)
        seats = {node_of(socket) for socket in room.by_socket} if room is not None else set()
        known = room.heard.get(self.node, 0) if room is not None else 0
        events: list[Event] = [Merge(self.node, known, copy.before), *map(Away, seats - self.nodes - {self.node})]
        actions: list[Action] = [self._write_again(room_id, copy, event) for event in events]
        copy.merging = self._serial + 1 - len(events)
        return actions

    def _write(self, room_id: str, serial: int, event: Event) -> Write:
        return Write(room_id, serial, ledger.write_event(event), self._lasts(room_id))

    def _lasts(self, room_id: str) -> float:
        room = self.rooms.get(room_id)
        if room is None or not (room.kept or room.ended_at is not None):
            return LASTS
        return ENDED_LASTS if room.ended_at is not None else KEPT_LASTS

    def _send_to_resume(self, room_id: str) -> list[Action]:
        """Have pages connect anew that may have missed something; they get it then."""
        actions: list[Action] = []
        for socket, connection in list(self._connections.items()):
            if connection.room == room_id and connection.dialect is Dialect.OWN:
                bye = messages.encode(Bye(reason="moved", action="resume"))
                actions += [Send(socket, bye), Close(socket, 1012, "moved")]
        return actions

    # Alone, and back

    def _cut(self, now: float) -> list[Action]:
        if self.alone:
            return []
        self.alone = True
        actions: list[Action] = []
        copies, self._copies = self._copies, {}
        for room_id, copy in copies.items():
            if copy.before is not None:
                self.rooms[room_id] = copy.before
            for serial, event in copy.unread.items():
                if not isinstance(event, Merge):
                    actions += self._take_marked(room_id, event, serial, now)
        for room in self.rooms.values():
            room.mark = (self.node, self._serial, 0)
            actions += room.receive(Away(self.node, others=True), now)
            actions += room.receive(Alone(on=True), now)
        return actions

    def _take_marked(self, room_id: str, event: Event, serial: int, now: float) -> list[Action]:
        if (room := self.rooms.get(room_id)) is not None:
            room.mark = _mark(self.node, serial, event)
        actions = self.take(room_id, event, now)
        if (room := self.rooms.get(room_id)) is not None:
            room.heard[self.node] = serial
            if self.alone and type(event) is Enter:
                actions += room.receive(Alone(on=True, socket=event.socket), now)
        return actions

    def _present(self, event: Present, now: float) -> list[Action]:
        self.nodes = event.nodes
        actions: list[Action] = []
        if self.alone:
            self.alone = False
            rooms, self.rooms = self.rooms, {}
            for room_id, room in rooms.items():
                if room.people or room.kept or room.ended_at is not None:
                    self._copies[room_id] = _Copy(before=room)
                    actions.append(Load(room_id))
            return actions
        seats = {
            room_id: {node_of(socket) for socket in room.by_socket} - {self.node}
            for room_id, room in self.rooms.items()
            if (copy := self._copies.get(room_id)) is not None and copy.loaded and copy.before is None
        }
        missing = set().union(*seats.values()) - event.nodes
        self._missing = {node: self._missing.get(node, 0) + 1 for node in missing}
        for room_id, nodes in seats.items():
            for node in nodes:
                if self._missing.get(node, 0) >= GONE_AFTER:
                    actions += self.happen(room_id, Away(node), now)
        return actions

    # Time

    def _tick_rooms(self, now: float) -> list[Action]:
        if self.alone:
            return super()._tick_rooms(now)
        actions: list[Action] = []
        here = {connection.room for connection in self._connections.values()}
        for room_id, copy in list(self._copies.items()):
            room = self.rooms.get(room_id)
            if room is None or not copy.loaded or copy.unread or copy.before is not None:
                continue
            if self._is_over(room, now):
                actions.append(Leave(room_id, copy.epoch, copy.number))
            elif room.is_due(now):
                actions += self.happen(room_id, Tick(), now)
                continue
            elif (
                room.kept
                or room_id in here
                or (room.people and not any(node_of(one) in self.nodes for one in room.by_socket))
            ):
                copy.idle_since = None
                continue
            elif copy.idle_since is None or now < copy.idle_since + IDLE:
                copy.idle_since = copy.idle_since if copy.idle_since is not None else now
                continue
            else:
                actions.append(Leave(room_id))
            del self._copies[room_id], self.rooms[room_id]
        return actions


def _mark(node: int, serial: int, event: Event) -> tuple[int, int, int]:
    if isinstance(event, Said) and not isinstance(event.message, messages.Seed):
        return node, serial, event.message.rid or 0
    return node, serial, 0
