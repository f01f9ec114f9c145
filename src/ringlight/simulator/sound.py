"""What a simulated camera hears: a bell stroke every second, encoded here, once, and looped."""

import math
from array import array
from fractions import Fraction
from functools import cache

import av

RATE = 48_000  # Hz
FRAME = 960  # samples: 20 ms
PCMU_RATE, PCMU_FRAME = 8_000, 160  # the same for telephone sound
SECONDS = 2  # length of the loop
STROKE = 0.25  # seconds that a stroke rings
PITCHES = (660, 880)  # Hz, one for each second


@cache
def make_sound() -> tuple[bytes, ...]:
    """Return the Opus packets of the loop, 20 ms each."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 - tells the type checker what libopus is
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "stereo", "s16"
    encoder.bit_rate, encoder.time_base = 32_000, Fraction(1, RATE)
    packets: list[bytes] = []
    for index in range(SECONDS * RATE // FRAME):
        frame = av.AudioFrame("s16", "stereo", FRAME)
        frame.sample_rate, frame.pts, frame.time_base = RATE, index * FRAME, Fraction(1, RATE)
        frame.planes[0].update(_samples(index * FRAME).tobytes())
        packets += (bytes(packet) for packet in encoder.encode(frame))
    packets += (bytes(packet) for packet in encoder.encode(None))
    return tuple(packets)


@cache
def make_telephone_sound() -> tuple[bytes, ...]:
    """Return the PCMU packets of the loop, 20 ms each: one channel, 8 kHz."""
    encoder = av.CodecContext.create("pcm_mulaw", "w")
    assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 - tells the type checker what pcm_mulaw is
    encoder.sample_rate, encoder.layout, encoder.format = PCMU_RATE, "mono", "s16"
    encoder.time_base = Fraction(1, PCMU_RATE)
    packets: list[bytes] = []
    for index in range(SECONDS * PCMU_RATE // PCMU_FRAME):
        frame = av.AudioFrame("s16", "mono", PCMU_FRAME)
        frame.sample_rate, frame.pts, frame.time_base = PCMU_RATE, index * PCMU_FRAME, Fraction(1, PCMU_RATE)
        heard = _samples(index * FRAME)[:: 2 * RATE // PCMU_RATE]
        frame.planes[0].update(heard.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        packets += (bytes(packet) for packet in encoder.encode(frame))
    return tuple(packets)


def _samples(start: int) -> "array[int]":
    """Return one frame of both channels, interleaved."""
    samples = array("h")
    for at in range(start, start + FRAME):
        second, within = divmod(at / RATE, 1)
        level = max(0.0, 1 - within / STROKE) ** 2 * 9_000
        value = int(level * math.sin(2 * math.pi * PITCHES[int(second) % 2] * within))
        samples.extend((value, value))
    return samples
