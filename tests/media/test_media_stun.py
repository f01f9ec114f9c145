"""Connectivity checks, with aioice as the other side: it makes the requests and reads our answers."""

import pytest
from aioice import stun as theirs
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media import stun

PASSWORD = "our-password"
ID = bytes(range(12))


def _request(
    *, username: str = "ours:theirs", nominates: bool = False, password: str | None = PASSWORD, fingerprint: bool = True
) -> bytes:
    message = theirs.Message(theirs.Method.BINDING, theirs.Class.REQUEST, transaction_id=ID)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1_853_817_087
    message.attributes["ICE-CONTROLLING"] = 77
    if nominates:
        message.attributes["USE-CANDIDATE"] = None
    if password is not None:
        message.add_message_integrity(password.encode())
    elif fingerprint:
        message.add_fingerprint()
    return bytes(message)


def _parsed(data: bytes) -> stun.Request:
    request = stun.parse_request(data)
    assert request is not None
    return request


@pytest.mark.parametrize("nominates", [True, False])
@pytest.mark.parametrize("username", ["ours:theirs", "a:b", "abc:defgh"])
def test_a_check_is_read_and_its_signature_verified(username: str, nominates: bool) -> None:
    request = _parsed(_request(username=username, nominates=nominates))
    assert (request.transaction, request.username, request.nominates) == (ID, username, nominates)
    assert request.is_signed_with(PASSWORD)
    assert not request.is_signed_with("other")


def test_a_check_without_signature_is_signed_by_nobody() -> None:
    assert not _parsed(_request(password=None)).is_signed_with(PASSWORD)
    assert not _parsed(_request(password=None, fingerprint=False)).is_signed_with("")


def test_a_changed_byte_breaks_the_signature() -> None:
    data = bytearray(_request())
    at = data.index(b"ours")
    data[at] = ord("x")
    request = _parsed(bytes(data))
    assert request.username == "xurs:theirs"
    assert not request.is_signed_with(PASSWORD)


def test_what_stands_behind_the_signature_does_not_count() -> None:
    """Anybody on the way could add a nomination there (RFC 8489 section 14.5)."""
    data = _request()
    data = data[:2] + (len(data) - 20 + 4).to_bytes(2, "big") + data[4:] + b"\x00\x25\x00\x00"
    request = _parsed(data)
    assert request.is_signed_with(PASSWORD)
    assert not request.nominates


@pytest.mark.parametrize("address", [("192.0.2.7", 50_000), ("2001:db8::7", 443)])
def test_the_answer_tells_the_sender_its_address_and_is_signed(address: tuple[str, int]) -> None:
    data = stun.success(ID, PASSWORD, address)
    answer = theirs.parse_message(data)  # checks the fingerprint
    assert answer.check_message_integrity(PASSWORD.encode())
    assert not answer.check_message_integrity(b"other")
    assert answer.transaction_id == ID
    assert answer.message_class is theirs.Class.RESPONSE
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == address


def test_an_error_carries_its_number() -> None:
    answer = theirs.parse_message(stun.error(ID, 401, "Unauthorized"))
    assert answer.message_class is theirs.Class.ERROR
    assert answer.attributes["ERROR-CODE"] == (401, "Unauthorized")
    assert answer.transaction_id == ID


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _request()[:19],
        _request()[:-4],
        _request() + bytes(4),
        b"\x01\x01" + _request()[2:],
        _request()[:4] + bytes(4) + _request()[8:],
        b"\0\1\0\3" + _request()[4:20] + b"abc",
        b"\0\1\0\4" + _request()[4:20] + b"\0\6\0\5",
    ],
    ids=["empty", "short", "cut", "tail", "answer", "cookie", "odd length", "long attribute"],
)
def test_what_is_no_check_is_none(data: bytes) -> None:
    assert stun.parse_request(data) is None


@given(st.binary(max_size=120), st.booleans())
def test_garbage_is_never_signed_and_never_an_exception(tail: bytes, headed: bool) -> None:
    data = b"\0\1" + (len(tail)).to_bytes(2, "big") + _request()[4:20] + tail if headed else tail
    request = stun.parse_request(data)
    if request is not None:
        assert not request.is_signed_with(PASSWORD)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_damaged_check_is_never_an_exception(at: int, change: int) -> None:
    data = bytearray(_request(nominates=True))
    data[at % len(data)] ^= change
    request = stun.parse_request(bytes(data))
    if request is not None and at % len(data) < len(data) - 8:  # the fingerprint behind is not signed
        assert not request.is_signed_with(PASSWORD)
