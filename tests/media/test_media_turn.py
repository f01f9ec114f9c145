"""Asking for an address at a TURN server: what is sent, and what each answer leads to."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media import stun, turn
from ringlight.media.turn import Allocated, Allocation, Refused, Send
from ringlight.secrets import Secret

NAMES = [bytes([number]) * 12 for number in range(1, 9)]
KEY = hashlib.md5(b"ada:ring.test:pw", usedforsecurity=False).digest()


def _error(transaction: bytes, number: int, *more: bytes) -> bytes:
    value = struct.pack("!HBB", 0, number // 100, number % 100) + b"said so"
    return stun.finished(
        turn.ALLOCATE | turn.ERROR, transaction, stun.attribute(stun.ERROR_CODE, value) + b"".join(more)
    )


def _asks_who(transaction: bytes, number: int = 401, nonce: bytes = b"n1") -> bytes:
    realm = stun.attribute(turn.REALM, b"ring.test")
    return _error(transaction, number, realm, stun.attribute(turn.NONCE, nonce))


def _begun() -> Allocation:
    allocation = Allocation("ada", Secret("pw"), list(NAMES))
    assert allocation.begin().data[:2] == b"\x00\x03"
    return allocation


def test_the_server_asks_who_we_are_and_then_lends_an_address() -> None:
    allocation = _begun()
    again = allocation.receive(_asks_who(NAMES[0]))
    assert isinstance(again, Send)
    read = stun.read(again.data)
    assert read is not None
    _, transaction, found, signed_at = read
    assert (found[stun.USERNAME], found[turn.REALM], found[turn.NONCE]) == (b"ada", b"ring.test", b"n1")
    assert signed_at is not None
    signed = again.data[:2] + struct.pack("!H", signed_at + 4) + again.data[4:signed_at]
    assert hmac.digest(KEY, signed, "sha1") == again.data[signed_at + 4 : signed_at + 24]

    relayed = bytes.fromhex("0001 e112 c000 0207".replace(" ", ""))  # to be read by the XOR of RFC 8489 section 14.2
    granted = stun.attribute(turn.XOR_RELAYED, relayed) + stun.attribute(turn.LIFETIME, struct.pack("!I", 600))
    lent = allocation.receive(stun.finished(turn.ALLOCATE | turn.SUCCESS, transaction, granted))
    assert isinstance(lent, Allocated)
    assert (lent.lifetime, lent.mapped) == (600, None)
    assert lent.relayed == ("225.18.166.69", 0xE112 ^ 0x2112)
    assert lent.goodbye[:2] == b"\x00\x04"


def test_a_permission_is_asked_for_again_with_a_fresh_nonce_and_given_or_refused() -> None:
    allocation = _begun()
    again = allocation.receive(_asks_who(NAMES[0]))
    assert isinstance(again, Send)
    asked = allocation.permit(("192.0.2.7", 9))
    read = stun.read(asked.data)
    assert read is not None
    kind, transaction, found, signed_at = read
    assert (kind, signed_at is not None) == (turn.CREATE_PERMISSION, True)
    assert stun.unxored(found[turn.XOR_PEER_ADDRESS], transaction) == ("192.0.2.7", 9)
    stale = _error(transaction, 438, stun.attribute(turn.REALM, b"ring.test"), stun.attribute(turn.NONCE, b"n2"))
    stale = stun.finished(turn.CREATE_PERMISSION | turn.ERROR, transaction, stale[20:-8])
    renewed = allocation.receive(stale)
    assert isinstance(renewed, Send)
    read = stun.read(renewed.data)
    assert read is not None
    assert (read[0], read[2][turn.NONCE]) == (turn.CREATE_PERMISSION, b"n2")
    assert stun.unxored(read[2][turn.XOR_PEER_ADDRESS], read[1]) == ("192.0.2.7", 9)
    given = stun.finished(turn.CREATE_PERMISSION | turn.SUCCESS, read[1], b"")
    assert allocation.receive(given) == turn.Permitted()
    value = stun.attribute(stun.ERROR_CODE, b"\0\0\x04\x03Forbidden")
    forbidden = stun.finished(turn.CREATE_PERMISSION | turn.ERROR, read[1], value)
    assert allocation.receive(forbidden) == Refused(403, "Forbidden")


def test_what_a_peer_writes_is_read_and_nothing_else_is() -> None:
    sent = turn.passed_on(("2001:db8::7", 4000), b"hello", NAMES[0])
    assert turn.arrived(sent) is None, "that goes the other way"
    came = stun.read(sent)
    assert came is not None
    attributes = b"".join(stun.attribute(kind, value) for kind, value in came[2].items() if kind != stun.FINGERPRINT)
    back = stun.finished(turn.DATA_INDICATION, NAMES[0], attributes)
    assert turn.arrived(back) == (("2001:db8::7", 4000), b"hello")
    assert turn.arrived(b"\x80 a packet") is None
    assert turn.arrived(stun.finished(turn.DATA_INDICATION, NAMES[0], b"")) is None


def test_a_name_that_is_refused_is_not_tried_again() -> None:
    allocation = _begun()
    allocation.receive(_asks_who(NAMES[0]))
    assert allocation.receive(_asks_who(NAMES[1])) == Refused(401, "said so")


def test_a_stale_nonce_is_renewed_but_not_for_ever() -> None:
    allocation = _begun()
    for number in range(turn.ASKED_TWICE):
        assert isinstance(allocation.receive(_asks_who(NAMES[number], 438 if number else 401)), Send)
    assert allocation.receive(_asks_who(NAMES[turn.ASKED_TWICE], 438)) == Refused(438, "said so")


@pytest.mark.parametrize("number", [400, 403, 437, 441, 486, 508])
def test_other_errors_are_final(number: int) -> None:
    assert _begun().receive(_error(NAMES[0], number)) == Refused(number, "said so")


def test_an_answer_to_somebody_else_is_none() -> None:
    assert _begun().receive(_asks_who(NAMES[5])) is None


def test_our_own_address_is_read_from_a_binding() -> None:
    asked = turn.binding(NAMES[0])
    request = stun.parse_request(asked)
    assert request is not None
    answer = stun.success(request.transaction, "", ("192.0.2.7", 4711))
    assert turn.mapped_address(answer, NAMES[0]) == ("192.0.2.7", 4711)
    assert turn.mapped_address(answer, NAMES[1]) is None
    six = stun.success(NAMES[0], "", ("2001:db8::7", 1))
    assert turn.mapped_address(six, NAMES[0]) == ("2001:db8::7", 1)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    assert _begun().receive(data) is None or len(data) >= 20
    turn.mapped_address(data, NAMES[0])
    header = struct.pack("!HHI12s", turn.ALLOCATE | turn.ERROR, len(data) & ~3, stun.MAGIC, NAMES[0])
    _begun().receive(header + data[: len(data) & ~3])


def test_a_message_in_a_stream_says_how_long_it_is() -> None:
    asked = turn.binding(NAMES[0])
    assert turn.whole(asked[:19]) is None
    assert turn.whole(asked + b"more") == len(asked)
