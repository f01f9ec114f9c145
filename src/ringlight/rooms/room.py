"""The rules of one room, as a pure machine: who is in, who waits, who hears what.

`receive(event, now)` returns what to do, in order. It never raises and never waits. The time is a number of seconds
since 1970, which never goes back. The rules themselves are in `entering`, `resuming`, `lobby`, `passing`, `leaving`,
`consent`, `bell` and `parting`; here is what they have in common, and who is asked for what.
"""

from collections.abc import Callable, Iterable
from typing import Final

from ringlight.errors import RingError, fault_error
from ringlight.rooms import bell, consent, entering, leaving, lobby, messages, parting, passing
from ringlight.rooms.company import Company
from ringlight.rooms.events import (
    Action,
    AddCamera,
    Alone,
    Away,
    Enter,
    Event,
    Finish,
    Gone,
    Make,
    Merge,
    Note,
    Pressed,
    RemoveCamera,
    Renew,
    Said,
    Tick,
    What,
)
from ringlight.rooms.people import Dialect, Returning
from ringlight.rooms.person import Person
from ringlight.settings import RoomSettings

__all__ = ["TIME_IS_OVER", "Room"]

TIME_IS_OVER = "time is over"
EXPIRED_GRACE = 25.0  # seconds that a connection lives on beyond its token, for a renewal that is on its way


