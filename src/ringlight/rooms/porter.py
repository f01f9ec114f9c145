"""Between the house and its sockets, the same for every adapter: numbers them, tells the time, does as told."""

import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from ringlight import spans
from ringlight.rooms.audit import AuditKey
from ringlight.rooms.connections import Heard, Lost, Opened
from ringlight.rooms.events import Action, Close, Late, Make, Note, Outside, Send, Shared, Tick
from ringlight.rooms.held import Held
from ringlight.rooms.house import House
from ringlight.rooms.joining import Joining
from ringlight.rooms.room import Room
from ringlight.secrets import Secret

__all__ = ["Porter", "Socket"]

TIMED_EACH = 64  # one of so many frames is timed, which costs nothing that could be measured
log = logging.getLogger("ringlight.rooms")


class Socket(Protocol):
    """What an adapter gives for each connection. Neither call may wait; a socket that cannot keep up calls `lost`."""

    def send(self, frame: bytes) -> None:
        """Send a text frame, after all those before it."""

    def close(self, code: int, reason: str) -> None:
        """Close, after all frames that were sent before."""


class Porter:
    """Feeds the house and does what it returns.

    Args:
        house: All rooms.
        clock: Seconds since 1970, which never go back.
    """

    def __init__(self, house: House, clock: Callable[[], float]) -> None:
        self.house = house
        self._clock = clock
        self._sockets: dict[int, Socket] = {}
        self._number = 0
        self._waiting: deque[Any] = deque()
        self._working = False
        self.hearers: list[Callable[[Note], None]] = []  # told of what happens, such as those who count
        # Writes down what happens; returns under which number what answers it waits until that is on the disk.
        self.record: Callable[[Note], int | None] | None = None
        # Finds a room that was made on purpose and that no server has any more.
        self.recall: Callable[[str], Awaitable[Make | None]] | None = None
        # Gets how long a frame took from socket to sockets, for one in so many of them.
        self.timed: Callable[[float], None] | None = None
        # Lets the clock follow the time of day; told whether nobody is connected.
        self.follow: Callable[[bool], None] = lambda _: None
        # What stands for a room's id in the log; with an audit the same as there.
        self.hidden: Callable[[str], str] = AuditKey(Secret(secrets.token_hex())).hidden
        self._frames = TIMED_EACH  # until the next one that is timed
        self._held = Held()

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    @property
    def open_sockets(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    @property
    def is_idle(self) -> bool:
        """Whether no time has to be told: no socket is open, and no room waits for anything."""
        return not self._sockets and not self.house.rooms

    def open(
        self, socket: Socket, path: str, *, token: str = "", origin: str | None = None, host: str = "",
        local: bool = False, peer: str = "", traceparent: str = "",
    ) -> int:  # fmt: skip
        """Take a new connection; return its number for `heard` and `lost`. See `Opened`.

        Where spans are made, its way in is one, and a part of the trace that `traceparent` names.
        """
        if not self._sockets:
            self.follow(True)
        self._number += 1
        number = self._number
        if spans.is_on():
            socket = Joining(socket, traceparent, lambda plain: self._sockets.__setitem__(number, plain))
        self._sockets[number] = socket
        self.feed(Opened(number, path, token, origin, host, local, peer))
        return number

    def heard(self, number: int, frame: bytes | None) -> None:
        """Take a frame; `None` is one that is no text."""
        if self._working or self._waiting:
            self.feed(Heard(number, frame))
            return
        self._frames -= 1
        began = time.perf_counter() if not self._frames else 0.0
        self._working = True  # the way of nearly every message; as `feed`, without a queue for it
        try:
            actions = self.house.hear(number, frame, self._clock())
            if len(actions) == 1 and type(send := actions[0]) is Send and not self._held.queues:
                if (socket := self._sockets.get(send.socket)) is not None:
                    socket.send(send.frame)
            else:
                self.perform(actions)
        finally:
            self._working = False
        if not self._frames:
            self._frames = TIMED_EACH
            if self.timed is not None:
                self.timed(time.perf_counter() - began)
        if self._waiting:
            self.feed_waiting()

    def lost(self, number: int, reason: str = "network") -> None:
        """Take note that a connection is over. Nothing happens for one that was closed from here."""
        if (socket := self._sockets.pop(number, None)) is not None:
            if isinstance(socket, Joining):
                socket.gone()
            self.feed(Lost(number, reason))

    def tick(self) -> None:
        """Tell the time; about once a second."""
        self.follow(not self._sockets)
        self.feed(Tick())

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be one of several servers inside of the `async with`, where there are several."""
        yield

    async def find(self, room_id: str) -> Room:
        """Return a room.

        Raises:
            UsageError: ROOM-UNKNOWN.
        """
        return self.house.room(room_id)

    async def make(self, room_id: str | None = None, **options: Any) -> Room:
        """Make a room on purpose; see `House.make`.

        Raises:
            UsageError: ROOM-ID, or `RoomTaken`.
        """
        return self.house.make(room_id, **options)

    def happen(self, room: Room, event: Outside) -> None:
        """Let something happen in a room that none of its sockets brings."""
        self.perform(self.house.happen(room.id, event, self._clock()))

    def drain(self) -> None:
        """Take nobody any more, and send everybody away to come back later."""
        self.perform(self.house.drain())

    def feed(self, event: Any) -> None:
        """Tell the house what happened, and do what it returns."""
        # A socket that cannot keep up says so while others still have to be told: first things first.
        self._waiting.append(event)
        if not self._working:
            self.feed_waiting()

    def feed_waiting(self) -> None:
        """Tell the house what waited until it was told something else."""
        self._working = True
        try:
            while self._waiting:
                self.perform(self.house.receive(self._waiting.popleft(), self._clock()))
        finally:
            self._working = False

    def written(self, number: int) -> None:
        """Send what waited until this was on the disk, and all before it."""
        for action in self._held.released(number):
            self._do(action)

    def perform(self, actions: list[Action]) -> None:
        """Do what the house returned."""
        number: int | None = None
        held, sockets = self._held.queues, self._sockets
        for action in actions:
            if type(action) is Send and number is None and not (held and action.socket in held):
                if (socket := sockets.get(action.socket)) is not None:
                    socket.send(action.frame)
            elif isinstance(action, Note):
                if log.isEnabledFor(logging.INFO):
                    shown = self.hidden(action.room)
                    log.info("room_%s room=%s role=%s detail=%s", action.what, shown, action.role, action.detail)
                for hear in self.hearers:
                    hear(action)
                if self.record is not None and (given := self.record(action)) is not None:
                    number = given
            elif isinstance(action, Late):
                if self.record is not None:
                    self.record(action.note)
            elif not isinstance(action, Send | Close):
                self.more(action)
            elif number is not None or (held and action.socket in held):
                self._held.hold(action, number)
            else:
                self._do(action)

    def _do(self, action: Send | Close) -> None:
        if type(action) is Send:
            if (socket := self._sockets.get(action.socket)) is not None:
                socket.send(action.frame)
        elif type(action) is Close and (socket := self._sockets.pop(action.socket, None)) is not None:
            socket.close(action.code, action.reason)

    def more(self, action: Shared) -> None:
        """Do what only several nodes ask for."""
