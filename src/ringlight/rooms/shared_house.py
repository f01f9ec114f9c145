"""The house where there are several: every node has the rooms that its people are in, and all do the same. Pure.

What happens in a room is first written into the room's ledger, which all nodes read in the same order; it is done when
it is read (`following`). A room follows from what happens in it and when, so it is the same on every node, and nothing
has to be handed over when a node dies: whoever comes back to another one finds it. Here is what a node does that loses
the others, and finds them again. The reasons are told in docs/decisions/0010-one-ledger-a-room.md.
"""

from collections.abc import Callable, Mapping

from ringlight.rooms import messages
from ringlight.rooms.admission import Admission
from ringlight.rooms.connections import Heard, Lost, Opened
from ringlight.rooms.copies import Copy, Cut, FromElsewhere, Loaded, Present, Read, Recalled, Sign
from ringlight.rooms.events import (
    Action,
    Alone,
    Away,
    Enter,
    Event,
    Gone,
    Leave,
    Load,
    Merge,
    Recall,
    Said,
    Send,
    Tick,
    Unreadable,
    node_of,
)
from ringlight.rooms.following import UNHEARD_OF, FollowingHouse, mark_of
from ringlight.rooms.ice import Turn
from ringlight.settings import RoomSettings

__all__ = ["SharedHouse"]

GONE_AFTER = 2  # looks after which a node that does not show itself is gone: a new one may be written of first
IDLE = 30.0  # seconds that a room is followed while none of its people is here


class SharedHouse(FollowingHouse):
    """All rooms that this node has people in. Arguments as for `FollowingHouse`."""

    def __init__(
        self,
        settings: RoomSettings,
        mint: Callable[[], str],
        admission: Admission | None = None,
        turn: Turn | None = None,
        *,
        node: int,
    ) -> None:
        super().__init__(settings, mint, admission, turn, node=node)
        self._missing: dict[int, int] = {}  # how often in a row a node was looked for and not there
        self._signs: Mapping[int, Sign] = {}  # of the last look
        self._before: Mapping[int, Sign] = {}  # of the last look before Redis went away
        self._returned: Mapping[int, Sign] = {}  # of the first look after that
        self._asking: dict[str, list[Event]] = {}  # while alone: what waits for the database, by room

    def receive(self, event: Opened | Heard | Lost | Tick | FromElsewhere, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises."""
        match event:
            case Read():
                actions = self._read(event, now)
            case Loaded():
                actions = self._loaded(event, now)
            case Unreadable():
                actions = self._unreadable(event)
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

    def drain(self) -> list[Action]:
        """Take nobody any more, send all pages away to come back, and tell the other nodes."""
        rooms = {connection.room for connection in self._connections.values() if connection.room is not None}
        actions = super().drain()
        for room_id in rooms:
            actions += self.happen(room_id, Away(self.node), 0.0)
        return actions

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

    # Alone, and back

    def _cut(self, now: float) -> list[Action]:
        if self.alone:
            self._changed_at = now if self._changed_at is None else self._changed_at
            return []
        if self._changed_at is None or now >= self._changed_at + UNHEARD_OF:
            self._before = self._signs  # else some may not have brought yet what they told when it was away before
        self.alone, self._changed_at = True, now
        self._spoilt.clear()
        self._steady.clear()
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
            room.mark = mark_of(self.node, serial, event)
        actions = self.notes.alone(self.take(room_id, event, now))
        if (room := self.rooms.get(room_id)) is not None:
            room.heard[self.node] = serial
            if self.alone and type(event) is Enter:
                actions += room.receive(Alone(on=True, socket=event.socket), now)
        return actions

    def _present(self, event: Present, now: float) -> list[Action]:
        self._signs, self.nodes = event.signs, frozenset(event.signs)
        actions: list[Action] = []
        if not self.alone:
            self._steady |= {node for node, sign in event.signs.items() if self._is_steady(node, sign)}
        else:
            self.alone, self._returned = False, event.signs
            self._changed_at = now if self._changed_at is not None else None  # at the first time none was waited for
            rooms, self.rooms = self.rooms, {}
            for room_id, room in rooms.items():
                if room.people or room.kept or room.ended_at is not None:
                    self._copies[room_id] = Copy(before=room)
                    actions.append(Load(room_id))
            return actions
        seats = {
            room_id: {node_of(socket) for socket in room.by_socket} - {self.node}
            for room_id, room in self.rooms.items()
            if (copy := self._copies.get(room_id)) is not None and copy.loaded and copy.before is None
        }
        missing = self.notes.awaited.union(*seats.values()) - self.nodes
        self._missing = {node: self._missing.get(node, 0) + 1 for node in missing}
        for room_id, nodes in seats.items():
            for node in nodes:
                if self._missing.get(node, 0) >= GONE_AFTER:
                    actions += self.happen(room_id, Away(node), now)
        gone = {node for node, count in self._missing.items() if count >= GONE_AFTER}
        return actions + self.notes.late(gone, now)

    def _is_steady(self, node: int, sign: Sign) -> bool:
        """Whether a node has had Redis without a break from before it was away until after that."""
        before, returned = self._before.get(node), self._returned.get(node)
        if before is None or before.stretch != sign.stretch:
            return False
        return returned is None or sign.until > returned.until  # a sign from before may still count for a while

    # Time

    def _tick_rooms(self, now: float) -> list[Action]:
        if self.alone:
            return self.notes.alone(super()._tick_rooms(now))
        actions: list[Action] = []
        here = {connection.room for connection in self._connections.values()}
        for room_id, copy in list(self._copies.items()):
            room = self.rooms.get(room_id)
            if room is None or not copy.loaded or copy.unread or copy.before is not None:
                continue
            if self.is_over(room, now):
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
