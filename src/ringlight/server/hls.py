"""HLS of cameras: a view is held for as long as somebody asks for its playlist or segments."""

import asyncio
import logging
import secrets

from ringlight.cameras import Camera, View
from ringlight.cameras.recording import kept_sound
from ringlight.errors import RingError, fault_error
from ringlight.media.reel import Fragment, Reel
from ringlight.server.places import Places
from ringlight.server.playlist import Window
from ringlight.settings import PlayerSettings

log = logging.getLogger("ringlight.server")
FIRST_SEGMENT = 25.0  # seconds for a camera that has to wake up first, and a segment of it
FRAGMENT = 1.0  # seconds


class Showing:
    """One camera's segments, for all who ask. It holds a place in the view until nobody has asked for a while.

    Attributes:
        window: The segments.
        whole: Set once there is one.
    """

    def __init__(self, settings: PlayerSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle = settings.idle
        self.window = Window(secrets.token_hex(4), settings.segment, settings.window)
        self.whole = asyncio.Event()
        self._asked_at = self._loop.time()
        self._view: View | None = None

    def no_picture(self, within: float) -> RingError:
        """Return why there is no segment after so many seconds."""
        if self._view is None:  # not even an answer
            return fault_error("SIG-NO-ANSWER", f"none within {within:g} s")
        return self._view.no_picture(within)

    def asked(self) -> None:
        """Somebody has asked for something."""
        self._asked_at = self._loop.time()

    async def run(self, camera: Camera, places: Places, *, sound: bool) -> None:
        """Show a camera until nobody asks any more or the view ends.

        Raises:
            RingError: Why it could not be shown, or why the view ended.
        """
        with places.take():
            async with camera.player_view() as view:
                await self._show(view, sound=sound)

    async def _show(self, view: View, *, sound: bool) -> None:
        self._view, broadcast = view, view.broadcast
        broadcast.check_h264()
        reel = Reel(
            broadcast.tracks, kept_sound(broadcast) if sound else None, FRAGMENT,
            on_description=self.window.describe, on_fragment=self._take, on_broken=broadcast.ask_key_frame,
            clock=self._loop.time,
        )  # fmt: skip
        broadcast.add(reel)
        ending = asyncio.create_task(view.ended())
        try:
            self.asked()
            while (left := self._asked_at + self._idle - self._loop.time()) > 0 and not ending.done():
                await asyncio.wait({ending}, timeout=left)
        finally:
            ending.cancel()
            await asyncio.wait({ending})
            broadcast.remove(reel)
            reel.close()
            self.window.end()
        if not ending.cancelled():
            raise ending.result()
        if not self.whole.is_set():
            raise self.no_picture(self._idle)

    def _take(self, fragment: Fragment) -> None:
        if self.window.add(fragment):
            self.whole.set()


class Showings:
    """All cameras that are shown by HLS just now, each with sound or without."""

    def __init__(self, settings: PlayerSettings, places: Places) -> None:
        self._settings, self._places = settings, places
        self._running: dict[tuple[str, bool], tuple[Showing, asyncio.Task[None]]] = {}

    async def playlist(self, camera: Camera, *, sound: bool) -> str:
        """Return the playlist as it is now; the first time, once there is a segment.

        Raises:
            RingError: Why the camera cannot be shown.
        """
        showing, running = self._find(camera, sound=sound)
        if not showing.whole.is_set():
            waiting = asyncio.ensure_future(showing.whole.wait())
            try:
                async with asyncio.timeout(FIRST_SEGMENT):
                    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
            except TimeoutError:
                raise showing.no_picture(FIRST_SEGMENT) from None
            finally:
                waiting.cancel()
            if not showing.whole.is_set():
                if running.cancelled():
                    raise fault_error("VIEWER-GONE")
                running.result()
        showing.asked()
        return showing.window.write()

    def file(self, camera: str, name: str) -> bytes:
        """Return a segment, or the description before it.

        Raises:
            MediaError: VIEWER-GONE, it has left the window.
        """
        for (shown, _), (showing, _) in self._running.items():
            found = showing.window.find(name) if shown == camera else None
            if found is not None:
                showing.asked()
                return found
        raise fault_error("VIEWER-GONE", name[:60])

    async def close(self) -> None:
        """End all."""
        tasks = {running for _, running in self._running.values()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _find(self, camera: Camera, *, sound: bool) -> "tuple[Showing, asyncio.Task[None]]":
        key = (camera.id, sound)
        known = self._running.get(key)
        if known is None:
            showing = Showing(self._settings)
            running = asyncio.create_task(showing.run(camera, self._places, sound=sound), name="hls")
            known = self._running[key] = (showing, running)
            running.add_done_callback(lambda done: self._ended(key, done))
        return known

    def _ended(self, key: tuple[str, bool], done: "asyncio.Task[None]") -> None:
        del self._running[key]
        error = None if done.cancelled() else done.exception()
        why = error.code if isinstance(error, RingError) else "nobody asked" if error is None else repr(error)
        log.info("hls of %s ended: %s", key[0], why)
