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


# Asking: the other half, for connections over TCP


def test_aioice_reads_our_check() -> None:
    data = stun.request(
        ID, "theirs:ours", PASSWORD, priority=1_509_957_375, tie_breaker=77, controlling=True, nominates=True
    )
    message = theirs.parse_message(data)  # checks the fingerprint
    assert message.check_message_integrity(PASSWORD.encode())
    assert message.transaction_id == ID
    assert message.attributes["USERNAME"] == "theirs:ours"
    assert message.attributes["PRIORITY"] == 1_509_957_375
    assert message.attributes["ICE-CONTROLLING"] == 77
    assert "USE-CANDIDATE" in message.attributes
    answering = stun.request(ID, "a:b", PASSWORD, priority=1, tie_breaker=78, controlling=False)
    assert theirs.parse_message(answering).attributes["ICE-CONTROLLED"] == 78
    assert "USE-CANDIDATE" not in theirs.parse_message(answering).attributes


def test_answers_are_read_and_told_from_refusals() -> None:
    good = stun.parse_response(stun.success(ID, PASSWORD, ("192.0.2.7", 443)))
    assert good is not None
    assert (good.transaction, good.error, good.is_signed_with(PASSWORD)) == (ID, None, True)
    assert not good.is_signed_with("other")
    bad = stun.parse_response(stun.error(ID, 487, "Role Conflict"))
    assert bad is not None
    assert (bad.error, bad.is_signed_with(PASSWORD)) == (487, False)
    assert stun.parse_response(_request()) is None
    assert stun.is_success(stun.success(ID, PASSWORD, ("192.0.2.7", 443)))
    assert not stun.is_success(stun.error(ID, 401, "Unauthorized"))


# The test vectors of RFC 5769, sections 2.1 to 2.3: user evtj:h6vY
VECTOR_PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"
VECTOR_ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
ANSWER_V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
ANSWER_V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)


def test_the_sample_request_of_rfc_5769_is_read() -> None:
    """Its padding is blanks and not zeros, which must not matter."""
    request = _parsed(REQUEST)
    assert (request.transaction, request.username, request.nominates) == (VECTOR_ID, "evtj:h6vY", False)
    assert request.is_signed_with(VECTOR_PASSWORD)
    assert not request.is_signed_with(VECTOR_PASSWORD[:-1])


@pytest.mark.parametrize("data", [ANSWER_V4, ANSWER_V6], ids=["IPv4", "IPv6"])
def test_the_sample_answers_of_rfc_5769_are_read(data: bytes) -> None:
    response = stun.parse_response(data)
    assert response is not None
    assert (response.transaction, response.error) == (VECTOR_ID, None)
    assert response.is_signed_with(VECTOR_PASSWORD)


@pytest.mark.parametrize(
    ("data", "address"),
    [(ANSWER_V4, ("192.0.2.1", 32_853)), (ANSWER_V6, ("2001:db8:1234:5678:11:2233:4455:6677", 32_853))],
    ids=["IPv4", "IPv6"],
)
def test_our_answers_name_the_address_as_those_of_rfc_5769(data: bytes, address: tuple[str, int]) -> None:
    ours = stun.success(VECTOR_ID, VECTOR_PASSWORD, address)
    named = ours[20 : 20 + (12 if len(data) < 90 else 24)]
    assert named in data


@given(st.binary(max_size=120), st.sampled_from([b"\1\1", b"\1\x11"]))
def test_garbage_is_never_a_signed_answer_and_never_an_exception(tail: bytes, kind: bytes) -> None:
    response = stun.parse_response(kind + len(tail).to_bytes(2, "big") + _request()[4:20] + tail)
    if response is not None:
        assert not response.is_signed_with(PASSWORD)
        assert response.error is None or 0 <= response.error < 1000
