"""The nonce and the machine of linking, without a network."""

import hmac
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.errors import RingError, fault_error
from ringlight.partner.linking import (
    Limits,
    Person,
    Step,
    after,
    authorize_address,
    before,
    check_time,
    claimed,
    due,
    due_at_the_beginning,
    masked,
    match,
    nonce_for,
)
from ringlight.secrets import Secret
from ringlight.store.links import AccountLink, Beginning, LinkState
from ringlight.store.pairs import TokenPair

KEY = "c2FtcGxlLWhtYWMta2V5LW5vdC1yZWFsLTAxMjM0NTY="
ACCOUNT = "ava1.ring.account.EXAMPLEACCOUNT7"
TIME = "1790000000000"
NONCE = "loL6XV4aD3BKwRQWIcecrG1bjThPi3UfrqACFRF_0DA"
MARIA, JOHN = Person("7", "m***a@shop.example"), Person("8", "j***n@shop.example")


def test_the_nonce_is_that_of_the_vector() -> None:
    """The key looks like Base64; who decodes it gets another nonce."""
    assert nonce_for(KEY, TIME, ACCOUNT) == nonce_for(Secret(KEY), TIME, ACCOUNT) == NONCE
    assert NONCE != "JtZjFlOgcdQyd4-ZHwA6H_0F_vvfplQuPoHVd58CY5M"


@pytest.mark.parametrize("forged", ["", "x", NONCE[:-1], NONCE + "=", NONCE.lower(), "é" * 43, "\ud800"])
def test_a_forged_nonce_fits_nobody(forged: str) -> None:
    assert match(forged, TIME, [ACCOUNT], [Secret(KEY)]) is None
    assert match(NONCE, "1790000000001", [ACCOUNT], [Secret(KEY)]) is None
    assert match(NONCE, TIME, [ACCOUNT], [Secret("other"), Secret(KEY)]) == ACCOUNT


@pytest.mark.parametrize("nonce", [NONCE, "f" * 43])
def test_all_accounts_are_compared_in_constant_time_whatever_was_found(nonce: str) -> None:
    accounts = [ACCOUNT, *(f"account {number}" for number in range(20))]
    seen: list[int] = []

    def counted(one: bytes, other: bytes) -> bool:
        seen.append(len(one))
        return one == other

    with patch.object(hmac, "compare_digest", counted):
        match(nonce, TIME, accounts, [Secret(KEY), Secret("former")])
    assert seen == [43] * 42


@pytest.mark.parametrize(
    ("now", "code"),
    [(0.0, None), (600.0, None), (600.01, "LINK-STALE"), (-60.0, None), (-60.01, "LINK-STALE")],
)
def test_a_nonce_is_fresh_for_ten_minutes_and_a_minute_of_skew(now: float, code: str | None) -> None:
    assert fault_of(TIME, 1_790_000_000 + now) == code


@pytest.mark.parametrize("time", ["", "soon", "-1", "1e12", "１７９", "9" * 16, "1790000000000 "])  # noqa: RUF001
def test_a_time_that_is_none_is_refused(time: str) -> None:
    assert fault_of(time, 1_790_000_000) == "LINK-QUERY"


def fault_of(time: str, now: float) -> str | None:
    try:
        check_time(time, now)
    except RingError as error:
        return error.code
    return None


def test_a_name_is_masked_and_the_address_of_ring_has_the_challenge() -> None:
    assert [masked(name) for name in ("maria@shop.example", "m@x", "bob", "")] == ["m***a@shop.example", "m***@x",
                                                                                  "b***b", "***"]  # fmt: skip
    address = authorize_address(
        "c", "https://a.example/cb", "S", Secret("synthetic-verifier-000000000000000000000000000000")
    )
    assert "code_challenge=WU1-qKbNlvhT8-DMI-NxC9uogDdkkqDrSMQ0acve6xk" in address
    assert "redirect_uri=https%3A%2F%2Fa.example%2Fcb" in address


