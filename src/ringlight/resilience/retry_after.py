"""How long an answer asks to be left alone. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["retry_after"]

_LONGEST_WAIT = 86_400.0  # seconds; a date further away is a clock that is wrong
# Each of the three forms of RFC 9110 section 5.6.7 begins with the name of a day; the reader of dates takes more.
_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .{15,}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (RFC 9110 section 10.2.3) in seconds from now; `None` where there is none to be read.

    Seconds are ASCII digits and nothing else: a sign, a fraction or a list is no wait that the standard knows. A date
    is judged against the answer's own Date, so that neither a clock is needed nor this machine's right; one in the
    past is 0.

    Args:
        headers: The answer's fields, found without regard to case.
    """
    value = headers.get("retry-after", "").strip(" \t")
    if re.fullmatch(r"[0-9]+", value):
        digits = value.lstrip("0")
        return min(float(digits or "0"), _LONGEST_WAIT) if len(digits) < 9 else _LONGEST_WAIT
    until, now = _date(value), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)


def _date(value: str) -> datetime | None:
    if not _DATE.fullmatch(value):
        return None
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
