"""Sound for a file, without a gap: players count samples, so what is missing is filled with silence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import av
from av.audio.stream import AudioStream

CLOCK = 48_000  # Hz, Opus's own, and that of every sound in our files
STEP = 960  # units in 20 ms
# Opus, 20 ms at full band, from an encoder that heard nothing: the shortest packet that every decoder takes.
SILENCE = b"\xf8\xff\xfe"
_SAMPLES = {"PCMU": ("pcm_mulaw", b"\xff"), "PCMA": ("pcm_alaw", b"\xd5")}  # ffmpeg's name, and what silence is
_RATE = 8_000  # Hz of both
TRANSCODED = frozenset(_SAMPLES)
_CELT = (120, 240, 480, 960)  # units of a frame (RFC 6716 section 3.1)
_SILK = (480, 960, 1920, 2880)


@dataclass(frozen=True, slots=True)
class Piece:
    """An Opus packet in the file: where it begins and how long it is, in units of `CLOCK`."""

    payload: bytes
    at: int
    duration: int


class SoundTrack(Protocol):
    """Makes pieces that follow each other without a gap from 0 on."""

    def put(self, payload: bytes, at: float) -> Iterator[Piece]:
        """Take a packet that is heard `at` seconds; yield what goes into the file."""

    def fill(self, until: float) -> Iterator[Piece]:
        """Go on with silence until some seconds: nothing has come."""


class OpusTrack:
    """Opus as the camera sends it."""

    def __init__(self) -> None:
        self._end = 0

    def put(self, payload: bytes, at: float) -> Iterator[Piece]:
        """Take a packet; one that comes more than half a packet too late for its place is left out."""
        duration = opus_duration(payload)
        place = round(at * CLOCK)
        yield from self._silence(place - STEP // 2)
        if duration and place > self._end - STEP // 2 - 1:
            yield self._piece(payload, duration)

    def fill(self, until: float) -> Iterator[Piece]:
        """Go on with silence."""
        yield from self._silence(round(until * CLOCK) - STEP)

    def _silence(self, last: int) -> Iterator[Piece]:
        while self._end < last:
            yield self._piece(SILENCE, STEP)

    def _piece(self, payload: bytes, duration: int) -> Piece:
        piece = Piece(payload, self._end, duration)
        self._end += duration
        return piece


class SampleTrack:
    """G.711 (RFC 3551 section 4.5.14), which MP4 players do not know: encoded as Opus.

    Args:
        name: `PCMU` or `PCMA`.
        stream: Whose encoder is used.
    """

    def __init__(self, name: str, stream: AudioStream) -> None:
        codec, self._nothing = _SAMPLES[name]
        decoder = av.CodecContext.create(codec, "r")
        assert isinstance(decoder, av.AudioCodecContext)  # noqa: S101 - tells the type checker what it is
        decoder.sample_rate, decoder.layout = _RATE, "mono"
        self._decoder, self._stream = decoder, stream
        self._resampler = av.AudioResampler("s16", "mono", CLOCK, frame_size=STEP)
        self._taken = 0  # samples
        self._made = 0  # units

    def put(self, payload: bytes, at: float) -> Iterator[Piece]:
        """Take a packet."""
        place = round(at * _RATE)
        half = _RATE // 100
        if place - self._taken > half:
            yield from self._encode(self._nothing * (place - self._taken))
        if place > self._taken - half - 1:
            yield from self._encode(payload)

    def fill(self, until: float) -> Iterator[Piece]:
        """Go on with silence."""
        missing = round(until * _RATE) - self._taken
        if missing > 0:
            yield from self._encode(self._nothing * missing)

    def _encode(self, samples: bytes) -> Iterator[Piece]:
        self._taken += len(samples)
        for start in range(0, len(samples), _RATE):  # a second at a time: a gap may be long
            for decoded in self._decoder.decode(av.Packet(samples[start : start + _RATE])):
                decoded.pts = None
                for frame in self._resampler.resample(decoded):
                    frame.pts = None
                    for packet in self._stream.encode(frame):
                        yield Piece(bytes(packet), self._made, STEP)
                        self._made += STEP


def opus_duration(payload: bytes) -> int:
    """Return how long an Opus packet is in units of `CLOCK`; 0 where it is none (RFC 6716 section 3)."""
    if not payload:
        return 0
    config, code = payload[0] >> 3, payload[0] & 3
    frame = _CELT[config & 3] if config >= 16 else _SILK[config & 3] if config < 12 else _CELT[2 + (config & 1)]
    counts = (1, 2, 2, payload[1] & 0x3F if len(payload) > 1 else 0)
    total = frame * counts[code]
    return total if total <= 5760 else 0  # 120 ms at most
