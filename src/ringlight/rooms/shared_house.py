"""The house where there are several: every node has the rooms that its people are in, and all do the same. Pure.

What happens in a room is first written into the room's ledger, which all nodes read in the same order; it is done when
it is read. A room follows from what happens in it and when, so it is the same on every node, and nothing has to be
handed over when a node dies: whoever comes back to another one finds it. The reasons are told in
docs/decisions/0010-one-ledger-a-room.md.
"""

import contextlib
from collections import deque
from dataclasses import dataclass, field, replace

import msgspec

from ringlight.errors import fault_error
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
    Late,
    Leave,
    Load,
    Make,
    Merge,
    Note,
    Recall,
    Said,
    Send,
    Tick,
    Write,
    node_of,
)
from ringlight.rooms.house import Heard, House, Lost, Opened
from ringlight.rooms.ledger import Entry
from ringlight.rooms.messages import Bye
from ringlight.rooms.people import Dialect, Person
from ringlight.rooms.room import TIME_IS_OVER, Room, refused

__all__ = ["Cut", "Loaded", "Present", "Read", "Recalled", "SharedHouse"]

KEEP_EVERY = 100  # entries after which a whole room is written, so that who comes later need not read all
GONE_AFTER = 2  # looks after which a node that does not show itself is gone: a new one may be written of first
IDLE = 30.0  # seconds that a room is followed while none of its people is here
WRITTEN_WITHIN = 120  # looks in which a node has written down what it did, or is known to be gone
# Seconds after Redis went away, and after it came back, in which a page that comes to another node than its own is sent
# to come again. After most outages Redis answers in less, and all nodes see it; then its session is whole at each.
UNHEARD_OF = 10.0
OLDEST_NOTE = 3600.0  # seconds after which nobody asks any more whether something was written down
MOST_NOTES = 20_000  # of other nodes that are kept for that; some 10 MB
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
class Recalled:
    """What the database has of a room that no node knew; `None` where it was not made on purpose."""

    room: str
    made: Make | None


@dataclass(frozen=True, slots=True)
class Present:
    """Redis answers, and these nodes have shown themselves of late."""

    nodes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Cut:
    """Redis does not answer."""


FromElsewhere = Read | Loaded | Recalled | Present | Cut


