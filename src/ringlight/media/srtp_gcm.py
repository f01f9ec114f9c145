"""SRTP and SRTCP with AEAD_AES_128_GCM (RFC 7714): one AEAD call a packet."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringlight.media.rtp import HEADER_LENGTH, SEQUENCES, distance

__all__ = ["MAX_SOURCES", "WINDOW", "GcmReceiver", "GcmSender"]

WINDOW = 1024  # packets: how far one may come late, and how far back doubles are noticed
MAX_SOURCES = 16  # SSRCs of one peer; more are noise
TAG = 16  # bytes
_NONCE = struct.Struct("!IQ")


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
