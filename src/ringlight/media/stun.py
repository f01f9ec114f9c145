"""The part of STUN that an ICE-lite endpoint answers (RFC 8489, RFC 8445 section 7.3). Pure."""

import hmac
import struct
import zlib
from dataclasses import dataclass
from ipaddress import ip_address

MAGIC = 0x2112A442
BINDING_REQUEST, BINDING_SUCCESS, BINDING_ERROR = 0x0001, 0x0101, 0x0111
USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, XOR_MAPPED_ADDRESS = 0x0006, 0x0008, 0x0009, 0x0020
USE_CANDIDATE, FINGERPRINT = 0x0025, 0x8028
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
        at = self._integrity_at
        if at is None:
            return False
        # The length field counts up to and with the attribute itself (RFC 8489 section 14.5).
        signed = self._data[:2] + struct.pack("!H", at + 24 - 20) + self._data[4:at]
        digest = hmac.digest(password.encode(), signed, "sha1")
        return hmac.compare_digest(digest, self._data[at + 4 : at + 24])


def parse_request(data: bytes) -> Request | None:
    """Read a binding request; `None` for anything else, or for what is broken."""
    if len(data) < 20:
        return None
    kind, length, magic, transaction = _HEADER.unpack_from(data)
    if kind != BINDING_REQUEST or magic != MAGIC or length != len(data) - 20 or length % 4:
        return None
    username, nominates, integrity_at = "", False, None
    at = 20
    while at + 4 <= len(data):
        attribute, size = struct.unpack_from("!HH", data, at)
        value = data[at + 4 : at + 4 + size]
        if len(value) < size:
            return None
        if attribute == MESSAGE_INTEGRITY and size == 20:
            integrity_at = at
            break  # what comes behind is not signed
        if attribute == USERNAME:
            username = value.decode("utf-8", "replace")
        nominates |= attribute == USE_CANDIDATE
        at += 4 + size + -size % 4
    return Request(transaction, username, nominates, data, integrity_at)


def success(transaction: bytes, password: str, address: tuple[str, int]) -> bytes:
    """Write the answer that tells the sender its own address."""
    return _signed(BINDING_SUCCESS, transaction, _attribute(XOR_MAPPED_ADDRESS, _xored(address, transaction)), password)


def error(transaction: bytes, number: int, reason: str) -> bytes:
    """Write an error answer, for example 401 for a wrong password. It is not signed."""
    value = struct.pack("!HBB", 0, number // 100, number % 100) + reason.encode()
    return _finished(BINDING_ERROR, transaction, _attribute(ERROR_CODE, value))


def _xored(address: tuple[str, int], transaction: bytes) -> bytes:
    ip = ip_address(address[0])
    mask = struct.pack("!I", MAGIC) + transaction
    packed = bytes(a ^ b for a, b in zip(ip.packed, mask, strict=False))
    return struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, address[1] ^ MAGIC >> 16) + packed


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _signed(kind: int, transaction: bytes, attributes: bytes, password: str) -> bytes:
    head = _HEADER.pack(kind, len(attributes) + 24, MAGIC, transaction)
    digest = hmac.digest(password.encode(), head + attributes, "sha1")
    return _finished(kind, transaction, attributes + _attribute(MESSAGE_INTEGRITY, digest))


def _finished(kind: int, transaction: bytes, attributes: bytes) -> bytes:
    message = _HEADER.pack(kind, len(attributes) + 8, MAGIC, transaction) + attributes
    return message + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(message) ^ 0x5354554E)
