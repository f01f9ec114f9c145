"""A sound file as packets for a camera's speaker: the only place where sound is encoded."""

from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import av

from ringlight.errors import fault_error
from ringlight.media.sdp import Codec

FRAME = 0.02  # seconds of sound in a packet
BIT_RATE = 48_000  # of Opus; what dgreif/ring sends


def encode(path: Path, codec: Codec) -> Generator[bytes, None, None]:
    """Yield the frames of a file, `FRAME` each, in the camera's codec. Takes time: call it in a thread.

    Args:
        path: Any file with sound that ffmpeg reads; of several tracks the first counts.
        codec: Opus or PCMU, as the camera hears.

    Raises:
        MediaError: FILE-READ.
    """
    try:
        with path.open("rb") as file, av.open(file, "r") as container:
            if not container.streams.audio:
                raise fault_error("FILE-READ", f"{path}: there is no sound in it")
            encoder = _encoder(codec)
            resampler = av.AudioResampler(
                encoder.format, encoder.layout, encoder.rate, frame_size=samples_in_frame(codec)
            )
            at = 0
            for decoded in chain(container.decode(audio=0), (None,)):  # `None` lets the resampler give its rest
                for frame in resampler.resample(decoded):
                    frame.pts, frame.time_base = at, Fraction(1, encoder.rate)
                    at += frame.samples
                    yield from (bytes(packet) for packet in encoder.encode(frame))
            yield from (bytes(packet) for packet in encoder.encode(None))
    except (OSError, av.FFmpegError) as error:
        raise fault_error("FILE-READ", f"{path}: {error.strerror or error}") from error


def samples_in_frame(codec: Codec) -> int:
    """Return by how much the codec's clock goes on from packet to packet."""
    return round(codec.clock_rate * FRAME)


def take(frames: Iterator[bytes], count: int) -> list[bytes]:
    """Encode the next frames; fewer at the end, none after it."""
    return list(islice(frames, count))


def _encoder(codec: Codec) -> av.AudioCodecContext:
    opus = codec.is_called("opus")
    encoder = av.CodecContext.create("libopus" if opus else "pcm_mulaw", "w")
    assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 - tells the type checker what they are
    encoder.sample_rate, encoder.format = codec.clock_rate, "s16"
    encoder.layout = "stereo" if codec.channels == 2 else "mono"
    encoder.time_base = Fraction(1, codec.clock_rate)
    if opus:
        encoder.bit_rate = BIT_RATE
    return encoder
