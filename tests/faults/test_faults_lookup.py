"""Finding a row by what was seen on the wire."""

from ringlight.faults import Fault, Retry, Seen, find
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
