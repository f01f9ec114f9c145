"""Finding a row by what people have at hand: a code, a number, a line of a log."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.faults import FAULTS, Fault, Retry, Seen, explain, find
from ringlight.faults.lookup import recognise


def _row(code: str, *seen: Seen) -> Fault:
    return Fault(code, "T", "C.", "F.", Retry.NEVER, 500, seen)


def test_the_most_particular_sign_wins_in_whatever_order_the_rows_stand() -> None:
    rows = [
        _row("A-ANY", Seen("close")),
        _row("A-NUMBER", Seen("close", 5)),
        _row("A-TEXT", Seen("close", None, "token")),
        _row("A-LONGER", Seen("close", 5, "token expired")),
        _row("A-ELSEWHERE", Seen("socket", 5, "token expired")),
    ]
    for order in (rows, rows[::-1]):
        faults = {row.code: row for row in order}
        assert recognise(faults, "close", 7, "") == "A-ANY"
        assert recognise(faults, "close", 5, "") == "A-NUMBER"
        assert recognise(faults, "close", 5, "the TOKEN is bad") == "A-TEXT"
        assert recognise(faults, "close", 5, "Token Expired yesterday") == "A-LONGER"
        assert recognise(faults, "close", 6, "token expired") == "A-TEXT"
        assert recognise(faults, "ticket", 5, "token expired") is None


def test_what_no_row_names_is_not_guessed() -> None:
    assert find("socket", 4711) is None
    assert find("upgrade", 418) is None
    assert find("token") is None
    assert find("nowhere", 404, "sdp") is None


EXPLAINED = {
    "SIG-TICKET": "SIG-TICKET",
    " sig-ticket\n": "SIG-TICKET",
    "26": "SIG-NOT-READY",
    "reason 26": "SIG-NOT-READY",
    "code 26: not ready yet": "SIG-NOT-READY",
    "close 5": "SIG-AUTH",
    "close 5 Sessions with the provided ID not found": "SIG-SESSION-LOST",
    "close 6": "SIG-PING",
    "4002": "SIG-REJECTED",
    "received 4002 (private use); then sent 4002 (private use)": "SIG-REJECTED",
    "websocket closed with 4002: doorbot_id must be an integer": "SIG-DOORBOT-ID",
    "1006": "SIG-DROPPED",
    "ConnectionClosedError: websocket 1006 abnormal closure": "SIG-DROPPED",
    "server rejected WebSocket connection: HTTP 404": "SIG-TICKET",
    "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 404": "SIG-TICKET",
    "server rejected WebSocket connection: HTTP 403": "SIG-UPGRADE",
    "406 Not Acceptable": "AUTH-EDGE-BLOCK",
    "oauth token 412": "AUTH-CODE-NEEDED",
    '{"error":"invalid_grant","error_description":"token is invalid"}': "AUTH-LINK-LOST",
    "Verification Code is invalid or expired": "AUTH-CODE-WRONG",
    "too many requests from dependency service": "AUTH-CODE-LIMIT",
    "RingError SIG-NOT-READY: The camera is asleep": "SIG-NOT-READY",
    '{"errors": [{"status": "416", "code": "TIMESTAMP_NOT_FOUND"}]}': "PARTNER-NO-FOOTAGE",
    '{"errors":[{"status":"503","title":"Device Unavailable"}]}': "PARTNER-DEVICE-OFFLINE",
    "api.amazonvision.com answered 425": "PARTNER-NOT-READY",
    "403 TIME_RANGE_NOT_AUTHORIZED": "PARTNER-CONSENT",
    "Invalid Client": "PARTNER-AUTH",
    "Out of Scope Access": "PARTNER-SCOPE",
    "AUTH-SIGNED-OUT: There are no stored tokens": "AUTH-SIGNED-OUT",
}


@pytest.mark.parametrize("query", EXPLAINED)
def test_what_people_paste_is_understood(query: str) -> None:
    found = explain(query)
    assert found
    assert found[0].code == EXPLAINED[query], [fault.code for fault in found[:4]]


def test_a_number_with_several_meanings_shows_them_all() -> None:
    assert {fault.code for fault in explain("429")} == {"AUTH-RATE", "PARTNER-RATE", "RING-RATE"}
    assert len(explain("4002")) > 5


@pytest.mark.parametrize(
    "query", ["", "  ", "xyzzy", "lorem ipsum dolor sit amet", "31415", "v1.26.3", "26.1", "SIG-", "?"]
)
def test_nonsense_has_no_explanation(query: str) -> None:
    assert explain(query) == []


@pytest.mark.parametrize("code", FAULTS)
def test_every_code_explains_itself_alone_and_in_a_line_of_a_log(code: str) -> None:
    assert explain(code.lower()) == [FAULTS[code]]
    assert explain(f"ERROR {code}: {FAULTS[code].cause}")[0] is FAULTS[code]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("0123456789 -SIG.closedtk", max_size=40))
def test_any_text_can_be_asked_about(query: str) -> None:
    found = explain(query)
    assert len({fault.code for fault in found}) == len(found)
