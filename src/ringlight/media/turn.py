"""Asking a STUN server for our address, and a TURN server for one of its own (RFC 8489, RFC 8656). Pure.

As much of TURN as it takes to know whether a server would help: an allocation, one packet through it and back, and
giving it back. Media goes through TURN in browsers, which do it themselves.
"""

import hashlib
import struct
from dataclasses import dataclass

from ringlight.media import stun
from ringlight.secrets import Secret

__all__ = ["Allocated", "Allocation", "Permitted", "Refused", "Send", "arrived", "binding", "mapped_address",
           "passed_on", "whole"]  # fmt: skip

ALLOCATE, REFRESH, CREATE_PERMISSION = 0x003, 0x004, 0x008
SEND_INDICATION, DATA_INDICATION = 0x0016, 0x0017
XOR_PEER_ADDRESS, DATA = 0x0012, 0x0013
SUCCESS, ERROR = 0x0100, 0x0110
LIFETIME, XOR_RELAYED, REQUESTED_TRANSPORT, REALM, NONCE = 0x000D, 0x0016, 0x0019, 0x0014, 0x0015
UDP = struct.pack("!B3x", 17)  # RFC 8656 section 18.7
UNAUTHORIZED, STALE_NONCE = 401, 438
ASKED_TWICE = 3  # times that a server may want a new nonce


@dataclass(frozen=True, slots=True)
class Send:
    """Send this, again after a while without an answer (RFC 8489 section 6.2.1)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Allocated:
    """The server lends an address.

    Attributes:
        relayed: The address at the server.
        mapped: Ours, as the server sees it; `None` where it does not say.
        lifetime: Seconds.
        goodbye: Gives it back.
    """

    relayed: tuple[str, int]
    mapped: tuple[str, int] | None
    lifetime: int
    goodbye: bytes


@dataclass(frozen=True, slots=True)
class Permitted:
    """The server passes on what comes from the address that was named."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server lends no address, or lets nobody write to it.

    Attributes:
        number: Of the error (RFC 8656 section 19), for example 401; 0 for an answer that cannot be read.
        reason: The server's words.
    """

    number: int
    reason: str


class Allocation:
    """One allocation over UDP or TCP, by the long-term credentials of RFC 8489 section 9.2.

    Args:
        username: The name; with coturn's shared secret it tells until when it is good.
        password: What goes with it.
        transactions: Three and more names of 12 bytes that nobody can guess.
    """

    def __init__(self, username: str, password: Secret, transactions: list[bytes]) -> None:
        self._username = username
        self._password = password
        self._transactions = iter(transactions)
        self._transaction = b""
        self._tries = 0
        self._realm = self._nonce = b""
        self._asked: tuple[int, bytes] = (ALLOCATE, b"")

    def begin(self) -> Send:
        """Ask without a name: the server answers with its realm and a nonce."""
        self._transaction = next(self._transactions)
        self._asked = ALLOCATE, stun.attribute(REQUESTED_TRANSPORT, UDP)
        return Send(stun.finished(ALLOCATE, self._transaction, self._asked[1]))

    def permit(self, peer: tuple[str, int]) -> Send:
        """Ask that what comes from this address be passed on, whatever its port (RFC 8656 section 9)."""
        self._transaction = next(self._transactions)
        address = stun.attribute(XOR_PEER_ADDRESS, stun.xored(peer, self._transaction))
        self._asked = CREATE_PERMISSION, address
        return Send(self._signed(CREATE_PERMISSION, address))

    def receive(self, data: bytes) -> Send | Allocated | Permitted | Refused | None:
        """Take what came; `None` for what is not the answer."""
        read = stun.read(data)
        if read is None or read[1] != self._transaction:
            return None
        kind, transaction, found, _ = read
        if kind == ALLOCATE | SUCCESS:
            relayed = stun.unxored(found.get(XOR_RELAYED, b""), transaction)
            if relayed is None:
                return Refused(0, "the answer names no relayed address")
            mapped = stun.unxored(found.get(stun.XOR_MAPPED_ADDRESS, b""), transaction)
            lifetime = int.from_bytes(found.get(LIFETIME, b""), "big")
            return Allocated(relayed, mapped, lifetime, self._write(REFRESH, stun.attribute(LIFETIME, bytes(4))))
        method, attributes = self._asked
        if kind == CREATE_PERMISSION | SUCCESS:
            return Permitted()
        if kind != method | ERROR:
            return None
        value = found.get(stun.ERROR_CODE, b"").ljust(4, b"\0")
        number, reason = (value[2] & 7) * 100 + value[3], value[4:].decode(errors="replace")[:80]
        renews = number == STALE_NONCE or (number == UNAUTHORIZED and not self._nonce)
        if not renews or self._tries >= ASKED_TWICE or not found.get(NONCE):
            return Refused(number, reason)
        self._tries += 1
        self._realm, self._nonce = found.get(REALM, self._realm), found[NONCE]
        if method == CREATE_PERMISSION:
            peer = stun.unxored(attributes[4:], self._transaction)
            return Refused(number, reason) if peer is None else self.permit(peer)
        return Send(self._write(method, attributes))

    def _write(self, method: int, attributes: bytes) -> bytes:
        self._transaction = next(self._transactions)
        return self._signed(method, attributes)

    def _signed(self, method: int, attributes: bytes) -> bytes:
        attributes += stun.attribute(stun.USERNAME, self._username.encode())
        attributes += stun.attribute(REALM, self._realm) + stun.attribute(NONCE, self._nonce)
        secret = f"{self._username}:{self._realm.decode(errors='replace')}:{self._password.reveal()}"
        # MD5 is what the protocol makes the key of (RFC 8489 section 9.2.2); servers of today know no other.
        key = hashlib.md5(secret.encode(), usedforsecurity=False).digest()
        return stun.signed(method, self._transaction, attributes, key)


def passed_on(peer: tuple[str, int], data: bytes, transaction: bytes) -> bytes:
    """Write what the server is to pass on to a peer (a Send indication, RFC 8656 section 11.1)."""
    attributes = stun.attribute(XOR_PEER_ADDRESS, stun.xored(peer, transaction)) + stun.attribute(DATA, data)
    return stun.finished(SEND_INDICATION, transaction, attributes)


def arrived(data: bytes) -> tuple[tuple[str, int], bytes] | None:
    """Read what a peer wrote to the lent address, and whence (a Data indication); `None` for anything else."""
    read = stun.read(data)
    if read is None or read[0] != DATA_INDICATION:
        return None
    peer = stun.unxored(read[2].get(XOR_PEER_ADDRESS, b""), read[1])
    return None if peer is None else (peer, read[2].get(DATA, b""))


def binding(transaction: bytes) -> bytes:
    """Write the question under which address a STUN server sees us."""
    return stun.finished(stun.BINDING_REQUEST, transaction, b"")


def mapped_address(data: bytes, transaction: bytes) -> tuple[str, int] | None:
    """Read the answer to it; `None` for anything else."""
    read = stun.read(data)
    if read is None or read[0] != stun.BINDING_SUCCESS or read[1] != transaction:
        return None
    return stun.unxored(read[2].get(stun.XOR_MAPPED_ADDRESS, b""), transaction)


def whole(buffer: bytes) -> int | None:
    """Return how long the message is with which a TCP stream begins; `None` while that is not known."""
    return 20 + int.from_bytes(buffer[2:4], "big") if len(buffer) >= 20 else None
