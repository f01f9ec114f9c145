"""SRTP and SRTCP: AEAD_AES_128_GCM (RFC 7714) by one AEAD call a packet, AES_CM_128_HMAC_SHA1_80 by libsrtp.

GCM is preferred: it costs a third of the other. Keys come from the DTLS handshake.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import pylibsrtp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringlight.errors import fault_error
from ringlight.media.rtp import HEADER_LENGTH, SEQUENCES, distance

WINDOW = 1024  # packets: how far one may come late, and how far back doubles are noticed
MAX_SOURCES = 16  # SSRCs of one peer; more are noise
TAG = 16  # bytes
_NONCE = struct.Struct("!IQ")


class Profile(Enum):
    """A protection profile: its name in DTLS, and the lengths of master key and salt in bytes."""

    GCM = (b"SRTP_AEAD_AES_128_GCM", 16, 12)
    CM = (b"SRTP_AES128_CM_SHA1_80", 16, 14)

    def __init__(self, dtls_name: bytes, key: int, salt: int) -> None:
        self.dtls_name = dtls_name
        self.key_length = key
        self.salt_length = salt

    @classmethod
    def by_name(cls, name: bytes) -> "Profile | None":
        """Return the profile that a handshake has chosen, or `None` for none of ours."""
        return next((profile for profile in cls if profile.dtls_name == name), None)


PREFERENCE = b":".join(profile.dtls_name for profile in Profile)


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The master keys of both directions, from the DTLS exporter (RFC 5764 section 4.2)."""

    profile: Profile
    client_key: bytes
    client_salt: bytes
    server_key: bytes
    server_salt: bytes

    @classmethod
    def split(cls, profile: Profile, material: bytes) -> "Keys":
        """Cut exported material: client key, server key, client salt, server salt."""
        key, salt = profile.key_length, profile.salt_length
        return cls(
            profile,
            material[:key],
            material[2 * key : 2 * key + salt],
            material[key : 2 * key],
            material[2 * key + salt :],
        )


class Sender(Protocol):
    """Protects what goes out."""

    def protect_all(
        self, ssrc: int, headers: Sequence[bytes], payloads: Sequence[bytes], indexes: Sequence[int]
    ) -> list[bytes]:
        """Return the SRTP packets of one source, whose numbers are given without the circle.

        The first number ever given for a source begins its first round. A number may be given again
        for the very same packet only.
        """

    def protect(self, packet: bytes) -> bytes:
        """Return the SRTP packet for an RTP packet with a header of 12 bytes."""

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Return the SRTCP packet for a compound RTCP packet."""


class Receiver(Protocol):
    """Opens what comes in; `None` for what is forged, doubled or too old.

    Attributes:
        forged: Packets that were not made with the keys.
        replayed: Packets that had come before, or too late to tell.
    """

    forged: int
    replayed: int

    def unprotect(self, packet: bytes) -> bytes | None:
        """Return the RTP packet."""

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """Return the RTCP packet."""


def sender(keys: Keys, *, is_client: bool) -> Sender:
    """Make the protector for our direction. `is_client`: whether we were the DTLS client."""
    key, salt = (keys.client_key, keys.client_salt) if is_client else (keys.server_key, keys.server_salt)
    return GcmSender(key, salt) if keys.profile is Profile.GCM else _CmSender(key + salt)


def receiver(keys: Keys, *, is_client: bool) -> Receiver:
    """Make the opener for the other side's direction. `is_client`: whether we were the DTLS client."""
    key, salt = (keys.server_key, keys.server_salt) if is_client else (keys.client_key, keys.client_salt)
    return GcmReceiver(key, salt) if keys.profile is Profile.GCM else _CmReceiver(key + salt)


def _derive(key: bytes, salt: bytes, label: int, length: int) -> bytes:
    """Derive a session key (RFC 3711 section 4.3.3, index 0; RFC 7714 section 11 for the salt's padding)."""
    block = bytearray(salt + bytes(16 - len(salt)))
    block[7] ^= label
    return Cipher(algorithms.AES(key), modes.CTR(bytes(block))).encryptor().update(bytes(length))


