"""Playback sessions: each ties a viewer behind the port to its place in a camera's shared view."""

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ringlight.cameras import Camera, View
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.media import negotiate, sdp, trickle
from ringlight.media.line import Line
from ringlight.media.nomination import TcpAddress
from ringlight.media.port import ViewerPort
from ringlight.media.sdp import Description, Transport
from ringlight.media.viewer import Viewer
from ringlight.server.places import Places
from ringlight.server.turn import Turn

log = logging.getLogger("ringlight.server")
MAX_SESSIONS = 2000
ENDED_KEPT = 2000  # sessions whose end is remembered, so that a DELETE may be sent twice


@dataclass(slots=True)
class Playback:
    """One viewer who watches one camera.

    Attributes:
        id: Its name in addresses; who knows it may end it.
        ufrag: The viewer's own, from its offer or its last ICE restart.
        agreed: Our answer.
        ice: Our side of the newest ICE.
        turn: Its turn to talk.
        restarts: How often ICE has begun anew.
    """

    id: str
    camera: Camera
    view: View
    viewer: Viewer
    ufrag: str
    agreed: Description
    ice: Transport
    turn: Turn
    restarts: int = 0
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    task: "asyncio.Task[None] | None" = None

    @property
    def etag(self) -> str:
        """The strong tag of the newest ICE session (RFC 9725 section 4.3.1)."""
        return f'"{self.ice.ufrag}"'

    @property
    def answer(self) -> str:
        """The answer as text."""
        return sdp.write(self.agreed)

    def as_dict(self) -> dict[str, Any]:
        """Return how the viewer fares, as JSON; neither its address nor its id."""
        viewer, quality = self.viewer, self.viewer.quality
        over_tcp = isinstance(viewer.address, TcpAddress)
        return {
            "view": self.camera.view.progress.state,
            "connected": viewer.connected,
            "seconds": round(asyncio.get_running_loop().time() - self.began, 1),
            "transport": "tcp" if over_tcp else "udp" if viewer.address is not None else None,
            "packets": sum(outlet.packets for outlet in viewer.outlets.values()),
            "repeated": viewer.repeated,
            "lost": quality.lost,
            "loss": round(quality.lost_fraction, 4),
            "jitter_ms": round(quality.jitter * 1000, 1),
            "round_trip_ms": None if quality.round_trip is None else round(quality.round_trip * 1000, 1),
            "restarts": self.restarts,
            "line": None if viewer.line is None else line_as_dict(viewer.line, asyncio.get_running_loop().time()),
            "fault": self.lacks,
        }

    @property
    def lacks(self) -> dict[str, Any] | None:
        """Why no viewer can show a picture, where the camera is to blame: packets come, but no key frame begins."""
        broadcast = self.view.broadcast
        if self.camera.view.progress.state != "live" or not broadcast.received or broadcast.group:
            return None
        return FAULTS["MEDIA-NO-KEY-FRAME"].as_dict(f"{broadcast.received} packets came, and no key frame among them")


def line_as_dict(line: Line, now: float) -> dict[str, Any]:
    """Return what a viewer's transport-wide feedback says of its line, as JSON."""
    thin = line.is_thin(now)
    rate = None if line.rate is None else round(line.rate * 8 / 1000)
    return {
        "received_kbps": rate,
        "loss": round(line.loss, 4),
        "queue_ms": round(line.queue * 1000, 1),
        "held": line.held,
        "fault": FAULTS["VIEWER-THIN"].as_dict(f"it carries {rate} kbit/s") if thin else None,
    }


