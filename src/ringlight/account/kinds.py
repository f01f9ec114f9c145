"""Ring's names for kinds of cameras, with short words for people and the power that they run on.

A new kind needs no entry to work; it is then shown under Ring's own name (observed-protocol.md#kinds).
"""

from dataclasses import dataclass
from enum import Enum

__all__ = ["KINDS", "OTHER_CAMERAS", "Kind", "Power", "model_of"]


class Power(Enum):
    """What a camera runs on."""

    WIRED = "wired"
    BATTERY = "battery"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind alone tells; the device's own record is better evidence for the power."""

    model: str
    power: Power


_ROWS = (
    ("Doorbell", Power.BATTERY, "doorbot doorbell doorbell_v3"),
    ("Doorbell 2", Power.BATTERY, "doorbell_v4 doorbell_v5"),
    ("Doorbell 3", Power.BATTERY, "doorbell_scallop_lite"),
    ("Doorbell 3 Plus", Power.BATTERY, "doorbell_scallop"),
    ("Doorbell 4", Power.BATTERY, "doorbell_oyster"),
    ("Peephole doorbell", Power.BATTERY, "doorbell_portal"),
    ("Wired doorbell", Power.WIRED, "doorbell_graham_cracker"),
    ("Doorbell Pro", Power.WIRED, "lpd_v1 lpd_v2 lpd_v3"),
    ("Doorbell Pro 2", Power.WIRED, "lpd_v4"),
    ("Doorbell Elite", Power.WIRED, "jbox_v1"),
    ("Doorbell, 2nd generation", Power.BATTERY, "cocoa_doorbell"),
    ("Battery doorbell Plus", Power.BATTERY, "cocoa_doorbell_v2"),
    ("Battery doorbell Pro", Power.BATTERY, "cocoa_doorbell_v3"),
    ("Battery doorbell", Power.BATTERY, "df_doorbell_clownfish"),
    ("Stick-up camera", Power.BATTERY, "stickup_cam stickup_cam_v3 stickup_cam_lunar cocoa_camera"),
    ("Wired stick-up camera", Power.WIRED, "stickup_cam_elite stickup_cam_wired"),
    ("Spotlight camera", Power.BATTERY, "stickup_cam_v4"),
    ("Wired spotlight camera", Power.WIRED, "hp_cam_v2 spotlightw_v2"),
    ("Spotlight camera Plus", Power.UNKNOWN, "cocoa_spotlight"),
    ("Spotlight camera Pro", Power.UNKNOWN, "stickup_cam_longfin"),
    ("Floodlight camera", Power.WIRED, "hp_cam_v1 floodlight_v1 floodlight_v2 cocoa_floodlight"),
    ("Floodlight camera Pro", Power.WIRED, "floodlight_pro"),
    ("Indoor camera", Power.WIRED, "stickup_cam_mini stickup_cam_mini_v2"),
    ("Pan-tilt indoor camera", Power.WIRED, "stickup_cam_mini_ptz_v1"),
    ("ONVIF camera", Power.UNKNOWN, "onvif_camera"),
    ("Camera of another maker", Power.UNKNOWN, "three_p_cam"),
)

KINDS: dict[str, Kind] = {name: Kind(model, power) for model, power, names in _ROWS for name in names.split()}

# The list `other` mixes cameras with intercoms and garage doors; these are its cameras.
OTHER_CAMERAS = frozenset({"onvif_camera", "three_p_cam"})


def model_of(kind: str) -> str:
    """Return short words for a kind; an unknown one is shown under Ring's name for it."""
    known = KINDS.get(kind)
    return known.model if known else kind.replace("_", " ").capitalize() or "Unknown device"