class _Gcm:
    """The session keys of one direction, and the nonces."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._rtp = AESGCM(_derive(key, salt, 0, 16))
        self._rtp_salt = int.from_bytes(_derive(key, salt, 2, 12), "big")
        self._rtcp = AESGCM(_derive(key, salt, 3, 16))
        self._rtcp_salt = int.from_bytes(_derive(key, salt, 5, 12), "big")

    def _nonce(self, ssrc: int, index: int) -> bytes:
        """RFC 7714 section 8.1: 00 00, SSRC, rollover counter, sequence, all xor the salt.

        A packet from before the first one has a negative index: its counter runs backwards from zero.
        """
        return (self._rtp_salt ^ (ssrc << 48 | index % (1 << 48))).to_bytes(12, "big")

    def _rtcp_nonce(self, ssrc: int, index: int) -> bytes:
        """RFC 7714 section 9.1: 00 00, SSRC, 00 00, index of 31 bits, all xor the salt."""
        return (self._rtcp_salt ^ (ssrc << 48 | index)).to_bytes(12, "big")


class GcmSender(_Gcm):
    """Protects with AEAD_AES_128_GCM. Counts the rollovers of each of our SSRCs."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        super().__init__(key, salt)
        self._highest: dict[int, int] = {}
        self._rounds: dict[int, tuple[int, int, int]] = {}
        self._rtcp_index = 0

    def protect_all(
        self, ssrc: int, headers: Sequence[bytes], payloads: Sequence[bytes], indexes: Sequence[int]
    ) -> list[bytes]:
        """Return the SRTP packets. This is the busiest line of the program: one call of OpenSSL for each packet."""
        known = self._rounds.get(ssrc)
        if known is None:
            # The salt and SSRC of the nonce stay the same; the index below touches the lower half only.
            nonce = self._rtp_salt ^ ssrc << 48
            first_round = indexes[0] - indexes[0] % SEQUENCES
            known = self._rounds[ssrc] = (nonce >> 64, nonce & (1 << 64) - 1, first_round)
        high, low, first_round = known
        encrypt, pack = self._rtp.encrypt, _NONCE.pack
        return [
            header + encrypt(pack(high, low ^ (index - first_round)), payload, header)
            for header, payload, index in zip(headers, payloads, indexes, strict=True)
        ]

    def protect(self, packet: bytes) -> bytes:
        """Return the SRTP packet; sequence numbers may come out of order by less than half a circle."""
        sequence = packet[2] << 8 | packet[3]
        ssrc = int.from_bytes(packet[8:12], "big")
        highest = self._highest.get(ssrc, sequence)
        index = highest + distance(sequence, highest % SEQUENCES)
        self._highest[ssrc] = max(highest, index)
        header = packet[:HEADER_LENGTH]
        return header + self._rtp.encrypt(self._nonce(ssrc, index), packet[HEADER_LENGTH:], header)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Return the SRTCP packet (RFC 7714 section 9.2: the index is authenticated too)."""
        self._rtcp_index = (self._rtcp_index + 1) & 0x7FFFFFFF
        word = struct.pack("!I", 0x80000000 | self._rtcp_index)
        nonce = self._rtcp_nonce(int.from_bytes(packet[4:8], "big"), self._rtcp_index)
        return packet[:8] + self._rtcp.encrypt(nonce, packet[8:], packet[:8] + word) + word


@dataclass(slots=True)
class _Window:
    """What has come of one SSRC: the highest index, and a bit for each of the last `WINDOW`."""

    highest: int
    seen: int = 0

    def index_of(self, sequence: int) -> int:
        return self.highest + distance(sequence, self.highest % SEQUENCES)

    def is_new(self, index: int) -> bool:
        behind = self.highest - index
        return index >= 0 and behind < WINDOW and (behind < 0 or not self.seen >> behind & 1)

    def note(self, index: int) -> None:
        behind = self.highest - index
        if behind < 0:
            self.seen = (self.seen << -behind | 1) & ((1 << WINDOW) - 1) if -behind < WINDOW else 1
            self.highest = index
        else:
            self.seen |= 1 << behind


class GcmReceiver(_Gcm):
    """Opens AEAD_AES_128_GCM, and drops what is forged or doubled (RFC 3711 section 3.3.2)."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        super().__init__(key, salt)
        self.forged = self.replayed = 0
        self._windows: dict[int, _Window] = {}
        self._rtcp_windows: dict[int, _Window] = {}

    def unprotect(self, packet: bytes) -> bytes | None:
        """Return the RTP packet, or `None`."""
        if len(packet) < HEADER_LENGTH + TAG:
            self.forged += 1
            return None
        sequence = packet[2] << 8 | packet[3]
        ssrc = int.from_bytes(packet[8:12], "big")
        window = self._windows.get(ssrc) or _Window(sequence)
        index = window.index_of(sequence)
        if not window.is_new(index):
            self.replayed += 1
            return None
        end = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
        if packet[0] & 0x10:
            end += 4 + 4 * int.from_bytes(packet[end + 2 : end + 4], "big")
        try:
            payload = self._rtp.decrypt(self._nonce(ssrc, index), packet[end:], packet[:end])
        except InvalidTag:
            self.forged += 1
            return None
        if self._remember(self._windows, ssrc, window):
            window.note(index)
            return packet[:end] + payload
        return None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """Return the RTCP packet, or `None`; an unencrypted one is only authenticated."""
        if len(packet) < 8 + TAG + 4:
            self.forged += 1
            return None
        word = packet[-4:]
        index = int.from_bytes(word, "big") & 0x7FFFFFFF
        ssrc = int.from_bytes(packet[4:8], "big")
        window = self._rtcp_windows.get(ssrc) or _Window(index)
        if not window.is_new(index):
            self.replayed += 1
            return None
        nonce = self._rtcp_nonce(ssrc, index)
        try:
            if word[0] & 0x80:
                plain = packet[:8] + self._rtcp.decrypt(nonce, packet[8:-4], packet[:8] + word)
            else:
                self._rtcp.decrypt(nonce, packet[-4 - TAG : -4], packet[: -4 - TAG] + word)
                plain = packet[: -4 - TAG]
        except InvalidTag:
            self.forged += 1
            return None
        if self._remember(self._rtcp_windows, ssrc, window):
            window.note(index)
            return plain
        return None

    @staticmethod
    def _remember(windows: dict[int, _Window], ssrc: int, window: _Window) -> bool:
        if ssrc not in windows:
            if len(windows) >= MAX_SOURCES:
                return False
            windows[ssrc] = window
        return True


