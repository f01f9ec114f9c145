"""What a live view tells of itself, and how any number of listeners hear it: each at its own pace."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field

from ringlight.errors import RingError
from ringlight.liveview.events import Halted, Note, Step

__all__ = ["Ended", "Event", "Missed", "Renewed", "Story", "Trying"]

KEPT = 100  # events: a view that opens tells some ten, so a listener may be far behind before it loses one


@dataclass(frozen=True, slots=True)
class Trying:
    """Another attempt begins.

    Attributes:
        number: From 1; it begins anew after a view that ran well.
        code: The fault that ended the attempt before; `None` for the first.
        pause: Seconds until it begins.
        detail: What was seen of that fault.
        at: Seconds since the view began to open.
    """

    number: int
    code: str | None = None
    pause: float = 0.0
    detail: str | None = field(default=None, compare=False)
    at: float = field(default=0.0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Renewed:
    """Another view goes on where the one before comes to Ring's time limit; who watches sees no gap."""

    at: float = field(default=0.0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Missed:
    """This listener was too slow, or came too late: so many of the oldest events are gone."""

    count: int
    at: float = field(default=0.0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event: why the view is over (SIG-CLOSED if it was closed here)."""

    error: RingError
    at: float = field(default=0.0, compare=False, kw_only=True)


Event = Step | Note | Halted | Trying | Renewed | Missed | Ended


class Story:
    """The events of one view, for all who listen. Telling never waits."""

    def __init__(self) -> None:
        self._told: deque[Event] = deque(maxlen=KEPT)
        self._forgotten = 0
        self._listeners: set[_Listener] = set()

    def tell(self, event: Event) -> None:
        """Add an event; whoever listens gets it, and whoever comes later."""
        self._forgotten += len(self._told) == KEPT
        self._told.append(event)
        for listener in self._listeners:
            listener.take(event)

    def lacks(self) -> str:
        """Return the fault that stands for there being no picture yet, by how far the view has come."""
        steps: set[str] = set()
        failed: str | None = None
        for event in self._told:
            match event:
                case Trying(code=code):
                    steps, failed = set(), code
                case Step(name):
                    steps.add(name)
        if "media" in steps:
            return "MEDIA-NO-KEY-FRAME"
        if failed is not None:  # another attempt runs, and has come to nothing either
            return failed
        # Only the dialog of Ring's app tells of the camera itself; it is the one that has sessions.
        return "SIG-NO-CAMERA" if "session" in steps and "camera" not in steps else "MEDIA-SILENT"

    async def listen(self) -> AsyncGenerator[Event, None]:
        """Yield the story so far, then what comes, until the view has ended."""
        listener = _Listener(self._told, self._forgotten)
        self._listeners.add(listener)
        try:
            while True:
                event = await listener.next()
                yield event
                if isinstance(event, Ended):
                    return
        finally:
            self._listeners.discard(listener)


class _Listener:
    """A queue that loses its oldest event before it grows too long."""

    def __init__(self, so_far: Iterable[Event], missed: int) -> None:
        self._queue: deque[Event] = deque(so_far, maxlen=KEPT)
        self._missed = missed
        self._woken = asyncio.Event()

    def take(self, event: Event) -> None:
        self._missed += len(self._queue) == KEPT
        self._queue.append(event)
        self._woken.set()

    async def next(self) -> Event:
        while not self._queue:
            self._woken.clear()
            await self._woken.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return Missed(missed, at=self._queue[0].at)
        return self._queue.popleft()
