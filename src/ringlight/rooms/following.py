"""A house whose rooms follow their ledgers: what happens is written there, and done when it is read. Pure."""

from collections.abc import Callable

import msgspec

from ringlight.errors import fault_error
from ringlight.rooms import ledger, messages
from ringlight.rooms.admission import Admission
from ringlight.rooms.copies import Copy, Loaded, Read
from ringlight.rooms.events import (
    Action,
    Away,
    Close,
    Enter,
    Event,
    Gone,
    Keep,
    Leave,
    Load,
    Merge,
    Recall,
    Said,
    Send,
    Unreadable,
    Write,
    node_of,
)  # fmt: skip
from ringlight.rooms.house import House
from ringlight.rooms.ice import Turn
from ringlight.rooms.leaving import refused
from ringlight.rooms.ledger import Entry
from ringlight.rooms.messages import Bye
from ringlight.rooms.people import Dialect
from ringlight.rooms.person import Person
from ringlight.rooms.room import Room
from ringlight.rooms.shared_notes import SharedNotes
from ringlight.settings import RoomSettings

__all__ = ["FollowingHouse", "mark_of"]

KEEP_EVERY = 100  # entries after which a whole room is written, so that who comes later need not read all
# Seconds after Redis went away, and after it came back, in which a page that comes to another node than its own is sent
# to come again. After most outages Redis answers in less, and all nodes see it; then its session is whole at each.
# Nobody waits for a node that is seen to have had Redis all the time, as where ours alone had not: what it told is in
# the ledger. If it died before it was seen so, or was without Redis too and died before it had brought what it told
# meanwhile, nobody can know what that was; then all of this time is needed.
UNHEARD_OF = 10.0
LASTS = 3600.0  # seconds that a ledger outlives its last entry
KEPT_LASTS = 32 * 86_400.0  # the same of a room that was made on purpose; it may be for next month
ENDED_LASTS = 2 * 86_400.0


class FollowingHouse(House):
    """All rooms that this node has people in, as their ledgers tell.

    Args:
        settings: As for `House`, and the next three too.
        mint: See there.
        admission: See there.
        turn: See there.
        node: Its number, other than those of all other nodes, below 2**31.

    Attributes:
        alone: Whether the ledgers are out of reach.
        nodes: Those that have shown themselves of late.
        notes: What is to be written down, by whom.
    """

    def __init__(
        self,
        settings: RoomSettings,
        mint: Callable[[], str],
        admission: Admission | None = None,
        turn: Turn | None = None,
        *,
        node: int,
    ) -> None:
        super().__init__(settings, mint, admission, turn)
        self.node = node
        self.alone = True  # until Redis has answered
        self.nodes: frozenset[int] = frozenset()
        self.notes = SharedNotes(node)
        self._copies: dict[str, Copy] = {}
        self._spoilt: set[str] = set()  # rooms that could not be read when they were last looked at
        self._serial = 0
        self._changed_at: float | None = None  # when Redis went away, or came back
        self._steady: set[int] = set()  # nodes that were with Redis for as long as this one was not

    def follow(self, room_id: str) -> list[Action]:
        """Begin to read a room's ledger, unless this is done already."""
        if self.alone or room_id in self._copies:
            return []
        self._copies[room_id] = Copy()
        self._spoilt.discard(room_id)
        return [Load(room_id)]

    def room(self, room_id: str) -> Room:
        """Return a room.

        Raises:
            UsageError: ROOM-UNKNOWN; ROOM-UNREADABLE.
        """
        self.need_readable(room_id)
        return super().room(room_id)

    def need_readable(self, room_id: str) -> None:
        """Do nothing, unless what is shared of a room could not be read.

        Raises:
            UsageError: ROOM-UNREADABLE.
        """
        if room_id in self._spoilt:
            raise fault_error("ROOM-UNREADABLE")

    def is_settled(self, room_id: str) -> bool:
        """Whether it is known if there is such a room."""
        copy = self._copies.get(room_id)
        return self.alone or copy is None or (copy.loaded and (room_id in self.rooms or not copy.unread))

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

    def _apply(self, room_id: str, copy: Copy, entry: Entry) -> list[Action]:
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
            room.mark = mark_of(entry.node, entry.serial, happened)
        seats = room.by_socket if room is not None else {}
        if copy.before is not None and isinstance(written, Said | Gone) and written.socket not in seats:
            again = self._write_again(room_id, copy, written)
            if copy.loaded:  # otherwise it is written with all that waits
                actions.append(again)
        actions += self.notes.named(self.take(room_id, happened, entry.at), entry)
        if (room := self.rooms.get(room_id)) is not None:
            room.heard[entry.node] = entry.serial
        if copy.before is not None:
            actions += self._coming_back(room_id, copy, entry, actions)
        if ours and entry.number % KEEP_EVERY == 0 and room is not None:
            whole = ledger.write_room(room)
            actions.append(Keep(room_id, copy.epoch, copy.number, whole, self._lasts(room_id)))
        return actions

    def _write_again(self, room_id: str, copy: Copy, event: Event) -> Write:
        """Write what was not heard, as its connection was not in the ledger."""
        self._serial += 1
        copy.unread[self._serial] = event
        return self._write(room_id, self._serial, event)

    def _coming_back(self, room_id: str, copy: Copy, entry: Entry, actions: list[Action]) -> list[Action]:
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
        try:
            found = self._whole(event)
        except msgspec.MsgspecError as error:
            return self._unreadable(Unreadable(event.room, str(error)))
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
            if found is not None:
                self.rooms[event.room] = found
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

    def _whole(self, event: Loaded) -> Room | None:
        if event.whole is None:
            return None
        room = ledger.read_room(event.whole, self.settings)
        if room.id != event.room:
            raise msgspec.ValidationError("it is another room")
        return room

    def _unreadable(self, event: Unreadable) -> list[Action]:
        """Turn away whoever is in a room that cannot be read, or comes to it, and leave it as it is.

        Begun anew beside the others it would be another room at each node, and written over theirs.
        """
        if self._copies.pop(event.room, None) is None:
            return []
        self.rooms.pop(event.room, None)
        self._spoilt.add(event.room)
        actions: list[Action] = [event, Leave(event.room)]
        for socket, connection in self._connections.items():
            if connection.room == event.room:
                actions += refused(socket, connection.dialect, fault_error("ROOM-UNREADABLE"))
        return actions

    def _go_on(self, room_id: str, copy: Copy, now: float) -> list[Action]:
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
        return not self.alone and person.home in self.nodes | self._steady and seq <= person.outbox.seq

    def _bring(self, room_id: str, copy: Copy) -> list[Action]:
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

    def _part_from_others(self, room: Room, now: float) -> list[Action]:
        room.mark = (self.node, self._serial, 0)
        return self.notes.alone(room.receive(Away(self.node, others=True), now))


def mark_of(node: int, serial: int, event: Event) -> tuple[int, int, int]:
    """Return what a room is told of where something comes from: who wrote it, as which, and its `rid`."""
    if isinstance(event, Said) and not isinstance(event.message, messages.Seed):
        return node, serial, event.message.rid or 0
    return node, serial, 0
