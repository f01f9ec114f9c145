"""Where a key frame begins, for each codec whose packets are passed through. Pure."""

from collections.abc import Callable, Iterator

from ringlight.media import h264
from ringlight.media.sdp import Codec

StartsKeyFrame = Callable[[bytes], bool]

# HEVC, RFC 7798 section 4.4: two bytes of header, the type in bits 1 to 6 of the first.
_AGGREGATED, _FRAGMENT = 48, 49
_PARAMETERS = (32, 33)  # VPS, SPS
_RANDOM_ACCESS = range(16, 24)  # BLA, IDR, CRA: pictures to begin with
_NEW_SEQUENCE, _CONTINUES = 0x08, 0x80  # N and Z of AV1's aggregation header


def of(codec: Codec) -> StartsKeyFrame:
    """Return what tells whether a payload of a codec begins a key frame; of H.264 where the codec is not known."""
    return _BY_NAME.get(codec.name.upper(), h264.starts_key_frame)


def hevc(payload: bytes) -> bool:
    """Whether a payload begins a key frame: its parameter sets, or a picture to begin with."""
    if len(payload) < 3:
        return False
    kind = payload[0] >> 1 & 0x3F
    if kind == _FRAGMENT:
        return payload[2] & 0x80 != 0 and payload[2] & 0x3F in _RANDOM_ACCESS
    if kind == _AGGREGATED:
        return any(_begins(unit) for unit in _aggregated(payload))
    return _begins(kind)


def _begins(kind: int) -> bool:
    return kind in _PARAMETERS or kind in _RANDOM_ACCESS


def _aggregated(payload: bytes) -> Iterator[int]:
    """Yield the kinds of the units in an aggregation packet, up to where it is cut off."""
    at = 2
    while at + 2 < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        if not size or at + 2 + size > len(payload):
            return
        yield payload[at + 2] >> 1 & 0x3F
        at += 2 + size


def av1(payload: bytes) -> bool:
    """Whether a payload begins a coded video sequence (AV1's RTP format, section 4.4)."""
    return len(payload) > 1 and payload[0] & _NEW_SEQUENCE != 0 and payload[0] & _CONTINUES == 0


_BY_NAME: dict[str, StartsKeyFrame] = {"H264": h264.starts_key_frame, "H265": hevc, "AV1": av1}
