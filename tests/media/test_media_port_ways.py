"""Ways to the viewers' port: ICE that begins anew, viewers that wait for us, vanish, or are not who they said."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest
from aioice import stun as ice
from media_kit import PRINT, Calls, clip_frames, ignore

from ringlight.errors import RingError
from ringlight.media import negotiate, sdp
from ringlight.media.broadcast import Broadcast
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.media.port import ViewerPort
from ringlight.media.sdp import Codec, Description, Section
from ringlight.media.viewer import GONE_AFTER, Viewer
from ringlight.settings import MediaSettings

pytestmark = pytest.mark.anyio
CAMERA = Codec(96, "H264", 90_000, 1, {"profile-level-id": "42e01f", "packetization-mode": "1"})
SETTINGS = MediaSettings(announce=["127.0.0.1"], tcp=False)


@dataclass
class Watcher:
    """A peer of ours that watches, and what the port has of it."""

    peer: Peer
    viewer: Viewer
    packets: Calls
    ended: Calls


@contextlib.asynccontextmanager
async def _watching(
    port: ViewerPort, broadcast: Broadcast, *, setup: str = "actpass", fingerprint: str = ""
) -> AsyncIterator[Watcher]:
    packets, ended = Calls(), Calls()
    peer = Peer(controlling=True, on_rtp=packets, on_rtcp=ignore, on_closed=Calls())
    try:
        own = replace(await peer.gather(), setup=setup)
        if fingerprint:
            own = replace(own, fingerprint=fingerprint)
        text = sdp.write(Description((Section("video", "0", "recvonly", (CAMERA,), own),), ("0",)))
        offer = negotiate.read_viewer_offer(text)
        local = replace(port.transport(), setup=negotiate.our_part(offer))
        ssrcs = {"video": broadcast.tracks["video"].ssrc}
        answer, seats = negotiate.answer_viewer(offer, {"video": CAMERA}, local, ssrcs, "cname")
        viewer = port.add(
            local, offer.transport, seats, broadcast.tracks, "cname",
            on_key_frame=broadcast.ask_key_frame, on_closed=ended,
        )  # fmt: skip
        broadcast.add(viewer)
        role = Role.SERVER if answer.transport.setup == "active" else Role.CLIENT
        await peer.connect(answer.transport, role)
        yield Watcher(peer, viewer, packets, ended)
    finally:
        await peer.close()


async def _until(true: Callable[[], bool], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)


def _feed(broadcast: Broadcast, frames: int) -> None:
    for packets in clip_frames(count=frames):
        for packet in packets:
            broadcast.push(packet)


@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
async def test_a_viewer_may_take_either_part_in_the_handshake(setup: str) -> None:
    async with ViewerPort(SETTINGS) as port:
        broadcast = Broadcast({"video": CAMERA}, 1500, ignore)
        async with _watching(port, broadcast, setup=setup) as watcher:
            await _until(lambda: watcher.viewer.connected)
            assert watcher.viewer.role is (Role.CLIENT if setup == "passive" else Role.SERVER)
            _feed(broadcast, 3)
            await _until(lambda: len(watcher.packets) > 3)


async def test_a_viewer_with_another_certificate_is_refused_and_counted() -> None:
    async with ViewerPort(SETTINGS) as port:
        broadcast = Broadcast({"video": CAMERA}, 1500, ignore)
        _feed(broadcast, 3)
        with contextlib.suppress(RingError):  # or it believes that all is well until it is told
            async with _watching(port, broadcast, fingerprint=PRINT) as watcher:
                await _until(lambda: len(watcher.ended) > 0)
                assert watcher.ended.seen == ["MEDIA-DTLS"]
                assert len(watcher.packets) == 0
        await _until(lambda: port.faults["MEDIA-DTLS"] == 1)
        assert len(port) == 0
        assert port.counts()["faults"] == {"MEDIA-DTLS": 1}


async def test_a_restart_moves_a_viewer_to_another_socket_and_leaves_nothing_behind() -> None:
    async with ViewerPort(SETTINGS) as port:
        broadcast = Broadcast({"video": CAMERA}, 1500, ignore)
        async with _watching(port, broadcast) as watcher:
            await _until(lambda: watcher.viewer.connected)
            for _ in range(50):  # a viewer that asks again and again
                fresh = port.restart(watcher.viewer)
            assert len(port._restarting) == 1
            with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as abroad:
                abroad.bind(("127.0.0.1", 0))
                message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST)
                message.attributes["USERNAME"] = f"{fresh.ufrag}:theirs"
                message.attributes["USE-CANDIDATE"] = None
                message.add_message_integrity(fresh.pwd.encode())
                abroad.sendto(bytes(message), ("127.0.0.1", port.number))
                await _until(lambda: watcher.viewer.ufrag == fresh.ufrag)
                assert watcher.viewer.address == abroad.getsockname()
                assert len(port) == 1
                assert list(port._viewers) == [fresh.ufrag]
                assert port._restarting == {}
                port.restart(watcher.viewer)
                watcher.viewer.close(None)
                assert (port._viewers, port._restarting, port._paths) == ({}, {}, {})


async def test_garbage_of_any_amount_leaves_nothing_behind() -> None:
    """Strangers, and somebody who writes a viewer's user fragment on checks without its password."""
    async with ViewerPort(SETTINGS) as port:
        broadcast = Broadcast({"video": CAMERA}, 1500, ignore)
        async with _watching(port, broadcast) as watcher:
            await _until(lambda: watcher.viewer.connected)
            before = (len(port._viewers), len(port._paths), len(port._connections._streams))
            for at in range(300):
                with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as stranger:
                    message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST)
                    message.attributes["USERNAME"] = f"{watcher.viewer.ufrag}:x"
                    message.add_message_integrity(b"guessed")
                    stranger.sendto(bytes(message), ("127.0.0.1", port.number))
                    stranger.sendto(b"\x80\xc9" + bytes(at % 90), ("127.0.0.1", port.number))
                await asyncio.sleep(0)
            await _until(lambda: port.forged == 300)
            assert port.unknown == 300
            assert (len(port._viewers), len(port._paths), len(port._connections._streams)) == before
            watcher.viewer.close(None)
            assert port.forged == 300, "what has left still counts"


async def test_a_viewer_that_vanishes_without_a_word_is_gone_in_fifteen_seconds_by_the_clock() -> None:
    """A real one, with a real clock: its machine lost power. Others watch on."""
    loop = asyncio.get_running_loop()
    async with ViewerPort(SETTINGS) as port:
        broadcast = Broadcast({"video": CAMERA}, 1500, ignore)
        async with _watching(port, broadcast) as stays, _watching(port, broadcast) as goes:
            await _until(lambda: stays.viewer.connected and goes.viewer.connected)
            await goes.peer._agent.close()
            gone = loop.time()
            await _until(lambda: len(goes.ended) > 0, within=25.0)
            assert GONE_AFTER - 6 < loop.time() - gone <= 16.0  # its last check may be five seconds old
            assert goes.ended.seen == [None]
            assert len(stays.ended) == 0
            assert len(port) == 1
