"""The catalogue of faults: each way in which live video fails, with its cause and its fix.

Written once here; the exceptions, the server's problem bodies, the page, the command line and the
doctor all read these rows.
"""

from ringlight.faults import (
    account,
    calls,
    camera,
    explaining,
    home,
    links,
    live_view,
    lookup,
    media,
    nodes,
    partner,
    program,
    publishing,
    reach,
    rooms,
    storage,
    webhooks,
)
from ringlight.faults.explaining import Explanation, Match
from ringlight.faults.fault import Fault, Retry, Seen

__all__ = ["AREAS", "FAULTS", "Explanation", "Fault", "Match", "Retry", "Seen", "explain", "find", "look_up"]

FAULTS: dict[str, Fault] = {}
# The rows by what they are about, under the first words of the table that they stand in.
AREAS: dict[str, tuple[Fault, ...]] = {}
_TABLES = (
    account, calls, camera, home, links, live_view, media, nodes, partner, program, publishing, reach, rooms, storage,
    webhooks,
)  # fmt: skip
for _row in (row for table in _TABLES for row in table.ROWS):
    if _row.code in FAULTS:
        raise ValueError(f"the fault {_row.code} is listed twice")
    FAULTS[_row.code] = _row
for _table in _TABLES:
    AREAS[(_table.__doc__ or "").partition(":")[0].removeprefix("Faults of ").strip(" .\n")] = _table.ROWS


def find(at: str, number: int | None = None, text: str = "") -> str | None:
    """Return the code for what was seen at a step of the dialog, or `None` if no row names it.

    Args:
        at: The step, one of those listed at `Seen.at`.
        number: HTTP status, close reason or WebSocket close code.
        text: The answer's text or the reason given.
    """
    code = lookup.recognise(FAULTS, at, number, text)
    if code is None and number is not None and 500 < number < 600:
        # A status that is not known means what the first of its class does (RFC 9110 section 15).
        code = lookup.recognise(FAULTS, at, 500, text)
    return code


def look_up(text: str) -> Explanation:
    """Return the rows that a code, a number, an error's text or a piece of a log may mean, each with the reason."""
    return explaining.look_up(FAULTS, text)


def explain(query: str) -> list[Fault]:
    """Return the rows of `look_up` alone, best first; none where nothing is known."""
    return [match.fault for match in look_up(query).matches]
