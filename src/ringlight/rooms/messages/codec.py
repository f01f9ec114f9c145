"""Reading and writing the messages of both protocols, and telling a page of a fault in either."""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.rooms.messages.heard import Heard
from ringlight.rooms.messages.seed import Seed, SeedRefusal, ToldSeed
from ringlight.rooms.messages.told import Refusal, Told

# How a socket ends for a fault: numbers of the private range (RFC 6455 section 7.4.2), near the HTTP status. The reason
# is the fault's code.
CLOSE_CODES = {
    fault.code: seen.number for fault in FAULTS.values() for seen in fault.seen if seen.at == "room" and seen.number
}

UNREADABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)  # what parsing raises


class Description(msgspec.Struct, frozen=True):
    """As much of a description as a room must know: whether it asks or answers."""

    type: str


encode: Final = msgspec.json.Encoder().encode
# Of frames that are known to be UTF-8. What is passed on as it came is not looked into, so both would let others pass.
parse_text: Callable[[bytes], Heard] = msgspec.json.Decoder(Heard).decode
parse_seed_text: Callable[[bytes], Seed] = msgspec.json.Decoder(Seed).decode
_parse_told: Callable[[bytes], Told] = msgspec.json.Decoder(Told).decode
_parse_told_seed: Callable[[bytes], ToldSeed] = msgspec.json.Decoder(ToldSeed).decode
_parse_description = msgspec.json.Decoder(Description).decode


def parse(frame: bytes) -> Heard:
    """Return the message of a `/ws/v2` frame.

    Raises:
        UsageError: ROOM-MESSAGE, saying where.
    """
    try:
        if not frame.isascii():  # which most are, and which is seen at once
            frame.decode()  # what is passed on as it came is never looked into, and must be text
        return parse_text(frame)
    except UNREADABLE as error:
        raise unreadable(error) from None


def parse_seed(frame: bytes) -> Seed:
    """Return what a room must know of a frame of the seed's front end.

    Raises:
        UsageError: ROOM-MESSAGE, the frame is no JSON object.
    """
    try:
        if not frame.isascii():
            frame.decode()
        return parse_seed_text(frame)
    except UNREADABLE as error:
        raise unreadable(error) from None


def parse_told(frame: bytes) -> Told:
    """Return what a server says on `/ws/v2`, as a page or a judge reads it.

    Raises:
        UsageError: ROOM-MESSAGE, saying where.
    """
    try:
        return _parse_told(frame)
    except UNREADABLE as error:
        raise unreadable(error) from None


def parse_told_seed(frame: bytes) -> ToldSeed:
    """Return what comes to a page at the old address: words of the server, or of another page. Raises as above."""
    try:
        return _parse_told_seed(frame)
    except UNREADABLE as error:
        raise unreadable(error) from None


def kind_of(description: Raw) -> str:
    """Return `offer`, `answer` or what else a description calls itself.

    Raises:
        UsageError: ROOM-MESSAGE, it is no description.
    """
    try:
        return _parse_description(description).type
    except UNREADABLE as error:
        raise unreadable(error) from None


def unreadable(error: Exception) -> RingError:
    """Return the fault of a frame that raised one of `UNREADABLE` when it was parsed."""
    if isinstance(error, msgspec.ValidationError):
        return fault_error("ROOM-MESSAGE", str(error)[:200])
    if isinstance(error, RecursionError):
        return fault_error("ROOM-MESSAGE", "nested too deeply")
    return fault_error("ROOM-MESSAGE", "not JSON in UTF-8")


def signalled(seq: int, speaker: str, description: Raw | UnsetType, candidate: Raw | UnsetType) -> bytes:
    """Return the frame of a `Signalled` with either of both, as `encode` would.

    Frames are kept for a resume by the hundred. `encode` takes half as much memory again as a long one needs, and gives
    it back too late to be of use to others.
    """
    what, raw = (b',"candidate":', candidate) if description is UNSET else (b',"description":', description)
    # mypy does not know that a `Raw` gives its bytes
    return b"".join((b'{"t":"signal","seq":%d,"from":' % seq, encode(speaker), what, raw, b"}"))  # type: ignore[arg-type]


def refusal(error: RingError, rid: int | None = None) -> bytes:
    """Return the frame that tells a page of the new kind of a fault."""
    fault = FAULTS[error.code]
    return encode(
        Refusal(
            code=fault.code, retry=fault.retry.value, message=fault.cause, fix=fault.fix,
            help=fault.page, rid=rid, detail=error.detail, retry_after_s=error.retry_after,
        )
    )  # fmt: skip


def seed_refusal(error: RingError) -> bytes:
    """Return the frame that tells a page of the seed's kind of a fault."""
    fault = FAULTS[error.code]
    return encode(SeedRefusal(fault.code, fault.cause, fault.fix, fault.retry.value, fault.page, error.detail))
