"""The viewers' port with real viewers: aiortc receives and decodes what a Broadcast forwards."""

import asyncio
import gc
import random
import socket
import sys
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import av
import pytest
from aioice import stun as ice
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription, rtcdtlstransport
from aiortc.mediastreams import MediaStreamError
from media_kit import Calls, clip, clip_frames, ignore

from ringlight.errors import RingError
from ringlight.media import negotiate, sdp
from ringlight.media.addresses import own_addresses
from ringlight.media.broadcast import Broadcast
from ringlight.media.forward import Track
from ringlight.media.port import ViewerPort
from ringlight.media.sdp import Codec, Transport
from ringlight.media.srtp import Profile
from ringlight.media.viewer import Viewer
from ringlight.settings import MediaSettings

CAMERA = Codec(96, "H264", 90_000, 1, {"profile-level-id": clip().profile_level_id, "packetization-mode": "1"})
SETTINGS = MediaSettings(announce=["127.0.0.1"])
SEAT = negotiate.Seat(CAMERA)

pytestmark = pytest.mark.anyio


@dataclass
class Camera:
    """A broadcast that is fed with the clip, faster than real time and until the test is over."""

    broadcast: Broadcast
    fed: int = 0

    @classmethod
    def make(cls) -> "Camera":
        return cls(Broadcast({"video": CAMERA}, 1500, ignore))

    def feed(self, frames: int, *, first: int = 0) -> None:
        for packets in clip_frames(first, count=frames):
            for packet in packets:
                self.broadcast.push(packet)

    async def run(self, *, rate: float = 60.0) -> None:
        for packets in clip_frames(count=10_000):
            for packet in packets:
                self.broadcast.push(packet)
            self.fed += 1
            await asyncio.sleep(1 / rate)


@dataclass
class Watcher:
    """aiortc as a browser: offers to receive H.264, decodes what comes."""

    connection: RTCPeerConnection
    viewer: Viewer
    ended: Calls
    frames: list[av.VideoFrame] = field(default_factory=list)

    async def watch(self, count: int) -> None:
        track = self.connection.getReceivers()[0].track
        while len(self.frames) < count:
            frame = await track.recv()
            assert isinstance(frame, av.VideoFrame)
            self.frames.append(frame)


@asynccontextmanager
async def _watching(port: ViewerPort, broadcast: Broadcast) -> AsyncIterator[Watcher]:
    connection = RTCPeerConnection()
    try:
        transceiver = connection.addTransceiver("video", direction="recvonly")
        capabilities = RTCRtpReceiver.getCapabilities("video")
        assert capabilities is not None
        codecs = capabilities.codecs
        transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
        await connection.setLocalDescription(await connection.createOffer())
        offer = negotiate.read_viewer_offer(connection.localDescription.sdp)
        local = port.transport()
        ssrcs = {"video": broadcast.tracks["video"].ssrc}
        answer, seats = negotiate.answer_viewer(offer, {"video": CAMERA}, local, ssrcs, "cname")
        ended = Calls()
        viewer = port.add(
            local, offer.transport, seats, broadcast.tracks, "cname",
            on_key_frame=broadcast.ask_key_frame, on_closed=ended,
        )  # fmt: skip
        broadcast.add(viewer)
        await connection.setRemoteDescription(RTCSessionDescription(sdp.write(answer), "answer"))
        yield Watcher(connection, viewer, ended)
    finally:
        await connection.close()


async def _until(true: Callable[[], bool], within: float = 3.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)


def _luma(frame: av.VideoFrame) -> bytes:
    return bytes(frame.planes[0])


async def test_two_viewers_see_the_same_pictures_of_one_camera() -> None:
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(15):
        camera = Camera.make()
        async with _watching(port, camera.broadcast) as one, _watching(port, camera.broadcast) as other:
            assert len(port) == 2
            await _until(lambda: one.viewer.connected and other.viewer.connected)
            feeding = asyncio.create_task(camera.run())
            await asyncio.gather(one.watch(12), other.watch(12))
            feeding.cancel()
            assert [(frame.width, frame.height) for frame in one.frames] == [(640, 360)] * 12
            assert list(map(_luma, one.frames)) == list(map(_luma, other.frames))
            assert len(set(map(_luma, one.frames))) == 12
            assert port.unsent == 0
            assert port.segments == (sys.platform == "linux")
        await _until(lambda: len(port) == 0)
        assert one.ended.seen == other.ended.seen == [None]


