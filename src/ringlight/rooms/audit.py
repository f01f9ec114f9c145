"""The audit of rooms: how its rows hold together, what is wrong with them, and how others read them. Pure.

Each row holds the hash of the one before, and all hashes are made with the server's key: whoever can write to the
database, but has no key, can change nothing unseen. Ids are in it as keyed hashes. Names, words, addresses, tokens and
descriptions are not in it at all.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from ringlight.rooms.mac import Mac
from ringlight.secrets import Secret
from ringlight.store.rooms import AuditRow

__all__ = ["AuditKey", "Ended", "Verdict", "as_fhir", "judge"]


class AuditKey:
    """What hashes and seals.

    Args:
        secret: The server's secret key; two keys are derived from it that are good for nothing else.
    """

    def __init__(self, secret: Secret) -> None:
        told = secret.reveal().encode(errors="surrogatepass")
        self._chain = Mac(hmac.digest(told, b"ringlight room audit", hashlib.sha256))
        self._ids = Mac(hmac.digest(told, b"ringlight room audit ids", hashlib.sha256))

    def hidden(self, id: str | None) -> str:  # noqa: A002 - the field's own word
        """Return what stands for an id: the same each time, and of no use to who has no key."""
        return self._ids.of(id.encode(errors="surrogatepass")).hex()[:32] if id else ""

    def hashed(self, row: AuditRow) -> str:
        """Return the hash of a row, which covers that of the row before."""
        covered = [row.previous, row.number, row.at, row.event, row.room, row.person, row.by, row.role, row.detail]
        return self._chain.of(msgspec.json.encode(covered)).hex()

    def seal(self, number: int, last: str) -> str:
        """Return the seal of a chain that ends here: without it, rows could be cut off at the end."""
        return self._chain.of(msgspec.json.encode(["end", number, last])).hex()

    def cut(self, number: int, last: str) -> str:
        """Return the seal of an anchor: the rows up to this one were cut off when they were old enough."""
        return self._chain.of(msgspec.json.encode(["start", number, last])).hex()


class Ended(Protocol):
    """Where the chain ends, or where what was cut off did, by its seal."""

    @property
    def number(self) -> int:
        """The number of the last row."""

    @property
    def hash(self) -> str:
        """Its hash."""

    @property
    def seal(self) -> str:
        """The seal of both."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a chain.

    Attributes:
        rows: How many rows are right, from the first on, those that were cut off included.
        problem: What is wrong with the one after them; `None` where nothing is.
        last: The hash of the last row that is right.
    """

    rows: int
    problem: str | None
    last: str


def judge(
    key: AuditKey, rows: Iterable[AuditRow], end: Ended, *, start: Ended | None = None,
    seen: tuple[int, str] | None = None,
) -> Verdict:  # fmt: skip
    """Go through a chain; stop at the first row that is not as it was written.

    Args:
        key: With which it was written.
        rows: All of them, in their order.
        end: Where it ends, as read before the rows.
        start: The last row that was cut off for its age, as read before the rows; `None` where none can have been.
        seen: Number and hash of a row that somebody has noted elsewhere. With them it is found too if the whole
            database was put back to an older state. One that was cut off since then can be looked at no more.
    """
    number, last, noted = 0, "", seen is None
    if start is not None and start.number:
        if key.cut(start.number, start.hash) != start.seal:
            return Verdict(0, f"the rows up to {start.number} were cut off, and not by the server", "")
        number, last = start.number, start.hash
        noted = noted or (seen is not None and (seen[0] < number or seen == (number, last)))
    for row in rows:
        problem = _problem(key, row, number + 1, last)
        if problem is None and seen is not None and row.number == seen[0]:
            noted = row.hash == seen[1]
            problem = None if noted else f"row {row.number} is not the one that was noted"
        if problem is not None:
            return Verdict(number, problem, last)
        number, last = row.number, row.hash
        if number == end.number and last != end.hash:
            return Verdict(number - 1, f"row {number} is not the one that the seal names", last)
    if end.number and key.seal(end.number, end.hash) != end.seal:
        return Verdict(number, f"the seal at row {end.number} was changed", last)
    if number and not end.number:
        return Verdict(0, "the seal at the end is missing", "")
    if number < end.number:
        return Verdict(number, f"the rows from {number + 1} to {end.number} were cut off", last)
    if not noted and seen is not None:
        return Verdict(number, f"row {seen[0]}, which was noted, is not there", last)
    return Verdict(number, None, last)


def _problem(key: AuditKey, row: AuditRow, expected: int, last: str) -> str | None:
    if row.number != expected:
        missing = f"row {expected} is" if row.number == expected + 1 else f"rows {expected} to {row.number - 1} are"
        return f"{missing} missing" if row.number > expected else f"row {row.number} is out of order"
    if not hmac.compare_digest(key.hashed(row), row.hash):
        return f"row {row.number} was changed"
    if row.previous != last:
        return f"row {row.number} does not follow row {row.number - 1}"
    return None


_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
# What DICOM (PS3.15 A.5, which FHIR's value sets of AuditEvent take over) calls these; others are activities of ours.
_TYPES = {
    "person.entered": ("110114", "User Authentication"), "person.left": ("110114", "User Authentication"),
    "link.used": ("110114", "User Authentication"), "token.refused": ("110113", "Security Alert"),
}  # fmt: skip
_ACTIONS = {"room.made": "C", "link.made": "C", "room.ended": "U", "consent.given": "C", "consent.withdrawn": "D"}


def as_fhir(rows: Iterable[AuditRow]) -> Iterator[dict[str, Any]]:
    """Yield each row as an AuditEvent (FHIR R4, hl7.org/fhir/R4/auditevent.html)."""
    for row in rows:
        code, shown = _TYPES.get(row.event, ("110100", "Application Activity"))
        agents = [_agent(row.person, row.role, requestor=not row.by)]
        if row.by:
            agents.append(_agent(row.by, "", requestor=True))
        event: dict[str, Any] = {
            "resourceType": "AuditEvent",
            "id": f"ringlight-{row.number}",
            "type": {"system": _DICOM, "code": code, "display": shown},
            "subtype": [{"system": "urn:ringlight:room-event", "code": row.event}],
            "action": _ACTIONS.get(row.event, "E"),
            "recorded": datetime.fromtimestamp(row.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "outcome": "4" if row.event in ("token.refused", "person.denied") else "0",
            "agent": agents,
            "source": {"observer": {"display": "Ringlight"}},
        }
        if row.detail:
            event["outcomeDesc"] = row.detail
        if row.room:
            event["entity"] = [{"what": {"identifier": {"system": "urn:ringlight:room", "value": row.room}}}]
        yield event


def _agent(id: str, role: str, *, requestor: bool) -> dict[str, Any]:  # noqa: A002 - as above
    agent: dict[str, Any] = {"requestor": requestor}
    if id:
        agent["who"] = {"identifier": {"system": "urn:ringlight:person", "value": id}}
    if role:
        agent["role"] = [{"coding": [{"system": "urn:ringlight:role", "code": role}]}]
    return agent
