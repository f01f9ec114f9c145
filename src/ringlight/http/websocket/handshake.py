"""The opening handshake, on the server's side (RFC 6455 section 4.2), without I/O."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote

__all__ = ["RefusedError", "Upgrade", "accepted", "judge", "read_plain", "read_upgrade", "refused"]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
# A whole head as RFC 9112 has it and every browser writes it: nothing folded, no line that ends in another way.
_is_plain = re.compile(
    rb"GET /[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*+ HTTP/1\.1\r\n"
    rb"(?:[A-Za-z0-9!#$%&'*+\-.^_`|~]++:[\t -~\x80-\xff]*+\r\n)++\r\n"
).fullmatch
_MORE_THAN_A_HEAD = frozenset({"content-length", "transfer-encoding", "expect"})


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A request for a WebSocket.

    Attributes:
        method: Of HTTP.
        path: Decoded.
        query: As it came.
        headers: By name in lower case; fields that came more than once are joined by commas.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def subprotocols(self) -> list[str]:
        """What the page offers, in its order."""
        return _items(self.headers.get("sec-websocket-protocol", ""))


class RefusedError(Exception):
    """No WebSocket can come of this request.

    Attributes:
        status: Of the answer.
        reason: What is wrong with it.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def read_upgrade(head: bytes) -> Upgrade:
    """Read the head of a request that an HTTP parser has taken already."""
    start, _, rest = head.partition(b"\r\n")
    method, target, _ = start.decode("latin-1").split(" ", 2)
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    again: dict[str, list[str]] = {}  # joined once: a head may have a hundred thousand fields of one name
    for line in rest.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            name, value = name.lower(), value.strip(" \t")
            if name in headers:
                again.setdefault(name, [headers[name]]).append(value)
            else:
                headers[name] = value
    for name, values in again.items():
        headers[name] = ", ".join(values)
    return Upgrade(method, unquote(path), query, headers)


def read_plain(data: bytes) -> Upgrade | None:
    """Return the request for a WebSocket that a connection begins with; `None` leaves it to an HTTP parser.

    That is where something else is wanted, or the head is not all that came, or is written in an unusual way. For the
    others a parser would cost a quarter of what the server has to do until somebody is in a room.
    """
    if _is_plain(data) is None:
        return None
    upgrade = read_upgrade(data)
    headers = upgrade.headers
    wanted = headers.get("upgrade", "").lower() == "websocket" and _names_upgrade(headers)
    return upgrade if wanted and _MORE_THAN_A_HEAD.isdisjoint(headers) else None


def judge(upgrade: Upgrade) -> str:
    """Return the key that the answer is made from.

    Raises:
        RefusedError: The request is not one for a WebSocket of version 13.
    """
    headers = upgrade.headers
    if upgrade.method != "GET":
        raise RefusedError(405, "a WebSocket begins with GET")
    if not _names_upgrade(headers):
        raise RefusedError(400, "the field Connection does not name upgrade")
    if headers.get("sec-websocket-version") != "13":
        raise RefusedError(426, "only version 13 of WebSocket is spoken here")
    key = headers.get("sec-websocket-key", "")
    try:
        good = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        good = False
    if not good:
        raise RefusedError(400, "Sec-WebSocket-Key is not 16 bytes in base64")
    return key


def accepted(key: str, subprotocol: str | None) -> bytes:
    """Return the answer that opens the WebSocket.

    Args:
        key: From `judge`.
        subprotocol: One of those that were offered.
    """
    proof = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    chosen = f"Sec-WebSocket-Protocol: {subprotocol}\r\n".encode("latin-1") if subprotocol else b""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof + b"\r\n" + chosen + b"\r\n"
    )


def refused(error: RefusedError) -> bytes:
    """Return the answer to a request that is refused; the connection is closed after it."""
    body = f"{error.reason}\n".encode()
    version = b"Sec-WebSocket-Version: 13\r\n" if error.status == 426 else b""
    return (
        f"HTTP/1.1 {error.status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n".encode()
        + version
        + b"\r\n"
        + body
    )


def _names_upgrade(headers: dict[str, str]) -> bool:
    return "upgrade" in _items(headers.get("connection", "").lower())


def _items(value: str) -> list[str]:
    return [item for part in value.split(",") if (item := part.strip(" \t"))]  # not all that Unicode calls blank
