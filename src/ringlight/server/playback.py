"""Playback sessions: each ties a viewer behind the port to its place in a camera's shared view."""

import asyncio
import contextlib
import logging
import secrets
from dataclasses import dataclass

from ringlight.cameras import Camera, View
from ringlight.errors import fault_error
from ringlight.media import negotiate, sdp
from ringlight.media.port import ViewerPort
from ringlight.media.viewer import Viewer
from ringlight.server.turn import Turn

log = logging.getLogger("ringlight.server")
MAX_SESSIONS = 2000


@dataclass(slots=True)
class Playback:
    """One viewer who watches one camera. `ufrag` is the viewer's own, from its offer; `turn`, its turn to talk."""

    id: str
    camera: Camera
    viewer: Viewer
    ufrag: str
    turn: Turn
    task: "asyncio.Task[None] | None" = None


class Playbacks:
    """All playback sessions of this server."""

    def __init__(self, port: ViewerPort) -> None:
        self._port = port
        self._sessions: dict[str, Playback] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._sessions)

    async def start(self, camera: Camera, offer_text: str) -> tuple[str, str]:
        """Answer a viewer's offer; return the session's id and the answer.

        Opens the camera if nobody watches yet, and waits until it has answered: a failure then is
        told in the answer to the offer and not by a dark picture.

        Raises:
            RingError: VIEWER-OFFER, or why the camera cannot be watched.
        """
        offer = negotiate.read_viewer_offer(offer_text)
        if len(self._sessions) >= MAX_SESSIONS:
            raise fault_error("RING-RATE", f"{MAX_SESSIONS} viewers are watching already")
        stack = contextlib.AsyncExitStack()
        try:
            view = await stack.enter_async_context(camera.live_view())
            local = self._port.transport()
            tracks = view.broadcast.tracks
            ssrcs = {kind: track.ssrc for kind, track in tracks.items()}
            cname = secrets.token_hex(8)
            answer, seats = negotiate.answer_viewer(offer, view.broadcast.codecs, local, ssrcs, cname, hears=view.hears)
            gone = asyncio.Event()
            turn = Turn(view, next((seat.codec for seat in seats.values() if seat.hears), None))
            viewer = self._port.add(
                local, offer.transport, seats, tracks, cname,
                on_key_frame=view.broadcast.ask_key_frame, on_closed=lambda _: gone.set(),
                on_sound=turn.hear,
            )  # fmt: skip
        except BaseException:
            await stack.aclose()
            raise
        playback = Playback(secrets.token_urlsafe(18), camera, viewer, offer.transport.ufrag, turn)
        self._sessions[playback.id] = playback
        view.broadcast.add(viewer)
        playback.task = asyncio.create_task(self._keep(playback, view, gone, stack), name="playback")
        self._tasks.add(playback.task)
        playback.task.add_done_callback(self._tasks.discard)
        return playback.id, sdp.write(answer)

    def find(self, camera: str, identifier: str) -> Playback:
        """Return a session.

        Raises:
            MediaError: VIEWER-GONE.
        """
        playback = self._sessions.get(identifier)
        if playback is None or playback.camera.id != camera:
            raise fault_error("VIEWER-GONE")
        return playback

    async def stop(self, playback: Playback) -> None:
        """End a session and wait until the viewer has left the view."""
        playback.viewer.close(None)
        if playback.task is not None:
            await asyncio.wait({playback.task})

    async def close(self) -> None:
        """End all sessions."""
        for playback in tuple(self._sessions.values()):
            playback.viewer.close(None)
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _keep(
        self, playback: Playback, view: View, gone: asyncio.Event, stack: contextlib.AsyncExitStack
    ) -> None:
        """Hold the viewer's place until it leaves or the view ends."""
        leaving = asyncio.create_task(gone.wait())
        ending = asyncio.create_task(view.ended())
        try:
            await asyncio.wait({leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            ending.cancel()
            await playback.turn.end()
            view.broadcast.remove(playback.viewer)
            playback.viewer.close(None)
            self._sessions.pop(playback.id, None)
            await stack.aclose()
        log.info("playback of %s ended: %s", playback.camera.id, playback.viewer.failed or "left")
