"""One player that takes a camera as an endless MP4 file: bounded, and let go where it is too slow."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ringlight.cameras import Camera, View
from ringlight.cameras.recording import kept_sound
from ringlight.errors import RingError
from ringlight.media.reel import Fragment, Reel
from ringlight.server.places import Places

log = logging.getLogger("ringlight.server")
FRAGMENT = 0.2  # seconds: what it adds to the delay, against some 150 bytes for each
FIRST_FRAGMENT = 20.0  # seconds for a camera that has to wake up first
MOST = 4 * 1024 * 1024  # bytes that wait for one player; beyond, it is let go


class FilmStream:
    """What waits for one player. Made by `film_stream`, which holds its place in the view.

    Attributes:
        over: Set when nothing more comes, or it must not be waited for any more.
        slow: Whether the player was too slow.
    """

    def __init__(self, view: View, *, sound: bool) -> None:
        self.over = asyncio.Event()
        self.slow = False
        self._view = view
        self._waiting: deque[bytes] = deque()
        self._octets = 0
        self._more = asyncio.Event()
        self._descriptions = 0
        broadcast = view.broadcast
        self._reel = Reel(
            broadcast.tracks, kept_sound(broadcast) if sound else None, FRAGMENT,
            on_description=self._describe, on_fragment=self._take,
            on_broken=broadcast.ask_key_frame, clock=asyncio.get_running_loop().time,
        )  # fmt: skip

    async def begin(self) -> None:
        """Wait for the first fragment.

        Raises:
            MediaError: MEDIA-CODEC where the pictures are not H.264.
            RingError: Why no picture came, or the view ended before.
        """
        self._view.broadcast.check_h264()
        self._view.broadcast.add(self._reel)
        more, ending = asyncio.ensure_future(self._more.wait()), asyncio.ensure_future(self._view.ended())
        try:
            await asyncio.wait({more, ending}, timeout=FIRST_FRAGMENT, return_when=asyncio.FIRST_COMPLETED)
            if more.done():
                return
            raise ending.result() if ending.done() else self._view.no_picture(FIRST_FRAGMENT)
        finally:
            more.cancel()
            ending.cancel()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what comes, until it is over."""
        while True:
            await self._more.wait()
            while self._waiting:
                piece = self._waiting.popleft()
                self._octets -= len(piece)
                yield piece
            if self.over.is_set():
                return
            self._more.clear()

    def close(self) -> None:
        """Take nothing more; what waits may still go out."""
        if not self.over.is_set():
            self.over.set()
            self._more.set()
            self._view.broadcast.remove(self._reel)
            self._reel.close()

    def _describe(self, data: bytes) -> None:
        self._descriptions += 1
        if self._descriptions > 1:  # other pictures: one file has one description, so the player has to ask again
            self.close()
        else:
            self._put(data)

    def _take(self, fragment: Fragment) -> None:
        if not self.over.is_set():
            self._put(fragment.data)
            self._more.set()

    def _put(self, data: bytes) -> None:
        self._waiting.append(data)
        self._octets += len(data)
        if self._octets > MOST:
            self.slow = True
            self._waiting.clear()
            self.close()


class FilmResponse(StreamingResponse):
    """The answer. It ends with the player, with the view, with the program, or when the player is too slow.

    Args:
        stream: What to send.
        camera: For the log.
        held: Gives the place in the view back.
        stopping: Set when the program is about to end.

    Attributes:
        on_end: Called when it has ended.
    """

    def __init__(
        self, stream: FilmStream, camera: str, held: contextlib.AsyncExitStack, stopping: asyncio.Event
    ) -> None:
        super().__init__(stream.pieces(), media_type="video/mp4", headers={"Cache-Control": "no-store"})
        self._film, self._camera, self._held, self._stopping = stream, camera, held, stopping
        self._why = "left"
        self.on_end: Callable[[], None] | None = None

    def end(self, error: RingError) -> None:
        """End it early, for a reason."""
        self._why = error.code
        self._film.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        sending = asyncio.ensure_future(super().__call__(scope, receive, send))
        ends = [asyncio.ensure_future(event.wait()) for event in (self._film.over, self._stopping)]
        try:
            await asyncio.wait({sending, *ends}, return_when=asyncio.FIRST_COMPLETED)
            self._film.close()
            # A player that reads gets what waits; one that does not would be waited for without an end.
            await asyncio.wait({sending}, timeout=0 if self._film.slow else 1.0)
        finally:
            self._film.close()
            for task in (sending, *ends):
                task.cancel()
            await asyncio.wait({sending, *ends})
            await self._held.aclose()
            log.info("live.mp4 of %s ended: %s", self._camera, "VIEWER-SLOW" if self._film.slow else self._why)
            if self.on_end is not None:
                self.on_end()
        if not sending.cancelled():
            sending.result()


async def film_stream(camera: Camera, places: Places, stopping: asyncio.Event, *, sound: bool) -> FilmResponse:
    """Open a camera for one player; return the answer once there is something to show.

    Raises:
        RingError: Why it cannot be shown.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(places.take())
        view = await stack.enter_async_context(camera.player_view())
        stream = FilmStream(view, sound=sound)
        stack.callback(stream.close)
        await stream.begin()
        watching = asyncio.create_task(_until(view, stream), name="live.mp4")
        stack.callback(watching.cancel)
        return FilmResponse(stream, camera.id, stack.pop_all(), stopping)


async def _until(view: View, stream: FilmStream) -> RingError:
    error = await view.ended()
    stream.close()
    return error
