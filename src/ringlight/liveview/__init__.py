"""Live view of one camera over Ring's app socket: messages, the session machine, and the client around it."""

from ringlight.liveview.client import LiveViewClient
from ringlight.liveview.events import Halted, Note, Step
from ringlight.liveview.story import Ended, Event, Missed, Renewed, Trying

__all__ = ["Ended", "Event", "Halted", "LiveViewClient", "Missed", "Note", "Renewed", "Step", "Trying"]
