"""Recordings of a camera in bad weather, read again by ffmpeg: loss, renewals, other pictures, sound in time."""

import asyncio
import random
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import pytest
from media_kit import clip_frames, frame, packet

from ringlight.media import h264
from ringlight.media.forward import Track
from ringlight.media.past import Past
from ringlight.media.recorder import Recorder, Recording
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.simulator.clip import CLOCK_STEP, RATE
from ringlight.simulator.sound import make_sound

pytestmark = pytest.mark.anyio
OPUS, PCMU = Codec(111, "opus", 48_000, 2), Codec(0, "PCMU", 8_000, 1)
SHOTS = {"small": (320, 180), "large": (640, 360)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clip.mp4"


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def checked(path: Path) -> None:
    """Let another ffmpeg than ours decode everything; it says what it does not like."""
    decoding = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (decoding.returncode, decoding.stderr) == (0, "")


def times(path: Path, kind: str) -> list[float]:
    """Decode one track; return when its pictures or sounds are."""
    with av.open(str(path)) as file:
        decoded = file.decode(video=0) if kind == "video" else file.decode(audio=0)
        return [frame.time for frame in decoded if frame.time is not None]


async def recorded(recorder: Recorder) -> Recording:
    async with asyncio.timeout(20):
        return await recorder.done()


# Loss


@pytest.mark.parametrize("seed", range(6))
async def test_five_percent_of_lost_packets_leave_a_file_that_decodes_without_an_error(path: Path, seed: int) -> None:
    dice = random.Random(seed)
    asked: list[None] = []
    recorder = Recorder(path, None, on_broken=lambda: asked.append(None))
    async with recorder:
        for number, packets in enumerate(clip_frames(count=300)):
            recorder.packets("video", [one for one in packets if number < 15 or dice.random() >= 0.05])
    made = await recorded(recorder)
    checked(path)
    pictures = times(path, "video")
    assert all(later > earlier for earlier, later in pairwise(pictures))
    assert made.seconds == pytest.approx(300 / RATE, abs=3 / RATE)  # the last frames may be lost ones
    assert 15 <= len(pictures) < 300
    assert made.lost + len(pictures) == pytest.approx(300, abs=30)  # a frame that is lost whole is not counted
    assert asked


async def test_packets_out_of_order_cost_their_group_and_no_more(path: Path) -> None:
    packets = [one for packets in clip_frames(count=45) for one in packets]
    at = len(packets) // 2
    packets[at], packets[at + 1] = packets[at + 1], packets[at]
    async with Recorder(path, None) as recorder:
        recorder.packets("video", packets)
    checked(path)
    assert 30 <= len(times(path, "video")) < 45


# Other pictures


@cache
def shot(name: str) -> list[list[bytes]]:
    """One second of another camera: its own size, its own parameter sets."""
    width, height = SHOTS[name]
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=15:repeat-headers=1"}
    packets = []
    for number in range(RATE):
        picture = av.VideoFrame(width, height, "yuv420p")
        for plane in picture.planes:
            plane.update(bytes([16 * number % 256]) * plane.buffer_size)
        picture.pts = number
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    return [h264.packetize(tuple(u for u in h264.split_annex_b(bytes(p)) if u[0] & 0x1F != 6)) for p in packets]


def shown(names: str) -> Iterator[list[Packet]]:
    """A session after the other, each a second long, with numbers of its own."""
    for session, name in enumerate(names.split()):
        sequence, timestamp = session * 7_000, session * 123_456_789
        for payloads in shot(name):
            yield frame(sequence, timestamp, *payloads, ssrc=1 + session)
            sequence, timestamp = sequence + len(payloads), timestamp + CLOCK_STEP


async def test_another_size_of_pictures_goes_on_in_another_file(path: Path) -> None:
    """One file has one description of its pictures; with two, most players show garbage."""
    clock = Clock()
    async with Recorder(path, None, sound=OPUS, clock=clock) as recorder:
        for number, packets in enumerate(shown("small small large small")):
            clock.now = 1000.0 + number / RATE
            recorder.packets("video", packets)
    made = await recorded(recorder)
    assert [file.name for file in made.files] == ["clip.mp4", "clip-2.mp4", "clip-3.mp4"]
    assert made.seconds == pytest.approx(4.0, abs=0.01)
    for file, size, seconds in zip(made.files, ("small", "large", "small"), (2, 1, 1), strict=True):
        checked(file)
        with av.open(str(file)) as opened:
            assert (opened.streams.video[0].width, opened.streams.video[0].height) == SHOTS[size]
        pictures = times(file, "video")
        assert pictures[0] == 0
        assert len(pictures) == seconds * RATE


async def test_a_renewal_waits_for_the_new_sessions_key_frame(path: Path) -> None:
    """Pictures that refer to one of the other session would be garbage."""
    first, second, third = (list(shown("small small small"))[at * RATE :][:RATE] for at in range(3))
    async with Recorder(path, None) as recorder:
        for packets in [*first, *second[5:], *third]:
            recorder.packets("video", packets)
    made = await recorded(recorder)
    checked(path)
    assert len(times(path, "video")) == 2 * RATE
    assert made.lost == 10


# Sound


class Session:
    """A camera that shows a picture 15 times a second and is heard 50 times, in a clock's time."""

    def __init__(self, number: int, tracks: dict[str, Track] | None = None) -> None:
        self.number = number
        self._tracks = tracks

    def _send(self, recorder: Recorder, kind: str, packets: list[Packet], now: float) -> None:
        """Send them as they are, or as the view's tracks number them for everybody."""
        if self._tracks is None:
            recorder.packets(kind, packets)
            return
        for one in packets:
            batch = self._tracks[kind].push(one, now)
            if batch is not None:
                recorder.packets(kind, batch)

    def play(
        self, recorder: Recorder, clock: Clock, start: float, seconds: int, sounds: list[bytes], rate: int
    ) -> None:
        frames = list(clip_frames(0, count=seconds * RATE, sequence=self.number * 999, ssrc=self.number * 10,
                                  timestamp=self.number * 555_555_555))  # fmt: skip
        moments = [(start + at / RATE, "video", at) for at in range(seconds * RATE)]
        moments += [(start + at / 50 + 0.001, "audio", at) for at in range(seconds * 50)]
        for now, kind, at in sorted(moments):
            clock.now = now
            if kind == "video":
                self._send(recorder, "video", frames[at], now)
            else:
                stamp = self.number * 777_777 + at * rate // 50
                payload = sounds[at % len(sounds)]
                heard = packet(at, stamp, payload, ssrc=self.number * 10 + 1, payload_type=111)
                self._send(recorder, "audio", [heard], now)


def strokes(path: Path) -> list[float]:
    """Return when a loud sound begins after silence."""
    found, loud_at = [], -1.0
    with av.open(str(path)) as file:
        resampler = av.AudioResampler("s16", "mono", 8_000)
        for decoded in file.decode(audio=0):
            assert decoded.time is not None
            start = decoded.time
            for frame in resampler.resample(decoded):
                samples = memoryview(bytes(frame.planes[0])[: frame.samples * 2]).cast("h")
                for at in range(0, len(samples), 8):  # a millisecond each
                    if max(map(abs, samples[at : at + 8])) > 1500:
                        now = start + at / 8_000
                        if now - loud_at > 0.1:
                            found.append(now)
                        loud_at = now
    return found


def ulaw() -> list[bytes]:
    """Two seconds in G.711: a tone in the first tenth of each second."""
    loud, quiet = bytes([0x90, 0x10] * 80), b"\xff" * 160
    return [loud if at % 50 < 5 else quiet for at in range(100)]


@pytest.mark.parametrize(("codec", "sounds"), [(OPUS, make_sound()), (PCMU, ulaw())], ids=["Opus", "PCMU"])
@pytest.mark.parametrize("numbered", [False, True])
async def test_sound_is_heard_with_its_picture_through_a_renewal_and_a_gap(
    path: Path, codec: Codec, sounds: tuple[bytes, ...], numbered: bool
) -> None:
    """Both sessions begin with a stroke at their first picture; 2.4 s lie between their ends."""
    clock = Clock()
    tracks = {"video": Track(True, 1, 90_000), "audio": Track(False, 2, codec.clock_rate)} if numbered else None
    async with Recorder(path, None, sound=codec, clock=clock) as recorder:
        Session(1, tracks).play(recorder, clock, 1000.0, 3, list(sounds), codec.clock_rate)
        Session(2, tracks).play(recorder, clock, 1005.4, 3, list(sounds), codec.clock_rate)
    checked(path)
    heard = strokes(path)
    wanted = [0, 1, 2, 5.4, 6.4, 7.4]
    assert len(heard) == len(wanted)
    assert all(abs(at - place) < 0.05 for at, place in zip(heard, wanted, strict=True))
    pictures = times(path, "video")
    assert pictures[45] == pytest.approx(5.4, abs=0.005)
    with av.open(str(path)) as file:
        assert file.streams.audio[0].codec_context.name in ("opus", "libopus")


async def test_opus_goes_into_the_file_untouched(path: Path) -> None:
    clock = Clock()
    async with Recorder(path, None, sound=OPUS, clock=clock) as recorder:
        Session(1).play(recorder, clock, 1000.0, 2, list(make_sound()), 48_000)
    with av.open(str(path)) as file:
        kept = [bytes(packet) for packet in file.demux(audio=0) if packet.size]
    assert kept[:98] == list(make_sound()[:98])


async def test_a_camera_that_falls_silent_does_not_hold_up_the_pictures(path: Path) -> None:
    clock = Clock()
    async with Recorder(path, None, sound=OPUS, clock=clock) as recorder:
        for number, packets in enumerate(clip_frames(count=75)):
            clock.now = 1000.0 + number / RATE
            recorder.packets("video", packets)
        async with asyncio.timeout(5):
            while not path.exists() or recorder.progress.size < 150_000:
                await asyncio.sleep(0.01)
    checked(path)
    assert strokes(path) == []
    assert len(times(path, "video")) == 75


# Pre-roll


async def test_it_begins_before_it_was_asked_for_as_far_as_the_past_is_kept(path: Path) -> None:
    past, clock = Past(seconds=4), Clock()
    frames = list(clip_frames(count=150))
    for number, packets in enumerate(frames[:100]):
        clock.now = 1000.0 + number / RATE
        past.push("video", packets, clock.now)
    recorder = Recorder(path, 2.0, sound=OPUS, clock=clock)
    async with recorder:
        recorder.begin(past.since(clock.now - 3.0), 3.0)
        for number, packets in enumerate(frames[100:]):
            clock.now = 1000.0 + (100 + number) / RATE
            recorder.packets("video", packets)
        made = await recorded(recorder)
    checked(path)
    assert made.seconds == pytest.approx(5.0, abs=0.07)
    assert len(times(path, "video")) == pytest.approx(5 * RATE, abs=1)
