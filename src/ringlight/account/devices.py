"""The device list as Ring sends it, read into types. Pure; the rules are in observed-protocol.md#derived-facts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ringlight.account.kinds import KINDS, OTHER_CAMERAS, Power, model_of
from ringlight.foreign import one_line
from ringlight.http.flow import unreadable

__all__ = ["Device", "Devices", "Online", "Power", "parse_devices"]

_CAMERA_LISTS = ("doorbots", "authorized_doorbots", "stickup_cams")
_PTZ_MOUNTS = ("penguin", "emperor")  # a pan-tilt mount, a pan-tilt camera
_BATTERY_LEVELS = ("battery_percentage", "second_battery_percentage")
_FLAT_LIST = "devices"  # of the newer answer: everything in one list, kinds that nobody knows yet included
_CAMERA_SETTINGS = ("enable_vod", "live_view_disabled", "live_view_preset_profile", "video_settings")
_NAME_LONGEST = 80  # characters; Ring's app stops earlier


class Online(Enum):
    """Whether Ring is in touch with a camera. A record that does not say is not offline."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Device:
    """One device of the account.

    Attributes:
        id: Ring's number for it, `doorbot_id` in signaling.
        name: What its owner called it.
        kind: Ring's name for the kind, `unknown` where there is none.
        model: The kind in words for people.
        power: What it runs on.
        battery_percent: 0 to 100, the weaker of two batteries; `None` without a usable reading.
        state: Whether Ring is in touch with it.
        shared: It belongs to somebody else who shares it.
        refusal: The fault with which a live view would be refused now, or `None`.
        has_light: It has a light that can be switched.
        has_siren: It has a siren.
        has_ptz: It pans and tilts.
        raw: The record as it came, with fields that nobody knows yet.
        light_on: Whether the light is on; `None` without one, or where Ring does not say.
        siren_seconds: For how many seconds more the siren sounds; `None` as for the light.
        has_recordings: Whether the account's subscription keeps recordings; `None` where Ring does not say.
    """

    id: int
    name: str
    kind: str
    model: str
    power: Power
    battery_percent: int | None
    state: Online
    shared: bool
    refusal: str | None
    has_light: bool
    has_siren: bool
    has_ptz: bool
    raw: Mapping[str, object] = field(repr=False, compare=False)
    light_on: bool | None = None
    siren_seconds: int | None = None
    has_recordings: bool | None = None


@dataclass(frozen=True, slots=True)
class Devices:
    """The whole list: what can be watched, what cannot, and what could not be read."""

    cameras: list[Device]
    others: list[Device]
    notes: list[str]


def parse_devices(json: object) -> Devices:
    """Read the answer of `ring_devices` or of `v3/devices`. Every list in it is optional.

    No device can spoil the others (observed-protocol.md#devices).

    Raises:
        AuthError: ACCOUNT-ANSWER, the answer is no object at all.
    """
    if not isinstance(json, dict):
        raise unreadable("clients_api", f"expected an object of lists, got {type(json).__name__}")
    result = Devices([], [], [])
    seen: set[int] = set()
    for where, name, item in _items(json, result.notes):
        number = _id(item.get("id"))
        if number is None:
            result.notes.append(f"{where} has no usable id")
        elif number in seen:
            result.notes.append(f"{where} repeats the id {number}")
        else:
            seen.add(number)
            device = _device(number, item, authorized=name == "authorized_doorbots")
            (result.cameras if _is_camera(name, device.kind, item) else result.others).append(device)
    return result


def _items(json: dict[str, object], notes: list[str]) -> Iterator[tuple[str, str, dict[str, object]]]:
    for name, items in json.items():
        if not isinstance(items, list):
            if name in _CAMERA_LISTS and items is not None:
                notes.append(f"{name} is no list")
            continue
        for index, item in enumerate(items):
            where = f"{one_line(name, _NAME_LONGEST)}[{index}]"
            if isinstance(item, dict):
                yield where, name, item
            else:
                notes.append(f"{where} is no object")


def _is_camera(list_name: str, kind: str, item: dict[str, object]) -> bool:
    if list_name in _CAMERA_LISTS:
        return True
    if list_name == _FLAT_LIST and kind not in KINDS:  # a new kind is known by what only cameras can be told
        settings, health = _part(item, "settings"), _part(item, "health")
        return any(name in settings for name in _CAMERA_SETTINGS) or "vod_enabled" in health
    return kind in OTHER_CAMERAS if list_name == "other" else kind in KINDS


