"""The people of one room: finding them, and telling each of them something."""

from collections.abc import Iterator
from typing import Any

from msgspec import Raw, UnsetType

from ringlight.errors import fault_error
from ringlight.rooms import messages, parting
from ringlight.rooms.events import Action, Close, Send
from ringlight.rooms.messages import Bye, Knock, KnockGone
from ringlight.rooms.outbox import Outbox
from ringlight.rooms.people import OWN
from ringlight.rooms.person import MAIL_KEPT, Person
from ringlight.settings import RoomSettings


class Company:
    """Everybody in a room and before it.

    Args:
        settings: How much is kept for those whose connection broke.
    """

    def __init__(self, settings: RoomSettings) -> None:
        self.settings = settings
        self.heard: dict[int, int] = {}  # the last that each node wrote of this room, where there are several
        self.mark: tuple[int, int, int] | None = None  # likewise: node and number of what happens just now, and its rid
        self.people: dict[str, Person] = {}
        self.by_socket: dict[int, Person] = {}
        self.out: list[Action] = []

    @property
    def inside_count(self) -> int:
        """How many are inside, those whose connection broke included."""
        return sum(person.inside for person in self.people.values())

    def person_at(self, socket: int) -> Person | None:
        """Whose connection it is."""
        return self.by_socket.get(socket)

    def tell(self, person: Person, event: Any) -> None:
        """Number an event for somebody and send it; one whose connection broke gets it on return."""
        if person.dialect is not OWN:
            return
        frame, socket = person.outbox.add(event), person.socket
        if socket is not None:
            self.out.append(Send(socket, frame))
        if self.mark is not None and type(event) in parting.MAIL:
            self._keep_mail(person)

    def tell_signal(
        self, person: Person, speaker: Person, description: Raw | UnsetType, candidate: Raw | UnsetType
    ) -> None:
        """Tell somebody on `/ws/v2` what another one signals, as `tell` would a `Signalled`."""
        outbox, socket = person.outbox, person.socket
        frame = outbox.keep(messages.signalled(outbox.seq + 1, speaker.id, description, candidate))
        if socket is not None:
            self.out.append(Send(socket, frame))
        if self.mark is not None:
            self._keep_mail(person)

    def _keep_mail(self, person: Person) -> None:
        assert self.mark is not None  # noqa: S101 - asked by the callers
        person.mail.append((*self.mark, person.outbox.seq))
        del person.mail[:-MAIL_KEPT]

    def send(self, person: Person, frame: bytes) -> None:
        """Send a frame to somebody as it is, if they are connected."""
        if person.socket is not None:
            self.out.append(Send(person.socket, frame))

    def tell_others(self, person: Person, event: Any) -> None:
        """Tell an event to all others inside."""
        for other in self.others(person):
            self.tell(other, event)

    def say_bye(self, socket: int, reason: str, action: str, code: int) -> None:
        """Say what the page is to do next, and close."""
        self.out.append(Send(socket, messages.encode(Bye(reason=reason, action=action))))
        self.out.append(Close(socket, code, reason))

    def tell_knock_gone(self, person: Person) -> None:
        """Tell those who may admit, and those who wait behind, that somebody no longer waits."""
        for host in self.hosts():
            if host is not person:
                self.tell(host, KnockGone(id=person.id))
        for waiting in self.waiting():
            if waiting.rank > person.rank:
                self.place_in_line(waiting)

    def place_in_line(self, person: Person) -> None:
        """Tell somebody where they are in the line."""
        before = sum(other.rank < person.rank for other in self.waiting())
        self.tell(person, messages.Waiting(position=before + 1))

    @staticmethod
    def knock_of(person: Person, now: float) -> Knock:
        """Return how those who may admit are told of somebody."""
        return Knock(
            id=person.id, role=person.role, name=person.claims.name, waited_s=int(now - person.since),
            consents=sorted(person.consents),
        )  # fmt: skip

    # Finding

    def need(self, person: Person, permission: str) -> None:
        """Raise ROOM-WAITING or ROOM-FORBIDDEN unless somebody is inside and may do this."""
        if not person.inside:
            raise fault_error("ROOM-WAITING")
        if permission not in person.claims.may:
            raise fault_error("ROOM-FORBIDDEN", f"this needs the permission {permission!r}")

    @staticmethod
    def need_inside(person: Person) -> None:
        """Raise ROOM-WAITING unless somebody is inside."""
        if not person.inside:
            raise fault_error("ROOM-WAITING")

    def other(self, person: Person, id: str) -> Person:  # noqa: A002 - as above
        """Return somebody else who is inside, or raise ROOM-PERSON."""
        other = self.people.get(id)
        if other is None or not other.inside or other is person:
            raise fault_error("ROOM-PERSON")
        return other

    def who_waits(self, id: str) -> Person:  # noqa: A002 - as above
        """Return somebody who waits, or raise ROOM-PERSON."""
        person = self.people.get(id)
        if person is None or person.inside:
            raise fault_error("ROOM-PERSON", "nobody of this id waits")
        return person

    def others(self, person: Person) -> list[Person]:
        """Return all others inside."""
        found = []
        for other in self.people.values():  # at half of what a comprehension costs before Python 3.12
            if other.inside and other is not person:
                found.append(other)  # noqa: PERF401 - as said above
        return found

    def hosts(self) -> Iterator[Person]:
        """Those inside who may admit."""
        return (person for person in self.people.values() if person.inside and person.may("admit"))

    def waiting(self) -> Iterator[Person]:
        """Those who wait."""
        return (person for person in self.people.values() if not person.inside)

    def new_outbox(self) -> Outbox:
        """Return the events of somebody new."""
        return Outbox(self.settings.replay_messages, self.settings.replay_bytes)
