"""How long an answer asks to be left alone. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["retry_after"]

_LONGEST_WAIT = 86_400.0  # seconds; a date further away is a clock that is wrong


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (RFC 9110 section 10.2.3) in seconds from now; `None` where there is none to be read.

    A date is judged against the answer's own Date, so that neither a clock is needed nor this machine's right.

    Args:
        headers: The answer's fields, found without regard to case.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,6})?", value):
        return min(float(value), _LONGEST_WAIT)
    until, now = _date(value), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
