"""Who watches what: it is written into the audit of the rooms, and ends when their key, session or link does."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from starlette.requests import HTTPConnection

from ringlight.errors import RingError, StoreError
from ringlight.server.access import holder_of
from ringlight.server.entrance import Entrance
from ringlight.server.room_guests import RoomGuests
from ringlight.server.room_record import RoomRecord
from ringlight.server.scopes import Holder, may

__all__ = ["LOOK_EVERY", "Seer", "Watches", "Way", "seer_of"]

Way = Literal["whep", "rtsp", "mp4", "hls", "still", "recording", "history"]
LOOK_EVERY = 1.0  # seconds between two looks whether somebody may still watch
QUIET = 60.0  # seconds without a request after which one who fetches pieces or stills has gone
MOST_LOOKS = 4096  # of those who fetch pieces or stills; of more, the one that came first counts as gone
log = logging.getLogger("ringlight.server")


@dataclass(frozen=True, slots=True)
class Seer:
    """Somebody who watches.

    Attributes:
        who: By which the audit knows them.
        holder: What they were let in with; `None` for people of a room, whom `RoomGuests` follows.
    """

    who: str
    holder: Holder | None = None


def seer_of(request: HTTPConnection) -> Seer:
    """Return who makes a request that was let in."""
    guest = RoomGuests.person_of(request.scope)
    if guest is not None:
        return Seer(guest)
    holder = holder_of(request)
    return Seer(holder.who, holder)


@dataclass(eq=False, slots=True)
class _Followed:
    holder: Holder
    method: str
    path: str
    end: Callable[[RingError], None]


@dataclass(slots=True)
class _Look:
    began: float
    last: float


class Watches:
    """All who watch. Open it with `async with`; at its end everybody counts as gone.

    Args:
        record: Where it is written, beside the way that answers take: a slow disk holds no picture up.
        entrance: Says whether somebody is still let in; `None` where nobody has to show anything.
        clock: Seconds.
    """

    def __init__(
        self, record: RoomRecord, entrance: Entrance | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._record = record
        self._entrance = entrance
        self._clock = clock
        self._followed: set[_Followed] = set()
        self._open: set[Callable[[], None]] = set()
        self._looks: dict[tuple[str, str, Way], _Look] = {}
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._run(), name="watches")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        for over in tuple(self._open):
            over()
        for key in tuple(self._looks):
            self._gone(key)

    def began(
        self, seer: Seer, camera: str, way: Way, end: Callable[[RingError], None], *, path: str, method: str = "GET"
    ) -> Callable[[], None]:
        """Write down that somebody watches; return what is to be called, once or oftener, when they have left.

        Args:
            seer: Who.
            camera: Which camera, by its id in addresses.
            way: How.
            end: Called with the fault when they may not watch any more; what it ends calls what this returns.
            path: What they asked for, and with which `method`; it is judged again every second.
        """
        at = self._clock()
        self._record.watched(camera, seer.who, way)
        forget = self.follow(seer, end, path=path, method=method)

        def over() -> None:
            if over in self._open:
                self._open.discard(over)
                forget()
                self._record.watched(camera, seer.who, way, seconds=self._clock() - at)

        self._open.add(over)
        return over

    def looked(self, seer: Seer, camera: str, way: Way) -> None:
        """Note that somebody has fetched a piece or a still: many of these, one after the other, are one watch."""
        key, now = (seer.who, camera, way), self._clock()
        known = self._looks.get(key)
        if known is not None:
            known.last = now
            return
        while len(self._looks) >= MOST_LOOKS:
            self._gone(next(iter(self._looks)))
        self._looks[key] = _Look(now, now)
        self._record.watched(camera, seer.who, way)

    def follow(
        self, seer: Seer, end: Callable[[RingError], None], *, path: str, method: str = "GET"
    ) -> Callable[[], None]:
        """Call `end` with the fault when somebody may not do any more what they do; return what forgets them."""
        if self._entrance is None or seer.holder is None:
            return lambda: None
        followed = _Followed(seer.holder, method, path, end)
        self._followed.add(followed)
        return lambda: self._followed.discard(followed)

    def of_request(self, request: HTTPConnection) -> Callable[[Callable[[RingError], None]], Callable[[], None]]:
        """Return `follow` for whoever makes a request, bound to what they have asked for."""
        return lambda end: self.follow(seer_of(request), end, path=request.url.path)

    def _gone(self, key: tuple[str, str, Way]) -> None:
        look = self._looks.pop(key)
        self._record.watched(key[1], key[0], key[2], seconds=look.last - look.began)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """Judge everybody once, and let those go who have been quiet."""
        now = self._clock()
        for key in [key for key, look in self._looks.items() if now - look.last >= QUIET]:
            self._gone(key)
        for followed in tuple(self._followed):
            problem = await self._problem(followed)
            if problem is not None and followed in self._followed:
                log.info("%s may not go on with %s: %s", followed.holder.who, followed.path, problem.code)
                self._followed.discard(followed)
                followed.end(problem)

    async def _problem(self, followed: _Followed) -> RingError | None:
        if self._entrance is None:
            return None
        try:
            may(await self._entrance.still(followed.holder), followed.method, followed.path)
        except StoreError:  # a database that is away for a minute ends nobody's picture
            return None
        except RingError as error:
            return error
        return None
