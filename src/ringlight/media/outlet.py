"""A camera's track as one viewer gets it: from which packet on, with which times, and what is sent again. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ringlight.media import rtp
from ringlight.media.forward import BATCH, Batch, Numbered, Track
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS

__all__ = ["CATCH_UP_STEP", "Outlet"]

CATCH_UP_STEP = 90  # RTP clock units (1 ms) between frames that a newcomer gets at once


@dataclass(slots=True)
class Outlet:
    """One track as one viewer gets it.

    Attributes:
        track: Where it comes from.
        payload_type: As agreed with this viewer.
        rtx: Payload type and SSRC of packets that are sent again (RFC 4588); `None` sends them as they were.
        stamp: Number of the header extension that asks for transport-wide feedback; `None` where it is not agreed.
        packets: How many have left, for sender reports.
        octets: Payload bytes of these.
    """

    track: Track
    payload_type: int
    rtx: tuple[int, int] | None = None
    stamp: int | None = None
    packets: int = 0
    octets: int = 0
    _started: bool = False
    _skipping: bool = False
    _first: int = 0
    _joined: int = -1
    _squeezed: dict[int, int] = field(default_factory=dict)
    _rtx_sequence: int = 0

    @property
    def started(self) -> bool:
        """Whether the viewer has got a key frame (video) or anything (audio)."""
        return self._started

    def join(self, *, young: float | None = None) -> list[Batch]:
        """Return the group of pictures that runs, squeezed into a few milliseconds of time.

        The viewer's decoder works through it at once and shows the newest picture, with no delay
        that would stay: each frame is stamped 1 ms after the one before, and the last one as the
        camera did, so that what follows continues.

        Args:
            young: Seconds. For recorders, which keep what they get: a group that runs for no longer comes
                as it was, and an older one is left out.
        """
        group = self.track.sent
        if self._started or not group:
            return []
        if young is not None:
            age = rtp.distance(group[-1].timestamp, group[0].timestamp, TIMESTAMPS)
            return self._join(group) if age <= young * self.track.clock_rate else []
        stamps = list(dict.fromkeys(packet.timestamp for packet in group))
        newest = len(stamps) - 1
        self._squeezed = {
            stamp: (stamps[-1] - CATCH_UP_STEP * (newest - at)) % TIMESTAMPS for at, stamp in enumerate(stamps)
        }
        return self._join(group)

    def _join(self, group: list[Numbered]) -> list[Batch]:
        self._started, self._first, self._joined = True, group[0].index, group[-1].index
        packets = [self._as_sent(packet) for packet in group]
        return [Batch(packets[at : at + BATCH]) for at in range(0, len(packets), BATCH)]

    def take(self, batch: Batch) -> Batch | None:
        """Return what of a live batch goes to this viewer; nothing before its first key frame."""
        begins = max(self._first, self._joined + 1)
        if batch[0].index < begins:  # in what it got when it joined; or late, from before its first packet
            rest = [packet for packet in batch if packet.index >= begins]
            if not rest:
                return None
            batch = Batch(rest)
        if self._skipping or not self._started:
            begin = self._begin(batch)
            if begin is None:
                return None
            # What is before will not be sent again either: the viewer could not keep up with it.
            self._started, self._skipping, self._first, batch = True, False, begin[0].index, begin
        return batch

    def skip(self) -> None:
        """Leave out what comes until the next key frame (sound: until the next packet)."""
        self._skipping = True

    def again(self, sequences: Iterable[int]) -> list[tuple[bytes, bytes, int | None]]:
        """Return the packets that the viewer misses and that are still kept, to send them again.

        Returns:
            Header, payload and the number without the circle of each; the number is `None` where the packet
            goes out as a new one of its own stream (RFC 4588).
        """
        found = (self.track.find(sequence) for sequence in sequences)
        return [
            self._again(self._as_sent(packet))
            for packet in found
            if packet is not None and self._started and not self._skipping and packet.index >= self._first
        ]

    def _again(self, packet: Numbered) -> tuple[bytes, bytes, int | None]:
        if self.rtx is None:
            header = rtp.header(self.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc)
            return header, packet.payload, packet.index
        payload_type, ssrc = self.rtx
        self._rtx_sequence = (self._rtx_sequence + 1) % SEQUENCES
        header = rtp.header(payload_type, packet.marker, self._rtx_sequence, packet.timestamp, ssrc)
        return header, packet.sequence.to_bytes(2, "big") + packet.payload, None

    def _as_sent(self, packet: Numbered) -> Numbered:
        """Return a packet with the time that this viewer got it with.

        To send the same number with another time would use a nonce twice (RFC 7714 section 8.4).
        """
        stamp = self._squeezed.get(packet.timestamp, packet.timestamp)
        if stamp == packet.timestamp or packet.index > self._joined:
            return packet
        return replace(packet, timestamp=stamp)

    def _begin(self, batch: Batch) -> Batch | None:
        starts = self.track.starts_key_frame
        first = next((at for at, packet in enumerate(batch) if not self.track.video or starts(packet.payload)), None)
        if first is None:
            return None
        return Batch(batch[first:]) if first else batch

    def count(self, batch: Batch) -> None:
        """Take note that a batch leaves now: what still waits belongs into no sender report."""
        self.packets += len(batch)
        self.octets += batch.octets
