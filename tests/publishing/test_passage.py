"""The media of a publication, against a media server made of our own agent: what it asks for is done."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from aioice import stun

from ringlight.errors import RingError
from ringlight.media import h264, rtcp, rtp, sdp
from ringlight.media.broadcast import Broadcast
from ringlight.media.dtls import Role
from ringlight.media.ice_servers import IceServer
from ringlight.media.peer import Peer
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Description, Section
from ringlight.publishing.passage import Passage
from ringlight.simulator.clip import CLOCK_STEP, make_clip

pytestmark = pytest.mark.anyio
H264 = Codec(96, "H264", 90_000, 1, {"profile-level-id": "640029"})


@dataclass
class Sfu:
    """A media server: what it was sent, and the answer that it gave."""

    broadcast: Broadcast
    passage: Passage
    peer: Peer
    packets: list[Packet] = field(default_factory=list)
    reports: list[rtcp.Report] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    key_frames: int = 0
    sent: int = 0

    def send(self, frames: int) -> None:
        """Let the camera send pictures."""
        clip = make_clip("TEST", 150, "baseline")
        for at in range(self.sent, self.sent + frames):
            payloads = clip.frames[at % len(clip.frames)].payloads
            for index, payload in enumerate(payloads):
                marker = index == len(payloads) - 1
                self.broadcast.push(Packet(96, marker, self._number(), at * CLOCK_STEP, 7, payload))
        self.sent += frames

    _sequence: int = 0

    def _number(self) -> int:
        self._sequence += 1
        return self._sequence

    async def has(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.packets) < count:
                await asyncio.sleep(0.005)


def _answered(offer: Description, transport: sdp.Transport, role: Role, *, nack: bool = True) -> str:
    video = offer.sections[0]
    feedback = ("nack", "nack pli") if nack else ("nack pli",)
    codecs = tuple(replace(codec, feedback=feedback) for codec in video.codecs[:2])
    local = replace(transport, setup=role.value, complete=True)
    section = Section("video", video.mid, "recvonly", codecs, local)
    return sdp.write(Description((section,), (video.mid,)))


@contextlib.asynccontextmanager
async def sfu(role: Role = Role.SERVER, *, nack: bool = True) -> AsyncIterator[Sfu]:
    """A passage that is open to a media server in a role of its choice."""
    asked: list[None] = []
    broadcast = Broadcast({"video": H264}, 1500, lambda: asked.append(None))
    passage = Passage(broadcast)
    there: Sfu

    def on_rtp(data: bytes) -> None:
        there.packets.append(rtp.parse(data))

    def on_rtcp(data: bytes) -> None:
        there.reports.extend(rtcp.parse(data))

    peer = Peer(controlling=False, on_rtp=on_rtp, on_rtcp=on_rtcp, on_closed=lambda _: there.gone.set())
    there = Sfu(broadcast, passage, peer)
    try:
        async with asyncio.timeout(20):
            offer = sdp.parse(await passage.offer())
            answer = _answered(offer, await peer.gather(), role, nack=nack)
            there.send(3)
            async with asyncio.TaskGroup() as both:
                both.create_task(passage.open(answer))
                both.create_task(peer.connect(replace(offer.transport, complete=True), role))
            asked.clear()
            broadcast._asked_at = float("-inf")
            yield there
            there.key_frames = len(asked)
    finally:
        await passage.close()
        await peer.close()
        broadcast.close()


@pytest.mark.parametrize("role", list(Role))
async def test_packets_reach_the_server_from_the_last_key_frame_on_whoever_began_the_handshake(role: Role) -> None:
    async with sfu(role) as server:
        group = len(server.broadcast.group)
        await server.has(group)
        server.send(4)
        await server.has(len(server.broadcast.group))
        assert h264.starts_key_frame(server.packets[0].payload)
        assert [packet.sequence for packet in server.packets] == [kept.sequence for kept in server.broadcast.group]
        assert {packet.payload_type for packet in server.packets} == {96}
        await server.passage.close()
        await asyncio.wait_for(server.gone.wait(), 5)


@pytest.mark.parametrize("nack", [True, False], ids=["RTX", "as it was"])
async def test_what_the_server_misses_is_sent_again(nack: bool) -> None:
    async with sfu(nack=nack) as server:
        await server.has(len(server.broadcast.group))
        lost = server.packets[1]
        count = len(server.packets)
        report = rtcp.write(rtcp.ReceiverReport(5)) + rtcp.write(rtcp.Nack(5, lost.ssrc, (lost.sequence,)))
        server.peer.send_rtcp(report)
        if nack:
            await server.has(count + 1)
            again = server.packets[-1]
            assert (again.payload_type, again.ssrc) == (97, lost.ssrc ^ 1)
            assert again.payload == lost.sequence.to_bytes(2, "big") + lost.payload
        else:
            async with asyncio.timeout(5):
                while server.peer.dropped == 0:  # the very same packet, which this receiver has had
                    await asyncio.sleep(0.005)


async def test_a_request_for_a_key_frame_reaches_the_camera() -> None:
    async with sfu() as server:
        ssrc = server.broadcast.tracks["video"].ssrc
        server.peer.send_rtcp(rtcp.write(rtcp.ReceiverReport(5)) + rtcp.write(rtcp.KeyFrameRequest(5, ssrc)))
        async with asyncio.timeout(5):
            while server.broadcast._asked_at == float("-inf"):
                await asyncio.sleep(0.005)
    assert server.key_frames == 1


async def test_the_server_is_told_how_much_was_sent_and_when() -> None:
    async with sfu() as server:
        async with asyncio.timeout(5):
            while not any(isinstance(report, rtcp.SenderReport) for report in server.reports):
                await asyncio.sleep(0.01)
        report = next(report for report in server.reports if isinstance(report, rtcp.SenderReport))
        assert report.ssrc == server.broadcast.tracks["video"].ssrc


async def test_a_goodbye_of_the_server_ends_it() -> None:
    async with sfu() as server:
        await server.peer.close()
        error = await asyncio.wait_for(server.passage.lost(), 5)
        assert (error.code, error.detail) == ("PUBLISH-LOST", "it said goodbye")


async def test_a_server_that_vanished_ends_it() -> None:
    async with sfu() as server:
        await server.passage._peer._agent.close()  # as aioice does when consent is not renewed
        error = await asyncio.wait_for(server.passage.lost(), 5)
        assert (error.code, error.detail) == ("PUBLISH-LOST", "it fell silent")


async def test_another_certificate_than_the_one_in_the_answer_is_no_path() -> None:
    broadcast = Broadcast({"video": H264}, 1500, lambda: None)
    passage, peer = Passage(broadcast), Peer(
        controlling=False, on_rtp=lambda _: None, on_rtcp=lambda _: None, on_closed=lambda _: None
    )  # fmt: skip
    try:
        offer = sdp.parse(await passage.offer())
        forged = replace(await peer.gather(), fingerprint=":".join(["AB"] * 32))
        server = asyncio.create_task(peer.connect(replace(offer.transport, complete=True), Role.SERVER))
        with pytest.raises(RingError) as caught:
            async with asyncio.timeout(10):
                await passage.open(_answered(offer, forged, Role.SERVER))
        assert caught.value.code == "PUBLISH-PATH"
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
    finally:
        await passage.close()
        await peer.close()


class _Stun(asyncio.DatagramProtocol):
    """Tells everybody that they come from 192.0.2.7."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = stun.parse_message(data)
        answer = stun.Message(asked.message_method, stun.Class.RESPONSE, asked.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.7", addr[1])
        self.transport.sendto(bytes(answer), addr)


async def test_servers_that_are_lent_tell_more_addresses_and_silent_ones_hold_nothing_up() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_Stun, local_addr=("127.0.0.1", 0))
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    passage = Passage(Broadcast({"video": H264}, 1500, lambda: None))
    try:
        await passage.offer()
        assert await passage.gather_by(()) is None
        servers = [IceServer("stun", "127.0.0.1", port) for port in (transport.get_extra_info("sockname")[1], 1)]
        lines = await passage._peer.gather_by([*servers, IceServer("stun", *silent.getsockname())], within=0.3)
        assert lines
        assert all(" 192.0.2.7 " in line and " typ srflx" in line for line in lines)
        fragment = await passage.gather_by((servers[0],))
        assert fragment is not None
        assert fragment.count("a=candidate:") == len(lines)
    finally:
        await passage.close()
        transport.close()
        silent.close()
