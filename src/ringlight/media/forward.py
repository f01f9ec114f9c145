"""How packets of one camera reach many viewers without being decoded. Pure.

A `Source` numbers the camera's packets, keeps those since the last key frame, and hands out frames.
An `Outlet` writes them for one viewer: with the viewer's own SSRC and payload type, and with sequence
numbers and timestamps that run on without a gap, whatever the camera does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ringlight.media import h264, rtp
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS, Packet

BATCH = 44  # packets: a frame that is longer goes out in parts, so that nobody waits for its end
CATCH_UP_STEP = 90  # RTP clock units (1 ms) between frames that a newcomer gets at once
FRAME_GAP = 3000  # RTP clock units (1/30 s) put between two cameras' clocks at a change of source


@dataclass(slots=True)
class Source:
    """The packets of one track of one camera.

    Attributes:
        video: Whether key frames matter.
        limit: Packets that are kept since the last key frame; a longer group is not kept at all.
        group: The packets since the last key frame, oldest first; empty if there is none.
    """

    video: bool
    limit: int = 1500
    group: list[Packet] = field(default_factory=list)
    _batch: list[Packet] = field(default_factory=list)
    _key_timestamp: int | None = None

    def push(self, packet: Packet) -> list[Packet]:
        """Take a packet of the camera; return the batch to send now, or nothing.

        A batch ends with a frame (marker), before a packet of another frame, or at `BATCH` packets.
        """
        self.keep(packet)
        if self._batch and self._batch[-1].timestamp != packet.timestamp:
            # A frame without marker: send it with what begins now rather than later.
            out = [*self._batch, packet]
            self._batch.clear()
            return out
        self._batch.append(packet)
        if packet.marker or not self.video or len(self._batch) >= BATCH:
            return self.flush()
        return []

    def flush(self) -> list[Packet]:
        """Return what waits for the end of its frame."""
        out = list(self._batch)
        self._batch.clear()
        return out

    @property
    def sent(self) -> list[Packet]:
        """The kept packets that have gone out already: what a newcomer has missed."""
        return self.group[: max(0, len(self.group) - len(self._batch))]

    def keep(self, packet: Packet) -> None:
        """Keep a packet for newcomers, if it belongs to a group of pictures whose beginning is kept."""
        if not self.video:
            return
        if self.group and self.group[-1].ssrc != packet.ssrc:
            self.group, self._key_timestamp = [], None  # another session: its pictures need its own key frame
        if packet.timestamp != self._key_timestamp and h264.starts_key_frame(packet.payload):
            # What came before it in the same frame (a delimiter, SEI) stays with it.
            self.group = [kept for kept in self.group if kept.timestamp == packet.timestamp]
            self._key_timestamp = packet.timestamp
        elif not self.group:
            return
        if len(self.group) >= self.limit:
            self.group.clear()
            return
        self.group.append(packet)


@dataclass(slots=True)
class Outlet:
    """One track as one viewer gets it.

    Attributes:
        ssrc: The viewer's own.
        payload_type: As agreed with this viewer.
        clock_rate: In Hz.
        video: Whether to begin with a key frame.
        packets: How many were written.
        octets: Payload bytes written, for sender reports.
    """

    ssrc: int
    payload_type: int
    clock_rate: int
    video: bool
    sequence: int = 0
    timestamp: int = 0
    packets: int = 0
    octets: int = 0
    _source_ssrc: int | None = None
    _sequence_offset: int = 0
    _timestamp_offset: int = 0
    _started: bool = False

    @property
    def started(self) -> bool:
        """Whether the viewer has got a key frame (video) or anything (audio)."""
        return self._started

    def join(self, group: list[Packet]) -> list[bytes]:
        """Write the group of pictures that runs, squeezed into a few milliseconds of time.

        The viewer's decoder works through it at once and shows the newest picture, with no delay
        that would stay: each frame is stamped 1 ms after the one before, and the last one as the
        camera did, so that what follows continues.
        """
        if self._started or not group:
            return []
        self._align(group[0])
        frames = list(dict.fromkeys(packet.timestamp for packet in group))
        newest = frames[-1]
        squeezed = {
            stamp: (newest - CATCH_UP_STEP * (len(frames) - 1 - index)) % TIMESTAMPS
            for index, stamp in enumerate(frames)
        }
        self._timestamp_offset = (self.timestamp + FRAME_GAP - squeezed[frames[0]]) % TIMESTAMPS
        self._started = True
        return [self._write(packet, squeezed[packet.timestamp]) for packet in group]

    def write(self, batch: Iterable[Packet]) -> list[bytes]:
        """Write a batch of live packets; nothing before the first key frame."""
        return list(self._live(batch))

    def _live(self, batch: Iterable[Packet]) -> Iterator[bytes]:
        for packet in batch:
            if not self._started:
                if self.video and not h264.starts_key_frame(packet.payload):
                    continue
                self._started = True
                self._align(packet)
            elif packet.ssrc != self._source_ssrc:
                if self.video and not h264.starts_key_frame(packet.payload):
                    continue
                self._align(packet)
            yield self._write(packet, packet.timestamp)

    def _align(self, packet: Packet) -> None:
        """Continue our numbers where another source's begin."""
        self._source_ssrc = packet.ssrc
        self._sequence_offset = (self.sequence + 1 - packet.sequence) % SEQUENCES
        self._timestamp_offset = (self.timestamp + FRAME_GAP - packet.timestamp) % TIMESTAMPS

    def _write(self, packet: Packet, stamp: int) -> bytes:
        sequence = (packet.sequence + self._sequence_offset) % SEQUENCES
        timestamp = (stamp + self._timestamp_offset) % TIMESTAMPS
        if rtp.distance(sequence, self.sequence) > 0:
            self.sequence = sequence
            self.timestamp = timestamp
        self.packets += 1
        self.octets += len(packet.payload)
        return rtp.header(self.payload_type, packet.marker, sequence, timestamp, self.ssrc) + packet.payload
