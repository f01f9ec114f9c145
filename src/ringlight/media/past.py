"""What a running view has just shown, picture and sound, for recordings that begin before. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ringlight.media import h264
from ringlight.media.forward import source_of
from ringlight.media.key_frames import StartsKeyFrame
from ringlight.media.rtp import Packet

RATE_AFTER = 3.0  # seconds of packets until a bit rate can be told


@dataclass(frozen=True, slots=True)
class Batch:
    """Packets of one track that went out together, and when, in seconds of the loop's clock."""

    at: float
    kind: str
    packets: Sequence[Packet]


@dataclass(slots=True)
class _Group:
    at: float
    octets: int = 0
    batches: list[Batch] = field(default_factory=list)


@dataclass(slots=True)
class Past:
    """Whole groups of pictures, the running one last.

    At least the running group is kept. Packets are shared with who sends them, so that only what is older
    costs memory: a camera of 1.5 Mbit/s has 0.2 MB a second.

    Attributes:
        seconds: How far back it reaches, if memory allows; 0 keeps the running group alone.
        limit: Bytes of payload that are kept at most. Older groups go first; a running group that is larger
            goes as a whole, for without its key frame nobody could show the rest.
        starts_key_frame: Whether a payload of the video begins a key frame; by codec.
    """

    seconds: float = 0.0
    limit: int = 32_000_000
    starts_key_frame: StartsKeyFrame = h264.starts_key_frame
    _groups: deque[_Group] = field(default_factory=deque)
    _octets: int = 0
    _key: tuple[int, int] | None = None
    _seen: int = 0
    _since: float | None = None

    def push(self, kind: str, packets: Sequence[Packet], now: float) -> None:
        """Take what goes out now."""
        self._since = now if self._since is None else self._since
        self._seen += sum(len(packet.payload) for packet in packets)
        start = self._key_frame_in(packets) if kind == "video" else None
        if start is None:
            self._add(Batch(now, kind, packets))
        else:
            if start:
                self._add(Batch(now, kind, packets[:start]))
            self._groups.append(_Group(now))
            self._add(Batch(now, kind, packets[start:]))
        self._forget(now)

    def since(self, at: float) -> list[Batch]:
        """Return everything from the last key frame at or before a time on, or from the oldest there is."""
        groups = list(self._groups)
        first = max((index for index, group in enumerate(groups) if group.at <= at), default=0)
        return [batch for group in groups[first:] for batch in group.batches]

    def rate(self, now: float) -> float | None:
        """Return the bytes a second that the camera has sent so far; `None` before it can be told."""
        if self._since is None or now - self._since < RATE_AFTER:
            return None
        return self._seen / (now - self._since)

    def _key_frame_in(self, packets: Sequence[Packet]) -> int | None:
        """Return where a new key frame begins: at the first packet of its time, a delimiter included."""
        for packet in packets:
            stamp = (source_of(packet), packet.timestamp)
            if stamp != self._key and self.starts_key_frame(packet.payload):
                self._key = stamp
                return next(at for at, one in enumerate(packets) if one.timestamp == packet.timestamp)
        return None

    def _add(self, batch: Batch) -> None:
        if self._groups:
            octets = sum(len(packet.payload) for packet in batch.packets)
            self._groups[-1].batches.append(batch)
            self._groups[-1].octets += octets
            self._octets += octets

    def _forget(self, now: float) -> None:
        groups = self._groups
        while len(groups) > 1 and (now - groups[1].at >= self.seconds or self._octets > self.limit):
            self._octets -= groups.popleft().octets
        if self._octets > self.limit:
            groups.clear()
            self._octets = 0
