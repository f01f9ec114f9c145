"""The server's side of WebSocket framing (RFC 6455 section 5), without I/O: bytes in, messages out.

No extensions: of a message that is passed on once, compression would cost more time than it saves on the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

__all__ = [
    "BINARY", "Binary", "Closed", "Event", "Frames", "Ping", "Pong", "Violation",
    "close_frame", "ping_frame", "pong_frame", "text_frame", "unmask",
]  # fmt: skip

Unmask = Callable[[bytes, bytes], bytes]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL, PROTOCOL_ERROR, NO_CODE, INVALID_TEXT, POLICY, TOO_BIG = 1000, 1002, 1005, 1007, 1008, 1009
MOST_OF_CONTROL = 125  # bytes in a control frame (section 5.5)
SIDE_FRAMES = 500  # control frames and fragments between two calls of `forgive`

_pack_16: Final = Struct("!BBH").pack
_USUAL: Final = 4096  # bytes of a text message; how a shorter one begins is looked up, in half of the time
_HEADS: Final = tuple(bytes((0x80 | TEXT, n)) if n < 126 else _pack_16(0x80 | TEXT, 126, n) for n in range(_USUAL))
# Of a client's frame: how it begins, its length where that is in two bytes, and then its mask.
_read_16: Final = Struct("!HH4s").unpack_from
_WITH_16: Final = (0x80 | TEXT) << 8 | 0x80 | 126  # how a text message of a client begins
_EMPTY: Final = (0x80 | TEXT) << 8 | 0x80
_pack_64 = Struct("!BBQ").pack


@dataclass(frozen=True, slots=True)
class Binary:
    """A whole binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered with `pong_frame(data)`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A sign of life."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The other side has closed; nothing follows. `code` is 1005 if it named none."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Violation:
    """The other side broke the rules; close with this code. Nothing follows."""

    code: int
    reason: str


Event = bytes | Binary | Ping | Pong | Closed | Violation  # plain bytes are a text message, known to be UTF-8


def text_frame(text: bytes) -> bytes:
    """Return a text message as one frame; the text is UTF-8 already."""
    size = len(text)
    if size < _USUAL:
        return _HEADS[size] + text
    if size < 65_536:
        return _pack_16(0x80 | TEXT, 126, size) + text
    return _pack_64(0x80 | TEXT, 127, size) + text


def ping_frame(data: bytes = b"") -> bytes:
    """Return a ping with at most 125 bytes."""
    return bytes((0x80 | PING, len(data))) + data


