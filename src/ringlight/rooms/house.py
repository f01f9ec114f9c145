"""All rooms and their doors, as one pure machine: sockets are opened, heard and lost; people enter and speak.

The adapters feed it what their sockets bring, and do what it returns. Chance comes in as `mint`. Who may enter at all
is judged in `admission`, which rooms there are in `registry`, and what happens inside of one in `room`.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from ringlight.errors import RingError, fault_error
from ringlight.rooms import messages
from ringlight.rooms.address import dialect_of, read_address
from ringlight.rooms.admission import Admission
from ringlight.rooms.connection import Connection
from ringlight.rooms.connections import Heard, Lost, Opened
from ringlight.rooms.events import (
    Action,
    Close,
    Enter,
    Event,
    Gone,
    Renew,
    Resuming,
    Send,
    Tick,
)
from ringlight.rooms.ice import Turn
from ringlight.rooms.leaving import refused, turned_away
from ringlight.rooms.limits import Allowance, Rates
from ringlight.rooms.messages import Bye, Hello, Seed
from ringlight.rooms.messages import Heard as Message
from ringlight.rooms.people import OWN, ROLES, SEED, USER_TYPES, Claims
from ringlight.rooms.registry import Registry
from ringlight.rooms.room import Room
from ringlight.settings import RoomSettings

__all__ = ["House"]

STRIKES = 50  # messages beyond the allowance, or not understood, until a connection is closed
BYTES_A_SECOND = 2 * 1024 * 1024 / 60
RENEW_AT = 0.8  # of the life of a token or a credential
DRAIN_OVER = 5.0  # seconds over which pages come back after a restart


class House(Registry):
    """All rooms of one server.

    Args:
        settings: Of rooms.
        mint: Returns fresh chance as text that fits into a URL.
        admission: Judges who may enter at all; `None` is one without tokens, so that only open mode lets anybody in.
        turn: Makes credentials for `welcome`; `None` makes none.
    """

    def __init__(
        self,
        settings: RoomSettings,
        mint: Callable[[], str],
        admission: Admission | None = None,
        turn: Turn | None = None,
    ) -> None:
        super().__init__(settings, mint)
        self.admission = admission or Admission(settings)
        self.draining = False
        self._turn = turn or Turn([], None, 0)
        self._connections: dict[int, Connection] = {}
        self._most_bytes = most = settings.message_bytes
        self._rates = Rates.of(
            (settings.rate, settings.burst), (BYTES_A_SECOND, max(4.0 * most, 60 * BYTES_A_SECOND))
        )  # fmt: skip

    def receive(self, event: Opened | Heard | Lost | Tick, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises.

        Args:
            event: What happened.
            now: Seconds since 1970, which never go back.
        """
        if type(event) is Heard:
            return self.hear(event.socket, event.frame, now)
        if type(event) is Opened:
            actions = self._opened(event, now)
        elif type(event) is Lost:
            actions = self._lost(event, now)
        else:
            actions = self._tick(now)
        self.forget_closed(actions)
        return actions

    def forget_closed(self, actions: Iterable[object]) -> None:
        """Forget the connections that are closed by what is to be done."""
        for action in actions:
            if type(action) is Close:
                self._connections.pop(action.socket, None)

    def say(self, room_id: str, socket: int, message: Message | Seed, frame: bytes, now: float) -> list[Action]:
        """Let a room hear what a page says; as `happen`, by the shortest way."""
        room = self.rooms.get(room_id)
        return room.hear(socket, message, frame, now) if room is not None else []

    def relays(self, whose: str, now: float) -> tuple[messages.IceServer, ...]:
        """Return the STUN and TURN servers, with credentials for `whose`, for a check before the call."""
        return self._turn.servers(whose, now)[0]

    def happen(self, room_id: str, event: Event, now: float) -> list[Action]:
        """Let something happen in a room; return what to do."""
        return self.take(room_id, event, now)

    def take(self, room_id: str, event: Event, now: float) -> list[Action]:
        """Feed a room; whoever has entered it is known by their connection from then on."""
        actions = super().take(room_id, event, now)
        if type(event) is Enter and (room := self.rooms.get(room_id)) is not None:
            self._entered(room, event, now)
        return actions

    def _entered(self, room: Room, event: Enter, now: float) -> None:
        person, connection = room.person_at(event.socket), self._connections.get(event.socket)
        if person is None or connection is None:
            return
        expires = person.claims.expires
        connection.renew_at = None if expires is None else now + RENEW_AT * (expires - now)
        connection.ice_at = None if event.ice_ttl is None else now + RENEW_AT * event.ice_ttl

    def claims(self, room_id: str, role: str, *, name: str = "", may: frozenset[str] | None = None) -> Claims:
        """Return the claims of somebody new.

        Raises:
            UsageError: ROOM-ROLE.
        """
        known = USER_TYPES.get(role, role)
        if known not in ROLES:
            raise fault_error("ROOM-ROLE", f"it is {role[:40]!r}")
        return Claims(room_id, f"u_{self._mint()}", known, ROLES[known] if may is None else may, name)

    def drain(self) -> list[Action]:
        """Take nobody any more, and send all pages away to come back at different times."""
        self.draining = True
        actions: list[Action] = []
        sockets = list(self._connections.items())
        for index, (socket, connection) in enumerate(sockets):
            delay = round(DRAIN_OVER * index / len(sockets), 2)
            if connection.dialect is OWN:
                bye = messages.encode(Bye(reason="restart", action="rejoin", delay_s=delay))
                actions += [Send(socket, bye), Close(socket, 1001, "restart")]
            else:
                actions += refused(socket, connection.dialect, fault_error("ROOM-BUSY"))
        self._connections.clear()
        return actions

    # One socket

    def _opened(self, event: Opened, now: float) -> list[Action]:
        dialect = dialect_of(event.path)
        try:
            self.admission.judge_origin(event)
            address = read_address(event.path)
            if self.draining or len(self._connections) >= self.settings.sockets:
                raise fault_error("ROOM-BUSY")
            connection = Connection(
                event, dialect, now, Allowance(self._rates),
                messages.parse_seed_text if dialect is SEED else messages.parse_text,
            )  # fmt: skip
            if dialect is SEED:
                claims = self.admission.claims_of(event, event.token, address.room, address.role, "", now)
                if claims.role != address.role or claims.room != address.room:
                    raise fault_error("ROOM-TOKEN", "it is for another room or role")
                return self._enter(connection, claims, None, now)
        except RingError as error:
            return turned_away(event.socket, dialect, error)
        self._connections[event.socket] = connection
        return []

    def _enter(
        self, connection: Connection, claims: Claims | None, hello: Hello | None, now: float
    ) -> list[Action]:  # fmt: skip
        dialect, socket = connection.dialect, connection.opened.socket
        room_id = claims.room if claims is not None else hello.room if hello is not None else None
        resuming = None
        if hello is not None and hello.session is not None and hello.resume is not None:
            resuming = Resuming(hello.session, hello.resume, hello.seq)
        new = f"p_{self._mint()}"
        ice, ttl = self._turn.servers(new, now)
        self._connections[socket] = connection
        connection.room = room_id or ""
        enter = Enter(socket, claims, dialect, new, self._mint(), resuming, ice, ttl)
        return self.happen(connection.room, enter, now)

    def hear(self, socket: int, frame: bytes | None, now: float) -> list[Action]:
        """Take a frame of a socket, as `receive` takes `Heard`; this is the way of nearly every message.

        The frame is UTF-8: whoever brings it has seen to that.
        """
        connection = self._connections.get(socket)
        if connection is None:
            return []  # it was closed while this was on its way
        try:
            size = len(frame) if frame is not None else 0
            if size > self._most_bytes:
                raise fault_error("ROOM-SIZE", f"{size} bytes; {self._most_bytes} are allowed")
            wait = connection.allowance.take(size, now)
            if wait:
                raise fault_error("ROOM-RATE", f"{wait:.1f} s to wait", retry_after=wait)
            if frame is None:
                raise fault_error("ROOM-MESSAGE", "the frame is not text")
            connection.heard_at = now
            try:
                message = connection.parse(frame)
            except messages.UNREADABLE as error:
                raise messages.unreadable(error) from None
            if connection.room is not None:
                actions = self.say(connection.room, socket, message, frame, now)
            else:
                actions = self._first(connection, message, now)
        except RingError as error:
            actions = self._strike(connection, error, now)
        for action in actions:
            if type(action) is Close:
                self._connections.pop(action.socket, None)
        return actions

    def _first(self, connection: Connection, message: Message | Seed, now: float) -> list[Action]:
        try:
            if not isinstance(message, Hello):
                raise fault_error("ROOM-HELLO", "another message came first")
            return self._hello(connection, message, now)
        except RingError as error:
            return turned_away(connection.opened.socket, connection.dialect, error)

    def _hello(self, connection: Connection, hello: Hello, now: float) -> list[Action]:
        if hello.v != 2:
            raise fault_error("ROOM-MESSAGE", "this server speaks version 2")
        claims, opened = None, connection.opened
        token = hello.token or opened.token
        if hello.session is not None and hello.room is None and not token:
            hello = replace(hello, room=self._room_of(hello.session))
        if token or hello.session is None or self.admission.is_open(opened):
            role = hello.role or "patient"
            claims = self.admission.claims_of(opened, token, hello.room or "", role, hello.name, now)
        return self._enter(connection, claims, hello, now)

    def _room_of(self, session: str) -> str:
        found = next((name for name, room in self.rooms.items() if session in room.people), None)
        if found is None:
            raise fault_error("ROOM-TOKEN-NEEDED", "the session is not known any more")
        return found

    def _strike(self, connection: Connection, error: RingError, now: float) -> list[Action]:
        """Answer what cannot be taken; a page with a mistake stays connected, one that floods does not."""
        connection.strikes += 1
        socket, dialect = connection.opened.socket, connection.dialect
        if error.code == "ROOM-SIZE" or connection.strikes >= STRIKES or connection.room is None:
            gone = self.happen(connection.room, Gone(socket), now) if connection.room is not None else []
            return [*gone, *refused(socket, dialect, error)]
        tell = messages.refusal if dialect is OWN else messages.seed_refusal
        return [Send(socket, tell(error))]

    def _lost(self, event: Lost, now: float) -> list[Action]:
        connection = self._connections.pop(event.socket, None)
        if connection is None or connection.room is None:
            return []
        return self.happen(connection.room, Gone(event.socket, event.reason), now)

    # Time

    def _tick(self, now: float) -> list[Action]:
        actions: list[Action] = []
        s = self.settings
        for socket, connection in list(self._connections.items()):
            if connection.room is None:
                if now >= connection.heard_at + s.hello_timeout:
                    actions += refused(socket, connection.dialect, fault_error("ROOM-HELLO", "no hello came"))
            elif connection.dialect is OWN and now >= connection.heard_at + s.silent_after:
                actions += self.happen(connection.room, Gone(socket, "silent"), now)
                actions += refused(socket, connection.dialect, fault_error("ROOM-SILENT"))
            else:
                actions += self._renew(socket, connection, connection.room, now)
        return actions + self._tick_rooms(now)

    def _tick_rooms(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for name, room in list(self.rooms.items()):
            actions += room.receive(Tick(), now)
            if self.is_over(room, now):
                del self.rooms[name]
        return actions

    def _renew(self, socket: int, connection: Connection, room_id: str, now: float) -> list[Action]:
        """Renew token and TURN credentials before they end; a page of the seed's kind would not know what to do."""
        actions: list[Action] = []
        room = self.rooms.get(room_id)
        person = room.person_at(socket) if room is not None else None
        if person is None or connection.dialect is SEED:
            return actions
        tokens = self.admission.tokens
        if tokens is not None and connection.renew_at is not None and now >= connection.renew_at:
            token = tokens.sign(person.claims, now).reveal()
            actions += self.happen(room_id, Renew(socket, tokens.check(token, now)), now)
            connection.renew_at = now + RENEW_AT * tokens.life
            actions.append(Send(socket, messages.encode(messages.Token(token=token, expires_s=tokens.life))))
        if connection.ice_at is not None and now >= connection.ice_at:
            ice, ttl = self._turn.servers(person.id, now)
            connection.ice_at = None if ttl is None else now + RENEW_AT * ttl
            actions.append(Send(socket, messages.encode(messages.Ice(ice=list(ice), ice_ttl_s=ttl))))
        return actions
