"""One connection's checks, as a conversation of two pairs on a wire that the test holds in its hands."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.media import stun
from ringlight.media.pair import CHECK_EVERY, CHECK_LIMIT, CONSENT_EVERY, CONSENT_LIMIT, Pair

OURS, THEIRS = ("ours", "password-of-ours-22-chars"), ("theirs", "password-of-theirs-22-char")


def _ids() -> Callable[[int], bytes]:
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(16, "big")[-size:]


def _pair(login: tuple[str, str] = OURS, *, controlling: bool = True) -> Pair:
    return Pair(*login, controlling, 1_509_957_375, 77, ("192.0.2.7", 443), _ids(), 0.0)


class Wire:
    """Carries what both sides say until nobody has anything more to say."""

    def __init__(self, *, lite: bool = False) -> None:
        self.ours, self.camera = _pair(), _pair(THEIRS, controlling=False)
        self.lite = lite

    def carry(self, ours: list[bytes], camera: list[bytes], now: float = 0.0) -> None:
        while ours or camera:
            ours, camera = (
                [reply for said in camera for reply in self.ours.receive(said, now)],
                [reply for said in ours for reply in self.camera.receive(said, now)],
            )

    def open(self) -> None:
        self.carry(self.ours.begin(*THEIRS, 0.0), [] if self.lite else self.camera.begin(*OURS, 0.0))
        self.carry(self.ours.nominate(0.0), [])


@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
def test_the_side_that_offered_chooses_the_pair_once_it_works(lite: bool) -> None:
    wire = Wire(lite=lite)
    assert not wire.ours.nominate(0.0), "nothing is chosen before it works"
    wire.open()
    assert wire.ours.valid
    assert wire.ours.nominated
    assert wire.camera.trusted
    assert (wire.camera.valid, wire.camera.nominated) == ((False, False) if lite else (True, True))
    assert wire.ours.nominate(0.0) == []


def test_a_nomination_counts_for_the_other_side_when_its_own_check_is_answered() -> None:
    wire = Wire()
    wire.carry(wire.ours.begin(*THEIRS, 0.0), [])
    wire.carry(wire.ours.nominate(0.0), [])
    assert not wire.camera.nominated
    wire.carry([], wire.camera.begin(*OURS, 0.0))
    assert wire.camera.nominated


def test_a_check_carries_what_ice_asks_for() -> None:
    """RFC 8445 section 7.1: only the side that controls nominates."""
    (check,) = _pair().begin(*THEIRS, 0.0)
    request = stun.parse_request(check)
    assert request is not None
    assert request.username == "theirs:ours"
    assert request.is_signed_with(THEIRS[1])
    assert not request.nominates
    wire = Wire()
    wire.open()
    asked = [stun.parse_request(said) for pair in (wire.ours, wire.camera) for said in pair.tick(25.0)]
    assert [request.nominates for request in asked if request] == [True, False]


@pytest.mark.parametrize("username", ["other:theirs", "", "ours"])
@pytest.mark.parametrize("password", [OURS[1], "guessed"])
def test_who_does_not_know_fragment_and_password_is_told_401(username: str, password: str) -> None:
    if username == "ours" and password == OURS[1]:
        username = "OURS"
    pair = _pair(controlling=False)
    check = stun.request(bytes(12), username, password, priority=1, tie_breaker=1, controlling=True, nominates=True)
    (answer,) = pair.receive(check, 0.0)
    refusal = stun.parse_response(answer)
    assert refusal is not None
    assert refusal.error == 401
    assert (pair.trusted, pair.nominated, pair.wanted) == (False, False, False)


def test_an_answer_that_is_forged_or_was_not_asked_for_proves_nothing() -> None:
    pair = _pair()
    (check,) = pair.begin(*THEIRS, 0.0)
    request = stun.parse_request(check)
    assert request is not None
    for forged in (
        stun.success(request.transaction, "guessed", ("192.0.2.1", 9)),
        stun.success(bytes(12), THEIRS[1], ("192.0.2.1", 9)),
        stun.error(request.transaction, 487, "Role Conflict"),
    ):
        assert pair.receive(forged, 0.0) == []
        assert not pair.valid


def test_until_it_is_answered_it_asks_each_second_and_gives_up_after_ten() -> None:
    """The other side may not have read our offer yet."""
    pair = _pair()
    pair.begin(*THEIRS, 0.0)
    asked = [now for now in range(20) if pair.tick(float(now))]
    assert asked == list(range(int(CHECK_EVERY), int(CHECK_LIMIT)))
    assert pair.failed


def test_consent_is_asked_for_every_five_seconds_and_ends_after_thirty() -> None:
    """RFC 7675: who does not answer any more wants nothing more sent."""
    wire = Wire()
    wire.open()
    for now in range(1, 100):
        wire.carry(wire.ours.tick(float(now)), wire.camera.tick(float(now)), float(now))
    assert not wire.ours.failed
    assert not wire.camera.failed
    asked = [now for now in range(100, 140) if wire.ours.tick(float(now))]
    assert wire.ours.failed
    assert CONSENT_LIMIT / (CONSENT_EVERY * 1.2) - 1 <= len(asked) <= CONSENT_LIMIT / (CONSENT_EVERY * 0.8) + 1


def test_before_the_other_sides_password_is_known_it_only_answers() -> None:
    wire = Wire()
    assert wire.camera.tick(5.0) == []
    wire.carry(wire.ours.begin(*THEIRS, 0.0), [])
    assert wire.ours.valid
    assert wire.camera.tick(50.0) == []
    assert not wire.camera.failed


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_garbage_is_never_an_exception(said: list[bytes]) -> None:
    pair = _pair()
    pair.begin(*THEIRS, 0.0)
    for data in said:
        pair.receive(data, 1.0)
    assert (pair.trusted, pair.valid, pair.nominated) == (False, False, False)