class Playbacks:
    """All playback sessions of this server.

    Attributes:
        hearers: Called when an offer was answered, or could not be (the fault's code), with the seconds that it took.
    """

    def __init__(self, port: ViewerPort) -> None:
        self.hearers: list[Callable[[str | None, float], None]] = []
        self._port = port
        self._places = Places(MAX_SESSIONS)
        self._sessions: dict[str, Playback] = {}
        self._ended: deque[tuple[str, str]] = deque(maxlen=ENDED_KEPT)
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._sessions)

    async def start(self, camera: Camera, offer_text: str) -> Playback:
        """Answer a viewer's offer; return the session, which holds the answer.

        Opens the camera if nobody watches yet, and waits until it has answered: a failure then is
        told in the answer to the offer and not by a dark picture.

        Raises:
            RingError: VIEWER-OFFER, VIEWER-MANY, or why the camera cannot be watched.
        """
        began = asyncio.get_running_loop().time()
        try:
            playback = await self._start(camera, offer_text)
        except RingError as error:
            self._heard(error.code, began)
            raise
        self._heard(None, began)
        return playback

    def _heard(self, code: str | None, began: float) -> None:
        seconds = asyncio.get_running_loop().time() - began
        for hear in self.hearers:
            hear(code, seconds)

    async def _start(self, camera: Camera, offer_text: str) -> Playback:
        offer = negotiate.read_viewer_offer(offer_text)
        stack = contextlib.AsyncExitStack()
        try:
            stack.enter_context(self._places.take())
            view = await stack.enter_async_context(camera.live_view())
            local = replace(self._port.transport(), setup=negotiate.our_part(offer))
            tracks = view.broadcast.tracks
            ssrcs = {kind: track.ssrc for kind, track in tracks.items()}
            cname = secrets.token_hex(8)
            answer, seats = negotiate.answer_viewer(offer, view.broadcast.codecs, local, ssrcs, cname, hears=view.hears)
            gone = asyncio.Event()
            turn = Turn(view, next((seat.codec for seat in seats.values() if seat.hears), None))
            remote = negotiate.way_of(offer)
            viewer = self._port.add(
                local, remote, seats, tracks, cname,
                on_key_frame=view.broadcast.ask_key_frame, on_closed=lambda _: gone.set(),
                on_sound=turn.hear,
            )  # fmt: skip
        except BaseException:
            await stack.aclose()
            raise
        playback = Playback(secrets.token_urlsafe(18), camera, view, viewer, remote.ufrag, answer, local, turn)
        self._sessions[playback.id] = playback
        view.broadcast.add(viewer)
        playback.task = asyncio.create_task(self._keep(playback, view, gone, stack), name="playback")
        self._tasks.add(playback.task)
        playback.task.add_done_callback(self._tasks.discard)
        return playback

    def restart(self, playback: Playback, fragment: trickle.Fragment) -> str:
        """Begin ICE anew, the pictures going on by the old path meanwhile; return our side of it as a fragment.

        A fragment that brings nothing new is answered as before: the first answer may have been lost.

        Raises:
            MediaError: VIEWER-RESTART.
        """
        if fragment.ufrag != playback.ufrag:
            trickle.judge_restart(fragment, playback.agreed, playback.viewer.fingerprint)
            playback.ice = self._port.restart(playback.viewer)
            playback.ufrag = fragment.ufrag
            playback.restarts += 1
        return trickle.write(playback.ice, playback.agreed)

    def counts(self) -> dict[str, Any]:
        """Return what the port has counted, as JSON."""
        return self._port.counts()

    @property
    def watched(self) -> int:
        """How many cameras somebody watches."""
        return len({playback.camera.id for playback in self._sessions.values()})

    def of(self, camera: str) -> list[Playback]:
        """Return who watches a camera, in the order of coming."""
        return [playback for playback in self._sessions.values() if playback.camera.id == camera]

    def find(self, camera: str, identifier: str) -> Playback:
        """Return a session.

        Raises:
            MediaError: VIEWER-GONE.
        """
        playback = self._sessions.get(identifier)
        if playback is None or playback.camera.id != camera or playback.viewer.closed:
            raise fault_error("VIEWER-GONE")
        return playback

    async def end(self, camera: str, identifier: str) -> None:
        """End a session by its name; one that has ended is no error.

        Raises:
            MediaError: VIEWER-GONE, there never was one, or it ended long ago.
        """
        if (camera, identifier) in self._ended:
            return
        leaving = self._sessions.get(identifier)
        await self.stop(leaving if leaving and leaving.camera.id == camera else self.find(camera, identifier))

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
            self._ended.append((playback.camera.id, playback.id))
            await stack.aclose()
        fared = " ".join(f"{name}={value}" for name, value in playback.as_dict().items() if name != "connected")
        log.info("playback of %s ended: %s (%s)", playback.camera.id, playback.viewer.failed or "left", fared)
