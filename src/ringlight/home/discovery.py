"""What Home Assistant is told, so that a camera appears there as a device with everything it can do.

One message for each camera, as its MQTT integration takes them since 2024.11: topic
`<discovery>/device/<id>/config`, retained; an empty message takes the device away.
"""

from typing import Any

from ringlight.cameras import Camera
from ringlight.faults import FAULTS
from ringlight.home.topics import Topics

__all__ = ["device_topic", "discovery", "state"]

MOTION_SECONDS = 30  # after which motion counts as over, as Ring tells its beginning only
DIRECTIONS = {"left": "Turn left", "right": "Turn right", "up": "Turn up", "down": "Turn down"}


def device_topic(discovery: str, camera: str) -> str:
    """Return where a camera's device is described."""
    return f"{discovery}/device/ringlight_{camera.replace('-', '_')}/config"


def discovery(camera: Camera, topics: Topics, *, version: str, page: str | None) -> dict[str, Any]:
    """Return the description of a camera as a device.

    Args:
        camera: What is described.
        topics: Where it tells and is told.
        version: Of this program.
        page: Address of our page, to which the device then links; `None` gives no link.
    """
    parts = {
        **_always(camera, topics),
        **_bell(camera, topics),
        **_switches(camera, topics),
        **_turning(camera, topics),
    }
    device: dict[str, Any] = {
        "identifiers": [f"ringlight_{camera.id}"], "name": camera.name, "manufacturer": "Ring",
        "model": camera.device.model,
    }  # fmt: skip
    if page is not None:
        device["configuration_url"] = f"{page.rstrip('/')}/#{camera.id}"
    return {
        "device": device,
        "origin": {"name": "Ringlight", "sw_version": version},
        "availability_topic": topics.status,
        "state_topic": topics.of(camera.id, "state"),
        "components": {
            name: {"unique_id": f"ringlight_{camera.id}_{name}", **part} for name, part in parts.items()
        },
    }  # fmt: skip


def state(camera: Camera) -> dict[str, Any]:
    """Return how a camera does, for its retained topic `state`."""
    device = camera.device
    return {
        "state": device.state.value,
        "battery_percent": device.battery_percent,
        "light": _on(device.light_on),
        "siren": _on(None if device.siren_seconds is None else device.siren_seconds > 0),
        "view": camera.view.progress.state,
        "viewers": camera.view.progress.viewers,
        "fault": FAULTS[device.refusal].as_dict() if device.refusal else None,
    }


def _always(camera: Camera, topics: Topics) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "image": {"platform": "camera", "name": None, "topic": topics.of(camera.id, "image")},
        "picture": {
            "platform": "button", "name": "Take a picture", "command_topic": topics.of(camera.id, "picture/set"),
        },
        "motion": {
            "platform": "binary_sensor", "name": "Motion", "device_class": "motion", "off_delay": MOTION_SECONDS,
            "state_topic": topics.of(camera.id, "motion"), "value_template": "{{ 'ON' }}",
            "json_attributes_topic": topics.of(camera.id, "motion"),
        },
        "online": {
            "platform": "binary_sensor", "name": "Connection", "device_class": "connectivity",
            "entity_category": "diagnostic",
            "value_template": "{{ 'OFF' if value_json.state == 'offline' else 'ON' }}",
        },
        "problem": {
            "platform": "binary_sensor", "name": "Live view", "device_class": "problem",
            "entity_category": "diagnostic", "value_template": "{{ 'ON' if value_json.fault else 'OFF' }}",
            "json_attributes_topic": topics.of(camera.id, "state"),
            "json_attributes_template": "{{ (value_json.fault or {}) | tojson }}",
        },
    }  # fmt: skip
    if camera.device.battery_percent is not None:
        parts["battery"] = {
            "platform": "sensor", "name": "Battery", "device_class": "battery", "unit_of_measurement": "%",
            "entity_category": "diagnostic", "value_template": "{{ value_json.battery_percent }}",
        }  # fmt: skip
    return parts


def _bell(camera: Camera, topics: Topics) -> dict[str, Any]:
    if "doorbell" not in camera.device.model.casefold():
        return {}
    return {
        "bell": {
            "platform": "event", "name": "Bell", "device_class": "doorbell", "event_types": ["ring"],
            "state_topic": topics.of(camera.id, "bell"),
        }
    }  # fmt: skip


def _switches(camera: Camera, topics: Topics) -> dict[str, Any]:
    wanted = {"light": camera.device.has_light, "siren": camera.device.has_siren}
    return {
        name: {
            "platform": name, "name": name.capitalize(), "command_topic": topics.of(camera.id, f"{name}/set"),
            "state_value_template": f"{{{{ value_json.{name} }}}}", "payload_on": "ON", "payload_off": "OFF",
            **({"command_template": "{{ value }}"} if name == "siren" else {}),
        }
        for name, has in wanted.items() if has
    }  # fmt: skip


def _turning(camera: Camera, topics: Topics) -> dict[str, Any]:
    if not camera.device.has_ptz:
        return {}
    return {
        f"turn_{direction}": {
            "platform": "button", "name": name, "command_topic": topics.of(camera.id, "turn/set"),
            "payload_press": direction,
        }
        for direction, name in DIRECTIONS.items()
    }  # fmt: skip


def _on(value: bool | None) -> str | None:
    return None if value is None else "ON" if value else "OFF"