async def test_who_joins_late_sees_a_picture_before_the_next_key_frame() -> None:
    """The camera is not even asked for one: the running group is kept for newcomers."""
    asked = Calls()
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(10):
        camera = Camera(Broadcast({"video": CAMERA}, 1500, asked))
        camera.feed(9)
        async with _watching(port, camera.broadcast) as watcher:
            await _until(lambda: watcher.viewer.connected)
            camera.feed(1, first=9)  # aiortc shows a frame when the next one begins
            await watcher.watch(8)
    pictures = list(map(_luma, watcher.frames))
    assert len(set(pictures)) == 8
    assert len(asked) == 0


async def test_a_viewer_without_gcm_watches_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtcdtlstransport, "SRTP_PROFILES", [rtcdtlstransport.SRTP_AES128_CM_SHA1_80])
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(10):
        camera = Camera.make()
        async with _watching(port, camera.broadcast) as watcher:
            await _until(lambda: watcher.viewer.connected)
            assert watcher.viewer._dtls is not None
            assert watcher.viewer._dtls.keys is not None
            assert watcher.viewer._dtls.keys.profile is Profile.CM
            camera.feed(11)
            await watcher.watch(10)


async def test_another_session_of_the_camera_is_a_change_of_picture_and_nothing_more() -> None:
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(10):
        camera = Camera.make()
        async with _watching(port, camera.broadcast) as watcher:
            await _until(lambda: watcher.viewer.connected)
            camera.feed(6)
            for packets in clip_frames(27, count=10, sequence=3, timestamp=5, ssrc=2):
                for packet in packets:
                    camera.broadcast.push(packet)
            await watcher.watch(12)
    assert len(set(map(_luma, watcher.frames))) == 12


async def test_closing_the_port_says_goodbye_to_everybody() -> None:
    async with asyncio.timeout(10):
        async with ViewerPort(SETTINGS) as port:
            camera = Camera.make()
            watching = _watching(port, camera.broadcast)
            watcher = await watching.__aenter__()
            await _until(lambda: watcher.viewer.connected)
        assert watcher.ended.seen == [None]
        with pytest.raises(MediaStreamError):
            await watcher.watch(1)
        await watching.__aexit__(None, None, None)


# Strangers


class Stranger:
    """A socket that knows nothing of WebRTC."""

    def __init__(self, port: ViewerPort) -> None:
        self._target = ("127.0.0.1", port.number)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._target)

    async def answer(self) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 2048), 2)

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def _check(ufrag: str, password: str, *, nominates: bool = True) -> bytes:
    message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ufrag}:theirs"
    if nominates:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    return bytes(message)


def _expect(port: ViewerPort) -> tuple[Transport, Viewer, Calls]:
    local, ended = port.transport(), Calls()
    remote = Transport("theirs", "pwd", local.fingerprint, "actpass")
    tracks = {"video": Track(True, 77, 90_000)}
    return local, port.add(local, remote, {"video": SEAT}, tracks, "c", on_key_frame=ignore, on_closed=ended), ended


async def test_a_thousand_datagrams_of_garbage_are_counted_and_do_no_harm() -> None:
    dice = random.Random(1)
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(10):
        local, viewer, ended = _expect(port)
        with Stranger(port) as stranger, Stranger(port) as guest:
            for at in range(1000):
                head = (b"", b"\0\1", b"\x16\xfe\xfd", b"\x80\x60", b"\x80\xc8", _check("nobody", "x"))[at % 6]
                stranger.send(head + dice.randbytes(dice.randrange(60) if at % 6 < 5 else 0))
                if at % 50 == 0:
                    await asyncio.sleep(0)
            await _until(lambda: port.unknown == 1000)
            guest.send(_check(local.ufrag, local.pwd))
            assert ice.parse_message(await guest.answer()).message_class is ice.Class.RESPONSE
            assert viewer.address is not None
            for _ in range(100):  # now from an address that is known
                guest.send(dice.choice([b"\x16\xfe\xfd", b"\x80\x60", b"\x80\xc8", b"\x50"]) + dice.randbytes(40))
            guest.send(_check(local.ufrag, local.pwd))
            assert ice.parse_message(await guest.answer()).message_class is ice.Class.RESPONSE
            assert port.unknown == 1000
            assert ended.seen == []