def _device(number: int, item: dict[str, object], *, authorized: bool) -> Device:
    settings, health, alerts = _part(item, "settings"), _part(item, "health"), _part(item, "alerts")
    kind = _text(item.get("kind")) or "unknown"
    battery = _on(health.get("battery_present")) or any(health.get(key) is not None for key in _BATTERY_LEVELS)
    power = _power(kind, item, settings, health, battery=battery)
    state = _state(alerts, health)
    return Device(
        id=number,
        name=_text(item.get("description")) or f"{model_of(kind)} {number}",
        kind=kind,
        model=model_of(kind),
        power=power,
        battery_percent=_battery_percent(item, health) if battery or power is Power.BATTERY else None,
        state=state,
        shared=authorized or item.get("owned") is False,
        refusal=_refusal(state, settings, health, alerts),
        has_light="led_status" in item,
        has_siren="siren_status" in item,
        has_ptz=_has_ptz(kind, health),
        raw=item,
        light_on={"on": True, "off": False}.get(_text(item.get("led_status"))),
        siren_seconds=_seconds(_part(item, "siren_status").get("seconds_remaining")),
        has_recordings=_yes_or_no(_part(item, "features").get("show_recordings")),
    )


def _power(
    kind: str, item: dict[str, object], settings: dict[str, object], health: dict[str, object], *, battery: bool
) -> Power:
    """Judge by the mode that Ring names, then by signs of a battery, then by the kind.

    `battery_life` alone lies: a camera on mains was seen to report 100.
    """
    mode = settings.get("power_mode")
    if mode in ("wired", "battery"):
        return Power(mode)
    if battery:
        return Power.BATTERY
    if kind in KINDS and KINDS[kind].power is not Power.UNKNOWN:
        return KINDS[kind].power
    plugged = (item.get("external_connection"), health.get("external_connection"), health.get("ac_power"))
    return Power.WIRED if any(_on(value) for value in plugged) else Power.UNKNOWN


def _battery_percent(item: dict[str, object], health: dict[str, object]) -> int | None:
    own = [_percent(item.get(key)) for key in ("battery_life", "battery_life_2")]
    reported = [_percent(health.get(key)) for key in _BATTERY_LEVELS]
    for levels in (own, reported):
        usable = [level for level in levels if level is not None]
        if usable:
            return min(usable)
    return None


def _state(alerts: dict[str, object], health: dict[str, object]) -> Online:
    connected = (health.get("connected"), health.get("rss_connected"))
    if alerts.get("connection") == "offline" or any(value is False for value in connected):
        return Online.OFFLINE
    if alerts.get("connection") == "online" or any(value is True for value in connected):
        return Online.ONLINE
    return Online.UNKNOWN


def _refusal(
    state: Online, settings: dict[str, object], health: dict[str, object], alerts: dict[str, object]
) -> str | None:
    if state is Online.OFFLINE:
        return "CAM-OFFLINE"
    if settings.get("live_view_disabled") is True:
        return "CAM-DISABLED"
    if _on(alerts.get("privacy_cover_enabled")) or _on(health.get("privacy_cover_enabled")):
        return "CAM-PRIVACY"
    if _off(settings.get("enable_vod")) or _off(health.get("vod_enabled")):
        return "CAM-VIDEO-OFF"
    return None


def _has_ptz(kind: str, health: dict[str, object]) -> bool:
    commands = health.get("supported_rpc_commands")
    named = isinstance(commands, list) and any(
        isinstance(command, str) and command.startswith("PTZ.") for command in commands
    )
    return named or kind == "stickup_cam_mini_ptz_v1" or health.get("ptz_connected") in _PTZ_MOUNTS


def _part(item: dict[str, object], key: str) -> dict[str, object]:
    part = item.get(key)
    return part if isinstance(part, dict) else {}


def _id(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def _percent(value: object) -> int | None:
    """Read a battery level: number or text; `None` for millivolts (4003 was seen) and all else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return round(value) if 0 <= value <= 100 else None


def _seconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return round(value) if 0 <= value < 86_400 else None


def _yes_or_no(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _on(value: object) -> bool:
    return isinstance(value, (bool, int, float)) and value == 1


def _off(value: object) -> bool:
    return isinstance(value, (bool, int, float)) and value == 0


def _text(value: object) -> str:
    return one_line(value, _NAME_LONGEST) if isinstance(value, str) else ""
