"""Live view of one camera over Ring's app socket: messages, the session machine, and the client around it."""

from typing import TYPE_CHECKING

from ringlight.lazy import from_homes

if TYPE_CHECKING:
    from ringlight.liveview.client import LiveViewClient
    from ringlight.liveview.events import Halted, Note, Step
    from ringlight.liveview.story import Ended, Event, Missed, Renewed, Trying

__all__ = ["Ended", "Event", "Halted", "LiveViewClient", "Missed", "Note", "Renewed", "Step", "Trying"]

_HOMES = {
    "Ended": "ringlight.liveview.story",
    "Event": "ringlight.liveview.story",
    "Halted": "ringlight.liveview.events",
    "LiveViewClient": "ringlight.liveview.client",
    "Missed": "ringlight.liveview.story",
    "Note": "ringlight.liveview.events",
    "Renewed": "ringlight.liveview.story",
    "Step": "ringlight.liveview.events",
    "Trying": "ringlight.liveview.story",
}

__getattr__ = from_homes(__name__, _HOMES)
