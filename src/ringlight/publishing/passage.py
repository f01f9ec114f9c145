"""The media of one publication: a camera's packets over a path with an agent of its own."""

import asyncio
import secrets
import time

from ringlight.errors import RingError, fault_error
from ringlight.media import sdp
from ringlight.media.broadcast import Broadcast
from ringlight.media.feed import Runs
from ringlight.media.ice_servers import IceServer
from ringlight.media.outlet import Outlet
from ringlight.media.peer import Peer
from ringlight.media.port import CATCH_UP_EVERY
from ringlight.media.publish import publish_offer, read_publish_answer, trickled
from ringlight.media.sdp import Description
from ringlight.media.viewer import Viewer

__all__ = ["Passage"]


class Passage:
    """Goes from a broadcast to a media server. Close it, whatever it has come to.

    Towards the server's side it is what a viewer is: packets asked for again are sent again, requests for a key
    frame reach the camera, reports go out.

    Args:
        broadcast: The camera's packets.
    """

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._loop = asyncio.get_running_loop()
        self._peer = Peer(
            controlling=True, on_rtp=lambda _: None, on_rtcp=self._heard, on_closed=self._path_ended,
        )  # fmt: skip
        self._cname = secrets.token_hex(8)
        self._offer = Description(())
        self._viewer: Viewer | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._catching_up: asyncio.TimerHandle | None = None
        self._lost: asyncio.Future[RingError] = self._loop.create_future()

    async def offer(self) -> str:
        """Gather addresses and write the offer."""
        ssrcs = {kind: track.ssrc for kind, track in self._broadcast.tracks.items()}
        self._offer = publish_offer(self._broadcast.codecs, await self._peer.gather(), ssrcs, self._cname)
        return sdp.write(self._offer)

    async def gather_by(self, servers: tuple[IceServer, ...]) -> str | None:
        """Collect more addresses by servers; return the fragment that tells of them, `None` where there are none."""
        lines = await self._peer.gather_by(servers)
        return trickled(self._offer, lines) if lines else None

    async def open(self, answer: str) -> None:
        """Open the path as the answer says, and let the packets flow. Deadlines are the caller's.

        Raises:
            MediaError: PUBLISH-ANSWER or PUBLISH-PATH.
        """
        terms = read_publish_answer(self._offer, answer)
        try:
            await self._peer.connect(terms.transport, terms.role)
        except RingError as error:
            raise fault_error("PUBLISH-PATH", error.detail or error.code) from error
        protector = self._peer.protector
        if protector is None:
            raise fault_error("PUBLISH-PATH", "the path was lost as it opened")
        tracks = self._broadcast.tracks
        outlets = {kind: Outlet(tracks[kind], seat.codec.payload_type, seat.rtx) for kind, seat in terms.seats.items()}
        self._viewer = Viewer(
            "", "", "", outlets, self._cname, self._peer.carry, self._send_all, self._broadcast.ask_key_frame,
            lambda _: self._end("it said goodbye"), self._loop.time(), is_full=lambda: self._peer.is_full,
        )  # fmt: skip
        self._broadcast.add(self._viewer)
        self._viewer.secured(protector)
        self._tick()

    async def lost(self) -> RingError:
        """Wait until the path is lost; return why."""
        return await asyncio.shield(self._lost)

    async def close(self) -> None:
        """Say goodbye and free everything."""
        for timer in (self._ticking, self._catching_up):
            if timer is not None:
                timer.cancel()
        if self._viewer is not None:
            self._broadcast.remove(self._viewer)
            self._viewer.close(None)
        self._lost.cancel()
        await self._peer.close()

    def _tick(self) -> None:
        if self._viewer is not None and not self._viewer.closed:
            now = self._loop.time()
            self._viewer.alive(now)  # whether it is still there is the agent's to find out (RFC 7675)
            self._viewer.tick(now, time.time())
            if self._catching_up is None:
                self._catch_up()
            self._ticking = self._loop.call_later(1.0, self._tick)

    def _catch_up(self) -> None:
        """Send the next part of the running group; at once it would overflow a home's router."""
        self._catching_up = None
        if self._viewer is not None and self._viewer.behind:
            self._viewer.catch_up()
            self._catching_up = self._loop.call_later(CATCH_UP_EVERY, self._catch_up)

    def _send_all(self, packets: list[bytes], _runs: Runs) -> None:
        for packet in packets:
            self._peer.carry(packet)

    def _heard(self, compound: bytes) -> None:
        if self._viewer is not None:
            self._viewer.reports(compound, self._loop.time())

    def _path_ended(self, code: str | None) -> None:
        self._end("it said goodbye" if code is None else "it fell silent")

    def _end(self, why: str) -> None:
        if not self._lost.done():
            self._lost.set_result(fault_error("PUBLISH-LOST", why))
