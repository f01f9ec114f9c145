"""SRTP and SRTCP: the two profiles, their keys from the DTLS handshake, and who protects and opens with them.

AEAD_AES_128_GCM is preferred: it costs a third of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ringlight.media.srtp_cm import CmReceiver, CmSender
from ringlight.media.srtp_gcm import GcmReceiver, GcmSender

__all__ = ["PREFERENCE", "Keys", "Profile", "Receiver", "Sender", "receiver", "sender"]


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
    return GcmSender(key, salt) if keys.profile is Profile.GCM else CmSender(key + salt)


def receiver(keys: Keys, *, is_client: bool) -> Receiver:
    """Make the opener for the other side's direction. `is_client`: whether we were the DTLS client."""
    key, salt = (keys.server_key, keys.server_salt) if is_client else (keys.client_key, keys.client_salt)
    return GcmReceiver(key, salt) if keys.profile is Profile.GCM else CmReceiver(key + salt)
