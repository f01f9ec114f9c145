"""One camera's packets to everybody: who gets what, and when the camera is asked for a key frame."""

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest
from media_kit import IDR, PPS, SLICE, SPS, Calls, frame, frames_of, ignore, packet
from test_media_receiver import Clock

from ringlight.media.broadcast import FLUSH_AFTER, KEY_FRAME_EVERY, MOST_WAITING, Broadcast
from ringlight.media.broadcast import SLICE as SLICE_OF_TIME
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec

VIDEO, SOUND = Codec(96, "H264", 90_000), Codec(111, "opus", 48_000, 2)
KEY = (SPS, PPS, IDR + b"key")

pytestmark = pytest.mark.anyio


def payloads(packets: Sequence[Packet]) -> list[bytes]:
    return [one.payload for one in packets]


class Heard:
    """A sink that remembers."""

    def __init__(self, joins: Broadcast | None = None) -> None:
        self.joins = joins
        self.joined: dict[str, list[bytes]] = {}
        self.batches: list[tuple[str, list[bytes]]] = []

    def join(self, kind: str) -> None:
        if self.joins is not None:
            self.joined[kind] = payloads(self.joins.tracks[kind].sent)

    def packets(self, kind: str, batch: Sequence[Packet]) -> None:
        self.batches.append((kind, payloads(batch)))


def _broadcast(ask: Callable[[], None] = ignore) -> Broadcast:
    return Broadcast({"video": VIDEO, "audio": SOUND}, 100, ask)


def _push(broadcast: Broadcast, packets: list[Packet]) -> None:
    for one in packets:
        broadcast.push(one)


async def test_every_sink_gets_every_batch_under_the_kind_of_its_track() -> None:
    broadcast, first, second = _broadcast(), Heard(), Heard()
    broadcast.add(first)
    broadcast.add(second)
    key, sound = frames_of(KEY), packet(1, 960, b"sound", payload_type=111)
    _push(broadcast, [*key, sound])
    assert first.batches == second.batches == [("video", [*KEY]), ("audio", [b"sound"])]
    assert broadcast.received == 4


async def test_a_packet_of_no_known_track_is_told_and_goes_nowhere() -> None:
    broadcast, sink = _broadcast(), Heard()
    broadcast.add(sink)
    assert broadcast.push(packet(1, 1, payload_type=42)) is None
    assert broadcast.push(packet(1, 1, SPS, payload_type=96, marker=True)) == "video"
    assert broadcast.received == 1
    assert len(sink.batches) == 1


async def test_the_end_of_a_frame_that_does_not_come_is_not_waited_for_long() -> None:
    broadcast, sink = _broadcast(), Heard()
    broadcast.add(sink)
    _push(broadcast, frames_of(KEY)[:2])
    assert sink.batches == []
    await asyncio.sleep(FLUSH_AFTER * 3)
    assert [len(batch) for _, batch in sink.batches] == [2]
    _push(broadcast, frames_of(KEY)[2:])
    assert [len(batch) for _, batch in sink.batches] == [2, 1]
    await asyncio.sleep(FLUSH_AFTER * 3)
    assert len(sink.batches) == 2


async def test_a_newcomer_gets_the_running_group_and_then_the_rest_once() -> None:
    asked = Calls()
    broadcast = _broadcast(asked)
    sink = Heard(broadcast)
    packets = frames_of(KEY, (SLICE,), (SLICE, SLICE))
    _push(broadcast, packets[:5])
    broadcast.add(sink)
    _push(broadcast, packets[5:])
    assert sink.joined == {"video": payloads(packets[:4]), "audio": []}
    assert [one for _, batch in sink.batches for one in batch] == payloads(packets[4:])
    assert len(asked) == 0


async def test_a_newcomer_without_running_group_makes_the_camera_be_asked_once() -> None:
    asked = Calls()
    broadcast = _broadcast(asked)
    broadcast.add(Heard())
    broadcast.add(Heard())
    broadcast.ask_key_frame()
    assert len(asked) == 1


