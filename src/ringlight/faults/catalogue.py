"""All rows of the catalogue, by their code and by what they are about, and by what was seen on the wire."""

from ringlight.faults import (
    account,
    browser,
    calls,
    camera,
    home,
    links,
    live_view,
    media,
    network,
    nodes,
    oidc,
    partner,
    program,
    publishing,
    reach,
    rooms,
    storage,
    webhooks,
)
from ringlight.faults.fault import Fault
from ringlight.faults.lookup import recognise

__all__ = ["AREAS", "FAULTS", "find"]

FAULTS: dict[str, Fault] = {}
# The rows by what they are about, under the first words of the table that they stand in.
AREAS: dict[str, tuple[Fault, ...]] = {}
_TABLES = (
    account, browser, calls, camera, home, links, live_view, media, network, nodes, oidc, partner, program, publishing,
    reach, rooms, storage, webhooks,
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
    code = recognise(FAULTS, at, number, text)
    if code is None and number is not None and 500 < number < 600:
        # A status that is not known means what the first of its class does (RFC 9110 section 15).
        code = recognise(FAULTS, at, 500, text)
    return code
