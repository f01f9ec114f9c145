"""Certificates of the tests' own: an authority, and what it signs, good or wrong in each way there is."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


class Authority:
    """Signs for this machine.

    Attributes:
        trusted: The file that clients trust.
        certificate: The file that a server shows, as it was put there last.
        key: Its key.
    """

    def __init__(self, folder: Path) -> None:
        self.trusted, self.certificate, self.key = (folder / name for name in ("ca.pem", "own.pem", "own.key"))
        self._signer, self._loose = self._made("tests", None), self._made("tests, loosely", None, usage=False)
        both = (one.public_bytes(serialization.Encoding.PEM) for one, _ in (self._signer, self._loose))
        self.trusted.write_bytes(b"".join(both))

    def put(self, kind: str) -> None:
        """Put a certificate there: `good`, `expired`, `early`, `name`, `issuer` or `usage`.

        With `usage` its authority is trusted, but does not say what its key is for, as `openssl req -x509` leaves it.
        """
        since, until = {"expired": (-9, -1), "early": (1, 9)}.get(kind, (-1, 9))
        others = {"issuer": self._made("somebody else", None), "usage": self._loose}
        signer = others.get(kind, self._signer)
        name = "elsewhere.example" if kind == "name" else "localhost"
        certificate, key = self._made("tests' server", signer, name, since * DAY, until * DAY)
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def _made(
        self, subject: str, signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None, name: str = "",
        since: timedelta = -DAY, until: timedelta = 9 * DAY, *, usage: bool = True,
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:  # fmt: skip
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        issuer, by = (_called(subject), key) if signer is None else (signer[0].subject, signer[1])
        begun = (
            x509.CertificateBuilder()
            .subject_name(_called(subject)).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now + since).not_valid_after(now + until)
            .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        )  # fmt: skip
        if usage:  # RFC 5280 section 4.2.1.3; Python insists on it since 3.13
            begun = begun.add_extension(_usage(signs=signer is None), critical=True)
        if name:
            names: list[x509.GeneralName] = [x509.DNSName(name)]
            if name == "localhost":
                names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
            begun = begun.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return begun.sign(by, hashes.SHA256()), key
