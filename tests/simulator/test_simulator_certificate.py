"""The certificate under which the simulator takes the place of Ring's hosts."""

import asyncio
import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ringlight.errors import SetupError
from ringlight.http.serving import Tls, listen, serving
from ringlight.simulator import certificate
from ringlight.simulator.app import create_app
from ringlight.simulator.certificate import HOSTS, identity_in
from ringlight.simulator.world import World

pytestmark = pytest.mark.anyio


def test_the_names_are_those_that_clients_know_by_heart() -> None:
    assert set(HOSTS) == {
        "oauth.ring.com", "api.ring.com", "prd-api-us.prd.rings.solutions", "app.ring.com", "app-snaps.ring.com",
        "api.prod.signalling.ring.devices.a2z.com", "api.amazonvision.com",
        "download-us-east-1.prod.phoenix.devices.amazon.dev",
    }  # fmt: skip


async def test_a_client_that_trusts_the_file_believes_every_name_of_ring(tmp_path: Path) -> None:
    """As strictly as Python 3.13 and Node do: no field that RFC 5280 asks for is missing."""
    identity = identity_in(tmp_path / "tls")
    trusting = ssl.create_default_context(cafile=str(identity.authority))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    async with serving(create_app(World()), listen("127.0.0.1", 0), identity.tls) as running:
        assert running.url == f"https://127.0.0.1:{running.port}/"
        for host in (*HOSTS, "127.0.0.1", "localhost"):
            _, writer = await asyncio.open_connection(running.host, running.port, ssl=trusting, server_hostname=host)
            writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(running.host, running.port, ssl=trusting, server_hostname="ring.com")


def test_the_same_certificate_is_used_until_a_day_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has once told a client to trust the file need not do so at each start."""
    first = identity_in(tmp_path).authority.read_bytes()
    assert identity_in(tmp_path).authority.read_bytes() == first
    monkeypatch.setattr(certificate, "RENEW_BEFORE", certificate.LIFE + timedelta(hours=1))
    assert identity_in(tmp_path).authority.read_bytes() != first


def test_a_certificate_without_a_name_that_was_added_since_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = identity_in(tmp_path).tls.certificate.read_bytes()
    monkeypatch.setattr(certificate, "HOSTS", (*HOSTS, "new.ring.com"))
    second = identity_in(tmp_path).tls.certificate.read_bytes()
    assert second != first
    (tmp_path / "ring.pem").write_text("no certificate")
    assert identity_in(tmp_path).tls.certificate.read_bytes() not in (first, second)


def test_files_of_two_makings_are_made_anew(tmp_path: Path) -> None:
    """Whoever stopped it between two files would otherwise get a server that cannot start, for thirty days."""
    old, new = identity_in(tmp_path / "old"), identity_in(tmp_path / "new")
    for mixed, other in ((new.tls.key, old.tls.key), (new.authority, old.authority)):
        mixed.write_bytes(other.read_bytes())
        made = identity_in(tmp_path / "new")
        ssl.create_default_context().load_cert_chain(made.tls.certificate, made.tls.key)
        assert mixed.read_bytes() != other.read_bytes()
    new.tls.key.write_text("")
    assert identity_in(tmp_path / "new").tls.key.read_bytes() != b""


def test_nobody_else_can_read_the_key_and_the_authoritys_is_nowhere(tmp_path: Path) -> None:
    """A file that is trusted must not be able to sign anything more."""
    identity = identity_in(tmp_path)
    assert stat.S_IMODE(identity.tls.key.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"ca.pem", "ring.pem", "ring.key"}
    authority = x509.load_pem_x509_certificate(identity.authority.read_bytes())
    own = x509.load_pem_x509_certificate(identity.tls.certificate.read_bytes())
    own.verify_directly_issued_by(authority)
    assert own.public_key() != authority.public_key()


def test_a_folder_that_cannot_be_made_is_a_setting_to_correct(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="CFG-INVALID"):
        identity_in(tmp_path / "file" / "tls")


def test_the_two_files_are_named_for_the_server(tmp_path: Path) -> None:
    assert identity_in(tmp_path).tls == Tls(tmp_path / "ring.pem", tmp_path / "ring.key")