def pong_frame(data: bytes) -> bytes:
    """Return the answer to a ping."""
    return bytes((0x80 | PONG, len(data))) + data


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a close frame; the reason is cut to what fits. 1005 stands for no code, and is never sent."""
    body = b"" if code == NO_CODE else code.to_bytes(2, "big") + _cut(reason.encode(), MOST_OF_CONTROL - 2)
    return bytes((0x80 | CLOSE, len(body))) + body


def _cut(text: bytes, most: int) -> bytes:
    return text if len(text) <= most else text[:most].decode(errors="ignore").encode()


def unmask(data: bytes, mask: bytes) -> bytes:
    """Take the mask off (section 5.3). In steps of 4 kB, since arithmetic on longer numbers slows down."""
    if len(data) > 4096:
        return b"".join(unmask(data[at : at + 4096], mask) for at in range(0, len(data), 4096))
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")).to_bytes(len(data), "little")


class _BrokenError(Exception):
    """Carries code and reason of a violation to where it ends the connection."""

    def __init__(self, code: int, reason: str) -> None:
        self.violation = Violation(code, reason)


class Frames:
    """What one client sends, read frame by frame.

    Args:
        most: Bytes in a message. More is refused as soon as a header announces it.
        unmask: Takes masks off; a faster one may be given.
    """

    __slots__ = ("_between", "_held", "_message", "_most", "_need", "_opcode", "_over", "_side", "_unmask")

    def __init__(self, most: int, unmask: Unmask = unmask) -> None:
        self._most = most
        self._unmask = unmask
        self._held: bytearray | None = None  # the beginning of a frame
        self._need = 0  # bytes of it without which nothing can be decided
        self._message: bytearray | None = None  # the fragments of a message so far
        self._opcode = TEXT  # of that message
        self._side = 0
        self._over = False
        self._between = True  # messages: none of the above holds anything back

    def forgive(self) -> None:
        """Forget how many control frames and fragments there were; called from time to time.

        They make work for us without being a message, so that no other limit counts them.
        """
        self._side = 0

    def only_text(self, data: bytes) -> bytes | None:
        """Take what came if it is one good text message and nothing else, as nearly always, and return its text.

        Otherwise `None`, and nothing is taken: `receive` sees to it.
        """
        end = len(data)
        if end < 8 or not self._between:
            return None
        start, size, mask = _read_16(data)
        head = 8
        if start != _WITH_16:
            size, head, mask = start - _EMPTY, 6, data[2:6]
            if not 0 < size < 126:
                return None
        if size + head != end or not 0 < size <= self._most:
            return None
        payload = self._unmask(data[head:], mask)
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                return None  # the long way says where
        return payload

    def receive(self, data: bytes) -> Sequence[Event]:
        """Take what came; return what it completes, in order. Never raises."""
        held = self._held
        if held is not None:
            held += data
            if len(held) < self._need:
                return ()
            data = bytes(held)
            self._held = None
        if self._over:
            return ()
        events: list[Event] = []
        try:
            at = self._read(data, events)
        except _BrokenError as broken:
            self._end()
            events.append(broken.violation)
            return events
        if at < len(data) and not self._over:
            self._held = bytearray(memoryview(data)[at:])
        self._between = self._held is None and self._message is None and not self._over
        return events

    def _read(self, data: bytes, events: list[Event]) -> int:
        """Read all whole frames; return where the next one begins, with `_need` set to what it lacks."""
        at, end = 0, len(data)
        while end - at >= 2:
            first, size = data[at], data[at + 1]
            self._judge_start(first, size)
            size &= 0x7F
            head = 6
            if size >= 126:
                head = 8 if size == 126 else 14
                if end - at < head - 4:
                    self._need = head - 4
                    return at
                size = int.from_bytes(data[at + 2 : at + head - 4], "big")
            if size > self._most or (first & 0x0F == 0 and size + len(self._message or b"") > self._most):
                raise _BrokenError(TOO_BIG, f"more than {self._most} bytes")
            body = at + head
            stop = body + size
            if stop > end:
                self._need = stop - at
                return at
            payload = self._unmask(data[body:stop], data[body - 4 : body]) if size else b""
            at = stop
            if first == 0x80 | TEXT:
                _judge_text(payload)
                events.append(payload)
            else:
                self._side_frame(first, payload, events)
                if self._over:
                    return end
        self._need = 2
        return at

    def _judge_start(self, first: int, second: int) -> None:
        if second < 0x80:
            raise _BrokenError(PROTOCOL_ERROR, "a frame without a mask")
        if first == 0x80 | TEXT and self._message is None:
            return
        opcode = first & 0x0F
        if first & 0x70:
            raise _BrokenError(PROTOCOL_ERROR, "a reserved bit is set")
        if opcode >= CLOSE:
            if opcode > PONG:
                raise _BrokenError(PROTOCOL_ERROR, "an unknown kind of frame")
            if first < 0x80 or second & 0x7F > MOST_OF_CONTROL:
                raise _BrokenError(PROTOCOL_ERROR, "a control frame that is too long or in pieces")
        elif opcode > BINARY:
            raise _BrokenError(PROTOCOL_ERROR, "an unknown kind of frame")
        elif (opcode == CONTINUATION) == (self._message is None):
            raise _BrokenError(PROTOCOL_ERROR, "a continuation of nothing, or a new message within another")

    def _side_frame(self, first: int, payload: bytes, events: list[Event]) -> None:
        """Take anything but a text message in one frame."""
        self._side += 1
        if self._side > SIDE_FRAMES:
            raise _BrokenError(POLICY, "too many control frames or fragments")
        opcode = first & 0x0F
        if opcode == PING:
            events.append(Ping(payload))
        elif opcode == PONG:
            events.append(Pong())
        elif opcode == CLOSE:
            events.append(_read_close(payload))
            self._end()
        else:
            self._fragment(opcode, payload, events, last=first >= 0x80)

    def _fragment(self, opcode: int, payload: bytes, events: list[Event], *, last: bool) -> None:
        if opcode != CONTINUATION:
            self._opcode = opcode
            self._message = bytearray()
        message = self._message
        assert message is not None  # noqa: S101 - `_judge_start` has seen to it
        message += payload
        if last:
            whole = bytes(message)
            self._message = None
            if self._opcode == TEXT:
                _judge_text(whole)
            events.append(whole if self._opcode == TEXT else Binary(whole))

    def _end(self) -> None:
        self._over, self._between = True, False
        self._held = self._message = None


def _judge_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise _BrokenError(INVALID_TEXT, f"no UTF-8 at byte {error.start}") from None


def _read_close(payload: bytes) -> Closed:
    if not payload:
        return Closed(NO_CODE, "")
    try:
        reason = payload[2:].decode()
    except UnicodeDecodeError:
        raise _BrokenError(INVALID_TEXT, "the reason of a close is no UTF-8") from None
    code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 0
    # Section 7.4: 1004 to 1006 and 1015 are never sent; beyond 1014 and below 3000 nothing is registered.
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code < 5000):
        raise _BrokenError(PROTOCOL_ERROR, "a close code that may not be sent")
    return Closed(code, reason)
