"""How packets of one camera reach many viewers without being decoded. Pure.

A `Track` gives the camera's packets numbers that run on without a gap, whatever the camera does, and
hands them out in batches of a frame. All viewers get the same numbers, so what can be computed for a
packet is computed once: the headers, and which packets may leave in one call. An `Outlet` (outlet.py)
is a track as one viewer gets it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from ringlight.media import h264, rtp
from ringlight.media.clock import Clock
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS, Packet

BATCH = 24  # packets: a frame that is longer goes out in parts, so that nobody waits for its end
FRAME_GAP = 3000  # RTP clock units (1/30 s) put between two sources' clocks at least
RECENT = 1024  # packets kept to be sent again; a power of two, some five seconds of a camera
RUN_PACKETS, RUN_BYTES = 64, 60_000  # what the kernel takes in one call (UDP_SEGMENT), with room for tags


@dataclass(frozen=True, slots=True)
class Numbered(Packet):
    """A packet as viewers get it. `index` is its sequence number without the circle, `source` the camera's SSRC."""

    index: int = 0
    source: int = 0


def source_of(packet: Packet) -> int:
    """Return the SSRC with which a packet came from the camera; each session has its own."""
    return packet.source if isinstance(packet, Numbered) else packet.ssrc


class Batch(tuple[Numbered, ...]):
    """Packets that leave together, with what is the same for all viewers. Never empty."""

    @cached_property
    def indexes(self) -> tuple[int, ...]:
        """The numbers without the circle."""
        return tuple(packet.index for packet in self)

    @cached_property
    def payloads(self) -> tuple[bytes, ...]:
        """What is encrypted for each viewer."""
        return tuple(packet.payload for packet in self)

    @cached_property
    def octets(self) -> int:
        """Bytes of all payloads."""
        return sum(map(len, self.payloads))

    @cached_property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """Stretches (from, to) that one call may send: packets of equal length, the last one shorter at most."""
        runs: list[tuple[int, int]] = []
        start, size, total, closed = 0, len(self[0].payload), 0, False
        for at, payload in enumerate(self.payloads):
            length = len(payload)
            full = at - start >= RUN_PACKETS or total + length > RUN_BYTES
            if at > start and (closed or length > size or full):
                runs.append((start, at))
                start, size, total, closed = at, length, 0, False
            total += length + rtp.HEADER_LENGTH
            closed = length < size
        return (*runs, (start, len(self)))

    def headers(self, payload_type: int) -> list[bytes]:
        """The RTP headers, for viewers with this payload type."""
        known = self._headers.get(payload_type)
        if known is None:
            known = self._headers[payload_type] = [
                rtp.header(payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc)
                for packet in self
            ]
        return known

    def stamped(self, payload_type: int, extension: int) -> list[bytes]:
        """The same with the sequence number in the extension too, so that the viewer tells when each arrived."""
        known = self._stamped.get((payload_type, extension))
        if known is None:
            known = self._stamped[payload_type, extension] = [
                rtp.with_number(header, extension, packet.sequence)
                for header, packet in zip(self.headers(payload_type), self, strict=True)
            ]
        return known

    @cached_property
    def _headers(self) -> dict[int, list[bytes]]:
        return {}

    @cached_property
    def _stamped(self) -> dict[tuple[int, int], list[bytes]]:
        return {}


