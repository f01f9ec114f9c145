"""Connectivity checks of ICE: asking, answering, reading both (RFC 8489, RFC 8445 section 7). Pure."""

import hmac
import struct
import zlib
from dataclasses import dataclass
from ipaddress import ip_address

MAGIC = 0x2112A442
BINDING_REQUEST, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0101, 0x0111
USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, XOR_MAPPED_ADDRESS = 0x0006, 0x0008, 0x0009, 0x0020
PRIORITY, USE_CANDIDATE, FINGERPRINT = 0x0024, 0x0025, 0x8028
ICE_CONTROLLED, ICE_CONTROLLING = 0x8029, 0x802A
_HEADER = struct.Struct("!HHI12s")


@dataclass(frozen=True, slots=True)
class Request:
    """A binding request.

    Attributes:
        transaction: 12 bytes.
        username: `ours:theirs`, the user fragments.
        nominates: Whether it carries USE-CANDIDATE.
    """

    transaction: bytes
    username: str
    nominates: bool
    _data: bytes
    _integrity_at: int | None

    def is_signed_with(self, password: str) -> bool:
        """Whether MESSAGE-INTEGRITY is there and was made with this password."""
        return _is_signed(self._data, self._integrity_at, password)


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a binding request of ours.

    Attributes:
        transaction: The request's 12 bytes.
        error: The number of an error, for example 401; `None` where the check succeeded.
    """

    transaction: bytes
    error: int | None
    _data: bytes
    _integrity_at: int | None

    def is_signed_with(self, password: str) -> bool:
        """Whether MESSAGE-INTEGRITY is there and was made with this password."""
        return _is_signed(self._data, self._integrity_at, password)


def parse_request(data: bytes) -> Request | None:
    """Read a binding request; `None` for anything else, or for what is broken."""
    message = read(data)
    if message is None or message[0] != BINDING_REQUEST:
        return None
    _, transaction, found, integrity_at = message
    username = found.get(USERNAME, b"").decode("utf-8", "replace")
    return Request(transaction, username, USE_CANDIDATE in found, data, integrity_at)


def parse_response(data: bytes) -> Response | None:
    """Read the answer to a binding request; `None` for anything else, or for what is broken."""
    message = read(data)
    if message is None or message[0] not in (BINDING_SUCCESS, BINDING_ERROR):
        return None
    kind, transaction, found, integrity_at = message
    number = None
    if kind == BINDING_ERROR:
        value = found.get(ERROR_CODE, b"").ljust(4, b"\0")
        number = (value[2] & 7) * 100 + value[3]
    return Response(transaction, number, data, integrity_at)


def read(data: bytes) -> tuple[int, bytes, dict[int, bytes], int | None] | None:
    """Return kind, transaction, the signed attributes, and where the signature is; `None` for what is no STUN."""
    if len(data) < 20:
        return None
    kind, length, magic, transaction = _HEADER.unpack_from(data)
    if magic != MAGIC or length != len(data) - 20 or length % 4:
        return None
    found: dict[int, bytes] = {}
    at = 20
    while at + 4 <= len(data):
        attribute, size = struct.unpack_from("!HH", data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) < size:
            return None
        if attribute == MESSAGE_INTEGRITY and size == 20:
            return kind, transaction, found, at  # what comes behind is not signed
        found[attribute] = value
        at += 4 + size + -size % 4
    return kind, transaction, found, None


def _is_signed(data: bytes, at: int | None, password: str) -> bool:
    if at is None:
        return False
    # The length field counts up to and with the attribute itself (RFC 8489 section 14.5).
    signed = data[:2] + struct.pack("!H", at + 24 - 20) + data[4:at]
    digest = hmac.digest(password.encode(), signed, "sha1")
    return hmac.compare_digest(digest, data[at + 4 : at + 24])


def request(
    transaction: bytes,
    username: str,
    password: str,
    *,
    priority: int,
    tie_breaker: int,
    controlling: bool,
    nominates: bool = False,
) -> bytes:
    """Write a connectivity check.

    Args:
        transaction: 12 bytes that nobody can guess.
        username: `theirs:ours`, the user fragments.
        password: Theirs.
        priority: What the other side should give to the address that it sees.
        tie_breaker: 64 bits that settle who controls, if both sides think that they do.
        controlling: Whether we made the offer.
        nominates: Whether this pair is the one to use.
    """
    role = ICE_CONTROLLING if controlling else ICE_CONTROLLED
    attributes = attribute(USERNAME, username.encode()) + attribute(PRIORITY, struct.pack("!I", priority))
    attributes += attribute(role, struct.pack("!Q", tie_breaker))
    if nominates:
        attributes += attribute(USE_CANDIDATE, b"")
    return signed(BINDING_REQUEST, transaction, attributes, password.encode())


def is_success(data: bytes) -> bool:
    """Whether a message says that a check succeeded."""
    return data[:2] == struct.pack("!H", BINDING_SUCCESS)


def success(transaction: bytes, password: str, address: tuple[str, int]) -> bytes:
    """Write the answer that tells the sender its own address."""
    mapped = attribute(XOR_MAPPED_ADDRESS, xored(address, transaction))
    return signed(BINDING_SUCCESS, transaction, mapped, password.encode())


def error(transaction: bytes, number: int, reason: str) -> bytes:
    """Write an error answer, for example 401 for a wrong password. It is not signed."""
    value = struct.pack("!HBB", 0, number // 100, number % 100) + reason.encode()
    return finished(BINDING_ERROR, transaction, attribute(ERROR_CODE, value))


def unxored(value: bytes, transaction: bytes) -> tuple[str, int] | None:
    """Read an address that was written as XOR-MAPPED-ADDRESS (section 14.2); `None` for what is none."""
    if len(value) not in (8, 20):
        return None
    mask = struct.pack("!I", MAGIC) + transaction
    port: int = struct.unpack_from("!H", value, 2)[0] ^ MAGIC >> 16
    return str(ip_address(bytes(a ^ b for a, b in zip(value[4:], mask, strict=False)))), port


def xored(address: tuple[str, int], transaction: bytes) -> bytes:
    """Write an address as XOR-MAPPED-ADDRESS has it (section 14.2)."""
    ip = ip_address(address[0])
    mask = struct.pack("!I", MAGIC) + transaction
    packed = bytes(a ^ b for a, b in zip(ip.packed, mask, strict=False))
    return struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, address[1] ^ MAGIC >> 16) + packed


def attribute(kind: int, value: bytes) -> bytes:
    """Write one attribute, padded to four bytes."""
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def signed(kind: int, transaction: bytes, attributes: bytes, key: bytes) -> bytes:
    """Write a message with MESSAGE-INTEGRITY made from a key, and FINGERPRINT."""
    head = _HEADER.pack(kind, len(attributes) + 24, MAGIC, transaction)
    digest = hmac.digest(key, head + attributes, "sha1")
    return finished(kind, transaction, attributes + attribute(MESSAGE_INTEGRITY, digest))


def finished(kind: int, transaction: bytes, attributes: bytes) -> bytes:
    """Write a message with FINGERPRINT and no signature."""
    message = _HEADER.pack(kind, len(attributes) + 8, MAGIC, transaction) + attributes
    return message + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(message) ^ 0x5354554E)
