"""SRTP and SRTCP with AES_CM_128_HMAC_SHA1_80 by libsrtp, for peers without GCM."""

from collections.abc import Sequence

import pylibsrtp

from ringlight.errors import fault_error
from ringlight.media.srtp_gcm import WINDOW

__all__ = ["CmReceiver", "CmSender"]


class CmSender:
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


class CmReceiver:
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
