"""Event history: what the filters choose, and pages with a cursor. Pure; times are epoch milliseconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

__all__ = ["EVENT_TYPES", "Page", "PartnerEvent", "iso", "page_of", "parse_cursor", "parse_filter"]

SUBTYPES = ("human", "vehicle", "animal", "other_motion", "package")
EVENT_TYPES = ("motion", *(f"motion.{name}" for name in SUBTYPES), "on_demand", "ding")


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """Something that happened at a device.

    Attributes:
        number: Counts up, for its id.
        device: The device's key.
        kind: `motion`, `ding` or `on_demand`.
        subtype: Of motion; never told, only filtered by.
        start: When it began.
        end: When it ended; `None` while it goes on.
        reviewed: Whether the app has had its footage, or made it.
        footage: Whether there is a recording of it.
    """

    number: int
    device: str
    kind: str
    subtype: str
    start: int
    end: int | None
    reviewed: bool = False
    footage: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, newest first, and the query of the next page; empty where this is the last."""

    events: tuple[PartnerEvent, ...]
    next_query: str = ""


def iso(moment: int) -> str:
    """Write a moment as the API does."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_filter(text: str | None) -> frozenset[str] | None:
    """Read `event_types`; `None` chooses all.

    Raises:
        ValueError: Something in it is no event type.
    """
    if not text:
        return None
    names = frozenset(text.split(","))
    unknown = sorted(names - set(EVENT_TYPES))
    if unknown:
        raise ValueError(f"event_types: unknown value {unknown[0]!r}")
    return names


def parse_cursor(text: str | None) -> int | None:
    """Read `page[key]`; `None` is the first page.

    Raises:
        ValueError: It is no time with a zone.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError("page[key] is not valid") from None


def page_of(
    events: Iterable[PartnerEvent], wanted: frozenset[str] | None, before: int | None, size: int, *, keep: bool
) -> Page:
    """Choose one page.

    Args:
        events: Of one device, since its consent.
        wanted: From `parse_filter`.
        before: From `parse_cursor`: only what began earlier.
        size: How many at most.
        keep: Whether the next page's address has the filter too.
    """
    chosen = sorted(
        (event for event in events if _matches(event, wanted) and (before is None or event.start < before)),
        key=lambda event: (event.start, event.number), reverse=True,
    )  # fmt: skip
    page = _whole(chosen, size)
    if len(page) == len(chosen):
        return Page(tuple(page))
    query = {"event_types": ",".join(sorted(wanted))} if wanted and keep else {}
    return Page(tuple(page), urlencode({**query, "page[key]": iso(page[-1].start)}, safe="[],:", quote_via=quote))


def _whole(chosen: Sequence[PartnerEvent], size: int) -> Sequence[PartnerEvent]:
    """Take a page; events of one moment stay together, since the cursor cannot tell them apart."""
    end = min(size, len(chosen))
    while 0 < end < len(chosen) and chosen[end].start == chosen[end - 1].start:
        end += 1
    return chosen[:end]


def _matches(event: PartnerEvent, wanted: frozenset[str] | None) -> bool:
    return wanted is None or event.kind in wanted or f"{event.kind}.{event.subtype}" in wanted
