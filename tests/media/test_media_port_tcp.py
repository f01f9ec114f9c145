"""The viewers' port by TCP and by IPv6: our own client, since aiortc has neither for its media."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from itertools import islice, pairwise

import pytest
from aioice import stun as ice
from media_kit import Calls, clip, clip_frames, ignore

from ringlight.errors import RingError
from ringlight.media import h264, negotiate, rtp, tcp
from ringlight.media.addresses import bind_all, own_addresses
from ringlight.media.broadcast import Broadcast
from ringlight.media.connections import STREAMS_PER_VIEWER
from ringlight.media.dtls import Role
from ringlight.media.forward import Track
from ringlight.media.framing import framed
from ringlight.media.nomination import TcpAddress
from ringlight.media.peer import Peer
from ringlight.media.port import ViewerPort
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Transport
from ringlight.media.viewer import Viewer
from ringlight.settings import MediaSettings

CAMERA = Codec(96, "H264", 90_000, 1, {"profile-level-id": clip().profile_level_id, "packetization-mode": "1"})
SETTINGS = MediaSettings(announce=["127.0.0.1"])
SEAT = negotiate.Seat(CAMERA)
HAS_IPV6 = any(":" in address for address in own_addresses())

pytestmark = pytest.mark.anyio


@dataclass
class Watcher:
    """A viewer made of our own peer, and the seat that it has behind the port."""

    peer: Peer
    viewer: Viewer
    ended: Calls
    packets: list[Packet] = field(default_factory=list)

    async def watch(self, count: int) -> None:
        await _until(lambda: len(self.packets) >= count, 5)


async def _until(true: Callable[[], object], within: float = 3.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _watching(port: ViewerPort, broadcast: Broadcast, only: Callable[[str], bool]) -> AsyncIterator[Watcher]:
    """Watch by way of those of the port's addresses that are wanted."""
    here: list[Watcher] = []
    peer = Peer(
        controlling=True, on_rtp=lambda data: here[0].packets.append(rtp.parse(data)), on_rtcp=ignore,
        on_closed=ignore, tcp_after=0.01,
    )  # fmt: skip
    try:
        offer, local, ended = await peer.gather(), port.transport(), Calls()
        viewer = port.add(
            local, offer, {"video": SEAT}, broadcast.tracks, "c", on_key_frame=broadcast.ask_key_frame, on_closed=ended
        )  # fmt: skip
        here.append(Watcher(peer, viewer, ended))
        broadcast.add(viewer)
        reachable = tuple(line for line in local.candidates if only(line))
        assert reachable
        await peer.connect(replace(local, candidates=reachable), Role.CLIENT)
        yield here[0]
        broadcast.remove(viewer)
    finally:
        await peer.close()


def _over_tcp(line: str) -> bool:
    return " tcp " in line


class Camera:
    """A broadcast that is fed with the clip, some frames at a time."""

    def __init__(self, asked: Callable[[], None] = ignore) -> None:
        self.broadcast = Broadcast({"video": CAMERA}, 1500, asked)
        self._frames = clip_frames(count=10_000)
        self.sent = 0

    def feed(self, frames: int) -> None:
        for packets in islice(self._frames, frames):
            for packet in packets:
                self.broadcast.push(packet)
            self.sent += len(packets)


async def test_a_viewer_without_udp_gets_every_packet_over_tcp() -> None:
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(10):
        camera = Camera()
        async with _watching(port, camera.broadcast, _over_tcp) as watcher:
            assert watcher.peer.over_tcp
            assert isinstance(watcher.viewer.address, TcpAddress)
            camera.feed(30)
            await watcher.watch(camera.sent)
            assert len(watcher.packets) == camera.sent
            assert watcher.peer.dropped == port.unsent == 0
        await _until(lambda: len(port) == 0)
        assert watcher.ended.seen == [None]
        await _until(lambda: len(port._connections._listener) == 0)
        assert not port._connections._streams
        assert not port._connections._owners
        assert not port._paths


async def test_viewers_over_udp_and_tcp_share_the_port() -> None:
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(10):
        camera = Camera()
        async with (
            _watching(port, camera.broadcast, _over_tcp) as one,
            _watching(port, camera.broadcast, lambda line: " udp " in line) as other,
        ):
            camera.feed(10)
            await one.watch(camera.sent)
            await other.watch(camera.sent)
            assert [packet.payload for packet in one.packets] == [packet.payload for packet in other.packets]
            assert (one.peer.over_tcp, other.peer.over_tcp) == (True, False)


async def test_closing_the_port_says_goodbye_over_tcp_too() -> None:
    async with asyncio.timeout(10):
        async with ViewerPort(SETTINGS) as port:
            watching = _watching(port, Camera().broadcast, _over_tcp)
            watcher = await watching.__aenter__()
            gone = asyncio.Event()
            watcher.peer._on_closed = lambda code: gone.set() if code is None else None
        await gone.wait()
        assert watcher.ended.seen == [None]
        await watching.__aexit__(None, None, None)