@dataclass(slots=True)
class _Copy:
    """How far this node has read in the ledger of a room."""

    epoch: str = ""
    number: int = 0
    loaded: bool = False
    recalled: bool = False  # whether the database was asked
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
        self._looks = 0
        # What other nodes did of late, with the look at which it was read: who dies may not have written it down.
        self._notes: deque[tuple[int, int, Note]] = deque(maxlen=MOST_NOTES)
        self._asking: dict[str, list[Event]] = {}  # while alone: what waits for the database, by room
        self._changed_at: float | None = None  # when Redis went away, or came back

    def receive(self, event: Opened | Heard | Lost | Tick | FromElsewhere, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises."""
        match event:
            case Read():
                actions = self._read(event, now)
            case Loaded():
                actions = self._loaded(event, now)
            case Recalled():
                actions = self._recalled(event, now)
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
            return self._happen_alone(room_id, event, self._serial, now)
        if room_id in self._asking:
            self._asking[room_id].append(event)
            return []
        actions: list[Action] = list(self.follow(room_id))
        copy = self._copies[room_id]
        if copy.loaded and (turned_away := self._too_early(room_id, event, now)):
            return turned_away
        if isinstance(event, Gone) and not (copy.loaded or copy.epoch or copy.before):
            # It came and went before any of it was written; its page may be with another node by now.
            mine = {serial: one for serial, one in copy.unread.items() if getattr(one, "socket", None) != event.socket}
            copy.unread = mine
            return actions
        copy.unread[self._serial] = event
        if copy.loaded:
            actions.append(self._write(room_id, self._serial, event))
        return actions

    def _too_early(self, room_id: str, event: Event, now: float) -> list[Action]:
        """Turn a page away whose own node knows more of it, and is out of reach since Redis went away.

        What it was told there has the numbers of what was told here, so nobody could say what it has missed.
        """
        if not isinstance(event, Enter) or event.resuming is None:
            return []
        if self._changed_at is None or now >= self._changed_at + UNHEARD_OF:
            return []
        session, seq, copy = event.resuming.session, event.resuming.seq, self._copies.get(room_id)
        for room in (self.rooms.get(room_id), copy.before if copy is not None else None):
            person = room.people.get(session) if room is not None else None
            if person is not None and (person.home == self.node or self._has_told(person, seq)):
                return []
        return refused(event.socket, event.dialect, fault_error("ROOM-BUSY", "another server has the session"))

    def _has_told(self, person: Person, seq: int) -> bool:
        """Whether somebody's own node can have told us all that it has told them."""
        return not self.alone and person.home in self.nodes and seq <= person.outbox.seq

    def follow(self, room_id: str) -> list[Action]:
        """Begin to read a room's ledger, unless this is done already."""
        if self.alone or room_id in self._copies:
            return []
        self._copies[room_id] = _Copy()
        return [Load(room_id)]

    def is_settled(self, room_id: str) -> bool:
        """Whether it is known if there is such a room."""
        copy = self._copies.get(room_id)
        return self.alone or copy is None or (copy.loaded and (room_id in self.rooms or not copy.unread))

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
            room.mark = _mark(entry.node, entry.serial, happened)
        seats = room.by_socket if room is not None else {}
        if copy.before is not None and isinstance(written, Said | Gone) and written.socket not in seats:
            again = self._write_again(room_id, copy, written)
            if copy.loaded:  # otherwise it is written with all that waits
                actions.append(again)
        actions += self._noted(self.take(room_id, happened, entry.at), entry, ours=ours)
        if (room := self.rooms.get(room_id)) is not None:
            room.heard[entry.node] = entry.serial
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
            here = self.rooms.pop(event.room, None)
            if copy.epoch not in ("", event.epoch):  # Redis has lost all, without a moment in which it was away
                copy.merging = 0
                if copy.before is None and here is not None:
                    actions += self._part_from_others(here, now)
                    copy.before = here
            elif here is not None and copy.before is None:
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
        if not (copy.epoch or copy.before or copy.recalled):
            copy.recalled = True
            return [*actions, Recall(event.room)]
        return actions + self._go_on(event.room, copy, now)

    def _recalled(self, event: Recalled, now: float) -> list[Action]:
        waiting, copy = self._asking.pop(event.room, None), self._copies.get(event.room)
        actions: list[Action] = []
        if self.alone:
            if event.made is not None and event.room not in self.rooms:
                actions += self._take_marked(event.room, event.made, self._serial, now)
        elif copy is not None and not copy.loaded:
            if event.made is not None:  # before all that waits
                waits = copy.unread.values()
                copy.unread = {}
                for one in (event.made, *waits):
                    self._serial += 1
                    copy.unread[self._serial] = one
            early, copy.early = copy.early, []
            if early:  # meanwhile it has begun elsewhere
                return [Load(event.room, copy.epoch, copy.number)]
            actions += self._go_on(event.room, copy, now)
        for one in waiting or ():
            if self.alone:
                self._serial += 1
                actions += self._take_marked(event.room, one, self._serial, now)
            else:
                actions += self.happen(event.room, one, now)
        return actions

    def _go_on(self, room_id: str, copy: _Copy, now: float) -> list[Action]:
        """Write what waited until the room was read."""
        actions: list[Action] = []
        copy.loaded = True
        for serial, event in list(copy.unread.items()):
            if turned_away := self._too_early(room_id, event, now):
                actions += turned_away
                del copy.unread[serial]
        room = self.rooms.get(room_id)
        heard = room.heard.get(self.node, 0) if room is not None else 0
        unread = {serial: one for serial, one in copy.unread.items() if serial > heard}
        if copy.before is not None and not copy.merging:
            copy.unread = {}
            actions += self._bring(room_id, copy)
            waits = [one for one in unread.values() if not isinstance(one, Merge)]
            actions += [self._write_again(room_id, copy, one) for one in waits]
        else:
            copy.unread = unread
            actions += [self._write(room_id, serial, one) for serial, one in unread.items()]
        if room_id not in self.rooms and not copy.unread:
            del self._copies[room_id]
            actions.append(Leave(room_id))
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

    # What is written down

    def _noted(self, actions: list[Action], entry: Entry, *, ours: bool) -> list[Action]:
        """Give notes the names that they have on every node; leave it to the node that wrote the entry to record them.

        Should that one die, its notes are asked for by all others: of all who write one down, one does.
        """
        found: list[Action] = []
        count = 0
        for action in actions:
            if type(action) is not Note:
                found.append(action)
                continue
            note = replace(action, id=_over_id(action) or f"{entry.epoch}.{entry.number}.{count}", at=entry.at)
            count += 1
            if ours:
                found.append(note)
            else:
                self._notes.append((entry.node, self._looks, note))
        return found

    def _noted_alone(self, actions: list[Action]) -> list[Action]:
        """Leave out what befell people of other nodes: those know better whether they are gone."""
        return [
            replace(action, id=_over_id(action)) if type(action) is Note else action
            for action in actions
            if type(action) is not Note or action.home in (0, self.node)
        ]

    def _take_over_notes(self, now: float) -> list[Action]:
        """Record what nodes did that are gone."""
        self._looks += 1
        notes, gone = self._notes, {node for node, count in self._missing.items() if count >= GONE_AFTER}
        while notes and notes[0][1] < self._looks - WRITTEN_WITHIN:
            notes.popleft()
        late = [(node, note) for node, _, note in notes if node in gone]
        if late:
            self._notes = deque((one for one in notes if one[0] not in gone), maxlen=MOST_NOTES)
        return [Late(note) for _, note in late if note.at is not None and note.at >= now - OLDEST_NOTE]

    # Alone, and back

    def _cut(self, now: float) -> list[Action]:
        if self.alone:
            self._changed_at = now if self._changed_at is None else self._changed_at
            return []
        self.alone, self._changed_at = True, now
        actions: list[Action] = []
        copies, self._copies = self._copies, {}
        for room_id, copy in copies.items():
            if copy.before is not None:
                self.rooms[room_id] = copy.before
            for serial, event in copy.unread.items():
                if not isinstance(event, Merge):
                    actions += self._happen_alone(room_id, event, serial, now)
        for room in self.rooms.values():
            actions += self._part_from_others(room, now)
            actions += room.receive(Alone(on=True), now)
        return actions

    def _part_from_others(self, room: Room, now: float) -> list[Action]:
        room.mark = (self.node, self._serial, 0)
        return self._noted_alone(room.receive(Away(self.node, others=True), now))

    def _happen_alone(self, room_id: str, event: Event, serial: int, now: float) -> list[Action]:
        """Do at once what happens; a room that is not here may be one of the database."""
        if turned_away := self._too_early(room_id, event, now):
            return turned_away
        if type(event) is Enter and room_id not in self.rooms and room_id not in self._asking:
            self._asking[room_id] = [event]
            return [Recall(room_id)]
        if room_id in self._asking:
            self._asking[room_id].append(event)
            return []
        return self._take_marked(room_id, event, serial, now)

    def _take_marked(self, room_id: str, event: Event, serial: int, now: float) -> list[Action]:
        if (room := self.rooms.get(room_id)) is not None:
            room.mark = _mark(self.node, serial, event)
        actions = self._noted_alone(self.take(room_id, event, now))
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
            self._changed_at = now if self._changed_at is not None else None  # at the first time none was waited for
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
        missing = set().union(*seats.values(), (node for node, _, _ in self._notes)) - event.nodes
        self._missing = {node: self._missing.get(node, 0) + 1 for node in missing}
        for room_id, nodes in seats.items():
            for node in nodes:
                if self._missing.get(node, 0) >= GONE_AFTER:
                    actions += self.happen(room_id, Away(node), now)
        return actions + self._take_over_notes(now)

    # Time

    def _tick_rooms(self, now: float) -> list[Action]:
        if self.alone:
            return self._noted_alone(super()._tick_rooms(now))
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


def _over_id(note: Note) -> str:
    """Return the name of a note that each node may come to by itself: the end of a room whose time is over."""
    return f"{note.room}:{note.detail}" if note.what == "ended" and note.detail == TIME_IS_OVER else ""


def _mark(node: int, serial: int, event: Event) -> tuple[int, int, int]:
    if isinstance(event, Said) and not isinstance(event.message, messages.Seed):
        return node, serial, event.message.rid or 0
    return node, serial, 0
