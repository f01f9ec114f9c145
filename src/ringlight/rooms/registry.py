"""Which rooms there are: made on purpose or by whoever enters first, found by their id, and forgotten. Pure."""

from collections.abc import Callable, Iterable

from ringlight.errors import UsageError, fault_error
from ringlight.rooms.address import judge_room_id
from ringlight.rooms.events import Action, Enter, Event, Make, Merge
from ringlight.rooms.leaving import turned_away
from ringlight.rooms.people import OWN, Claims
from ringlight.rooms.room import Room
from ringlight.settings import RoomSettings

__all__ = ["ENDED_KEPT", "Registry", "RoomTaken"]

ENDED_KEPT = 86_400.0  # seconds that the end of a room is remembered: its tokens must not open it anew


class RoomTaken(UsageError):  # noqa: N818 - the name says what is so
    """REQUEST-INVALID: a room was to be made, and there is one of this id already."""

    def __init__(self) -> None:
        super().__init__("REQUEST-INVALID", "there is a room of this id already")


class Registry:
    """The rooms.

    Args:
        settings: Of rooms.
        mint: Returns fresh chance as text that fits into a URL.
    """

    def __init__(self, settings: RoomSettings, mint: Callable[[], str]) -> None:
        self.settings = settings
        self.rooms: dict[str, Room] = {}
        self._mint = mint

    def make(
        self, room_id: str | None = None, *, lobby: bool = True, opens: float | None = None,
        closes: float | None = None, capacity: int | None = None, consent: Iterable[str] = (),
        cameras: dict[str, str] | None = None,
    ) -> Room:  # fmt: skip
        """Make a room on purpose; it stays while nobody is in it. Arguments as of `Room`, and:

        Args:
            room_id: Its id; `None` takes one that nobody guesses.
            cameras: What each of its cameras is called, by its id in addresses.

        Raises:
            RoomTaken: There is such a room already.
            UsageError: ROOM-ID, the id cannot be one.
        """
        name = judge_room_id(room_id) if room_id is not None else f"r_{self._mint()}"
        if name in self.rooms:
            raise RoomTaken
        self.take(name, Make(lobby, opens, closes, capacity, frozenset(consent), cameras or {}), 0.0)
        return self.rooms[name]

    def room(self, room_id: str) -> Room:
        """Return a room.

        Raises:
            UsageError: ROOM-UNKNOWN.
        """
        if room_id not in self.rooms:
            raise fault_error("ROOM-UNKNOWN")
        return self.rooms[room_id]

    def take(self, room_id: str, event: Event, now: float) -> list[Action]:
        """Feed a room, which begins to be where this is how rooms begin."""
        room = self.rooms.get(room_id) or self._begin(room_id, event, now)
        if room is None:
            if type(event) is Enter:
                error = fault_error("ROOM-TOKEN-NEEDED", "the session is not known any more")
                return turned_away(event.socket, event.dialect, error)
            return []
        return room.receive(event, now)

    def _begin(self, room_id: str, event: Event, now: float) -> Room | None:
        match event:
            case Make():
                room = Room(
                    room_id, self.settings, lobby=event.lobby, opens=event.opens, closes=event.closes,
                    capacity=event.capacity, kept=True, consent=event.consent,
                )  # fmt: skip
                room.cameras.update(event.cameras)
                room.locked, room.started, room.ended_at = event.locked, event.started, event.ended_at
                if event.returning:
                    room.expect(dict(event.returning), now)
            case Enter(claims=Claims() as claims):
                # The seed knows no lobby; where tokens are asked for, its address must be no way around one.
                lobby = event.dialect is OWN or claims.person is not None
                room = Room(room_id, self.settings, lobby=lobby, passing=claims.person is None)
            case Merge():
                room = event.other
            case _:
                return None
        self.rooms[room_id] = room
        return room

    def is_over(self, room: Room, now: float) -> bool:
        """Whether a room may be forgotten."""
        if room.ended_at is not None:
            return room.passing or now >= room.ended_at + ENDED_KEPT
        if room.people or room.kept or room.empty_since is None:
            return False
        return room.passing or now >= room.empty_since + self.settings.empty_after