async def test_a_slow_viewer_misses_frames_and_then_sees_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it stays bounded; the others notice nothing."""
    monkeypatch.setattr(tcp, "FULL", 20_000)
    monkeypatch.setattr(tcp, "DRAINED", 5_000)
    async with ViewerPort(SETTINGS) as port, asyncio.timeout(20):
        asked = Calls()
        camera = Camera(asked)
        async with (
            _watching(port, camera.broadcast, _over_tcp) as slow,
            _watching(port, camera.broadcast, _over_tcp) as quick,
        ):
            camera.feed(5)
            await slow.watch(camera.sent)
            (wire,) = slow.peer._tcp._pairs
            assert wire._transport is not None
            wire._transport.pause_reading()
            stream = port._connections._streams[slow.viewer.address]  # type: ignore[index]
            after = 0
            while after < 40:
                camera.feed(5)
                after += stream.full
                await quick.watch(camera.sent)
            assert stream._transport is not None
            assert stream._transport.get_write_buffer_size() < 20_000 + 100_000
            before = len(asked)
            camera.broadcast._asked_at = float("-inf")
            wire._transport.resume_reading()
            await _until(lambda: not stream.full)
            camera.feed(20)
            await quick.watch(camera.sent)
            newest = quick.packets[-1].payload
            await _until(lambda: slow.packets[-1].payload == newest)
            assert len(asked) == before + 1
            assert len(slow.packets) < len(quick.packets)
            gaps = [b for a, b in pairwise(slow.packets) if (b.sequence - a.sequence) % 65536 != 1]
            assert gaps
            assert all(h264.starts_key_frame(packet.payload) for packet in gaps), "nothing that cannot be decoded"
            assert slow.peer.dropped == 0


# Strangers, and viewers whose connection breaks


def _check(ufrag: str, password: str, *, nominates: bool = True) -> bytes:
    message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ufrag}:theirs"
    if nominates:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    return framed(bytes(message))


class Wire:
    """A TCP connection made by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: ViewerPort) -> "Wire":
        return cls(*await asyncio.open_connection("127.0.0.1", port.number))

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> ice.Message:
        async with asyncio.timeout(2):
            length = int.from_bytes(await self._reader.readexactly(2), "big")
            return ice.parse_message(await self._reader.readexactly(length))

    async def is_cut_off(self) -> bool:
        async with asyncio.timeout(3):
            try:
                return await self._reader.read() == b""
            except ConnectionError:
                return True

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


def _expect(port: ViewerPort) -> tuple[Transport, Viewer, Calls]:
    local, ended = port.transport(), Calls()
    remote = Transport("theirs", "pwd", local.fingerprint, "actpass")
    tracks = {"video": Track(True, 77, 90_000)}
    return local, port.add(local, remote, {"video": SEAT}, tracks, "c", on_key_frame=ignore, on_closed=ended), ended


async def test_a_viewer_comes_back_by_another_connection() -> None:
    """Browsers dial anew when a connection breaks; the seat is kept meanwhile, and the handshake stays valid."""
    async with ViewerPort(SETTINGS) as port:
        local, viewer, ended = _expect(port)
        first = await Wire.to(port)
        first.send(_check(local.ufrag, local.pwd))
        assert (await first.answer()).message_class is ice.Class.RESPONSE
        assert isinstance(viewer.address, TcpAddress)
        before = viewer.address
        await first.close()
        await _until(lambda: viewer.address is None)
        assert viewer.feed.is_full(), "what is sent now would be lost"
        second = await Wire.to(port)
        second.send(_check(local.ufrag, local.pwd))
        await second.answer()
        assert viewer.address not in (None, before)
        assert not viewer.feed.is_full()
        assert ended.seen == []
        await second.close()


async def test_what_no_viewer_would_say_ends_the_connection_at_once() -> None:
    dice = random.Random(1)
    async with ViewerPort(SETTINGS) as port:
        _, viewer, ended = _expect(port)
        sayings = [b"GET / HTTP/1.1\r\n\r\n", framed(b"\x16\xfe\xfd" + dice.randbytes(50)), _check("nobody", "x")]
        sayings += [framed(dice.randbytes(40)) for _ in range(5)]
        for said in sayings:
            wire = await Wire.to(port)
            wire.send(said)
            assert await wire.is_cut_off(), said
            await wire.close()
        assert viewer.address is None
        assert ended.seen == []
        await _until(lambda: not port._connections._streams)