async def test_who_left_gets_nothing_and_may_leave_twice() -> None:
    broadcast, gone, stays = _broadcast(), Heard(), Heard()
    broadcast.add(gone)
    broadcast.add(stays)
    broadcast.remove(gone)
    broadcast.remove(gone)
    _push(broadcast, frames_of(KEY))
    assert gone.batches == []
    assert len(stays.batches) == 1


async def test_a_sink_may_leave_while_packets_are_handed_out() -> None:
    broadcast, stays = _broadcast(), Heard()

    class Leaves(Heard):
        def packets(self, kind: str, batch: Sequence[Packet]) -> None:
            super().packets(kind, batch)
            broadcast.remove(self)

    leaves = Leaves()
    for sink in (leaves, stays):
        broadcast.add(sink)
    _push(broadcast, frames_of(KEY, (SLICE,)))
    assert (len(leaves.batches), len(stays.batches)) == (1, 2)


async def test_nothing_comes_after_the_end() -> None:
    broadcast, sink = _broadcast(), Heard()
    broadcast.add(sink)
    _push(broadcast, frames_of(KEY)[:2])
    broadcast.close()
    await asyncio.sleep(FLUSH_AFTER * 3)
    assert sink.batches == []


async def test_another_session_with_other_payload_types_goes_to_the_same_sinks() -> None:
    broadcast, sink = _broadcast(), Heard()
    broadcast.add(sink)
    _push(broadcast, frames_of(KEY))
    broadcast.tune({"video": Codec(102, "H264", 90_000)})
    assert broadcast.push(packet(1, 1, payload_type=96)) is None
    after = [packet(at, 1, part, marker=at == 2, ssrc=2, payload_type=102) for at, part in enumerate(KEY)]
    _push(broadcast, after)
    assert sink.batches[-1] == ("video", [*KEY])
    assert payloads(broadcast.group) == [*KEY]


async def test_the_last_key_frame_is_there_once_it_is_whole() -> None:
    broadcast = _broadcast()
    assert broadcast.key_frame() is None
    packets = frames_of(KEY, (SLICE,))
    _push(broadcast, packets[:2])
    assert broadcast.key_frame() is None
    _push(broadcast, packets[2:])
    unit = broadcast.key_frame()
    assert unit is not None
    assert unit.units == KEY


async def test_a_key_frame_with_a_hole_is_none() -> None:
    broadcast = _broadcast()
    whole = frame(0, 10, *KEY, IDR + b"second")
    _push(broadcast, [*whole[:2], whole[3], *frame(4, 20, SLICE)])
    assert broadcast.key_frame() is None


async def test_a_camera_without_video_has_no_group() -> None:
    broadcast = Broadcast({"audio": SOUND}, 100, ignore)
    assert broadcast.group == []
    assert broadcast.key_frame() is None


async def test_who_comes_while_a_view_is_broken_gets_no_old_picture() -> None:
    broadcast = _broadcast()
    late = Heard(broadcast)
    _push(broadcast, frames_of(KEY))
    broadcast.forget()
    broadcast.add(late)
    assert late.joined == {"video": [], "audio": []}
    assert broadcast.key_frame() is None


# Many sinks


class Slow(Heard):
    """Takes a whole slice of time for each batch."""

    def packets(self, kind: str, batch: Sequence[Packet]) -> None:
        super().packets(kind, batch)
        until = time.perf_counter() + SLICE_OF_TIME
        while time.perf_counter() < until:
            pass


async def test_many_sinks_do_not_hold_up_the_rest_of_the_program() -> None:
    broadcast, sinks = _broadcast(), [Slow() for _ in range(5)]
    for sink in sinks:
        broadcast.add(sink)
    _push(broadcast, frames_of(KEY))
    assert sum(len(sink.batches) for sink in sinks) == 1
    for served in range(2, 6):
        await asyncio.sleep(0)
        assert sum(len(sink.batches) for sink in sinks) == served


async def test_everybody_is_the_first_in_turn() -> None:
    broadcast, order = _broadcast(), []

    class Noted(Heard):
        def packets(self, kind: str, batch: Sequence[Packet]) -> None:
            super().packets(kind, batch)
            order.append(self)

    sinks = [Noted() for _ in range(3)]
    for sink in sinks:
        broadcast.add(sink)
    _push(broadcast, frames_of(KEY, (SLICE,), (SLICE,)))
    assert {sinks.index(first) for first in order[::3]} == {0, 1, 2}
    assert all(len(sink.batches) == 3 for sink in sinks)


