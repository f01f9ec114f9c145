"""What happened at a device, newest first. Pure; the facts are in partner-api.md#history."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ringlight.partner.api import Group
from ringlight.partner.documents import Resource
from ringlight.partner.paging import Pages
from ringlight.partner.parts import UNSET, Maybe, Part, plain
from ringlight.resilience.operation import Operation

__all__ = ["Event", "History"]

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_SUBTYPES = ("sub_type", "subType")  # both are written somewhere in Ring's documents


class Event(Part, frozen=True, kw_only=True):
    """One event.

    Attributes:
        id: Opaque.
        device_id: Where; `None` if it does not say.
        event_type: `motion`, `on_demand` (a live view) and `ding` are known.
        sub_type: Such as `human`. Ring sends none: ask by `motion.human` to know. Kept for the day it does.
        start: Milliseconds since 1970.
        end: As `start`; missing while it goes on.
        is_third_party_reviewed: Whether the app has fetched its footage.
        component_ids: Of several cameras in a device, those that saw it.
        meta: What else Ring says of it.
    """

    id: str
    device_id: str | None = None
    event_type: Maybe[str] = UNSET
    sub_type: Maybe[str] = UNSET
    start: Maybe[int] = UNSET
    end: Maybe[int] = UNSET
    is_third_party_reviewed: Maybe[bool] = UNSET
    component_ids: Maybe[tuple[str, ...]] = UNSET
    meta: object = UNSET

    @property
    def started_at(self) -> datetime | None:
        """When it began; `None` where that is not known."""
        return _moment(plain(self.start))

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; `None` while it goes on and where that is not known."""
        return _moment(plain(self.end))


class History(Group):
    """Conversations about what happened."""

    def pages(self, device_id: str, *, event_types: Iterable[str] = (), cursor: str | None = None) -> Pages[Event]:
        """List a device's events in pages, newest first; only those since the person's consent are there.

        Args:
            device_id: The device.
            event_types: `motion`, `ding`, `on_demand`, or with a subtype `motion.human`; none means all.
            cursor: As in `Pages.cursor` or `RingError.cursor`, to go on from there.
        """
        wanted = ",".join(event_types)
        return Pages(
            self.api,
            Operation("history.events", device=device_id),
            ("history", "devices", device_id, "events"),
            event_of,
            key="page[key]",
            query=(("event_types", wanted),) if wanted else (),
            cursor=cursor,
        )


def event_of(resource: Resource) -> Event:
    """Read one."""
    attributes = dict(resource.attributes)
    for name in _SUBTYPES:
        spelled = attributes.pop(name, UNSET)
        if spelled is UNSET:
            spelled = resource.extra.get(name, UNSET)
        if spelled is not UNSET and not isinstance(attributes.get("sub_type"), str):
            attributes["sub_type"] = spelled
    source = resource.related("source")
    return Event.read(
        attributes,
        id=resource.id,
        device_id=source[1] if isinstance(source, tuple) else None,
        meta=resource.extra.get("meta", UNSET),
    )


def _moment(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return _BEGINNING + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
