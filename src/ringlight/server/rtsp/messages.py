"""RTSP's text and the packets between it, as data: read in pieces of any size, and written. Pure (RFC 2326).

What a stranger sends is bounded before it is understood: the first byte that cannot belong to a request ends it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

HEAD = 8 * 1024  # bytes of a request's lines; players send some hundred
BODY = 4 * 1024  # bytes; only parameters have a body, and they are short
DOLLAR = 0x24  # begins a packet between the text (section 10.12)
VERSION = "RTSP/1.0"
_LINE = re.compile(r"([A-Z_]{1,20}) (\S{1,2048}) (RTSP/\d\.\d)")
_FIRST = re.compile(rb"[A-Z_]{0,20}( [^\r\n]{0,2200})?\Z")  # what may still become a request line
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 405: "Method Not Allowed", 406: "Not Acceptable",
    408: "Request Time-out", 413: "Request Entity Too Large", 429: "Too Many Requests",
    451: "Parameter Not Understood", 454: "Session Not Found", 455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed", 461: "Unsupported Transport", 500: "Internal Server Error",
    501: "Not Implemented", 505: "RTSP Version Not Supported", 551: "Option not supported",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Names of headers are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> tuple[str, str]:
        """The camera that the address names, and what is behind it (`trackID=0`); both may be empty."""
        try:
            path = urlsplit(self.url).path
        except ValueError:
            return "", ""
        camera, _, track = path.strip("/").partition("/")
        return unquote(camera)[:100], track[:40]


@dataclass(frozen=True, slots=True)
class Channel:
    """A packet that came between the text, and on which channel."""

    number: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no RTSP. Nothing follows it; the connection is of no use any more."""

    status: int
    why: str


Piece = Request | Channel | Unreadable


class Reader:
    """Cuts what comes over a connection into requests and packets. Keeps what is not whole, within bounds.

    Attributes:
        halfway: Whether a request or packet has begun and is not whole.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._broken = False

    @property
    def halfway(self) -> bool:
        """Whether something has begun and is not whole."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes; return what is whole by now. Never raises; after `Unreadable` it returns nothing."""
        pieces: list[Piece] = []
        if self._broken:
            return pieces
        self._buffer += data
        while self._skip_empty_lines():
            piece = self._channel() if self._buffer[0] == DOLLAR else self._request()
            if piece is None:
                break
            pieces.append(piece)
            if isinstance(piece, Unreadable):
                self._broken = True
                self._buffer.clear()
        return pieces

    def _skip_empty_lines(self) -> bool:
        """Leave out the empty lines that some players send behind a body; return whether anything is left."""
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
        return bool(self._buffer)

    def _channel(self) -> Channel | None:
        if len(self._buffer) < 4:
            return None
        end = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < end:
            return None
        packet = Channel(self._buffer[1], bytes(self._buffer[4:end]))
        del self._buffer[:end]
        return packet

    def _request(self) -> Request | Unreadable | None:
        end = self._buffer.find(b"\r\n\r\n", 0, HEAD)
        if end < 0:
            first = bytes(self._buffer[:HEAD]).partition(b"\r")[0]
            if len(self._buffer) < HEAD and _FIRST.match(first):
                return None
            too_long = len(self._buffer) >= HEAD
            return Unreadable(413, f"a request of more than {HEAD} bytes") if too_long else _no_rtsp(first)
        line, *lines = bytes(self._buffer[:end]).decode("utf-8", "replace").split("\r\n")
        named = _LINE.fullmatch(line)
        if named is None:
            return _no_rtsp(line.encode())
        if named[3] != VERSION:
            return Unreadable(505, f"{named[3]}; expected {VERSION}")
        headers = _headers(lines)
        if headers is None:
            return Unreadable(400, "a header without name or colon")
        length = headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,9}", length):
            return Unreadable(400, "Content-Length is no number")
        if int(length) > BODY:
            return Unreadable(413, f"a body of {length} bytes; at most {BODY} are taken")
        whole = end + 4 + int(length)
        if len(self._buffer) < whole:
            return None
        request = Request(named[1], named[2], headers, bytes(self._buffer[end + 4 : whole]))
        del self._buffer[:whole]
        return request


def _no_rtsp(first: bytes) -> Unreadable:
    return Unreadable(400, f"no RTSP request: {first[:40].decode('latin-1')!a}")


def _headers(lines: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name.strip()):
            return None
        name, value = name.strip().lower(), value.strip()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def response(
    status: int, cseq: str | None, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", reason: str = ""
) -> bytes:
    """Write an answer. Whatever is in a value, it stays on its line."""
    lines = [f"{VERSION} {status} {reason or _REASONS.get(status, 'Error')}"]
    if cseq is not None:
        lines.append(f"CSeq: {cseq[:20]}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(" ".join(line.split()) for line in lines).encode("utf-8", "replace") + b"\r\n\r\n" + body


def interleaved(channel: int, *packets: bytes) -> bytes:
    """Write packets as they go between the text; none longer than 65,535 bytes."""
    return b"".join(
        part for packet in packets for part in (bytes((DOLLAR, channel)), len(packet).to_bytes(2, "big"), packet)
    )
