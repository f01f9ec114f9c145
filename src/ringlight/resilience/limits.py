"""What an answer says of the rate limit, in Ring's own fields and in those of the IETF draft. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Limits", "limits"]

_NUMBER = re.compile(r"[0-9]{1,9}")
_PARAMETER = re.compile(r"[;,]\s*([a-z]+)\s*=\s*([0-9]{1,9})(?![0-9.])")
_OLD = re.compile(r"\s*(limit|remaining|reset)\s*=\s*([0-9]{1,9})\s*")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limit as the server tells it; `None` for what it does not tell, or not readably.

    Attributes:
        limit: Calls allowed in a window.
        window: Its seconds; Ring's is one second, and is not named.
        remaining: Calls left in this window.
        reset: Seconds until it ends.
    """

    limit: int | None = None
    window: int | None = None
    remaining: int | None = None
    reset: int | None = None

    @property
    def per_second(self) -> float | None:
        """The limit as a rate; `None` without one that makes sense."""
        return self.limit / (self.window or 1) if self.limit else None


def limits(headers: Mapping[str, str]) -> Limits | None:
    """Read `X-RateLimit-Limit` and `-Remaining`, else `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi).

    A field that is malformed is as if it were not there; most answers have none, and give `None`.

    Args:
        headers: The answer's fields, found without regard to case.
    """
    limit, remaining = _number(headers.get("x-ratelimit-limit")), _number(headers.get("x-ratelimit-remaining"))
    if limit is not None or remaining is not None:
        return Limits(limit, None, remaining, None)
    policy, state = headers.get("ratelimit-policy"), headers.get("ratelimit")
    if policy is None and state is None:
        return None
    quota, left = _parameters(policy), _parameters(state)
    found = Limits(
        quota.get("q", left.get("limit")), quota.get("w") or None, left.get("r", left.get("remaining")),
        left.get("t", left.get("reset")),
    )  # fmt: skip
    return None if found == Limits() else found


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and _NUMBER.fullmatch(value := value.strip()) else None


def _parameters(value: str | None) -> dict[str, int]:
    """Read the first item of `"name";q=100;w=1`, or the older `limit=100, remaining=5, reset=1`."""
    if value is None or len(value) > 500:
        return {}
    if _OLD.match(value):
        parts = [_OLD.fullmatch(part) for part in value.split(",")]
        return {part[1]: int(part[2]) for part in parts if part}
    item = value.partition(",")[0]
    return {name: int(number) for name, number in _PARAMETER.findall(item)}
