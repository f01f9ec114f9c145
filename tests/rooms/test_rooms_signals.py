"""What browsers take of each other's descriptions and candidates, and when."""

import pytest

from ringlight.rooms.signals import Exchange, candidate_complaint, description_complaint

OFFER = {"type": "offer", "sdp": "v=0\r\n"}
LINE = "candidate:1 1 udp 1 192.0.2.1 9 typ host"


@pytest.mark.parametrize(
    "good",
    [(OFFER, None), (OFFER, "offer"), ({"type": "rollback"}, None), ({"type": "answer", "sdp": "v=0"}, "answer")],
)
def test_descriptions_that_browsers_take(good: tuple[object, str | None]) -> None:
    assert description_complaint(*good) is None


@pytest.mark.parametrize(
    "bad", ["v=0", None, {}, {"type": "offer"}, {"type": "offer", "sdp": 1}, {"type": "x", "sdp": "v=0"}]
)
def test_descriptions_that_they_refuse(bad: object) -> None:
    assert description_complaint(bad)


def test_an_offer_in_the_place_of_an_answer_is_refused() -> None:
    assert description_complaint(OFFER, "answer") == "the description's type is 'offer' inside of 'answer'"


@pytest.mark.parametrize(
    ("candidate", "good"),
    [
        (None, True), ({"candidate": LINE, "sdpMid": "0"}, True), ({"candidate": LINE, "sdpMLineIndex": 0}, True),
        ({"candidate": ""}, True), (LINE, False), ({"candidate": f"a={LINE}", "sdpMid": "0"}, False),
        ({"candidate": LINE}, False), ({}, False),
    ],
)  # fmt: skip
def test_candidates(candidate: object, good: bool) -> None:
    assert (candidate_complaint(candidate) is None) is good


def steps(exchange: Exchange, *words: str) -> list[str | None]:
    return [exchange.take(word.lstrip("<>"), ours=word[0] == ">") for word in words]


def test_an_offer_is_answered_and_candidates_follow_a_description() -> None:
    assert (
        steps(Exchange(yields=False), ">offer", ">candidate", "<candidate", "<answer", "<offer", ">answer")
        == [None] * 6
    )


def test_what_comes_at_the_wrong_moment_is_named() -> None:
    assert steps(Exchange(yields=False), "<candidate") == ["a candidate before any description"]
    assert steps(Exchange(yields=False), "<answer") == ["an answer without an offer that waits for one"]
    assert steps(Exchange(yields=False), ">offer", ">answer")[1] == "an answer without an offer that waits for one"


def test_both_may_offer_only_where_one_side_takes_its_offer_back() -> None:
    both = "both sides have offered, and neither takes its offer back"
    assert steps(Exchange(yields=False), ">offer", "<offer") == [None, both]
    assert steps(Exchange(yields=True), ">offer", "<offer", ">answer") == [None, None, None]
