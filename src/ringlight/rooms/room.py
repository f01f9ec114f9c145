"""The rules of one room, as a pure machine: who is in, who waits, who hears what.

`receive(event, now)` returns what to do, in order. It never raises and never waits. The time is a number of seconds
since 1970, which never goes back.
"""

import hmac
from collections.abc import Callable, Iterable

from ringlight.errors import RingError, fault_error
from ringlight.rooms import bell, consent, messages, parting, passing
from ringlight.rooms.company import Company
from ringlight.rooms.events import (
    Action,
    AddCamera,
    Alone,
    Away,
    Close,
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
    Resuming,
    Said,
    Send,
    Tick,
    What,
    node_of,
)
from ringlight.rooms.messages import Joined, Left, Roster, UserJoined, UserLeft
from ringlight.rooms.people import Claims, Dialect, Person, Returning
from ringlight.settings import RoomSettings

__all__ = ["TIME_IS_OVER", "Room", "refused"]

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
        self._returning_until = 0.0
        self.ended_at: float | None = None
        self.empty_since: float | None = None
        self._ranks = 0
        self._hosts_gone_at: float | None = None

    @property
    def state(self) -> str:
        """`waiting`, `active` (two or more are inside) or `ended`; before its time `scheduled` is told elsewhere."""
        if self.ended_at is not None:
            return "ended"
        return "active" if self.inside_count > 1 else "waiting"

    def receive(self, event: Event, now: float) -> list[Action]:
        """Feed one event; return what to do, in order."""
        self._out = []
        self._takers[type(event)](self, event, now)
        if self.people:
            self.empty_since = None
        elif self.empty_since is None:
            self.empty_since = now
        return self._out

    def hear(self, socket: int, message: messages.Heard | messages.Seed, frame: bytes, now: float) -> list[Action]:
        """Take a message of a connection that is in, as `receive` takes `Said`; return what to do, in order."""
        out: list[Action] = []  # `list[Action]()` takes half a microsecond more
        self._out = out
        person = self.by_socket.get(socket)
        if person is None:
            return out  # it was closed while this was on its way
        try:
            if type(message) is messages.Seed:
                passing.pass_seed(self, person, message, frame, now)
                return out
            rid = message.rid  # type: ignore[union-attr]
            if rid is None:
                self._handlers[type(message)](self, person, message, now)
            else:
                if rid > person.taken:  # otherwise it is sent again after a resume
                    person.taken = rid
                    self._handlers[type(message)](self, person, message, now)
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
            self._out.append(Note(what, "", detail, self.id, by=doer, passing=self.passing, kept=self.kept))
            return
        self._out.append(
            Note(
                what, person.role, detail, self.id, person.id, person.claims.person, doer, person.inside,
                person.consents, self.passing, figures or {}, self.kept, person.home,
            )
        )  # fmt: skip

    def next_rank(self) -> int:
        """Return the place of the next who comes, in the order of coming."""
        self._ranks += 1
        return self._ranks

    def is_due(self, now: float) -> bool:
        """Whether time alone changes something by now; otherwise a tick does nothing."""
        if self.ended_at is None and self.closes is not None and now >= self.closes:
            return True
        if self._hosts_gone_at is not None and now >= self._hosts_gone_at:
            return True
        if self.returning and now >= self._returning_until:
            return True
        return any(
            (person.gone_at is not None and now >= person.gone_at)
            or (person.dialect is Dialect.OWN and self._is_expired(person, now))
            for person in self.people.values()
        )

    def expect(self, returning: dict[str, Returning], now: float) -> None:
        """Await those who were here when the server stopped; whoever comes in time goes on where they were."""
        self.returning, self._returning_until = returning, now + self.settings.host_grace
        if any(one.inside for one in returning.values()):
            self._hosts_gone_at = now + self.settings.host_grace

    # Coming in

    def _knocked(self, event: Enter, now: float) -> None:
        try:
            self._enter(event, now)
        except RingError as error:
            role = event.claims.role if event.claims is not None else ""
            self._out.append(Note("refused", role, error.code, self.id, passing=self.passing))
            self._refuse(event.socket, event.dialect, error)

    def _enter(self, event: Enter, now: float) -> None:
        if event.resuming is not None and (person := self._whose(event.resuming, event.claims, now)) is not None:
            self._resume(person, event, event.resuming.seq, now)
            return
        if event.resuming is not None:
            self.note("resume_failed", detail="unknown")
        claims = event.claims
        if claims is None:
            raise fault_error("ROOM-TOKEN-NEEDED", "the session is not known any more")
        self._judge_time(now)
        before = self._same(claims, event.dialect)
        if before is not None:
            self._take_over(before, claims, event, now)
            return
        host = "admit" in claims.may
        returns = self.returning.get(claims.person or "")
        if self.locked and not host and returns is None:
            raise fault_error("ROOM-LOCKED")
        inside = host or not self.lobby or (returns is not None and returns.inside)
        count, most = self.inside_count, self.capacity
        if not inside:
            count, most = len(self.people) - count, self.settings.waiting
        if count >= most:
            raise fault_error("ROOM-FULL", f"{count} of {most} places are taken")
        person = Person(
            event.id, event.secret, claims, event.dialect, self._ranks + 1, self.new_outbox(), now, event.socket
        )
        person.home = node_of(event.socket)
        consent.judge_dialect(self, person)
        self.next_rank()
        if returns is not None:
            person.consents = returns.consents
            del self.returning[claims.person or ""]
        self.people[person.id] = self.by_socket[event.socket] = person
        self._welcome(person, event, resumed=False)
        if inside:
            self._come_in(person, now)
        else:
            self.note("waiting", person)
            self.place_in_line(person)
            for other in self.hosts():
                self.tell(other, self.knock_of(person, now))

    def _whose(self, resuming: Resuming, claims: Claims | None, now: float) -> Person | None:
        person = self.people.get(resuming.session)
        if person is None or person.dialect is not Dialect.OWN:
            return None
        given = resuming.secret.encode(errors="replace")
        if not any(known and hmac.compare_digest(known.encode(), given) for known in (person.secret, person.earlier)):
            return None
        if claims is not None and claims.person == person.claims.person and claims.person is not None:
            person.claims = claims
        expires = person.claims.expires
        return None if expires is not None and expires <= now else person

    def _same(self, claims: Claims, dialect: Dialect) -> Person | None:
        """Return whose place this newcomer takes: the same token holder's; in open mode the seed's namesake's.

        Where there is a lobby nobody takes the place of another by a name that anybody may say.
        """
        for person in self.people.values():
            if claims.person is not None:
                if person.claims.person == claims.person:
                    return person
            elif (
                person.claims.person is None
                and dialect is person.dialect is Dialect.SEED
                and person.role == claims.role
                and (not self.lobby or "admit" in claims.may)
            ):
                return person
        return None

    def _resume(self, person: Person, event: Enter, seq: int, now: float) -> None:
        missed = person.outbox.after(seq)
        self._unseat(person)
        person.earlier, person.secret = event.resuming.secret if event.resuming is not None else "", event.secret
        self._seat(person, event.socket)
        if missed is None:
            self.note("resume_failed", person, detail="not kept")
            self._start_again(person, event, now)
            return
        self._welcome(person, event, resumed=True)
        self._out += [Send(event.socket, frame) for frame in missed]
        self.note("resumed", person)
        if person.inside:
            self.tell_others(person, messages.Back(id=person.id))

    def _take_over(self, person: Person, claims: Claims, event: Enter, now: float) -> None:
        self._unseat(person)
        person.claims, person.dialect, person.secret, person.earlier = claims, event.dialect, event.secret, ""
        self._seat(person, event.socket)
        self._start_again(person, event, now)

    def _start_again(self, person: Person, event: Enter, now: float) -> None:
        """A person whom the others know has a page that knows nothing."""
        person.outbox, person.offered, person.media = self.new_outbox(), None, {}
        person.mail.clear()
        if person.dialect is Dialect.SEED or event.resuming is None:
            person.taken = 0
        self._welcome(person, event, resumed=False)
        self.note("came_back", person)
        if not person.inside and not person.may("admit"):
            self.place_in_line(person)
            return
        if not person.inside:  # with a token that says more than the one before
            person.inside = True
            self.tell_knock_gone(person)
        self._tell_roster(person, now)
        self._announce(person, again=True)
        passing.replay(self, person, now)

    def _unseat(self, person: Person) -> None:
        """Part a person from a connection that still seems open."""
        if person.socket is None:
            return
        if person.dialect is Dialect.OWN:
            self._out.append(Send(person.socket, messages.refusal(fault_error("ROOM-REPLACED"))))
            self.say_bye(person.socket, "replaced", "leave", messages.CLOSE_CODES["ROOM-REPLACED"])
        else:
            self._out.append(Close(person.socket, 1000))  # another code starts the reconnect timer of its client B
        del self.by_socket[person.socket]
        person.socket = None

    def _seat(self, person: Person, socket: int) -> None:
        person.socket, person.gone_at = socket, None
        person.seats, person.home = person.seats + 1, node_of(socket)
        person.mail.clear()
        self.by_socket[socket] = person
        if person.inside and person.may("admit"):
            self._hosts_gone_at = None

    def _come_in(self, person: Person, now: float, how: str = "") -> None:
        person.inside = True
        if person.may("admit"):
            self._hosts_gone_at = None
        self.note("entered", person, detail=how)
        if not self.started:
            self.started = True
            self.note("started")
        self._tell_roster(person, now)
        self._announce(person, again=False)
        passing.replay(self, person, now)

    def _tell_roster(self, person: Person, now: float) -> None:
        others = [other.seen_by(person) for other in self.others(person)]
        self.tell(person, Roster(state=self.state, people=[*others, *bell.seen_by(self, person)]))
        if person.may("admit"):
            for waiting in self.waiting():
                self.tell(person, self.knock_of(waiting, now))

    def _announce(self, person: Person, *, again: bool) -> None:
        seed = messages.encode(UserJoined(person.user_type, self.inside_count))
        for other in self.others(person):
            if other.dialect is Dialect.SEED:
                self.send(other, seed)
            else:
                self.tell(other, Joined(person=person.seen_by(other), again=again))

    def _welcome(self, person: Person, event: Enter, *, resumed: bool) -> None:
        if person.dialect is Dialect.SEED:
            return  # the first one in a room hears nothing, and nobody is to hear what the seed never said
        s = self.settings
        self.send(
            person,
            messages.encode(
                messages.Welcome(
                    session=person.id, resume=person.secret, resumed=resumed, room=self.id, state=self.state,
                    you=messages.You(id=person.id, role=person.role, may=sorted(person.claims.may)),
                    rid=person.taken, ping_s=s.ping_every,
                    limits=messages.Limits(bytes=s.message_bytes, per_s=s.rate, burst=s.burst),
                    ice=list(event.ice), ice_ttl_s=event.ice_ttl, consent=consent.asked_of(self, person),
                )
            ),
        )  # fmt: skip

    @staticmethod
    def _is_expired(person: Person, now: float) -> bool:
        # A page of the seed's kind could not renew its token; it is judged when it enters only.
        expires = person.claims.expires
        return expires is not None and now >= expires + EXPIRED_GRACE

    def _judge_time(self, now: float) -> None:
        if self.ended_at is not None or (self.closes is not None and now >= self.closes):
            raise fault_error("ROOM-ENDED")
        if self.opens is not None and now < self.opens:
            wait = self.opens - now
            raise fault_error("ROOM-EARLY", f"it opens in {wait:.0f} s", retry_after=wait)

    def _refuse(self, socket: int, dialect: Dialect, error: RingError) -> None:
        self._out += refused(socket, dialect, error)

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

    def _admit(self, person: Person, message: messages.Admit, now: float) -> None:
        self.need(person, "admit")
        for waiting in [self.who_waits(message.id)] if message.id is not None else list(self.waiting()):
            if self.inside_count >= self.capacity:
                raise fault_error("ROOM-FULL", f"{self.capacity} of {self.capacity} places are taken")
            waiting.inside = True
            waited = {"seconds": now - waiting.since}
            self.note("admitted", waiting, by=person, figures=waited)
            self.tell_knock_gone(waiting)
            self._come_in(waiting, now, "admitted")

    def _deny(self, person: Person, message: messages.Deny, now: float) -> None:
        self.need(person, "admit")
        waiting = self.who_waits(message.id)
        self.note("denied", waiting, by=person)
        self.dismiss(waiting, fault_error("ROOM-DENIED", message.reason or None), now)

    def _send_back(self, person: Person, message: messages.SendBack, now: float) -> None:
        self.need(person, "admit")
        other = self.other(person, message.id)
        if other.may("admit"):
            raise fault_error("ROOM-FORBIDDEN", "who may admit does not wait")
        self.lobby = True
        self._put_before_the_door(other, now, by=person)

    def _lock(self, person: Person, message: messages.Lock, now: float) -> None:
        self.need(person, "admit")
        self.locked = message.on
        self.note("locked" if message.on else "unlocked", by=person)
        for other in [person, *self.others(person)]:
            self.tell(other, messages.Locked(on=message.on))

    def _end(self, person: Person, _: messages.End, now: float) -> None:
        self.need(person, "end")
        self.finish(now, "by somebody", by=person)

    def _leave(self, person: Person, _: messages.Leave, now: float) -> None:
        if person.socket is not None:
            self.say_bye(person.socket, "left", "leave", 1000)
        self.remove(person, "left", now)

    _handlers: dict[type, Callable[..., None]] = {  # noqa: RUF012 - a table of methods, never changed
        messages.Signal: passing.pass_signal, messages.Chat: passing.pass_chat, messages.State: _state_of,
        messages.Admit: _admit, messages.Deny: _deny, messages.SendBack: _send_back, messages.Lock: _lock,
        messages.End: _end, messages.Leave: _leave, messages.Ping: _ping, messages.Hello: _hello_again,
        messages.Consent: consent.take, messages.Quality: consent.judge_quality,
    }  # fmt: skip

    # Going

    def part(self, event: Gone, now: float) -> None:
        """Part somebody from a connection that broke."""
        person = self.by_socket.pop(event.socket, None)
        if person is None:
            return
        person.socket = None
        self.note("lost", person, detail=event.reason)
        if person.dialect is Dialect.SEED:  # it knows no way to come back
            self.remove(person, event.reason, now)
            return
        person.gone_at = now + self.settings.grace
        if person.inside:
            left = Left(id=person.id, reason=event.reason, grace_s=self.settings.grace)
            self.tell_others(person, left)

    def remove(self, person: Person, reason: str, now: float) -> None:
        """Take somebody out, and tell who knew of them."""
        if person.socket is not None:
            self.by_socket.pop(person.socket, None)
            person.socket = None
        del self.people[person.id]
        self.note("left", person, detail=reason)
        if person.inside:
            self._tell_gone(person, reason)
        else:
            self.tell_knock_gone(person)
        if person.inside and person.may("admit") and not any(self.hosts()):
            self._hosts_gone_at = now + self.settings.host_grace

    def dismiss(self, person: Person, error: RingError, now: float) -> None:
        """Take somebody out, and tell them why."""
        socket, dialect = person.socket, person.dialect
        self.remove(person, error.code.removeprefix("ROOM-").lower(), now)
        if socket is not None:
            self._refuse(socket, dialect, error)

    def _tell_gone(self, person: Person, reason: str) -> None:
        self.tell_others(person, Left(id=person.id, reason=reason))
        seed = messages.encode(UserLeft(person.user_type, self.inside_count))
        for other in self.others(person):
            if other.dialect is Dialect.SEED:
                self.send(other, seed)

    def _put_before_the_door(self, person: Person, now: float, by: Person | None = None) -> None:
        person.inside, person.offered = False, None
        self.note("sent_back", person, by=by, detail="nobody admits" if by is None else "")
        self._tell_gone(person, "sent_back")
        self.place_in_line(person)
        if person.dialect is Dialect.SEED:
            self.send(person, messages.seed_refusal(fault_error("ROOM-WAITING")))
        for other in self.hosts():
            self.tell(other, self.knock_of(person, now))

    def finish(self, now: float, why: str, by: Person | None = None, *, noted: bool = False) -> None:
        """Tell everybody that the visit is over; nobody comes in again. `noted` says that the record has it."""
        self.ended_at = now
        if not noted:
            self.note("ended", by=by, detail=why)
        self.returning.clear()
        for person in list(self.people.values()):
            socket, dialect = person.socket, person.dialect
            if socket is not None and dialect is Dialect.OWN:
                self._out.append(Send(socket, messages.refusal(fault_error("ROOM-ENDED"))))
                self.say_bye(socket, "ended", "leave", messages.CLOSE_CODES["ROOM-ENDED"])
            elif socket is not None:
                self._out += [Send(socket, messages.seed_refusal(fault_error("ROOM-ENDED"))), Close(socket, 1000)]
        self.people.clear()
        self.by_socket.clear()

    def _renewed(self, event: Renew, _: float) -> None:
        if (person := self.by_socket.get(event.socket)) is not None:
            person.claims = event.claims

    def _made(self, _: Make, __: float) -> None:
        """It is there already."""

    def _finished(self, _: Finish, now: float) -> None:
        self.finish(now, "from outside")

    def _tick(self, _: Tick, now: float) -> None:
        if self.ended_at is None and self.closes is not None and now >= self.closes:
            self.finish(now, TIME_IS_OVER)
        for person in list(self.people.values()):
            if person.gone_at is not None and now >= person.gone_at:
                self.remove(person, "gone", now)
            elif person.dialect is Dialect.OWN and self._is_expired(person, now):
                self.dismiss(person, fault_error("ROOM-TOKEN-EXPIRED"), now)
        if self.returning and now >= self._returning_until:
            for identity in self.returning:
                left = Note(
                    "left", "", "did not return", self.id, identity=identity, passing=self.passing, kept=self.kept
                )  # fmt: skip
                self._out.append(left)
            self.returning.clear()
        if self._hosts_gone_at is not None and now >= self._hosts_gone_at:
            self._hosts_gone_at = None
            if self.lobby and not any(self.hosts()):
                for person in [person for person in self.people.values() if person.inside]:
                    self._put_before_the_door(person, now)

    _takers: dict[type, Callable[..., None]] = {  # noqa: RUF012 - a table of methods, never changed
        Said: _said, Enter: _knocked, Gone: part, Tick: _tick, Make: _made, Renew: _renewed, Finish: _finished,
        AddCamera: bell.add, RemoveCamera: bell.remove, Pressed: bell.ring, Away: parting.leave, Alone: parting.tell,
        Merge: parting.merge,
    }  # fmt: skip


def refused(socket: int, dialect: Dialect, error: RingError) -> list[Action]:
    """Return how a connection is told why it ends: in a frame, since a page sees no reason of a refused upgrade."""
    tell = messages.refusal if dialect is Dialect.OWN else messages.seed_refusal
    return [Send(socket, tell(error)), Close(socket, messages.CLOSE_CODES[error.code], error.code)]
