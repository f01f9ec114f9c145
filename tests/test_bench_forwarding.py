"""The counting behind the forwarder's benchmark, in bench/media: a number that is wrong is worse than none."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import plot
import pytest
from media.audience import align, latencies
from media.source import CLOCK_STEP, Sent
from media.watcher import Seen, Watcher

from media import watcher
from ringlight.media import rtp, sdp, stun
from ringlight.media.dtls import Dtls, Role

pytestmark = pytest.mark.anyio
PAYLOAD = bytes(1000)


@asynccontextmanager
async def a_watcher(*, gro: bool = True) -> AsyncIterator[tuple[Watcher, socket.socket]]:
    """Yield a viewer and a socket whose packets reach it."""
    counting = Watcher(0, gro=gro)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.connect(("127.0.0.1", counting.socket.getsockname()[1]))
        yield counting, sending
    counting.close()


def packet(sequence: int, *, marker: bool = False, stamp: int = 7) -> bytes:
    return rtp.header(96, marker, sequence % rtp.SEQUENCES, stamp, 1) + PAYLOAD


async def test_a_run_of_segments_counts_as_its_packets() -> None:
    """What left in one call may come in one call; the sequence numbers inside still count."""
    async with a_watcher() as (counting, sending):
        run = b"".join(packet(65_530 + at, marker=at == 9) for at in range(10))
        sending.sendmsg([run], [(17, 103, struct.pack("=H", len(packet(0))))])
        counting.drain()
        assert (counting.packets, counting.lost, counting.doubled) == (10, 0, 0)
        assert [frame.packets for frame in counting.frames] == [10]


@pytest.mark.parametrize("gro", [True, False])
async def test_gaps_are_losses_until_they_are_filled_and_doubles_are_told(gro: bool) -> None:
    async with a_watcher(gro=gro) as (counting, sending):
        for sequence in (65_534, 65_535, 3, 1, 1):
            sending.send(packet(sequence))
        counting.drain()
        assert (counting.packets, counting.lost, counting.doubled) == (4, 2, 1)


async def test_what_its_own_buffer_could_not_take_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the generator's fault would be booked as the server's loss."""
    monkeypatch.setattr(watcher, "RECEIVE_BUFFER", 4096)
    async with a_watcher() as (counting, sending):
        for sequence in range(50):
            sending.send(packet(sequence))
        counting.drain()
        assert counting.packets + counting.dropped() == 50
        assert counting.dropped() > 0


async def test_a_server_that_takes_the_active_part_is_answered() -> None:
    """Most servers answer `active`; then the viewer waits for their handshake."""
    async with a_watcher() as (counting, sending):
        offer = sdp.parse(counting.description("actpass", lite=False)).transport
        server = Dtls(Role.CLIENT, offer.fingerprint)
        host, port = sending.getsockname()
        line = f"candidate:1 1 udp 1 {host} {port} typ host"
        answer = sdp.Transport("them", "their-password", offer.fingerprint, "active", (line,))
        connecting = asyncio.create_task(counting.connect(answer))
        loop = asyncio.get_running_loop()
        sending.setblocking(False)
        async with asyncio.timeout(10):
            while server.keys is None:
                data = await loop.sock_recv(sending, 2048)
                request = stun.parse_request(data)
                if request is not None:
                    assert request.is_signed_with("their-password")
                    sending.send(stun.success(request.transaction, "their-password", (host, port)))
                    server.start()
                else:
                    server.receive(data)
                for datagram in server.outgoing():
                    sending.send(datagram)
            await connecting
        assert counting.profile == "GCM"


def _film(count: int) -> list[Sent]:
    return [
        Sent(at * CLOCK_STEP, 1_000_000_000 + at * 66_000_000, 40 if at % 30 == 0 else 8 + at % 5)
        for at in range(count)
    ]


def _watched(film: list[Sent], offset: int, delay: int) -> list[Seen]:
    packets, seen = 0, []
    for frame in film:
        packets += frame.packets
        seen.append(Seen((frame.timestamp + offset) % rtp.TIMESTAMPS, frame.at + delay, packets))
    return seen


@pytest.mark.parametrize("delay", [1_000_000, 150_000_000])
async def test_frames_are_recognised_though_the_server_shifts_their_timestamps(delay: int) -> None:
    """By their numbers of packets; so a delay of more than a frame is not taken for one that is short."""
    film = _film(90)
    async with a_watcher() as (counting, _):
        counting.frames = _watched(film[17:], 4_294_960_000, delay)
        assert set(latencies(counting, film)) == {delay / 1e6}


def test_frames_that_were_encoded_anew_are_not_recognised() -> None:
    film = _film(90)
    other = [Sent(frame.timestamp, frame.at, 3) for frame in film]
    assert align(_watched(other, 5, 1_000_000), film) is None


@pytest.mark.parametrize(("largest", "shown"), [(1000, [0, 200, 400, 600, 800, 1000]), (4.4, [0, 1, 2, 3, 4, 5])])
def test_axes_have_round_numbers_that_reach_the_largest(largest: float, shown: list[float]) -> None:
    assert plot.ticks(largest) == shown
