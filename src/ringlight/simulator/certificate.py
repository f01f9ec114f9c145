"""A certificate for the names of Ring's hosts, for programs that speak to no other names."""

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ringlight.account import endpoints
from ringlight.errors import fault_error
from ringlight.http.serving import Tls
from ringlight.simulator.partner.front import API_HOST, STORAGE_HOST

__all__ = ["HOSTS", "Identity", "identity_in"]

_PERSONS = (
    endpoints.TOKEN, endpoints.SESSION, endpoints.TICKET, endpoints.TICKET_ALIAS, endpoints.SNAPSHOTS,
    endpoints.SIGNALING,
)  # fmt: skip
HOSTS = (*dict.fromkeys(urlsplit(address).hostname or "" for address in _PERSONS), API_HOST, STORAGE_HOST)
LIFE = timedelta(days=30)
RENEW_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """The files.

    Attributes:
        authority: The certificate that a client must trust: for `SSL_CERT_FILE` or `NODE_EXTRA_CA_CERTS`.
        tls: What the server shows.
    """

    authority: Path
    tls: Tls


def identity_in(folder: Path) -> Identity:
    """Return the certificate that a folder holds, made anew if there is none or it ends within a day.

    The authority's own key is never written: it signs this one certificate and is gone, so who trusts the
    file trusts nothing else by it.

    Raises:
        SetupError: CFG-INVALID, the folder cannot be written.
    """
    authority, certificate, key = (folder / name for name in ("ca.pem", "ring.pem", "ring.key"))
    made = Identity(authority, Tls(certificate, key))
    try:
        if _belong_together(made) and _lasts(certificate):
            return made
        folder.mkdir(parents=True, exist_ok=True)
        signer, signer_key = _authority()
        leaf, leaf_key = _signed_by(signer, signer_key)
        _write(key, leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip
        certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        authority.write_bytes(signer.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise fault_error("CFG-INVALID", f"--tls {folder}: {error.strerror}") from error
    return made


def _belong_together(made: Identity) -> bool:
    """Whether the three files are of one making: a start that was interrupted leaves old ones beside new ones."""
    try:
        authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
        leaf = x509.load_pem_x509_certificate(made.tls.certificate.read_bytes())
        key = serialization.load_pem_private_key(made.tls.key.read_bytes(), None)
        leaf.verify_directly_issued_by(authority)
    except (OSError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return key.public_key() == leaf.public_key()


def _lasts(certificate: Path) -> bool:
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    return found.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE and set(HOSTS) <= set(
        names.get_values_for_type(x509.DNSName)
    )


def _begun(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _called("Ringlight simulator")
    # Python 3.13 refuses an authority that does not say, and say as critical, what it may do (RFC 5280 section 4.2.1).
    made = (
        _begun(name, key.public_key())
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made, key


def _signed_by(
    authority: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    own = ec.generate_private_key(ec.SECP256R1())
    names = [*(x509.DNSName(host) for host in (*HOSTS, "localhost")), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        _begun(_called("Ringlight simulator of Ring"), own.public_key())
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made, own


def _write(path: Path, secret: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