@dataclass(slots=True)
class Track:
    """One track of one camera, as all viewers get it.

    Attributes:
        video: Whether key frames matter.
        ssrc: Ours, the same for all viewers.
        clock_rate: In Hz.
        limit: Packets that are kept since the last key frame; a longer group is not kept at all.
        index: The number of the newest packet; the first one gets the next.
        timestamp: Of the newest packet.
        group: The packets since the last key frame, oldest first; empty if there is none.
        starts_key_frame: Whether a payload begins a key frame; by codec.
    """

    video: bool
    ssrc: int
    clock_rate: int
    limit: int = 1500
    index: int = 0
    timestamp: int = 0
    starts_key_frame: Callable[[bytes], bool] = h264.starts_key_frame
    group: list[Numbered] = field(default_factory=list)
    _batch: list[Numbered] = field(default_factory=list)
    _recent: list[Numbered | None] = field(default_factory=lambda: [None] * RECENT)
    _key_timestamp: int | None = None
    _source: int | None = None
    _changed: bool = False
    _sequence: int = 0
    _first: int = 0
    _timestamp_offset: int = 0
    _heard_at: float = 0.0
    _clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self._clock = Clock(self.clock_rate)

    def push(self, packet: Packet, now: float = 0.0) -> Batch | None:
        """Take a packet of the camera at `now` seconds; return the batch to send now, if one is ready.

        A batch ends with a frame (marker), before a packet of another frame, or at `BATCH` packets.
        Nothing goes out before the first key frame of a source.
        """
        numbered = self._number(packet, now)
        if numbered is None:
            return None
        self._keep(numbered)
        if self._batch and self._batch[-1].timestamp != numbered.timestamp:
            # A frame without marker: send it with what begins now rather than later.
            self._batch.append(numbered)
            return self.flush()
        self._batch.append(numbered)
        if numbered.marker or not self.video or len(self._batch) >= BATCH:
            return self.flush()
        return None

    def flush(self) -> Batch | None:
        """Return what waits for the end of its frame."""
        if not self._batch:
            return None
        out = Batch(self._batch)
        self._batch.clear()
        return out

    def forget(self) -> None:
        """Drop the group of pictures; the next begins with a key frame."""
        self.group, self._key_timestamp = [], None

    def change(self) -> None:
        """Take what comes next for another session's, under whatever SSRC: its numbers have nothing to do with ours.

        To take them for later or earlier ones would send a number a second time with another content (see `Outlet`).
        """
        self._changed = True

    @property
    def sent(self) -> list[Numbered]:
        """The kept packets that have gone out already: what a newcomer has missed."""
        return self.group[: max(0, len(self.group) - len(self._batch))]

    def find(self, sequence: int) -> Numbered | None:
        """Return a packet that went out lately, to send it again; `None` if it is not kept."""
        index = self.index + rtp.distance(sequence, self.index % SEQUENCES)
        known = self._recent[index % RECENT]
        return known if known is not None and known.index == index else None

    def time(self, now: float) -> int:
        """Return the RTP time at `now`, on the clock of `push`, by the packets that were delayed least."""
        stamp = self._clock.time(now)
        return self.timestamp if stamp is None else stamp

    def _number(self, packet: Packet, now: float) -> Numbered | None:
        if packet.ssrc != self._source or self._changed:
            if self.video and not self.starts_key_frame(packet.payload):
                return None  # its pictures refer to a key frame that we don't have
            # After a pause our time has gone on: a player that finds it standing still takes what follows for late,
            # and delays all of it (a second and more in Chromium, after four seconds without a packet).
            paused = 0 if self._source is None else int((now - self._heard_at) * self.clock_rate)
            self._source, self._sequence, self._first = packet.ssrc, (packet.sequence - 1) % SEQUENCES, self.index + 1
            self._timestamp_offset = (self.timestamp + max(FRAME_GAP, paused) - packet.timestamp) % TIMESTAMPS
            self.group, self._key_timestamp, self._changed = [], None, False
        index = self.index + rtp.distance(packet.sequence, self._sequence)
        if index < self._first:
            return None  # from before the key frame that this source began with
        timestamp = (packet.timestamp + self._timestamp_offset) % TIMESTAMPS
        if index > self.index:
            self.index, self._sequence = index, packet.sequence
            self.timestamp, self._heard_at = timestamp, now
            self._clock.see(timestamp, now)
        return Numbered(
            packet.payload_type, packet.marker, index % SEQUENCES, timestamp, self.ssrc, packet.payload, index,
            packet.ssrc,
        )  # fmt: skip

    def _keep(self, packet: Numbered) -> None:
        """Keep a packet to send it again, and for newcomers if the beginning of its group is kept."""
        self._recent[packet.index % RECENT] = packet
        if not self.video:
            return
        if packet.timestamp != self._key_timestamp and self.starts_key_frame(packet.payload):
            # What came before it in the same frame (a delimiter, SEI) stays with it.
            self.group = [kept for kept in self.group if kept.timestamp == packet.timestamp]
            self._key_timestamp = packet.timestamp
        elif not self.group:
            return
        if len(self.group) >= self.limit:
            self.group.clear()
            return
        self.group.append(packet)
