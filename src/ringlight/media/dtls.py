"""DTLS over datagrams that somebody else carries: certificate, handshake, keys for SRTP (RFC 5764)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

from ringlight.errors import fault_error
from ringlight.media import srtp

MTU = 1200  # bytes of one datagram; the least that WebRTC may count on
LABEL = b"EXTRACTOR-dtls_srtp"
_RECORD_HEADER = 13  # bytes; the last two are the record's length


class Role(Enum):
    """Who begins the handshake: `a=setup:active` is the client."""

    CLIENT = "active"
    SERVER = "passive"


class Certificate:
    """A self-signed certificate; its fingerprint goes into the SDP.

    Elliptic curve P-256, since every WebRTC stack takes it. Valid for a year around now; nobody checks.
    """

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ringlight")])
        now = datetime.now(UTC)
        self.x509 = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=365))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 as the SDP writes it: `AA:BB:…`."""
        return fingerprint(self.x509)


@cache
def own_certificate() -> Certificate:
    """Return the certificate of this process, made at the first call."""
    return Certificate()


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint of a certificate as the SDP writes it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


@cache
def _context() -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    # The fingerprint in the SDP is what is checked, when the handshake is done.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    certificate = own_certificate()
    context.use_certificate(certificate.x509)
    context.use_privatekey(certificate.key)
    context.set_cipher_list(b"HIGH:!aNULL:!MD5:!CAMELLIA")
    context.set_tlsext_use_srtp(srtp.PREFERENCE)
    return context


class Dtls:
    """One handshake. Feed datagrams, send what `outgoing()` yields, and ask for `keys` when it is done.

    Args:
        role: Which side we are.
        fingerprint: SHA-256 of the other side's certificate, from its SDP.
    """

    def __init__(self, role: Role, fingerprint: str) -> None:
        self.role = role
        self._expected = fingerprint.upper()
        self.keys: srtp.Keys | None = None
        self.closed = False
        self._settled = False
        self._farewell = b""
        self._connection = SSL.Connection(_context())
        self._connection.set_options(SSL.OP_NO_QUERY_MTU)
        self._connection.set_ciphertext_mtu(MTU)
        if role is Role.CLIENT:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def start(self) -> None:
        """Begin, where we are the client; a server waits.

        Raises:
            MediaError: MEDIA-DTLS.
        """
        if self.role is Role.CLIENT:
            self._advance()

    def receive(self, datagram: bytes) -> None:
        """Take a datagram of the other side.

        Raises:
            MediaError: MEDIA-DTLS where the handshake failed or the certificate is another one.
        """
        if self._settled:
            return
        self._connection.bio_write(datagram)
        if self.keys is None:
            self._advance()
        else:
            self._read_alerts()

    def outgoing(self) -> Iterator[bytes]:
        """Yield the datagrams to send, each of whole records and at most `MTU` bytes."""
        if self._settled:
            farewell, self._farewell = (self._farewell, b"") if self.closed else (b"", self._farewell)
            if farewell:
                yield farewell
            return
        datagram = b""
        for record in self._records():
            if datagram and len(datagram) + len(record) > MTU:
                yield datagram
                datagram = b""
            datagram += record
        if datagram:
            yield datagram

    def timeout(self) -> float | None:
        """Seconds until `retransmit` is due, or `None` when nothing is outstanding."""
        if self.keys is not None or self.closed:
            return None
        return self._connection.DTLSv1_get_timeout()

    def retransmit(self) -> None:
        """Send the last flight again if its time has come.

        Raises:
            MediaError: MEDIA-DTLS when it was repeated too often.
        """
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error as error:
            raise fault_error("MEDIA-DTLS", "the handshake got no answer") from error

    def settle(self) -> None:
        """Free what only the handshake needed, some 80 kB; the goodbye is written now, for later.

        Call it when the other side has surely finished: whatever it sends from now on is left unread.
        """
        if self.keys is None or self.closed or self._settled:
            return
        try:
            self._connection.shutdown()
        except SSL.Error:
            return
        self._farewell = b"".join(self._records())
        self._settled = True
        del self._connection

    @property
    def settled(self) -> bool:
        """Whether `settle` has freed the handshake."""
        return self._settled

    def close(self) -> None:
        """Say goodbye; `outgoing()` then yields the alert."""
        if not self.closed and self.keys is not None:
            self.closed = True
            if self._settled:
                return
            try:
                self._connection.shutdown()
            except SSL.Error:  # the other side may be gone; there is nobody to tell
                return

    def _advance(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise fault_error("MEDIA-DTLS", f"OpenSSL: {_reason(error)}") from error
        self._verify()
        profile = srtp.Profile.by_name(self._connection.get_selected_srtp_profile())
        if profile is None:
            raise fault_error("MEDIA-DTLS", "no SRTP profile in common")
        length = 2 * (profile.key_length + profile.salt_length)
        self.keys = srtp.Keys.split(profile, self._connection.export_keying_material(LABEL, length))

    def _verify(self) -> None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        seen = fingerprint(certificate) if certificate else "none"
        if seen != self._expected:
            raise fault_error("MEDIA-DTLS", "the certificate is not the one named in the SDP")

    def _read_alerts(self) -> None:
        try:
            self._connection.recv(MTU)
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error:  # nothing to read, or noise on an established channel: neither ends it
            return

    def _records(self) -> Iterator[bytes]:
        data = b""
        while True:
            try:
                data += self._connection.bio_read(65536)
            except (SSL.WantReadError, SSL.Error):
                break
        while len(data) >= _RECORD_HEADER:
            end = _RECORD_HEADER + int.from_bytes(data[11:13], "big")
            yield data[:end]
            data = data[end:]


def _reason(error: SSL.Error | crypto.Error) -> str:
    reasons = error.args[0] if error.args else ()
    return reasons[-1][-1] if isinstance(reasons, list) and reasons else "no reason given"
