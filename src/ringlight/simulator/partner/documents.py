"""JSON:API documents of devices and events, as each profile writes them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ringlight.simulator.partner.behaviour import PartnerBehaviour
from ringlight.simulator.partner.history import PartnerEvent, iso
from ringlight.simulator.partner.premises import PartnerDevice, opaque

__all__ = ["INCLUDES", "SLOTS", "DeviceState", "Writer"]

Json = dict[str, Any]

INCLUDES = {
    "location": "locations", "status": "device-status", "capabilities": "device-capabilities",
    "configurations": "device-configurations",
}  # fmt: skip
SLOTS = tuple(
    {"event": f"ring-appstore-event-{number}", "disabled": False, "audio_name": f"Tone {letter}",
     "audio_ref": f"0d7a7c1e-4f0b-4a58-9d8e-00000000000{number}",
     "audio_url": f"https://app-content.example/tones/{number}.mp3"}
    for number, letter in ((1, "A"), (2, "B"))
)  # fmt: skip
_DETECTIONS = (
    "contact_detection", "flood_detection", "freeze_detection", "tamper_detection", "glass_break_detection",
    "smoke_detection", "co_detection_listener", "battery_status",
)  # fmt: skip
_CORNERS = ((0, 0.25), (0.5, 0.25), (1, 0.25), (1, 0.6), (1, 1), (0.5, 1), (0, 1), (0, 0.6))


@dataclass(frozen=True, slots=True)
class DeviceState:
    """How a device is just now.

    Attributes:
        online: Whether Ring reaches it.
        motion_on: Whether it looks for motion.
        reported: When it was heard of, in epoch ms.
        flooded: Of a sensor: whether it stands in water.
    """

    online: bool
    motion_on: bool
    reported: int
    flooded: bool = False


class Writer:
    """Writes documents in the way of one profile.

    Args:
        how: The profile.
        now: Epoch ms, for `meta.time`.
    """

    def __init__(self, how: PartnerBehaviour, now: int) -> None:
        self._how = how
        self._now = now

    def document(self, data: Any, included: Sequence[Json] | None = None) -> Json:
        """Wrap what was asked for."""
        wrapped: Json = {"meta": {"time": iso(self._now)}, "data": data}
        if included is not None:
            wrapped["included"] = [*reversed(included), *self._strangers()] if self._how.odd else list(included)
        if self._how.odd:
            wrapped |= {"jsonapi": {"version": "9.9"}, "links": {"self": None}}
        return wrapped

    def device(self, device: PartnerDevice) -> Json:
        """A device with its relationships."""
        attributes: Json = {"name": device.name}
        if self._how.image_url:
            attributes["image_url"] = f"https://app-content.example/devices/{device.model}/x_3x.png"
        if self._how.odd:
            attributes |= {"mood": "teal", "firmware": {"version": None}}
        names = ("status", "capabilities", "configurations", "location")
        return {
            "type": "devices",
            "id": self.device_id(device),
            "attributes": attributes,
            "relationships": {name: self._relationship(device, name) for name in names},
        }

    def device_id(self, device: PartnerDevice) -> str:
        """Its id in this profile."""
        return device.id(odd=self._how.odd)

    def address(self, device: PartnerDevice) -> str:
        """Its address, from the root."""
        return f"/v1/devices/{quote(self.device_id(device), safe='')}"

    def part(self, device: PartnerDevice, name: str, state: DeviceState) -> Json:
        """One of `INCLUDES` of a device."""
        attributes = {
            "status": self._status, "capabilities": self._capabilities, "configurations": self._configurations,
            "location": self._location,
        }[name](device, state)  # fmt: skip
        resource: Json = {"type": INCLUDES[name], "id": _part_id(device, name), "attributes": attributes}
        if name == "capabilities":
            related = f"{self.address(device)}/configurations"
            resource["relationships"] = {"configurations": {"links": {"related": related}}}
        return resource

    def events(self, device: PartnerDevice, events: Iterable[PartnerEvent], query: str | None) -> Json:
        """One page of history; the query is the next page's, `None` leaves `links` out."""
        document: Json = {"data": [self._event(device, event) for event in events]}
        if query is not None:
            path = f"/v1/history/devices/{quote(self.device_id(device), safe='')}/events"
            document["links"] = {"next": f"{path}?{query}"}
        return document

    def _event(self, device: PartnerDevice, event: PartnerEvent) -> Json:
        over = event.end if event.end is not None and event.end <= self._now else None
        start, end = (str(at) if self._how.time_as_text and at else at for at in (event.start, over))
        attributes: Json = {"event_type": event.kind, "is_third_party_reviewed": event.reviewed, "start": start}
        if end is not None or self._how.nulls:
            attributes["end"] = end
        source: Json = {"data": {"type": "devices", "id": self.device_id(device)}}
        resource: Json = {
            "type": "history-events",
            "id": opaque("history.event", str(event.number), 96),
            "attributes": attributes,
            "relationships": {"source": source},
        }
        if self._how.event_extras:
            resource["relationships"]["cv_detections"] = {"data": []}
            resource["meta"] = {"riid": None}
        if self._how.odd and event.kind == "motion":
            attributes["event_type"] = "levitation" if event.number % 3 == 0 else "motion"
        return resource

    def _relationship(self, device: PartnerDevice, name: str) -> Json:
        related = f"{self.address(device)}/{name}"
        return {"data": {"type": INCLUDES[name], "id": _part_id(device, name)}, "links": {"related": related}}

    def _status(self, device: PartnerDevice, state: DeviceState) -> Json:
        said: Json = {"online": state.online}
        if device.family == "sensor":
            said |= {
                "reported_at": iso(state.reported),
                "flood_detection": {"faulted": state.flooded},
                "freeze_detection": {"faulted": False},
                "tamper_detection": {"detected": False},
                "sensor_reporting_state": {"value": "active"},
                "battery_status": {"percentage": device.battery},
                "signal_strength": {"value": "good"},
            }
        if self._how.nulls:
            said |= {"reported_at": iso(state.reported), "state": None,
                     "audio": {"snooze": {"active": None, "until": None}}}  # fmt: skip
        return said

    def _capabilities(self, device: PartnerDevice, _: DeviceState) -> Json:
        said: Json = {}
        if device.camera is not None:
            said = {
                "video": {"configurations": ["resolution_mode"], "codecs": ["AVC"], "ratio": "16:9",
                          "max_resolution": 1080, "supported_resolutions": [1080]},
                "motion_detection": {"configurations": ["enabled", "motion_zones"]},
                "image_enhancements": {"configurations": ["color_night_vision", "privacy_zones", "snapshot"]},
            }  # fmt: skip
        if device.family == "chime":
            said["audio"] = {"customizable_slots": len(SLOTS), "supported_actions": ["chime.play"]}
        if device.family == "sensor":
            said |= {name: {"supported": True} for name in ("flood_detection", "freeze_detection", "tamper_detection")}
        if device.battery is not None:
            said["battery_status"] = {"supported": True}
        if self._how.nulls:
            absent = dict.fromkeys(("video", "motion_detection", "image_enhancements", *_DETECTIONS))
            said = {**absent, "audio": {"customizable_slots": None, "supported_actions": None}, **said}
        if self._how.odd and "video" in said and said["video"]:
            said["video"] = {**said["video"], "codecs": ["AVC", "VVC"], "ratio": "3:4:5"}
        return said

    def _configurations(self, device: PartnerDevice, state: DeviceState) -> Json:
        said: Json = {}
        if device.camera is not None:
            zone = {"id": "6f0c2a52-0d51-4f0c-9a44-0d9b1f6b7a10", "vertices": [{"x": x, "y": y} for x, y in _CORNERS]}
            said = {
                "motion_detection": {"enabled": "on" if state.motion_on else "off", "motion_zones": [zone]},
                "image_enhancements": {
                    "color_night_vision": "off", "hdr": "off", "ir_led_night_vision": "off", "auto_zoom_track": "off",
                    "privacy_zones": [],
                },
            }  # fmt: skip
        if device.family == "chime":
            said["audio"] = {"volume": 7, "customizable_slots": list(SLOTS)}
        elif self._how.nulls:
            said["audio"] = {"customizable_slots": None, "volume": 11}
        return said

    def _location(self, _device: PartnerDevice, _state: DeviceState) -> Json:
        return {"country": "US", "state": None} if self._how.odd else {"country": "US", "state": "WA"}

    def _strangers(self) -> list[Json]:
        return [
            {"type": "device-moods", "id": "mood-1", "attributes": {"mood": "teal"}},
            {"type": "devices", "id": "?"},
        ]


def _part_id(device: PartnerDevice, name: str) -> str:
    if name == "location":
        return opaque("location", device.account, 122)
    return opaque(f"device.{name}", device.key, 122 if name == "configurations" else 96)
