"""H.264 inside RTP (RFC 6184): key frames, access units, parameter sets. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ringlight.media.rtp import Packet, distance

IDR, SPS, PPS, AUD = 5, 7, 8, 9
STAP_A, FU_A = 24, 28
START_CODE = b"\0\0\0\1"
MAX_UNIT = 4 * 1024 * 1024  # bytes; a frame that grows beyond is dropped


def starts_key_frame(payload: bytes) -> bool:
    """Whether a payload begins a key frame: its parameter sets, or an IDR slice."""
    if not payload:
        return False
    kind = payload[0] & 0x1F
    if kind == FU_A:
        return len(payload) > 1 and payload[1] & 0x80 != 0 and payload[1] & 0x1F == IDR
    if kind == STAP_A:
        return any(unit[0] & 0x1F in (SPS, IDR) for unit in _aggregated(payload))
    return kind in (SPS, IDR)


def _aggregated(payload: bytes) -> Iterator[bytes]:
    at = 1
    while at + 2 < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        unit = payload[at + 2 : at + 2 + size]
        if not size or len(unit) < size:
            return
        yield unit
        at += 2 + size


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One frame.

    Attributes:
        timestamp: Of its packets, 90 kHz.
        units: The NAL units without start codes.
        key_frame: Whether it can be decoded by itself, given parameter sets.
    """

    timestamp: int
    units: tuple[bytes, ...]

    @property
    def key_frame(self) -> bool:
        """Whether an IDR slice is in it."""
        return any(unit[0] & 0x1F == IDR for unit in self.units)

    def find(self, kind: int) -> bytes | None:
        """Return the first NAL unit of a kind, or `None`."""
        return next((unit for unit in self.units if unit[0] & 0x1F == kind), None)

    @property
    def annex_b(self) -> bytes:
        """The frame with start codes, as decoders read it."""
        return b"".join(START_CODE + unit for unit in self.units)


@dataclass(slots=True)
class Assembler:
    """Puts packets together to frames. A frame with a missing packet is dropped whole.

    Attributes:
        dropped: How many frames were dropped.
    """

    dropped: int = 0
    _units: list[bytes] = field(default_factory=list)
    _fragment: bytearray | None = None
    _timestamp: int | None = None
    _last: int | None = None
    _ssrc: int | None = None
    _broken: bool = False
    _size: int = 0

    def push(self, packet: Packet) -> list[AccessUnit]:
        """Take a packet in order of sequence; return the frames that it completes (mostly none or one)."""
        done: list[AccessUnit] = []
        if packet.ssrc != self._ssrc:
            self._change(packet.ssrc)
        step = 1 if self._last is None else distance(packet.sequence, self._last)
        if step <= 0:
            return []  # doubled or too late
        self._broken |= step > 1
        self._last = packet.sequence
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            done += self._finish()
            # One missing packet was the end of that frame; of more, this frame may have lost its beginning.
            self._broken = step > 2
        self._timestamp = packet.timestamp
        self._take(packet.payload)
        if packet.marker:
            done += self._finish()
            self._timestamp = None
        return done

    def _change(self, ssrc: int) -> None:
        """Begin with another session of the camera, whose numbers have nothing to do with the last one's."""
        if self._timestamp is not None:
            self._broken = True
            self._finish()
        self._ssrc, self._last, self._timestamp = ssrc, None, None

    def _take(self, payload: bytes) -> None:
        self._size += len(payload)
        if not payload or self._size > MAX_UNIT:
            self._broken = self._broken or bool(payload)
            return
        kind = payload[0] & 0x1F
        if kind == STAP_A:
            self._units.extend(_aggregated(payload))
        elif kind == FU_A:
            self._take_fragment(payload)
        elif 1 <= kind <= 23:
            self._units.append(payload)

    def _take_fragment(self, payload: bytes) -> None:
        if len(payload) < 2:
            self._broken = True
            return
        if payload[1] & 0x80:
            self._fragment = bytearray([payload[0] & 0xE0 | payload[1] & 0x1F])
        if self._fragment is None:
            self._broken = True
            return
        self._fragment += payload[2:]
        if payload[1] & 0x40:
            self._units.append(bytes(self._fragment))
            self._fragment = None

    def _finish(self) -> list[AccessUnit]:
        units, broken = tuple(self._units), self._broken or self._fragment is not None
        timestamp = self._timestamp or 0
        self._units.clear()
        self._fragment, self._broken, self._size = None, False, 0
        if broken:
            self.dropped += 1
            return []
        return [AccessUnit(timestamp, units)] if units else []


def packetize(units: tuple[bytes, ...], limit: int = 1180) -> list[bytes]:
    """Cut the NAL units of one frame into RTP payloads of at most `limit` bytes (packetization-mode 1)."""
    payloads: list[bytes] = []
    for unit in units:
        if len(unit) <= limit:
            payloads.append(unit)
            continue
        indicator, kind = unit[0] & 0xE0 | FU_A, unit[0] & 0x1F
        for start in range(1, len(unit), limit - 2):
            first = 0x80 if start == 1 else 0
            last = 0x40 if start + limit - 2 >= len(unit) else 0
            payloads.append(bytes([indicator, first | last | kind]) + unit[start : start + limit - 2])
    return payloads


def split_annex_b(data: bytes) -> tuple[bytes, ...]:
    """Cut a byte stream with start codes into NAL units."""
    parts = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return tuple(part for part in parts if part)
