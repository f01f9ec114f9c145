"""A WHEP viewer made of our own full-ICE peer, for tests that need a viewer but no browser."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx2

from ringlight.errors import RingError
from ringlight.media import rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Description, Section, Transport


def offer_text(transport: Transport, *, talk: bool = False) -> str:
    """Write an offer to receive H.264 of the three usual profiles; with `talk`, and sound both ways."""
    codecs = tuple(
        Codec(number, "H264", 90_000, 1, {"profile-level-id": profile, "packetization-mode": "1"}, ("nack pli",))
        for number, profile in ((102, "42e01f"), (104, "4d001f"), (106, "64001f"))
    )
    sections = [Section("video", "0", "recvonly", codecs, transport)]
    if talk:
        sound = (Codec(111, "opus", 48_000, 2), Codec(0, "PCMU", 8_000))
        sections.append(Section("audio", "1", "sendrecv", sound, transport))
    return sdp.write(Description(tuple(sections), tuple(section.mid for section in sections)))


@dataclass(slots=True)
class WhepViewer:
    """A viewer that plays.

    Attributes:
        location: Of the WHEP session.
        packets: What came.
        closed: Set when the server said goodbye or the path was lost.
        send: Sends an RTP packet.
    """

    location: str
    answer: Description
    send: Callable[[bytes], None]
    packets: list[Packet] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, count: int, within: float = 10.0) -> None:
        """Wait until so many packets have come."""
        async with asyncio.timeout(within):
            while len(self.packets) < count:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def viewer(base: str, camera: str, http: httpx2.AsyncClient, *, talk: bool = False) -> AsyncIterator[WhepViewer]:
    """Play a camera of the server at `base`; ends the session at the end."""
    playing: list[WhepViewer] = []

    def on_rtp(data: bytes) -> None:
        with contextlib.suppress(RingError):
            playing[0].packets.append(rtp.parse(data))

    peer = Peer(controlling=True, on_rtp=on_rtp, on_rtcp=lambda _: None, on_closed=lambda _: playing[0].closed.set())
    try:
        local = await peer.gather()
        headers = {"Content-Type": "application/sdp"}
        posted = await http.post(f"{base}whep/{camera}", content=offer_text(local, talk=talk), headers=headers)
        assert posted.status_code == 201, posted.text
        answer = sdp.parse(posted.text)
        playing.append(WhepViewer(posted.headers["location"], answer, peer.send))
        await peer.connect(answer.transport, Role.CLIENT)
        yield playing[0]
        await http.delete(urljoin(str(posted.url), playing[0].location))
    finally:
        await peer.close()