async def test_a_wrong_password_is_refused_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "PROVE_WITHIN", 0.1)
    async with ViewerPort(SETTINGS) as port:
        local, viewer, _ = _expect(port)
        wire = await Wire.to(port)
        wire.send(_check(local.ufrag, "guessed"))
        assert (await wire.answer()).attributes["ERROR-CODE"][0] == 401
        assert viewer.address is None
        assert await wire.is_cut_off()
        await wire.close()


async def test_one_viewer_has_only_so_many_connections() -> None:
    async with ViewerPort(SETTINGS) as port:
        local, _, _ = _expect(port)
        wires = []
        for _ in range(STREAMS_PER_VIEWER):
            wires.append(await Wire.to(port))
            wires[-1].send(_check(local.ufrag, local.pwd, nominates=False))
            await wires[-1].answer()
        more = await Wire.to(port)
        more.send(_check(local.ufrag, local.pwd))
        await more.answer()
        assert await more.is_cut_off()
        for wire in (more, *wires):
            await wire.close()


async def test_when_a_viewer_ends_all_its_connections_do() -> None:
    async with ViewerPort(SETTINGS) as port:
        local, viewer, _ = _expect(port)
        wires = [await Wire.to(port) for _ in range(3)]
        for wire in wires:
            wire.send(_check(local.ufrag, local.pwd, nominates=wire is wires[1]))
            await wire.answer()
        viewer.close(None)
        assert all(await asyncio.gather(*(wire.is_cut_off() for wire in wires)))
        for wire in wires:
            await wire.close()
        assert (len(port._connections._streams), len(port._connections._owners), len(port._paths)) == (0, 0, 0)


async def test_two_viewers_on_one_connection_harm_nobody() -> None:
    async with ViewerPort(SETTINGS) as port:
        (old_local, old, _), (new_local, new, _) = _expect(port), _expect(port)
        wire = await Wire.to(port)
        for local in (old_local, new_local):
            wire.send(_check(local.ufrag, local.pwd))
            await wire.answer()
        await wire.close()
        await _until(lambda: new.address is None)
        old.feed.send(b"\x80\x60 to nobody")
        old.close(None)
        new.close(None)


# The port itself


async def test_tcp_has_the_number_of_udp_and_can_be_left_out() -> None:
    async with ViewerPort(SETTINGS) as port:
        assert {bound.getsockname()[1] for bound in (*port._sockets.udp, *port._sockets.tcp)} == {port.number}
        assert sum(map(_over_tcp, port.transport().candidates)) == 1
    async with ViewerPort(MediaSettings(announce=["127.0.0.1"], tcp=False)) as port:
        assert not any(map(_over_tcp, port.transport().candidates))
        with pytest.raises(OSError, match="Connect"):
            await Wire.to(port)


async def test_a_port_that_is_taken_for_tcp_is_named() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(RingError, match=f"TCP port {number}") as caught:
            async with ViewerPort(MediaSettings(port=number)):
                pass
        assert caught.value.code == "CFG-PORT"
        async with ViewerPort(MediaSettings(port=number, tcp=False)):
            pass


def test_where_any_number_will_do_one_is_found_that_is_free_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = socket.socket.bind, 0

    def taken_at_first(bound: socket.socket, address: tuple[str, int]) -> None:
        nonlocal refused
        if bound.type == socket.SOCK_STREAM and refused < 3:
            refused += 1
            raise OSError(98, "Address already in use")
        real(bound, address)

    monkeypatch.setattr(socket.socket, "bind", taken_at_first, raising=False)
    found = bind_all(0, tcp=True)
    assert refused == 3
    assert found.number > 0
    found.close()


def test_where_there_is_no_ipv6_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_ipv6", False)
    found = bind_all(0, tcp=True)
    assert (len(found.udp), len(found.tcp), found.has_ipv6) == (1, 1, False)
    found.close()
    assert all(":" not in address for address in own_addresses(ipv6=False))


def test_addresses_that_lead_nowhere_are_not_announced() -> None:
    *others, loopback = map(ip_address, own_addresses())
    assert str(loopback) == "127.0.0.1"
    assert not any(address.is_link_local or address.is_loopback for address in others)
    versions = [address.version for address in others]
    assert versions == sorted(versions), "IPv4 is preferred: it has been tried for longer"


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no address of IPv6")
@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_a_viewer_comes_by_ipv6(kind: str) -> None:
    async with ViewerPort(MediaSettings()) as port, asyncio.timeout(10):
        camera = Camera()
        async with _watching(
            port, camera.broadcast, lambda line: f" {kind} " in line and ":" in line.split()[4]
        ) as watcher:
            assert watcher.viewer.address is not None
            assert ip_address(watcher.viewer.address[0]).version == 6
            camera.feed(10)
            await watcher.watch(camera.sent)
            assert watcher.peer.dropped == port.unsent == 0
