"""What time an answer tells, and how long it asks to be left alone. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["http_date", "retry_after"]

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
    until, now = http_date(value), http_date(headers.get("date"))
    if until is None or now is None:
        return None
    return min(max(until - now, 0.0), _LONGEST_WAIT)


def http_date(value: str | None) -> float | None:
    """Return the time that a field of an answer names, in seconds since 1970; `None` where it names none."""
    if value is None or not _DATE.fullmatch(value):
        return None
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