class _CmSender:
    """Protects with AES_CM_128_HMAC_SHA1_80, for peers without GCM."""

    def __init__(self, key: bytes) -> None:
        self._session = pylibsrtp.Session(_policy(key, pylibsrtp.Policy.SSRC_ANY_OUTBOUND))

    def protect_all(
        self, ssrc: int, headers: Sequence[bytes], payloads: Sequence[bytes], indexes: Sequence[int]
    ) -> list[bytes]:
        """Return the SRTP packets; libsrtp counts the rounds itself."""
        return [self.protect(header + payload) for header, payload in zip(headers, payloads, strict=True)]

    def protect(self, packet: bytes) -> bytes:
        """Return the SRTP packet."""
        try:
            return bytes(self._session.protect(packet))
        except pylibsrtp.Error as error:
            raise fault_error("MEDIA-DTLS", f"libsrtp: {error}") from error

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Return the SRTCP packet."""
        return bytes(self._session.protect_rtcp(packet))


class _CmReceiver:
    """Opens AES_CM_128_HMAC_SHA1_80."""

    def __init__(self, key: bytes) -> None:
        self.forged = self.replayed = 0
        self._session = pylibsrtp.Session(_policy(key, pylibsrtp.Policy.SSRC_ANY_INBOUND))

    def unprotect(self, packet: bytes) -> bytes | None:
        """Return the RTP packet, or `None`."""
        try:
            return bytes(self._session.unprotect(packet))
        except (pylibsrtp.Error, ValueError) as error:  # ValueError: longer than libsrtp takes
            self._count(error)
            return None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """Return the RTCP packet, or `None`."""
        try:
            return bytes(self._session.unprotect_rtcp(packet))
        except (pylibsrtp.Error, ValueError) as error:
            self._count(error)
            return None

    def _count(self, error: Exception) -> None:
        if str(error).startswith("replay"):
            self.replayed += 1
        else:
            self.forged += 1


def _policy(key: bytes, direction: int) -> pylibsrtp.Policy:
    policy = pylibsrtp.Policy(
        key=key, ssrc_type=direction, srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80
    )
    policy.allow_repeat_tx = True
    policy.window_size = WINDOW
    return policy
