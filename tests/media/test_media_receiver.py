"""The receiving end: order, requests for what is lost, packets sent again, reports."""

import asyncio
from collections.abc import Iterator

import pytest
from media_kit import IDR, PPS, SLICE, SPS, frames_of, packet

from ringlight.media import rtcp, rtp
from ringlight.media.negotiate import Agreed
from ringlight.media.receiver import ANOTHER_AFTER, KEY_FRAME_EVERY, MOST_SOURCES, REPORT_EVERY, Receiver
from ringlight.media.reorder import MOST_MISSING, PATIENCE
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Transport

KEY = (SPS, PPS, IDR + b"key")
AGREED = Agreed(
    {"video": Codec(96, "H264", 90_000), "audio": Codec(111, "opus", 48_000, 2)}, Transport(), repairs={97: 96}
)

pytestmark = pytest.mark.anyio


class Clock:
    """The loop's clock and timers, moved by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop = asyncio.get_running_loop()
        self._real, self.ahead = self._loop.time, 0.0
        self._timers: list[tuple[float, asyncio.TimerHandle]] = []
        monkeypatch.setattr(self._loop, "time", lambda: self._real() + self.ahead)

    async def forward(self, seconds: float) -> None:
        """Let time pass; timers that come due in it are called in their turn."""
        until = self.ahead + seconds
        while self.ahead < until:
            self.ahead = min(until, self.ahead + 0.005)
            await asyncio.sleep(0)
            await asyncio.sleep(0)


class Side:
    """A receiver, what it handed on and what it sent."""

    def __init__(self) -> None:
        self.seen: list[Packet] = []
        self.told: list[rtcp.Report] = []
        self.receiver = Receiver(AGREED, lambda data: self.told.extend(rtcp.parse(data)), self.seen.append)

    def take(self, *packets: Packet) -> None:
        for one in packets:
            self.receiver.receive_rtp(rtp.write(one))

    def asked(self) -> list[int]:
        return [number for one in self.told if isinstance(one, rtcp.Nack) for number in one.missing]

    def key_frames(self) -> int:
        return sum(isinstance(one, rtcp.KeyFrameRequest) for one in self.told)


@pytest.fixture
async def side() -> "Iterator[Side]":  # type: ignore[misc]
    made = Side()
    yield made
    made.receiver.close()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_a_lost_packet_is_asked_for_and_takes_its_place(clock: Clock, side: Side) -> None:
    packets = frames_of(KEY, (SLICE,), (SLICE,))
    side.take(*packets[:2], *packets[3:])
    assert [one.payload for one in side.seen] == [SPS, PPS]
    await clock.forward(0.02)
    assert side.asked() == [packets[2].sequence]
    lost = packets[2]
    again = packet(
        7, lost.timestamp, lost.sequence.to_bytes(2, "big") + lost.payload, marker=True, ssrc=9, payload_type=97
    )
    side.take(again)
    assert [one.payload for one in side.seen] == [*KEY, SLICE, SLICE]
    assert side.seen[2] == lost
    assert (side.receiver.repaired, side.receiver.lost, side.key_frames()) == (1, 0, 0)


async def test_what_never_comes_is_given_up_and_a_key_frame_asked_for(clock: Clock, side: Side) -> None:
    packets = frames_of(KEY, (SLICE,), (SLICE,), (SLICE,))
    side.take(*packets[:3], *packets[4:])
    await clock.forward(PATIENCE + 0.05)
    assert [one.payload for one in side.seen] == [*KEY, SLICE, SLICE]
    assert (side.receiver.lost, side.key_frames()) == (1, 1)
    more = frames_of((SLICE,), (SLICE,), sequence=packets[-1].sequence + 2)
    side.take(*more)
    await clock.forward(PATIENCE + 0.05)
    assert (side.receiver.lost, side.key_frames()) == (2, 1)
    await clock.forward(KEY_FRAME_EVERY)
    side.take(*frames_of((SLICE,), sequence=more[-1].sequence + 2))
    await clock.forward(PATIENCE + 0.05)
    assert side.key_frames() == 2


async def test_sound_is_never_held_up(side: Side) -> None:
    side.take(*(packet(at, 960 * at, b"sound", ssrc=5, payload_type=111) for at in (1, 3, 4)))
    assert len(side.seen) == 3
    assert side.asked() == []


async def test_a_packet_that_only_probes_the_bandwidth_is_left_out(side: Side) -> None:
    side.take(*frames_of(KEY))
    side.take(packet(1, 0, b"\0\1", ssrc=9, payload_type=97))
    assert len(side.seen) == 3


async def test_a_second_size_of_the_same_picture_is_ignored_until_the_first_falls_silent(
    clock: Clock, side: Side
) -> None:
    side.take(*frames_of(KEY), *frames_of(KEY, ssrc=2))
    assert {one.ssrc for one in side.seen} == {frames_of(KEY)[0].ssrc}
    await clock.forward(ANOTHER_AFTER + 0.1)
    side.take(*frames_of(KEY, ssrc=2))
    assert side.seen[-1].ssrc == 2


async def test_reports_name_every_source_and_no_more_than_fit(clock: Clock, side: Side) -> None:
    side.take(*(packet(1, 1, b"x", ssrc=ssrc, payload_type=111) for ssrc in range(MOST_SOURCES + 5)))
    await clock.forward(REPORT_EVERY + 0.1)
    reports = [one for one in side.told if isinstance(one, rtcp.ReceiverReport)]
    assert [len(one.blocks) for one in reports] == [MOST_SOURCES]
    assert side.receiver.dropped == 5


async def test_noise_is_counted_and_does_no_harm(side: Side) -> None:
    side.receiver.receive_rtp(b"\x80")
    side.take(packet(1, 1, payload_type=50))
    side.receiver.receive_rtcp(b"\x80\xc8\0\1")
    assert side.receiver.dropped == 2
    side.receiver.ask_key_frame()
    assert side.told == []


async def test_after_the_end_nothing_is_reported(clock: Clock, side: Side) -> None:
    packets = frames_of(KEY, (SLICE,))
    side.take(packets[0], packets[2])
    side.receiver.close()
    await clock.forward(REPORT_EVERY + 0.1)
    assert side.told == []


async def test_an_outage_makes_it_ask_for_a_key_frame(side: Side) -> None:
    """More is missing than is worth asking for again."""
    side.take(*frames_of(KEY))
    side.take(*frames_of((SLICE,), (SLICE,), (SLICE,), sequence=100 + len(KEY) + MOST_MISSING + 5, timestamp=90_000))
    assert len(side.seen) == len(KEY) + 2, "the first from far away might be a stray one"
    assert side.key_frames() == 1


async def test_what_comes_after_the_end_sets_no_timer(clock: Clock, side: Side) -> None:
    packets = frames_of(KEY, (SLICE,), (SLICE,))
    side.take(*packets[:2])
    side.receiver.close()
    side.take(packets[4])
    await clock.forward(PATIENCE + REPORT_EVERY)
    assert side.told == []
    assert len(side.seen) == 2
