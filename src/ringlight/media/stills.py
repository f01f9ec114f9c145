"""A still picture from the last key frame: the only place where video is decoded."""

from fractions import Fraction

import av

from ringlight.errors import fault_error
from ringlight.media.h264 import AccessUnit

QUALITY = 4  # of ffmpeg's 2 (best) to 31
MOST_PIXELS = 8192 * 4608  # 8K and more; a few bytes can name a picture of a gigabyte


def to_jpeg(unit: AccessUnit) -> bytes:
    """Decode a key frame and encode it as JPEG. Takes some milliseconds: call it in a thread.

    Raises:
        MediaError: MEDIA-NO-KEY-FRAME where it cannot be decoded.
    """
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101 - tells the type checker what h264 is
    decoder.options = {"max_pixels": str(MOST_PIXELS)}
    try:
        frames = [*decoder.decode(av.Packet(unit.annex_b)), *decoder.decode(None)]
    except av.FFmpegError as error:
        raise fault_error("MEDIA-NO-KEY-FRAME", f"ffmpeg: {error.strerror}") from error
    if not frames:
        raise fault_error("MEDIA-NO-KEY-FRAME", "the key frame could not be decoded")
    picture = frames[0].reformat(format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101 - tells the type checker what it is
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
    picture.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(picture), *encoder.encode(None)))