class Room(Company):
    """One room.

    Args:
        id: Its id, as everybody names it.
        settings: Capacity, deadlines and limits.
        lobby: Whether those without `admit` wait until somebody lets them in.
        opens: From when on people may enter, in seconds since 1970; `None` is at once.
        closes: When it ends; `None` is never.
        capacity: How many may be inside; `None` takes that of the settings.
        kept: Whether it was made on purpose, and stays while nobody is in it.
        passing: Whether nothing of it is remembered when the last has left (open mode).
        consent: What those without `admit` must consent to.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the field's own word
        settings: RoomSettings,
        *,
        lobby: bool = True,
        opens: float | None = None,
        closes: float | None = None,
        capacity: int | None = None,
        kept: bool = False,
        passing: bool = False,
        consent: Iterable[str] = (),
    ) -> None:
        super().__init__(settings)
        self.id = id
        self.lobby = lobby
        self.opens = opens
        self.closes = closes
        self.capacity = capacity or settings.capacity
        self.kept = kept
        self.passing = passing
        self.consent = frozenset(consent)
        self.locked = False
        self.cameras: dict[str, str] = {}  # what each is called, by its id in addresses
        self.rung: dict[str, tuple[str, float]] = {}  # the last press of each, and when
        self.started = False
        self.returning: dict[str, Returning] = {}
        self.returning_until = 0.0
        self.ended_at: float | None = None
        self.empty_since: float | None = None
        self.ranks = 0
        self.hosts_gone_at: float | None = None

    @property
    def state(self) -> str:
        """`waiting`, `active` (two or more are inside) or `ended`; before its time `scheduled` is told elsewhere."""
        if self.ended_at is not None:
            return "ended"
        return "active" if self.inside_count > 1 else "waiting"

    def receive(self, event: Event, now: float) -> list[Action]:
        """Feed one event; return what to do, in order."""
        self.out = []
        _TAKERS[type(event)](self, event, now)
        if self.people:
            self.empty_since = None
        elif self.empty_since is None:
            self.empty_since = now
        return self.out

    def hear(self, socket: int, message: messages.Heard | messages.Seed, frame: bytes, now: float) -> list[Action]:
        """Take a message of a connection that is in, as `receive` takes `Said`; return what to do, in order."""
        out: list[Action] = []  # `list[Action]()` takes half a microsecond more
        self.out = out
        person = self.by_socket.get(socket)
        if person is None:
            return out  # it was closed while this was on its way
        try:
            if type(message) is messages.Seed:
                passing.pass_seed(self, person, message, frame, now)
                return out
            if (seen := message.seen) is not None and self.mark is None:  # type: ignore[union-attr]
                person.outbox.forget(seen)  # where there are several nodes, `parting` may need it yet
            rid = message.rid  # type: ignore[union-attr]
            if rid is None:
                _HANDLERS[type(message)](self, person, message, now)
            else:
                if rid > person.taken:  # otherwise it is sent again after a resume
                    person.taken = rid
                    _HANDLERS[type(message)](self, person, message, now)
                self.send(person, messages.encode(messages.Ok(rid=rid)))
        except RingError as error:
            if isinstance(message, messages.Seed):
                self.send(person, messages.seed_refusal(error))
            else:
                self.send(person, messages.refusal(error, message.rid))
        if not self.people and self.empty_since is None:
            self.empty_since = now
        return out

    def note(
        self, what: What, person: Person | None = None, *, by: Person | None = None, detail: str = "",
        figures: dict[str, float] | None = None,
    ) -> None:  # fmt: skip
        """Note for the record what happened to the room, or to somebody."""
        doer = "" if by is None else by.claims.person or by.id
        if person is None:
            self.out.append(Note(what, "", detail, self.id, by=doer, passing=self.passing, kept=self.kept))
            return
        self.out.append(
            Note(
                what, person.role, detail, self.id, person.id, person.claims.person, doer, person.inside,
                person.consents, self.passing, figures or {}, self.kept, person.home,
            )
        )  # fmt: skip

    def next_rank(self) -> int:
        """Return the place of the next who comes, in the order of coming."""
        self.ranks += 1
        return self.ranks

    def is_due(self, now: float) -> bool:
        """Whether time alone changes something by now; otherwise a tick does nothing."""
        if self.ended_at is None and self.closes is not None and now >= self.closes:
            return True
        if self.hosts_gone_at is not None and now >= self.hosts_gone_at:
            return True
        if self.returning and now >= self.returning_until:
            return True
        return any(
            (person.gone_at is not None and now >= person.gone_at)
            or (person.dialect is Dialect.OWN and self._is_expired(person, now))
            for person in self.people.values()
        )

    def expect(self, returning: dict[str, Returning], now: float) -> None:
        """Await those who were here when the server stopped; whoever comes in time goes on where they were."""
        self.returning, self.returning_until = returning, now + self.settings.host_grace
        if any(one.inside for one in returning.values()):
            self.hosts_gone_at = now + self.settings.host_grace

    @staticmethod
    def _is_expired(person: Person, now: float) -> bool:
        # A page of the seed's kind could not renew its token; it is judged when it enters only.
        expires = person.claims.expires
        return expires is not None and now >= expires + EXPIRED_GRACE

    # Messages

    def _said(self, event: Said, now: float) -> None:
        self.hear(event.socket, event.message, event.frame, now)

    def _ping(self, person: Person, _: messages.Ping, now: float) -> None:
        self.send(person, messages.encode(messages.Pong(at=round(now, 3))))

    def _hello_again(self, person: Person, _: messages.Hello, now: float) -> None:
        raise fault_error("ROOM-MESSAGE", "hello was said already")

    def _state_of(self, person: Person, message: messages.State, now: float) -> None:
        self.need_inside(person)
        given = {"audio": message.audio, "video": message.video, "screen": message.screen}
        person.media = {**person.media, **{name: on for name, on in given.items() if on is not None}}
        self.tell_others(person, messages.MediaState(id=person.id, media=person.media))

    # Time, and what comes from outside

    def _renewed(self, event: Renew, _: float) -> None:
        if (person := self.by_socket.get(event.socket)) is not None:
            person.claims = event.claims

    def _made(self, _: Make, __: float) -> None:
        """It is there already."""

    def _tick(self, _: Tick, now: float) -> None:
        if self.ended_at is None and self.closes is not None and now >= self.closes:
            leaving.finish(self, now, TIME_IS_OVER)
        for person in list(self.people.values()):
            if person.gone_at is not None and now >= person.gone_at:
                leaving.remove(self, person, "gone", now)
            elif person.dialect is Dialect.OWN and self._is_expired(person, now):
                leaving.dismiss(self, person, fault_error("ROOM-TOKEN-EXPIRED"), now)
        if self.returning and now >= self.returning_until:
            for identity in self.returning:
                left = Note(
                    "left", "", "did not return", self.id, identity=identity, passing=self.passing, kept=self.kept
                )  # fmt: skip
                self.out.append(left)
            self.returning.clear()
        if self.hosts_gone_at is not None and now >= self.hosts_gone_at:
            self.hosts_gone_at = None
            if self.lobby and not any(self.hosts()):
                for person in [person for person in self.people.values() if person.inside]:
                    lobby.put_before_the_door(self, person, now)


# Who takes each message and event. At the end, since a method has to be there before it is named.
_HANDLERS: Final[dict[type, Callable[..., None]]] = {
    messages.Signal: passing.pass_signal, messages.Chat: passing.pass_chat, messages.State: Room._state_of,
    messages.Admit: lobby.admit, messages.Deny: lobby.deny, messages.SendBack: lobby.send_back,
    messages.Lock: lobby.lock, messages.End: leaving.end, messages.Leave: leaving.leave, messages.Ping: Room._ping,
    messages.Hello: Room._hello_again, messages.Consent: consent.take, messages.Quality: consent.judge_quality,
}  # fmt: skip
_TAKERS: Final[dict[type, Callable[..., None]]] = {
    Said: Room._said, Enter: entering.knock, Gone: leaving.part, Tick: Room._tick, Make: Room._made,
    Renew: Room._renewed, Finish: leaving.finished,
    AddCamera: bell.add, RemoveCamera: bell.remove, Pressed: bell.ring, Away: parting.leave, Alone: parting.tell,
    Merge: parting.merge,
}  # fmt: skip
