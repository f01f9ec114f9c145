"""The way of a camera's packets to us, in one attempt of any kind: peer, receiver, and what the session is told."""

import asyncio
from collections.abc import Callable

from ringlight.errors import RingError
from ringlight.liveview.events import MediaSeen, PathFailed, PathLeft, PathOpen
from ringlight.media.dtls import Role
from ringlight.media.negotiate import Agreed
from ringlight.media.peer import Peer
from ringlight.media.receiver import Receiver
from ringlight.media.rtp import Packet

SEEN_EVERY = 1.0  # seconds between two times that the session is told of packets
PathEvent = PathOpen | PathFailed | PathLeft | MediaSeen


class MediaPath:
    """Connects to where the camera's media comes from, and hands its packets on.

    Args:
        on_event: Is told how the path fares, and once a second at most that video comes.
        on_packet: Called with each RTP packet of the camera.
        stall: Seconds without video that end the view; it is told three times as often.
        tcp_after: Seconds that UDP gets alone before TCP is tried too.
    """

    def __init__(
        self,
        on_event: Callable[[PathEvent], None],
        on_packet: Callable[[Packet], None],
        *,
        stall: float,
        tcp_after: float = 2.0,
    ) -> None:
        self._on_event, self._on_packet = on_event, on_packet
        self._clock = asyncio.get_running_loop().time
        self.peer = Peer(
            controlling=True, on_rtp=self._on_rtp, on_rtcp=self._on_rtcp, on_closed=self._on_closed, tcp_after=tcp_after
        )
        self._receiver: Receiver | None = None
        self._video_type: int | None = None
        self._seen_at = float("-inf")
        self._seen_every = min(SEEN_EVERY, stall / 3)

    def agree(self, agreed: Agreed) -> None:
        """Take packets as the answer says from now on."""
        self._video_type = agreed.codecs["video"].payload_type
        self._receiver = Receiver(agreed, self.peer.send_rtcp, self._on_ready)

    async def connect(self, agreed: Agreed) -> None:
        """Find a path and shake hands; how it went is an event."""
        # Ring answers `active`: it is the DTLS client and we the server, which chooses the SRTP profile.
        role = Role.SERVER if agreed.transport.setup == Role.CLIENT.value else Role.CLIENT
        try:
            await self.peer.connect(agreed.transport, role)
        except RingError as error:
            self._on_event(PathFailed(error.code, error.detail))
        else:
            self._on_event(PathOpen())

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame; nothing before its first packet."""
        if self._receiver is not None:
            self._receiver.ask_key_frame()

    def close_receiver(self) -> None:
        """Ask for nothing any more; the peer is closed by itself, after the goodbye."""
        if self._receiver is not None:
            self._receiver.close()

    def _on_rtp(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.receive_rtp(data)

    def _on_rtcp(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.receive_rtcp(data)

    def _on_ready(self, packet: Packet) -> None:
        now = self._clock()
        if packet.payload_type == self._video_type and now - self._seen_at >= self._seen_every:
            self._seen_at = now
            self._on_event(MediaSeen())
        self._on_packet(packet)

    def _on_closed(self, code: str | None) -> None:
        self._on_event(PathFailed(code, "the media path was closed") if code else PathLeft())