def test_a_beginning_is_exchanged_in_its_time_or_forgotten() -> None:
    code, pair = Secret("code"), TokenPair(Secret("a"), Secret("r"), 0.0, 100.0)
    cases = [
        (Beginning("1", 0.0, code), 60.0, Step.EXCHANGE),
        (Beginning("1", 0.0, code), 60.1, Step.FORGET),
        (Beginning("1", 0.0, code, Secret("v")), 600.0, Step.EXCHANGE),
        (Beginning("1", 0.0, None, Secret("v")), 600.0, None),
        (Beginning("1", 0.0, None, Secret("v")), 600.1, Step.FORGET),
        (Beginning("1", 0.0, pair=pair), 99.0, Step.ASK_WHO),
        (Beginning("1", 0.0, pair=pair), 9_000_000.0, Step.RENEW),
        (Beginning("1", 0.0, account="A"), 600.0, None),
        (Beginning("1", 0.0, account="A"), 601.0, Step.FORGET),
    ]
    assert [(one, now, due_at_the_beginning(one, now)) for one, now, _ in cases] == cases


def test_a_link_that_nobody_claims_is_forgotten_in_the_end() -> None:
    link = AccountLink("A", LinkState.UNCLAIMED, 0.0)
    assert due(link, Limits().unclaimed) is None
    assert due(link, Limits().unclaimed + 1) is Step.FORGET


def test_a_nonce_is_good_once_and_a_claim_belongs_to_one_person() -> None:
    link = AccountLink("A", LinkState.UNCLAIMED, 0.0, spent=Secret("used"))
    for wrong, who in (("used", MARIA), ("taken", JOHN)):
        with pytest.raises(RingError, match="LINK-NONCE"):
            claimed(claimed(link, MARIA, Secret("taken")), who, Secret(wrong))
    done = after(before(claimed(link, MARIA, Secret("n")), Step.CONFIRM), Step.CONFIRM, None, 1.0)
    assert (done.state, done.spent, claimed(done, MARIA, Secret("other"))) == (LinkState.AWAITING, Secret("n"), done)
    with pytest.raises(RingError, match="LINK-NONCE"):
        claimed(done, JOHN, Secret("other"))


CODES = st.sampled_from([None, "NET-TIMEOUT", "PARTNER-SERVER", "LINK-UNAVAILABLE", "PARTNER-AUTH", "LINK-LOST"])


class Ring:
    """What Ring knows of a link: nonces that are good, and the state. An answer may be lost."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.state = "pending"

    def do(self, link: AccountLink, step: Step) -> str | None:
        if step is Step.CONFIRM:
            if link.nonce is None or link.nonce.reveal() not in self.good:
                return "PARTNER-NONCE"
            self.good.discard(link.nonce.reveal())
            self.state = "awaiting"
        elif self.state == "pending":
            return "PARTNER-TRANSITION"
        else:
            self.state = "completed"
        return None


@given(st.lists(st.tuples(st.sampled_from(["works", "answer lost", "killed before", "killed after", "down"]),
                          st.booleans()), max_size=30))  # fmt: skip
def test_whatever_fails_and_whoever_is_killed_the_next_tap_links(story: list[tuple[str, bool]]) -> None:
    """Ring and the app never disagree about a completed link, and one more visit without trouble completes it."""
    ring, link, number = Ring(), AccountLink("A", LinkState.UNCLAIMED, 0.0), 0
    for what, taps in [*story, *[("works", True), ("works", False), ("works", False), ("works", True)] * 2]:
        if taps and link.state is LinkState.UNCLAIMED:
            number += 1
            ring.good.add(f"nonce {number}")
            link = claimed(link, MARIA, Secret(f"nonce {number}"))
        step = due(link, 1.0)
        if step is None or what == "killed before":
            continue
        noted = before(link, step)
        code = "NET-TIMEOUT" if what == "down" else ring.do(noted, step)
        if what == "killed after":
            link = noted
            continue
        told = "NET-TIMEOUT" if what == "answer lost" else code
        link = after(noted, step, None if told is None else fault_error(told), 1.0)
        if link.state is LinkState.COMPLETED:
            assert ring.state == "completed"
            assert (link.person, link.nonce) == (MARIA.id, None)
    assert link.state is LinkState.COMPLETED


@given(st.sampled_from(list(LinkState)), st.sampled_from([Step.CONFIRM, Step.COMPLETE]), CODES, st.integers(1, 3))
def test_only_what_ring_says_for_good_loses_a_link(state: LinkState, step: Step, code: str | None, tries: int) -> None:
    link = AccountLink("A", state, 0.0, "7", "m***a", Secret("n"), None, tries)
    new = after(link, step, None if code is None else fault_error(code), 5.0)
    assert (new.state is LinkState.LOST) == (code == "LINK-LOST" or (state is LinkState.LOST and new == link))
    if code not in (None, "LINK-LOST"):
        assert new == link, "a failure that passes changes nothing"