async def test_who_joins_while_others_wait_gets_nothing_twice() -> None:
    broadcast = _broadcast()
    late = Heard(broadcast)
    for sink in (Slow(), Slow()):
        broadcast.add(sink)
    _push(broadcast, frames_of(KEY))
    broadcast.add(late)
    for _ in range(3):
        await asyncio.sleep(0)
    assert late.joined["video"] == [*KEY]
    assert late.batches == []


async def test_a_machine_that_cannot_keep_up_skips_and_asks_for_a_key_frame() -> None:
    asked = Calls()
    broadcast = _broadcast(asked)
    for sink in (Slow(), Slow()):
        broadcast.add(sink)
    asked.seen.clear()
    broadcast._asked_at = float("-inf")
    _push(broadcast, frames_of(KEY, *[(SLICE,)] * (MOST_WAITING + 1)))
    assert broadcast.overrun > MOST_WAITING
    assert len(asked) == 1
    broadcast.close()


async def test_who_asks_too_soon_for_a_key_frame_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera may send key frames only when asked: a request that fell under the table would freeze a recording."""
    clock, asked = Clock(monkeypatch), Calls()
    broadcast = _broadcast(asked)
    broadcast.ask_key_frame()
    _push(broadcast, frames_of(KEY, (SLICE,)))
    broadcast.ask_key_frame()
    broadcast.ask_key_frame()
    assert len(asked) == 1
    await clock.forward(KEY_FRAME_EVERY + 0.01)
    assert len(asked) == 2
    broadcast.ask_key_frame()
    _push(broadcast, frames_of(KEY, sequence=110, timestamp=90_000))
    await clock.forward(KEY_FRAME_EVERY + 0.01)
    assert len(asked) == 2, "one came meanwhile"
    broadcast.ask_key_frame()
    broadcast.ask_key_frame()
    broadcast.close()
    await clock.forward(KEY_FRAME_EVERY + 0.01)
    assert len(asked) == 3


async def test_a_sink_that_breaks_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    broadcast, stays = _broadcast(), Heard()

    class Breaks(Heard):
        def packets(self, kind: str, batch: Sequence[Packet]) -> None:
            raise ValueError("a bug of ours")

    for sink in (Breaks(), stays):
        broadcast.add(sink)
    _push(broadcast, frames_of(KEY, (SLICE,)))
    async with asyncio.timeout(10):
        while len(stays.batches) < 2:  # to write a traceback may take the whole slice of time
            await asyncio.sleep(0)
    assert "could not be taken" in caplog.text


async def test_another_session_goes_on_behind_the_last_even_under_the_same_ssrc() -> None:
    """Numbers that went back would be sent twice with another content, and viewers would drop all of it."""
    broadcast, sink = _broadcast(), Heard()
    broadcast.add(sink)
    _push(broadcast, frames_of(KEY, (SLICE,), sequence=5000))
    before = broadcast.tracks["video"].index
    broadcast.tune({"video": VIDEO})
    _push(broadcast, frames_of((SLICE,), sequence=4800, timestamp=77))
    assert len(sink.batches) == 2, "its pictures refer to a key frame that nobody has"
    _push(broadcast, frames_of(KEY, sequence=4801, timestamp=99))
    assert [one.index for one in broadcast.group] == [before + 1, before + 2, before + 3]


async def test_sound_that_comes_in_another_codec_now_is_no_noise_for_who_watches() -> None:
    broadcast, sink = _broadcast(), Heard()
    broadcast.add(sink)
    broadcast.tune({"video": VIDEO, "audio": Codec(0, "PCMU", 8_000)})
    assert broadcast.push(packet(1, 160, b"sound", payload_type=0)) is None
    assert "audio" not in broadcast.codecs
    broadcast.tune({"video": VIDEO, "audio": SOUND})
    assert broadcast.push(packet(1, 960, b"sound", payload_type=111)) == "audio"
    assert sink.batches == [("audio", [b"sound"])]
