"""What Ring tells by webhook, typed. Unknown types, values and fields are kept: the lists are open. Pure."""

import re
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

import msgspec

from ringlight.errors import fault_error

__all__ = [
    "SENSOR_TYPES",
    "ButtonPressed",
    "DeviceAdded",
    "DeviceOffline",
    "DeviceOnline",
    "DeviceRemoved",
    "Event",
    "IntegrationAdded",
    "IntegrationRemoved",
    "MotionDetected",
    "SensorChanged",
    "SubscriptionActivated",
    "SubscriptionDeactivated",
    "parse",
    "time_ns_of",
]

Json = Mapping[str, object]
LONGEST_NAME = 512  # characters; Ring's ids have some 115
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):?(\d\d))")
_ALARMS = {"contact_sensor": "faulted", "tamper": "detected", "flood": "detected", "freeze": "detected",
           "temperature": "exceeded", "humidity": "exceeded", "pm25": "exceeded", "co": "exceeded"}  # fmt: skip
SENSOR_TYPES: Final = {
    f"{what}_{word}": (what.removesuffix("_sensor"), word != "cleared")
    for what, alarm in _ALARMS.items()
    for word in (alarm, "cleared")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that Ring tells; of a type that is not known, it is this class itself.

    Attributes:
        request_id: The same in each delivery of the same event.
        account: Ring's id of the account; empty in version 1.0.
        version: Of the envelope.
        time_ns: When it was made, in nanoseconds since 1970. It is signed.
        id: Of the event; opaque.
        type: Ring's name for what happened.
        timestamp: When it happened, in milliseconds since 1970; `None` where it is not told.
        device: The device that it is about; `None` for an account's events.
        document: All of it as it came.
    """

    request_id: str
    account: str
    version: str
    time_ns: int
    id: str
    type: str
    timestamp: int | None
    device: str | None
    document: Json = field(repr=False, compare=False)

    @property
    def time(self) -> float:
        """When it was made, in seconds since 1970."""
        return self.time_ns / 1e9

    @property
    def subject(self) -> str:
        """Whose events keep their order: the device, otherwise the account."""
        return self.device or self.account

    @property
    def attributes(self) -> Json:
        """The attributes as they came."""
        return _object(_object(self.document.get("data")).get("attributes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionDetected(Event):
    """Something moved.

    Attributes:
        subtype: What: `motion`, `human`, `vehicle`, `other_motion`, `animal`, `package` or something new; `None`
            where it is not told. It comes in either of two places (partner-api.md#webhooks).
        components: Which of several lenses saw it.
    """

    subtype: str | None = None
    components: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed(Event):
    """Somebody rang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAdded(Event):
    """A device is shared with the app. It may come before the person has finished linking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRemoved(Event):
    """A device is not shared any more; what is kept of it should go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOnline(Event):
    """A device can be reached again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOffline(Event):
    """A device cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationAdded(Event):
    """Linking has finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationRemoved(Event):
    """The account has removed the app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionActivated(Event):
    """The app's plan was bought, renewed or is tried.

    Attributes:
        kind: `paid` or `trial`.
        subscription: Its id.
        plan: The plan's id; `None` for a trial.
        expires_at: As Ring writes it; `None` where it is not told.
        devices: For which devices.
    """

    kind: str = ""
    subscription: str = ""
    plan: str | None = None
    expires_at: str | None = None
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionDeactivated(Event):
    """The app's plan has ended. Look for another that covers the account before anything is switched off.

    Attributes:
        kind: `paid` or `trial`.
        subscription: Its id.
        plan: The plan's id; `None` for a trial.
        devices: For which devices.
    """

    kind: str = ""
    subscription: str = ""
    plan: str | None = None
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorChanged(Event):
    """A sensor gives alarm or ends it.

    Attributes:
        sensor: `contact`, `tamper`, `flood`, `freeze`, `temperature`, `humidity`, `pm25` or `co`.
        alarm: Whether it begins; otherwise all is well again.
    """

    sensor: str = ""
    alarm: bool = False


_PLAIN: Mapping[str, type[Event]] = {
    "button_press": ButtonPressed,
    "device_added": DeviceAdded,
    "device_removed": DeviceRemoved,
    "device_online": DeviceOnline,
    "device_offline": DeviceOffline,
    "app_integration_added": IntegrationAdded,
    "app_integration_removed": IntegrationRemoved,
}


def parse(body: bytes) -> Event:
    """Read one delivery. Says nothing about who sent it: for that there is `Verifier`.

    Raises:
        WebhookRefused: HOOK-FORM, it is no JSON or lacks what every delivery has.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise fault_error("HOOK-FORM", "the body is no JSON") from None
    document = _object(document)
    meta, data = _object(document.get("meta")), _object(document.get("data"))
    attributes = _object(data.get("attributes"))
    time_ns = time_ns_of(meta.get("time"))
    if time_ns is None:
        raise fault_error("HOOK-FORM", "meta.time is no time")
    kind = _needed(data, "data", "type")
    common = {
        "request_id": _needed(meta, "meta", "request_id"), "account": _name(meta.get("account_id"), "meta.account_id"),
        "version": _text(meta.get("version")), "time_ns": time_ns, "id": _text(data.get("id")), "type": kind,
        "timestamp": _whole(attributes.get("timestamp")), "device": _device(data, attributes), "document": document,
    }  # fmt: skip
    return _typed(kind, common, data, attributes)


def _typed(kind: str, common: dict[str, object], data: Json, attributes: Json) -> Event:
    values: dict[str, object] = {}
    made: type[Event] = _PLAIN.get(kind, Event)
    if kind == "motion_detected":
        made = MotionDetected
        values["subtype"] = _text(data.get("subType")) or _text(attributes.get("sub_type")) or None
        values["components"] = _components(attributes.get("component_ids"))
    elif kind in ("subscription_activated", "subscription_deactivated"):
        made = SubscriptionDeactivated
        values = {"kind": _text(attributes.get("sub_type")), "subscription": _text(attributes.get("source_id")),
                  "plan": _text(attributes.get("plan_id")) or None, "devices": _related(data)}  # fmt: skip
        if kind == "subscription_activated":
            made = SubscriptionActivated
            values["expires_at"] = _text(attributes.get("expires_at")) or None
    elif kind in SENSOR_TYPES:
        made = SensorChanged
        values["sensor"], values["alarm"] = SENSOR_TYPES[kind]
    return made(**common, **values)  # type: ignore[arg-type]


def time_ns_of(value: object) -> int | None:
    """Return a time as ISO 8601 writes it in nanoseconds since 1970, all nine digits kept; `None` if it is none."""
    found = _TIME.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60 and year >= 1970):
        return None
    seconds = timegm((year, month, day, hour, minute, second))
    if found[8]:
        seconds -= (1 if found[8] == "+" else -1) * (int(found[9]) * 3600 + int(found[10]) * 60)
    return seconds * 1_000_000_000 + int((found[7] or "").ljust(9, "0"))


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and text.isprintable()


def _name(value: object, where: str) -> str:
    """Read what becomes a key of the store, which cannot keep every character in a key."""
    text = _text(value)
    if not _is_name(text):
        raise fault_error("HOOK-FORM", f"{where} cannot be a name")
    return text


def _needed(values: Json, parent: str, name: str) -> str:
    text = _name(values.get(name), f"{parent}.{name}")
    if not text:
        raise fault_error("HOOK-FORM", f"{parent}.{name} is missing")
    return text


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _components(value: object) -> tuple[int | str, ...]:
    return tuple(one for one in value if isinstance(one, int | str)) if isinstance(value, list) else ()


def _device(data: Json, attributes: Json) -> str | None:
    """Find the device: the source says it, else the link of the relationship."""
    found = _text(attributes.get("source")) if attributes.get("source_type") == "devices" else ""
    devices = _object(_object(data.get("relationships")).get("devices"))
    link = _text(_object(devices.get("links")).get("self"))
    found = found or unquote(link.rpartition("/devices/")[2] if "/devices/" in link else "")
    return found if found and _is_name(found) else None


def _related(data: Json) -> tuple[str, ...]:
    listed = _object(_object(data.get("relationships")).get("devices")).get("data")
    found = [_text(_object(one).get("id")) for one in listed] if isinstance(listed, list) else []
    return tuple(one for one in found if one)
