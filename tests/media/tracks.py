"""A track of a camera and what is pushed into it, for its tests and those of its outlets."""

from media_kit import IDR, PPS, SPS

from ringlight.media.forward import Batch, Numbered, Track
from ringlight.media.rtp import Packet

KEY = (SPS, PPS, IDR + b"key")
STEP = 6000


def track_of(index: int = 1000, timestamp: int = 50_000, *, video: bool = True, limit: int = 1500) -> Track:
    return Track(video, 77, 90_000, limit, index, timestamp)


def push(track: Track, packets: list[Packet]) -> list[Batch]:
    return [batch for one in packets if (batch := track.push(one))]


def flat(batches: list[Batch]) -> list[Numbered]:
    return [one for batch in batches for one in batch]
