"""The cameras of a room: who sees that they are there, and who hears when somebody presses their bell."""

from typing import TYPE_CHECKING

from ringlight.errors import fault_error
from ringlight.rooms.events import AddCamera, Pressed, RemoveCamera
from ringlight.rooms.messages import Joined, Left, Present, Ring
from ringlight.rooms.person import Person

if TYPE_CHECKING:
    from ringlight.rooms.room import Room

CAMERAS = 16  # of one room
APART = 5.0  # seconds; what is pressed again sooner rings once, also where two ways tell of the same press


def participant(camera: str) -> str:
    """Return a camera's name among the people of a room; theirs begin with `p_`."""
    return f"c_{camera}"


def seen_by(room: "Room", person: Person) -> list[Present]:
    """Return the cameras that somebody may know of."""
    if not person.may("view"):
        return []
    return [_present(camera, name) for camera, name in room.cameras.items()]


def add(room: "Room", event: AddCamera, _: float) -> None:
    """Bring a camera in. It takes nobody's place; one that is there already stays."""
    if event.camera in room.cameras:
        return
    room.cameras[event.camera] = event.name
    for person in _viewers(room):
        room.tell(person, Joined(person=_present(event.camera, event.name)))


def remove(room: "Room", event: RemoveCamera, _: float) -> None:
    """Take a camera out."""
    if room.cameras.pop(event.camera, None) is not None:
        room.rung.pop(event.camera, None)
        for person in _viewers(room):
            room.tell(person, Left(id=participant(event.camera), reason="removed"))


def ring(room: "Room", event: Pressed, now: float) -> None:
    """Tell a press to all inside who may see who is there."""
    if event.camera not in room.cameras:
        return
    press, at = room.rung.get(event.camera, ("", float("-inf")))
    if press == event.press or now < at + APART:
        return
    room.rung[event.camera] = (event.press, now)
    for person in _viewers(room):
        room.tell(person, Ring(id=participant(event.camera)))


def judge_viewer(room: "Room", person_key: str | None, camera: str, permission: str) -> None:
    """Let somebody watch a camera of the room, or talk through it.

    Raises:
        UsageError: ROOM-PERSON, they are not inside; ROOM-FORBIDDEN; ROOM-CAMERA, it is not in this room.
    """
    person = next((one for one in room.people.values() if one.inside and one.claims.person == person_key), None)
    if person is None or person_key is None:
        raise fault_error("ROOM-PERSON", "only who is inside of the room sees its cameras")
    for needed in ("view", permission):
        room.need(person, needed)
    if camera not in room.cameras:
        raise fault_error("ROOM-CAMERA", f"{camera[:60]!r} is none of this room")


def _present(camera: str, name: str) -> Present:
    return Present(id=participant(camera), role="camera", name=name, camera=camera)


def _viewers(room: "Room") -> list[Person]:
    return [person for person in room.people.values() if person.inside and person.may("view")]
