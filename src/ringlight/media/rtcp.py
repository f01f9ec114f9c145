"""RTCP packets as data (RFC 3550 section 6, RFC 4585, RFC 5104; transport-wide feedback: transport_wide.py). Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ringlight.media import transport_wide
from ringlight.media.transport_wide import TransportFeedback

NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
SR, RR, SDES, BYE, APP, RTPFB, PSFB = 200, 201, 202, 203, 204, 205, 206


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one source. `lost_fraction` is 0..255 of 256; `jitter` in clock units."""

    ssrc: int
    lost_fraction: int = 0
    lost_total: int = 0
    highest_sequence: int = 0
    jitter: int = 0
    last_report: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class SenderReport:
    """Ties a source's RTP clock to wall-clock time. `ntp` has 64 bits, 32 of them behind the point."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What a receiver has got."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFrameRequest:
    """PLI or FIR: the receiver needs a key frame."""

    sender: int
    media: int


@dataclass(frozen=True, slots=True)
class Nack:
    """Sequence numbers that a receiver misses."""

    sender: int
    media: int
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """Sources that end."""

    sources: tuple[int, ...]


Report = SenderReport | ReceiverReport | KeyFrameRequest | Nack | Bye | TransportFeedback


def parse(data: bytes) -> list[Report]:
    """Read a compound packet. What is not known or is cut off is left out; it never raises."""
    reports: list[Report] = []
    while len(data) >= 4 and data[0] >> 6 == 2:
        count, kind = data[0] & 0x1F, data[1]
        length = 4 + 4 * int.from_bytes(data[2:4], "big")
        if length > len(data):
            break
        reports.extend(_parse_one(kind, count, data[4:length]))
        data = data[length:]
    return reports


def _parse_one(kind: int, count: int, body: bytes) -> Iterator[Report]:
    if kind == SR and len(body) >= 24:
        ssrc, ntp, timestamp, packets, octets = struct.unpack_from("!IQIII", body)
        yield SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(body[24:], count))
    elif kind == RR and len(body) >= 4:
        yield ReceiverReport(int.from_bytes(body[:4], "big"), _blocks(body[4:], count))
    elif kind == BYE and len(body) >= 4 * count:
        yield Bye(struct.unpack_from(f"!{count}I", body))
    elif kind == PSFB and len(body) >= 8 and count in (1, 4):  # PLI; FIR names its sources behind
        sender, media = struct.unpack_from("!II", body)
        if count == 4 and len(body) >= 12:
            media = int.from_bytes(body[8:12], "big")
        yield KeyFrameRequest(sender, media)
    elif kind == RTPFB and len(body) >= 8 and count == 1:
        sender, media = struct.unpack_from("!II", body)
        yield Nack(sender, media, tuple(_missing(body[8:])))
    elif kind == RTPFB and count == 15 and (feedback := transport_wide.parse(body)) is not None:
        yield feedback


def _blocks(data: bytes, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for start in range(0, min(count * 24, len(data) - len(data) % 24), 24):
        ssrc, loss, highest, jitter, last, delay = struct.unpack_from("!IIIIII", data, start)
        total = loss & 0xFFFFFF
        blocks.append(
            ReportBlock(ssrc, loss >> 24, total - (1 << 24) if total >> 23 else total, highest, jitter, last, delay)
        )
    return tuple(blocks)


def _missing(data: bytes) -> Iterator[int]:
    for start in range(0, len(data) - 3, 4):
        first, mask = struct.unpack_from("!HH", data, start)
        yield first
        yield from ((first + bit + 1) % 65536 for bit in range(16) if mask >> bit & 1)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def write(report: Report) -> bytes:
    """Write one report."""
    match report:
        case SenderReport(ssrc, ntp, timestamp, packets, octets, blocks):
            body = struct.pack("!IQIII", ssrc, ntp, timestamp, packets % (1 << 32), octets % (1 << 32))
            return _packet(SR, len(blocks), body + b"".join(map(_block, blocks)))
        case ReceiverReport(ssrc, blocks):
            return _packet(RR, len(blocks), struct.pack("!I", ssrc) + b"".join(map(_block, blocks)))
        case KeyFrameRequest(sender, media):
            return _packet(PSFB, 1, struct.pack("!II", sender, media))
        case Nack(sender, media, missing):
            pairs = b"".join(struct.pack("!HH", number, 0) for number in missing)
            return _packet(RTPFB, 1, struct.pack("!II", sender, media) + pairs)
        case TransportFeedback():
            return _packet(RTPFB, 15, transport_wide.write(report))
        case Bye(sources):
            return _packet(BYE, len(sources), struct.pack(f"!{len(sources)}I", *sources))


def source_description(ssrc: int, cname: str) -> bytes:
    """Write the SDES packet that every compound report carries (RFC 3550 section 6.5)."""
    item = struct.pack("!IBB", ssrc, 1, len(cname.encode())) + cname.encode() + b"\0"
    return _packet(SDES, 1, item + bytes(-len(item) % 4))


def ntp_time(seconds: float) -> int:
    """Return wall-clock seconds since 1970 as 64 bits of NTP time."""
    return int((seconds + NTP_EPOCH) * (1 << 32))


def _block(block: ReportBlock) -> bytes:
    loss = (block.lost_fraction & 0xFF) << 24 | block.lost_total & 0xFFFFFF
    return struct.pack(
        "!IIIIII", block.ssrc, loss, block.highest_sequence, block.jitter, block.last_report, block.delay
    )
