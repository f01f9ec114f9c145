"""How a device is just now: cameras and sensors alike. Pure; the facts are in partner-api.md#devices."""

from datetime import datetime
from typing import Self

from ringlight.partner.documents import Resource
from ringlight.partner.parts import UNSET, Maybe, Part, plain

__all__ = [
    "BatteryLevel",
    "Detected",
    "DeviceStatus",
    "Faulted",
    "Reading",
    "Snooze",
    "SoundStatus",
    "Value",
    "status_of",
]

_ON_MAINS = 255  # stands in the place of a percentage


class Faulted(Part, frozen=True, kw_only=True):
    """What a sensor says of its subject. Of a contact sensor `faulted` means open."""

    faulted: Maybe[bool] = UNSET


class Detected(Part, frozen=True, kw_only=True):
    """Whether something is there that should not be."""

    detected: Maybe[bool] = UNSET


class Value(Part, frozen=True, kw_only=True):
    """A word that is one of an open set, such as `good` or `active`."""

    value: Maybe[str] = UNSET


class BatteryLevel(Part, frozen=True, kw_only=True):
    """A battery's charge.

    Attributes:
        percentage: As sent; 255 stands for a device on mains.
    """

    percentage: Maybe[int] = UNSET

    @property
    def percent(self) -> int | None:
        """The charge from 0 to 100; `None` on mains and where it is not known."""
        level = plain(self.percentage)
        return level if level is not None and 0 <= level <= 100 else None

    @property
    def is_on_mains(self) -> bool:
        """Whether the device says that it runs on mains."""
        return self.percentage == _ON_MAINS


class Reading(Part, frozen=True, kw_only=True):
    """A number that a sensor measured; with its unit, where that is sent along."""

    value: Maybe[float] = UNSET
    unit: Maybe[str] = UNSET

    @classmethod
    def read(cls, value: object, **given: object) -> Self:
        """Read a bare number too: nobody has shown which of both forms is sent."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return cls(value=float(value))
        return super().read(value, **given)


class Snooze(Part, frozen=True, kw_only=True):
    """Whether a device keeps quiet for a while."""

    active: Maybe[bool] = UNSET
    until: Maybe[datetime] = UNSET


class SoundStatus(Part, frozen=True, kw_only=True):
    """What a device does with its speaker."""

    snooze: Maybe[Snooze] = UNSET


class DeviceStatus(Part, frozen=True, kw_only=True):
    """How a device is.

    Attributes:
        id: Of this document, opaque.
        online: Whether Ring is in touch with it.
        reported_at: When the device last reported.
        audio: Of cameras.
        battery_status: Missing before the first report.
        signal_strength: As a word.
        sensor_reporting_state: Of sensors; `active` too of one that never reported.
        contact_detection: Faulted means open.
        flood_detection: Water where none should be.
        freeze_detection: Colder than it should be.
        tamper_detection: Somebody is at the sensor itself.
        temperature: Of sensors that measure it; no form of it is documented.
        humidity: As above.
    """

    id: str = ""
    online: Maybe[bool] = UNSET
    reported_at: Maybe[datetime] = UNSET
    audio: Maybe[SoundStatus] = UNSET
    battery_status: Maybe[BatteryLevel] = UNSET
    signal_strength: Maybe[Value] = UNSET
    sensor_reporting_state: Maybe[Value] = UNSET
    contact_detection: Maybe[Faulted] = UNSET
    flood_detection: Maybe[Faulted] = UNSET
    freeze_detection: Maybe[Faulted] = UNSET
    tamper_detection: Maybe[Detected] = UNSET
    temperature: Maybe[Reading] = UNSET
    humidity: Maybe[Reading] = UNSET

    @property
    def last_report(self) -> datetime | None:
        """When the device last reported; `None` if it never did, which is sent as the beginning of 1970."""
        moment = plain(self.reported_at)
        return moment if moment is not None and moment.timestamp() > 0 else None


def status_of(resource: Resource) -> DeviceStatus:
    """Read one."""
    return DeviceStatus.read(resource.attributes, id=resource.id)
