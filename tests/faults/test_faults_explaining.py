"""Finding a row by what people have at hand: a code, a number, an error's text, a piece of a log."""

import time

import pytest
from explained import EXPLAINED, UNKNOWN
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.faults import FAULTS, explain, look_up
from ringlight.faults.explaining import MAX_TEXT
from ringlight.faults.sayings import SAYINGS, Saying

QUICK = 5.0  # seconds of processor time for a text that takes a fraction of one


@pytest.mark.parametrize("text", EXPLAINED)
def test_what_people_paste_is_understood(text: str) -> None:
    found = look_up(text).matches
    assert found, look_up(text).near
    assert found[0].fault.code == EXPLAINED[text], [(match.fault.code, match.score, match.why) for match in found[:4]]
    assert found[0].why


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_nobody_could_know_is_not_guessed(text: str) -> None:
    found = look_up(text)
    assert [(match.fault.code, match.why) for match in found.matches] == []


@pytest.mark.parametrize(
    ("text", "near"),
    [("sig-tickt", "SIG-TICKET"), ("ROOM-TOKNE", "ROOM-TOKEN"), ("CAM-OFLINE", "CAM-OFFLINE"),
     ("close 27", "SIG-CLOSE-OTHER"), ("4003", "SIG-REJECTED")],
)  # fmt: skip
def test_what_is_nearly_a_code_is_offered_and_not_claimed(text: str, near: str) -> None:
    found = look_up(text)
    assert near in (*found.near, *(match.fault.code for match in found.matches))


def test_a_number_with_several_meanings_shows_them_all() -> None:
    assert {fault.code for fault in explain("429")} == {"AUTH-RATE", "PARTNER-RATE", "RING-RATE"}
    assert len(explain("4002")) > 5
    assert {"ROOM-PATH", "ROOM-ID", "ROOM-UNKNOWN"} <= {fault.code for fault in explain("4404")}


def test_a_match_says_why_and_in_which_line() -> None:
    log = "2026-11-20 start\n2026-11-20 bind: Address already in use\nclose reason 26\n"
    first, second = look_up(log).matches[:2]
    assert (first.fault.code, first.line) == ("CFG-PORT", 2)
    assert first.why == "“address already in use”, as a server says it"
    assert (second.fault.code, second.line, second.why) == ("SIG-NOT-READY", 3, "close reason 26")
    assert look_up("4002").matches[0].line is None
    assert look_up("404 upgrade").matches[0].why == "HTTP 404 at the upgrade"


def test_the_text_says_in_whose_area_it_was_written() -> None:
    nothing = "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    assert explain(f"{nothing} api.amazonvision.com")[0].code == "PARTNER-ANSWER"
    assert explain(f"{nothing} https://oauth.ring.com/oauth/token")[0].code == "AUTH-ANSWER"


@pytest.mark.parametrize("code", FAULTS)
def test_every_code_explains_itself_alone_and_in_a_line_of_a_log(code: str) -> None:
    assert explain(code.lower()) == [FAULTS[code]]
    assert explain(f"ERROR {code}: {FAULTS[code].cause}")[0] is FAULTS[code]


@pytest.mark.parametrize("saying", SAYINGS, ids=lambda saying: " ".join(saying.words).strip())
def test_every_saying_names_rows_that_there_are_and_is_found(saying: Saying) -> None:
    assert set(saying.codes) <= set(FAULTS)
    assert all(word == word.lower() and len(word) > 2 for word in saying.words)
    found = [match.fault.code for match in look_up(f"12:00 {' … '.join(saying.words)}").matches]
    assert set(saying.codes) <= set(found)


def test_no_saying_stands_twice() -> None:
    assert len({saying.words for saying in SAYINGS}) == len(SAYINGS)


BIG = {
    "a log that says nothing": "2026-11-20 03:00:26,101 relay id=4002 status ok, 26 of 31, HTTP/1.1 200 9\n" * 12_000,
    "a log with the cause at its end": "2026-11-20 03:00:26 DEBUG pong\n" * 30_000 + "bind: address already in use\n",
    "one line": "x" * 1_000_000,
    "numbers": "close 26 " * 110_000,
    "different numbers": "".join(f"reason {n % 9973} {n}\n" for n in range(70_000)),
    "nearly a code": "a" + "-a" * 500_000 + "_",
    "nearly codes": "sig-a_" * 160_000,
    "half of a saying": "mixed content " * 70_000,
    "the same saying": "websocket connection to 'ws " * 37_000,
    "escapes": "\x1b[" * 500_000,
    "open escapes": "\x1b]" * 500_000,
    "quotes": '\\"' * 500_000,
}  # fmt: skip


@pytest.mark.parametrize("text", BIG.values(), ids=BIG)
def test_a_megabyte_of_anything_is_read_at_once(text: str) -> None:
    """In processor time of this thread: the machine may have other work."""
    began = time.thread_time()
    found = look_up(text)
    assert time.thread_time() - began < QUICK
    assert len(found.matches) <= 20


def test_what_is_longer_than_can_be_read_is_read_from_its_beginning() -> None:
    assert explain("SIG-TICKET\n" + "x" * MAX_TEXT)[0].code == "SIG-TICKET"


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60)
    | st.text("0123456789 -SIG.closedtk\n\x1b[", max_size=60)
    | st.lists(st.sampled_from([*EXPLAINED, *UNKNOWN, "close ", "26", "\n"]), max_size=4).map("".join)
)
def test_any_text_can_be_asked_about(text: str) -> None:
    found = look_up(text)
    codes = [match.fault.code for match in found.matches]
    assert len(set(codes)) == len(codes)
    assert [match.score for match in found.matches] == sorted((match.score for match in found.matches), reverse=True)
    assert set(found.near) <= set(FAULTS)
    assert not (found.near and found.matches)
