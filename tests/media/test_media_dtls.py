"""The DTLS handshake over datagrams that a test carries, loses and doubles."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from ringlight.errors import RingError
from ringlight.media import dtls, srtp
from ringlight.media.dtls import MTU, Certificate, Dtls, Role, own_certificate
from ringlight.media.srtp import Profile

OWN = own_certificate().fingerprint


def _pair() -> tuple[Dtls, Dtls]:
    return Dtls(Role.CLIENT, OWN), Dtls(Role.SERVER, OWN)


def _carry(client: Dtls, server: Dtls, *, through: Callable[[bytes], list[bytes]] = lambda data: [data]) -> int:
    """Carry datagrams to and fro until both are quiet; return how many there were."""
    count = 0
    for _ in range(20):
        moved = 0
        for one, other in ((client, server), (server, client)):
            for datagram in list(one.outgoing()):
                moved += 1
                for arriving in through(datagram):
                    other.receive(arriving)
        count += moved
        if not moved:
            return count
    raise AssertionError("the two talk for ever")


def _shaken() -> tuple[Dtls, Dtls]:
    client, server = _pair()
    client.start()
    _carry(client, server)
    assert client.keys is not None
    return client, server


def test_both_sides_get_the_same_keys_and_prefer_gcm() -> None:
    client, server = _shaken()
    assert client.keys is not None
    assert server.keys is not None
    assert client.keys == server.keys
    assert client.keys.profile is Profile.GCM
    assert (client.timeout(), server.timeout()) == (None, None)
    packet = b"\x80\x60" + bytes(10) + b"payload"
    opened = srtp.receiver(server.keys, is_client=False).unprotect(
        srtp.sender(client.keys, is_client=True).protect(packet)
    )
    assert opened == packet


def test_only_a_client_begins() -> None:
    client, server = _pair()
    for side in (client, server):
        side.start()
    assert list(server.outgoing()) == []
    assert len(list(client.outgoing())) == 1


def test_doubled_datagrams_change_nothing() -> None:
    client, server = _pair()
    client.start()
    _carry(client, server, through=lambda data: [data, data])
    assert client.keys is not None
    assert client.keys == server.keys


def test_datagrams_hold_whole_records_and_fit_the_path() -> None:
    """1200 bytes is what every path on the way to a browser takes."""
    sizes = []

    def measured(datagram: bytes) -> list[bytes]:
        sizes.append(len(datagram))
        at = 0
        while at < len(datagram):
            at += 13 + int.from_bytes(datagram[at + 11 : at + 13], "big")
        assert at == len(datagram)
        return [datagram]

    client, server = _pair()
    client.start()
    _carry(client, server, through=measured)
    assert max(sizes) <= MTU
    assert len(sizes) < 8


def test_records_are_packed_together_up_to_the_limit() -> None:
    class Filled(Dtls):
        def _records(self):  # type: ignore[no-untyped-def]
            return iter([b"a" * 700, b"b" * 500, b"c" * 1, b"d" * 1199, b"e" * 300])

    assert [len(datagram) for datagram in Filled(Role.CLIENT, OWN).outgoing()] == [1200, 1200, 300]


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_flight_is_sent_again_when_its_time_has_come(lost: int) -> None:
    """OpenSSL waits a second; nothing is sent before."""
    client, server = _pair()
    client.start()
    dropped = 0

    def lossy(datagram: bytes) -> list[bytes]:
        nonlocal dropped
        dropped += 1
        return [] if dropped == lost + 1 else [datagram]

    _carry(client, server, through=lossy)
    waiting = (client, server)[lost]
    assert client.keys is None
    delay = waiting.timeout()
    assert delay is not None
    assert 0.5 < delay <= 1.0
    waiting.retransmit()
    assert list(waiting.outgoing()) == []
    time.sleep(delay + 0.01)  # OpenSSL's own clock; it cannot be told the time
    assert waiting.timeout() == 0
    waiting.retransmit()
    _carry(client, server)
    assert client.keys is not None
    assert client.keys == server.keys


@pytest.mark.parametrize(
    "expected", [Certificate().fingerprint, "", "AB:CD", "Ä" * 95], ids=["other", "none", "short", "odd"]
)
@pytest.mark.parametrize("role", list(Role))
def test_another_certificate_is_refused(role: Role, expected: str) -> None:
    one = Dtls(role, expected)
    other = Dtls(Role.SERVER if role is Role.CLIENT else Role.CLIENT, OWN)
    client, server = (one, other) if role is Role.CLIENT else (other, one)
    client.start()
    with pytest.raises(RingError) as caught:
        _carry(client, server)
    assert caught.value.code == "MEDIA-DTLS"
    assert "certificate" in (caught.value.detail or "")
    assert one.keys is None


def _rsa_side(role: Role, monkeypatch: pytest.MonkeyPatch) -> tuple[Dtls, str]:
    """Return a side with an RSA certificate, as GStreamer and others have it, and its fingerprint."""
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "WebRTC")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_tlsext_use_srtp(srtp.PREFERENCE)
    with monkeypatch.context() as patched:
        patched.setattr(dtls, "_context", lambda: context)
        return Dtls(role, OWN), dtls.fingerprint(certificate)


@pytest.mark.parametrize("role", [Role.CLIENT, Role.SERVER])
def test_the_other_side_may_have_an_rsa_certificate_in_either_role(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    other, fingerprint = _rsa_side(role, monkeypatch)
    ours = Dtls(Role.SERVER if role is Role.CLIENT else Role.CLIENT, fingerprint)
    for side in (other, ours):
        side.start()
    _carry(other, ours)
    assert ours.keys is not None
    assert ours.keys == other.keys
    assert ours.keys.profile is Profile.GCM


def test_the_fingerprint_may_be_written_small() -> None:
    client, server = Dtls(Role.CLIENT, OWN.lower()), Dtls(Role.SERVER, OWN)
    client.start()
    _carry(client, server)
    assert client.keys is not None


def test_the_fingerprint_is_the_one_that_others_compute() -> None:
    from OpenSSL import crypto

    assert crypto.X509.from_cryptography(own_certificate().x509).digest("sha256").decode() == OWN


def test_a_side_without_srtp_is_refused() -> None:
    context = SSL.Context(SSL.DTLS_METHOD)
    certificate = own_certificate()
    context.use_certificate(certificate.x509)
    context.use_privatekey(certificate.key)
    plain = SSL.Connection(context)
    plain.set_connect_state()
    server = Dtls(Role.SERVER, OWN)
    with pytest.raises(RingError) as caught:  # noqa: PT012 - which of the datagrams it is does not matter
        for _ in range(6):
            try:
                plain.do_handshake()
            except SSL.WantReadError:
                server.receive(plain.bio_read(65_536))
                for datagram in server.outgoing():
                    plain.bio_write(datagram)
    assert caught.value.code == "MEDIA-DTLS"
    assert "SRTP" in (caught.value.detail or "")


def test_a_goodbye_is_heard_and_answered_by_no_keys() -> None:
    client, server = _shaken()
    client.close()
    assert client.closed
    assert not server.closed
    _carry(client, server)
    assert server.closed


def test_closing_twice_or_before_the_handshake_says_nothing() -> None:
    client, _ = _pair()
    client.start()
    list(client.outgoing())
    client.close()
    assert list(client.outgoing()) == []
    done, _ = _shaken()
    done.close()
    assert len(list(done.outgoing())) == 1
    done.close()
    assert list(done.outgoing()) == []


@given(
    st.lists(st.binary(min_size=1, max_size=80), max_size=4),
    st.sampled_from([b"", b"\x16\xfe\xfd", b"\x15\xfe\xfd" + bytes(8)]),
)
@settings(max_examples=40)
def test_garbage_neither_ends_a_handshake_nor_an_open_channel(garbage: list[bytes], head: bytes) -> None:
    client, server = _pair()
    client.start()
    for data in garbage:
        server.receive(head + data)
    _carry(client, server)
    assert client.keys is not None
    for data in garbage:
        client.receive(head + data)
        server.receive(head + data)
    assert not client.closed
    assert not server.closed


def test_a_certificate_is_valid_now_and_differs_each_time() -> None:
    """Two days back, so that a clock that is slow is no obstacle."""
    one, other = dtls.Certificate(), dtls.Certificate()
    assert one.fingerprint != other.fingerprint
    assert one.x509.not_valid_before_utc.timestamp() < time.time() - 86_400
    assert one.x509.not_valid_after_utc.timestamp() > time.time() + 86_400
