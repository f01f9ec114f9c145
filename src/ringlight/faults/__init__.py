"""The catalogue of faults: each way in which live video fails, with its cause and its fix.

Written once here; the exceptions, the server's problem bodies, the page, the command line and the
doctor all read these rows.
"""

from ringlight.faults import (
    account,
    calls,
    camera,
    home,
    links,
    live_view,
    lookup,
    media,
    partner,
    program,
    publishing,
    reach,
    rooms,
    storage,
    webhooks,
)
from ringlight.faults.fault import Fault, Retry, Seen

__all__ = ["FAULTS", "Fault", "Retry", "Seen", "explain", "find"]

FAULTS: dict[str, Fault] = {}
_TABLES = (
    account, calls, camera, home, links, live_view, media, partner, program, publishing, reach, rooms, storage,
    webhooks,
)  # fmt: skip
for _row in (row for table in _TABLES for row in table.ROWS):
    if _row.code in FAULTS:
        raise ValueError(f"the fault {_row.code} is listed twice")
    FAULTS[_row.code] = _row


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


def explain(query: str) -> list[Fault]:
    """Return the rows that a code, a number or a piece of error text may mean, best first."""
    return lookup.search(FAULTS, query)
