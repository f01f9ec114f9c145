"""What people should know of a Ring app's accounts and webhooks: each thing once, and until it is over. Pure."""

from typing import Any

from ringlight.faults import FAULTS

__all__ = ["AGE", "NOTICES", "QUIET", "RingNotices"]

NOTICES = 20
QUIET = 300.0  # seconds without a refusal; while there are any, one is told each minute
AGE = 86_400.0  # seconds, after which a refusal is history though nothing was taken since
_WEBHOOKS = "webhooks"


class RingNotices:
    """Keeps the latest. `now` is in seconds since 1970.

    A client says itself when something of it is over. That webhooks are refused is over once one was taken since and
    none was refused for five minutes: a forger, or somebody's test, is gone then, and a wrong key is mended.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}
        self._taken = float("-inf")  # when the last webhook was

    def told(self, code: str, subject: str, *, over: bool, now: float) -> None:
        """Take what a client wants people to know."""
        self._note(code, subject, over=over, count=0 if over else 1, detail=None, now=now)

    def refused(self, code: str, detail: str | None, count: int, *, now: float) -> None:
        """Take that webhooks were not taken, so many since this was last said."""
        self._note(code, _WEBHOOKS, over=False, count=count, detail=detail, now=now)

    def taken(self, *, now: float) -> None:
        """Take that a webhook was taken."""
        self._taken = now

    def latest(self, *, now: float) -> list[dict[str, Any]]:
        """Return all as JSON, the newest first; `over` are those that hold no longer."""
        return [{**one, "over": one["over"] or self._is_past(one, now)} for one in reversed(self._kept.values())]

    def _is_past(self, one: dict[str, Any], now: float) -> bool:
        if one["subject"] != _WEBHOOKS:
            return False
        at: float = one["at"]
        return now - at > AGE or (now - at > QUIET and self._taken > at)

    def _note(self, code: str, subject: str, *, over: bool, count: int, detail: str | None, now: float) -> None:
        before = self._kept.pop((code, subject), {"count": 0})
        self._kept[code, subject] = {
            **FAULTS[code].as_dict(detail), "subject": subject, "over": over, "at": now,
            "count": before["count"] + count,
        }  # fmt: skip
        while len(self._kept) > NOTICES:
            del self._kept[next(iter(self._kept))]
