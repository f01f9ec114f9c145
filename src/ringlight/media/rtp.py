"""RTP packets as data (RFC 3550 section 5). Pure."""

import struct
from dataclasses import dataclass

from ringlight.errors import fault_error

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HHBHx")
HEADER_LENGTH = _HEADER.size  # bytes: the fixed part
SEQUENCES = 1 << 16
TIMESTAMPS = 1 << 32


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet without its padding, contributing sources and header extension.

    Attributes:
        payload_type: 0 to 127.
        marker: For video: the last packet of a frame.
        sequence: 16 bits.
        timestamp: 32 bits, in units of the codec's clock.
        ssrc: 32 bits.
        payload: What the codec made.
    """

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet:
    """Read a packet.

    Raises:
        MediaError: MEDIA-SILENT where it is no RTP; the caller counts and drops such packets.
    """
    if len(data) < HEADER_LENGTH or data[0] >> 6 != 2:
        raise fault_error("MEDIA-SILENT", "a packet that is no RTP")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    start = HEADER_LENGTH + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise fault_error("MEDIA-SILENT", "an RTP header extension that is cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data)
    if first & 0x20:
        end -= data[-1]
    if start > end or (first & 0x20 and not data[-1]):
        raise fault_error("MEDIA-SILENT", "an RTP packet whose lengths do not add up")
    return Packet(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, data[start:end])


def header(payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """Write the twelve bytes before a payload."""
    return _HEADER.pack(0x80, (marker << 7) | payload_type, sequence, timestamp, ssrc)


def with_number(header: bytes, extension: int, number: int) -> bytes:
    """Return a header of twelve bytes with a number of 16 bits in an extension (RFC 8285 section 4.2).

    Args:
        header: As `header` writes it.
        extension: The number that both sides have agreed on for the extension, 1 to 14.
        number: What it carries.
    """
    return bytes((header[0] | 0x10,)) + header[1:] + _EXTENSION.pack(0xBEDE, 1, extension << 4 | 1, number % SEQUENCES)


def write(packet: Packet) -> bytes:
    """Write a packet."""
    return header(packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc) + packet.payload


def distance(later: int, earlier: int, size: int = SEQUENCES) -> int:
    """Return how far `later` is ahead on a number circle, negative where it is behind."""
    ahead = (later - earlier) % size
    return ahead - size if ahead >= size // 2 else ahead


def is_rtcp(data: bytes) -> bool:
    """Whether a packet on a shared port is RTCP and not RTP (RFC 5761 section 4)."""
    return len(data) >= 2 and 192 <= data[1] <= 223
