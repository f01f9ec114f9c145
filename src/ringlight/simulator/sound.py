"""The sound of a simulated camera: a bell stroke every second, encoded here, once, and looped."""

import math
from array import array
from fractions import Fraction
from functools import cache
from typing import Literal

import av

SoundCodec = Literal["opus", "pcmu"]
RATES = {"opus": 48_000, "pcmu": 8_000}  # Hz
FRAME = 0.02  # seconds
SECONDS = 2  # length of the loop
STROKE = 0.25  # seconds that a stroke rings
PITCHES = (660, 880)  # Hz, one for each second


@cache
def make_sound(name: SoundCodec = "opus") -> tuple[bytes, ...]:
    """Return the packets of the loop, 20 ms each: Opus in stereo, or PCMU."""
    rate, opus = RATES[name], name == "opus"
    size, layout = round(rate * FRAME), "stereo" if opus else "mono"
    encoder = av.CodecContext.create("libopus" if opus else "pcm_mulaw", "w")
    assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 - tells the type checker what they are
    encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "s16"
    encoder.time_base = Fraction(1, rate)
    if opus:
        encoder.bit_rate = 32_000
    packets: list[bytes] = []
    for index in range(round(SECONDS / FRAME)):
        frame = av.AudioFrame("s16", layout, size)
        frame.sample_rate, frame.pts, frame.time_base = rate, index * size, Fraction(1, rate)
        frame.planes[0].update(_samples(index * size, size, rate, channels=2 if opus else 1).tobytes())
        packets += (bytes(packet) for packet in encoder.encode(frame))
    packets += (bytes(packet) for packet in encoder.encode(None))
    return tuple(packets)


def _samples(start: int, size: int, rate: int, *, channels: int) -> "array[int]":
    """Return one frame of all channels, interleaved."""
    samples = array("h")
    for at in range(start, start + size):
        second, within = divmod(at / rate, 1)
        level = max(0.0, 1 - within / STROKE) ** 2 * 9_000
        value = int(level * math.sin(2 * math.pi * PITCHES[int(second) % 2] * within))
        samples.extend((value,) * channels)
    return samples