async def test_who_does_not_know_the_password_is_told_401_and_gets_nothing() -> None:
    async with ViewerPort(SETTINGS) as port:
        local, viewer, _ = _expect(port)
        with Stranger(port) as stranger:
            stranger.send(_check(local.ufrag, "guessed"))
            answer = ice.parse_message(await stranger.answer())
            assert answer.attributes["ERROR-CODE"][0] == 401
            assert viewer.address is None
            stranger.send(b"\x16\xfe\xfd")
            await _until(lambda: port.unknown == 1)


async def test_two_viewers_behind_one_address_end_by_themselves() -> None:
    """A player that starts anew from the same socket: the old one's end must not cut off the new one."""
    async with ViewerPort(SETTINGS) as port:
        (old_local, old, _), (new_local, new, _) = _expect(port), _expect(port)
        with Stranger(port) as player:
            for local in (old_local, new_local):
                player.send(_check(local.ufrag, local.pwd))
                await player.answer()
            assert old.address == new.address
            old.close(None)
            player.send(b"\x16\xfe\xfd")
            player.send(_check(new_local.ufrag, new_local.pwd))
            await player.answer()
            assert port.unknown == 0


async def test_a_viewer_that_moves_leaves_its_old_address() -> None:
    async with ViewerPort(SETTINGS) as port:
        local, viewer, _ = _expect(port)
        with Stranger(port) as home, Stranger(port) as abroad:
            for place in (home, abroad):
                place.send(_check(local.ufrag, local.pwd))
                await place.answer()
            home.send(b"\x16\xfe\xfd")
            await _until(lambda: port.unknown == 1)
            viewer.close(None)
            abroad.send(b"\x16\xfe\xfd")
            await _until(lambda: port.unknown == 2)


# The port itself


async def test_every_viewer_gets_credentials_of_its_own_and_all_addresses() -> None:
    async with ViewerPort(MediaSettings(announce=["192.0.2.1", "203.0.113.5"])) as port:
        one, other = port.transport(), port.transport()
        assert one.ufrag != other.ufrag
        assert one.pwd != other.pwd
        assert len(one.pwd) >= 22  # RFC 8839 section 5.4
        assert (one.setup, one.complete) == ("passive", True)
        assert [line.split()[2:6:2] + line.split()[5:6] for line in one.candidates] == [
            [kind, address, str(port.number)] for kind in ("udp", "tcp") for address in ("192.0.2.1", "203.0.113.5")
        ]
        priorities = [int(line.split()[3]) for line in one.candidates]
        assert priorities == sorted(priorities, reverse=True)


async def test_a_port_that_is_taken_is_cfg_port() -> None:
    async with ViewerPort(MediaSettings()) as port:
        with pytest.raises(RingError) as caught:
            async with ViewerPort(MediaSettings(port=port.number)):
                pass
        assert caught.value.code == "CFG-PORT"
        assert str(port.number) in (caught.value.detail or "")


def test_loopback_is_the_last_of_our_addresses() -> None:
    addresses = own_addresses()
    assert addresses[-1] == "127.0.0.1"
    assert addresses.count("127.0.0.1") == 1
    assert not any(address.startswith("169.254.") for address in addresses)


async def test_a_viewer_that_has_ended_is_freed_at_once_and_not_by_the_collector() -> None:
    """With hundreds that come and go, what waits for it is megabytes, and memory in pieces afterwards."""
    async with ViewerPort(SETTINGS) as port:
        tracks, ended = {"video": Track(True, 1, 90_000)}, Calls()
        local, held = port.transport(), weakref.ref(ended)
        viewer = port.add(local, Transport(), {"video": SEAT}, tracks, "c", on_key_frame=ignore, on_closed=ended)
        gc.disable()
        try:
            viewer.close(None)
            assert ended.seen == [None]
            del viewer, ended
            assert held() is None
        finally:
            gc.enable()
