"""The devices that a person shares with the app. Pure; the facts are in partner-api.md#devices."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Response
from ringlight.partner.api import Group
from ringlight.partner.call import Call, Conversation, ask
from ringlight.partner.capabilities import Capabilities, capabilities_of
from ringlight.partner.configurations import Configurations, configurations_of
from ringlight.partner.documents import ItemFault, Listing, Resource, bad_answer, document, single
from ringlight.partner.locations import Location, location_of
from ringlight.partner.parts import UNSET, Maybe, Part
from ringlight.partner.status import DeviceStatus, status_of
from ringlight.resilience.operation import Operation

__all__ = ["Device", "Devices"]

T = TypeVar("T")

_Included = Mapping[tuple[str, str], Resource]

_PARTS: dict[str, Callable[[Resource], Part]] = {
    "status": status_of,
    "capabilities": capabilities_of,
    "configurations": configurations_of,
    "location": location_of,
}


class Device(Part, frozen=True, kw_only=True):
    """A device. What kind it is Ring does not say; its capabilities tell something of it.

    Attributes:
        id: Opaque, and another one for every app.
        name: What its owner called it.
        image_url: A picture of the model; not documented, sent by the live service.
        status: As its own call gives it; `UNSET` where it was not included.
        capabilities: As above.
        configurations: As above.
        location: As above; `None` for a device without one.
        relationships: What it belongs to, as it came.
    """

    id: str
    name: Maybe[str] = UNSET
    image_url: Maybe[str] = UNSET
    status: Maybe[DeviceStatus] = UNSET
    capabilities: Maybe[Capabilities] = UNSET
    configurations: Maybe[Configurations] = UNSET
    location: Maybe[Location] = UNSET
    relationships: Mapping[str, object] = {}


class Devices(Group):
    """Conversations about devices."""

    def list(self, *, include: Iterable[str] = (), fill: bool = False) -> Conversation[Listing[Device]]:
        """List the devices that are shared with the app.

        Args:
            include: What of each comes along: `status`, `capabilities`, `configurations`, `location`.
            fill: Ask for each part that did not come along by itself; what fails is a fault of the listing, and
                its device is there all the same.
        """
        wanted = tuple(include)
        call = self.api.call(Operation("devices.list"), "GET", self.api.url("devices", query=_query(wanted)), _devices)
        listing: Listing[Device] = yield call
        devices, faults = [], [*listing.faults]
        for device in listing:
            whole = device
            for part in (part for part in wanted if part in _PARTS and getattr(device, part) is UNSET):
                if fill:
                    whole, missing = yield from self._filled(whole, part)
                    faults += missing
                elif part in device.relationships:
                    faults.append(ItemFault(part, device.id, _not_included(part)))
            devices.append(whole)
        return replace(listing, items=tuple(devices), faults=tuple(faults))

    def get(self, device_id: str, *, include: Iterable[str] = ()) -> Conversation[Device]:
        """Ask for one device. Whether `include` works here is only hinted at in Ring's documentation."""
        url = self.api.url("devices", device_id, query=_query(tuple(include)))
        return ask(self.api.call(Operation("devices.get", device=device_id), "GET", url, _one_device))

    def status(self, device_id: str) -> Conversation[DeviceStatus]:
        """Ask how a device is just now."""
        return ask(self._part("status", device_id, status_of))

    def capabilities(self, device_id: str, *, component_id: str | None = None) -> Conversation[Capabilities]:
        """Ask what a device can do; of several cameras in it, one."""
        return ask(self._part("capabilities", device_id, capabilities_of, component_id))

    def configurations(self, device_id: str, *, component_id: str | None = None) -> Conversation[Configurations]:
        """Ask how a device is set up; of several cameras in it, one."""
        return ask(self._part("configurations", device_id, configurations_of, component_id))

    def location(self, device_id: str) -> Conversation[Location | None]:
        """Ask where a device is; `None` if it is at no place that Ring knows."""

        def decode(response: Response) -> Location | None:
            resource, _ = single(response)
            return None if resource is None else location_of(resource)

        url = self.api.url("devices", device_id, "location")
        return ask(self.api.call(Operation("devices.location", device=device_id), "GET", url, decode))

    def _part(
        self, part: str, device_id: str, read: Callable[[Resource], T], component_id: str | None = None
    ) -> Call[T]:
        def decode(response: Response) -> T:
            resource, _ = single(response)
            if resource is None:
                raise bad_answer(response, f"there is no {part}")
            return read(resource)

        query = () if component_id is None else (("component_id", component_id),)
        url = self.api.url("devices", device_id, part, query=query)
        return self.api.call(Operation(f"devices.{part}", device=device_id), "GET", url, decode)

    def _filled(self, device: Device, part: str) -> Conversation[tuple[Device, tuple[ItemFault, ...]]]:
        asked: Conversation[Any] = getattr(self, part)(device.id)
        try:
            found = yield from asked
        except RingError as error:
            return device, (ItemFault(part, device.id, error),)
        return msgspec.structs.replace(device, **{part: found}), ()


def _query(include: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return (("include", ",".join(include)),) if include else ()


def _devices(response: Response) -> Listing[Device]:
    found = document(response)
    return found.listing(lambda resource: _device(resource, found.included))


def _one_device(response: Response) -> Device:
    resource, included = single(response)
    if resource is None:
        raise bad_answer(response, "there is no device")
    return _device(resource, included)


def _device(resource: Resource, included: _Included) -> Device:
    parts = {name: _included_part(resource, name, included) for name in _PARTS}
    return Device.read(resource.attributes, id=resource.id, relationships=resource.relationships, **parts)


def _included_part(resource: Resource, name: str, included: _Included) -> Maybe[Part]:
    """Return what came along, found by type and id: the order is not that of the request."""
    related = resource.related(name)
    if not isinstance(related, tuple):
        return related
    found = included.get(related)
    return UNSET if found is None else _PARTS[name](found)


def _not_included(part: str) -> RingError:
    return fault_error("PARTNER-ANSWER", f"{part} was asked for and did not come along")
