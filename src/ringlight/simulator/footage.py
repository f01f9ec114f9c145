"""Still pictures and recordings of a simulated camera, made from its clip."""

import io
from fractions import Fraction
from functools import lru_cache

import av

from ringlight.errors import fault_error
from ringlight.media.h264 import PPS, SPS, START_CODE, AccessUnit, Assembler
from ringlight.media.rtp import Packet
from ringlight.media.stills import to_jpeg
from ringlight.simulator.clip import HEIGHT, KEY_FRAME_EVERY, RATE, WIDTH, Clip, Frame

__all__ = ["film", "mp4", "picture", "still"]

SECONDS = 2  # length of a recording


def still(clip: Clip) -> bytes:
    """Return the clip's first key frame as JPEG."""
    return _still(clip.frames[clip.next_key_frame(0)])


def mp4(clip: Clip) -> bytes:
    """Return the clip's first seconds as MP4."""
    return _mp4(clip.frames[: SECONDS * RATE])


def film(clip: Clip, at: int, length: int) -> bytes:
    """Return a part of the loop as MP4, round and round if need be.

    Args:
        clip: The loop.
        at: Milliseconds from its first begin; it starts with the key frame before that.
        length: Milliseconds.
    """
    frames = clip.frames
    first = at * RATE // 1000 // KEY_FRAME_EVERY * KEY_FRAME_EVERY
    count = max(1, length * RATE // 1000)
    return _mp4(tuple(frames[(first + step) % len(frames)] for step in range(count)))


def picture(clip: Clip, at: int, *, png: bool = False, width: int | None = None, height: int | None = None) -> bytes:
    """Return the key frame at some milliseconds of the loop, as JPEG or PNG, in a size in pixels."""
    frames = clip.frames
    frame = frames[at * RATE // 1000 // KEY_FRAME_EVERY * KEY_FRAME_EVERY % len(frames)]
    return _picture(frame, png, width or WIDTH, height or HEIGHT)


@lru_cache(maxsize=16)
def _picture(frame: Frame, png: bool, width: int, height: int) -> bytes:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101 - tells the type checker what h264 is
    drawn = next(iter([*decoder.decode(av.Packet(_assembled(frame).annex_b)), *decoder.decode(None)]))
    wanted = "rgb24" if png else "yuvj420p"
    scaled = drawn.reformat(width, height, wanted)
    encoder = av.CodecContext.create("png" if png else "mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101 - tells the type checker what it is
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, wanted, Fraction(1, RATE)
    scaled.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(scaled), *encoder.encode(None)))


@lru_cache(maxsize=16)
def _still(frame: Frame) -> bytes:
    return to_jpeg(_assembled(frame))


@lru_cache(maxsize=4)
def _mp4(frames: tuple[Frame, ...]) -> bytes:
    units = [_assembled(frame) for frame in frames]
    sets = b"".join(START_CODE + (units[0].find(kind) or b"") for kind in (SPS, PPS))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.extradata = sets
        for index, unit in enumerate(units):
            packet = av.Packet(unit.annex_b)
            packet.stream, packet.time_base = stream, Fraction(1, RATE)
            packet.pts = packet.dts = index
            packet.is_keyframe = unit.key_frame
            container.mux(packet)
    return file.getvalue()


def _assembled(frame: Frame) -> AccessUnit:
    assembler, last = Assembler(), len(frame.payloads) - 1
    for index, payload in enumerate(frame.payloads):
        for unit in assembler.push(Packet(96, index == last, index, 0, 1, payload)):
            return unit
    raise fault_error("MEDIA-NO-KEY-FRAME", "the simulator's clip cannot be put together")
