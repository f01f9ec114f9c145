"""Transport-wide feedback: when each packet of a connection arrived there. Pure.

Source: draft-holmer-rmcat-transport-wide-cc-extensions-01. A packet that carries the header extension has a number
of its connection, and the receiver tells some ten times a second which of them have come, and when.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from ringlight.media.rtp import SEQUENCES

EXTENSION = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
REFERENCE = 64_000  # microseconds: the unit of the first time (section 3.1)
TICK = 250  # microseconds: the unit of each step after it (section 3.1.5)
LONGEST_RUN = 0x1FFF  # packets of one status in one chunk (section 3.1.3)
_SMALL, _LARGE = 1, 2  # a status: the step takes one byte, or two with a sign
_HEAD = struct.Struct("!IIHHI")


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Which packets have come, of a stretch of numbers.

    Attributes:
        sender: SSRC of who tells it.
        media: SSRC of one of the sources that it is about.
        base: The first number of the stretch, 16 bits.
        count: How many numbers it tells of.
        arrived: The packets that came: how far behind `base`, and microseconds on the receiver's clock, which has
            any beginning and goes round after twelve days.
        serial: Counts these packets, 8 bits.
    """

    sender: int
    media: int
    base: int
    count: int
    arrived: tuple[tuple[int, int], ...]
    serial: int = 0


def parse(body: bytes) -> TransportFeedback | None:
    """Read what follows the RTCP header; `None` where it is cut off or its parts do not add up."""
    if len(body) < _HEAD.size:
        return None
    sender, media, base, count, word = _HEAD.unpack_from(body)
    read = _statuses(body, count)
    if read is None:
        return None
    offsets, statuses, place = read
    steps = _steps(body[place:], statuses)
    if steps is None:
        return None
    reference = word >> 8
    clock = (reference - (1 << 24) if reference >> 23 else reference) * REFERENCE
    arrived = zip(offsets, (clock + TICK * step for step in accumulate(steps)), strict=True)
    return TransportFeedback(sender, media, base, count, tuple(arrived), word & 0xFF)


def _statuses(body: bytes, count: int) -> tuple[list[int], list[int], int] | None:
    """Return the offsets of the packets that came, the status of each, and where the steps begin."""
    offsets: list[int] = []
    statuses: list[int] = []
    at, place = 0, _HEAD.size
    while at < count:
        if place + 2 > len(body):
            return None
        chunk = body[place] << 8 | body[place + 1]
        place += 2
        if chunk < 0x8000:
            status, run = chunk >> 13, min(chunk & LONGEST_RUN, count - at)
            if not run or (status and run > len(body)):  # it would never end; each that came takes a byte at least
                return None
            if status:
                offsets += range(at, at + run)
                statuses += [status] * run
            at += run
            continue
        bits, symbols = (2, 7) if chunk & 0x4000 else (1, 14)
        for offset in range(min(symbols, count - at)):
            status = chunk >> bits * (symbols - 1 - offset) & (1 << bits) - 1
            if status:
                offsets.append(at + offset)
                statuses.append(status)
        at += symbols
    return offsets, statuses, place


def _steps(data: bytes, statuses: list[int]) -> Sequence[int] | None:
    """Return the time from each packet to the next, in units of `TICK`."""
    if statuses.count(_SMALL) == len(statuses):  # as nearly always
        return data[: len(statuses)] if len(data) >= len(statuses) else None
    steps = []
    place = 0
    for status in statuses:
        width = status if status in (_SMALL, _LARGE) else len(data) + 1
        if place + width > len(data):
            return None
        steps.append(int.from_bytes(data[place : place + width], "big", signed=status == _LARGE))
        place += width
    return steps


def write(feedback: TransportFeedback) -> bytes:
    """Write what follows the RTCP header, padded with zeros. Times must be multiples of `TICK`.

    Runs alone are used: it is for peers that watch us, in tests and the load generator, and not short.
    """
    reference = feedback.arrived[0][1] // REFERENCE if feedback.arrived else 0
    clock = reference * REFERENCE
    statuses, deltas = [0] * feedback.count, b""
    for offset, at in feedback.arrived:
        step = (at - clock) // TICK
        statuses[offset] = _SMALL if 0 <= step < 256 else _LARGE
        deltas += step.to_bytes(1, "big") if 0 <= step < 256 else step.to_bytes(2, "big", signed=True)
        clock = at
    head = _HEAD.pack(
        feedback.sender, feedback.media, feedback.base % SEQUENCES, feedback.count,
        (reference & 0xFFFFFF) << 8 | feedback.serial & 0xFF,
    )  # fmt: skip
    body = head + b"".join(_runs(statuses)) + deltas
    return body + bytes(-len(body) % 4)


def _runs(statuses: list[int]) -> Iterator[bytes]:
    for status, same in groupby(statuses):
        length = len(list(same))
        while length:
            part = min(length, LONGEST_RUN)
            yield (status << 13 | part).to_bytes(2, "big")
            length -= part
