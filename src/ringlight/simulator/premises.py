"""The simulated cameras that there are, and what they have seen."""

from dataclasses import dataclass
from typing import Any

from ringlight.simulator.clip import Clip, make_clip
from ringlight.simulator.turning import Facing

__all__ = ["CAMERAS", "EVENTS", "LOCATION", "MORE_CAMERAS", "SimCamera", "SimEvent"]

_ADA = {"id": 4711, "email": "ada@ringlight.test", "first_name": "Ada", "last_name": "Sim"}
_GRACE = {"id": 4712, "email": "grace@ringlight.test", "first_name": "Grace", "last_name": "Sim"}

LOCATION = {
    "location_id": "loc-sim-1", "owner_id": _ADA["id"], "name": "Home", "is_owner": True,
    "address": {"address1": "1 Analytical Lane", "city": "Simville", "country": "DE", "timezone": "Europe/Berlin"},
    "geo_coordinates": {"latitude": "0.0", "longitude": "0.0"}, "user_verified": True,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimCamera:
    """One simulated camera."""

    id: int
    name: str
    kind: str
    group: str
    profile: str
    hue: int
    battery: int | None = None
    pan_and_tilt: bool = False
    privacy_cover: bool = False
    video_off: bool = False
    shared: bool = False
    millivolts: int | None = None

    @property
    def has_light(self) -> bool:
        """Whether it has a light that can be switched."""
        return "floodlight" in self.kind

    @property
    def has_siren(self) -> bool:
        """Whether it has a siren."""
        return "floodlight" in self.kind

    @property
    def clip(self) -> Clip:
        """What it sees; encoded at the first use."""
        return self.clip_facing(Facing())

    @property
    def marked_clip(self) -> Clip:
        """What it sees, with the mark that partners' footage has; encoded at the first use."""
        return make_clip(self.name, self.hue, self.profile, mark=f"sim app {self.id}")

    def clip_facing(self, facing: Facing) -> Clip:
        """What it sees when it has turned."""
        return make_clip(self.name, self.hue, self.profile, facing.pan, facing.tilt)

    def record(self, on: set[str]) -> dict[str, Any]:
        """Return its entry of `ring_devices`, as the switches say."""
        offline, disabled = "offline" in on, "live-view-disabled" in on
        covered, video = self.privacy_cover or "privacy-cover" in on, not (self.video_off or "video-off" in on)
        health: dict[str, Any] = {"connected": not offline, "rss_connected": not offline, "vod_enabled": video}
        life = self.battery if self.millivolts is None else self.millivolts
        if self.battery is not None:
            health |= {"battery_percentage": self.battery, "battery_present": True}
        if self.pan_and_tilt:
            health["supported_rpc_commands"] = [
                f"PTZ.{axis}.{way}" for axis in ("Pan", "Tilt") for way in ("Step", "Continuous")
            ]
        return {
            "id": self.id,
            "description": self.name,
            "kind": self.kind,
            "device_id": f"{self.id:012x}",
            "location_id": LOCATION["location_id"],
            "time_zone": "Europe/Berlin",
            "firmware_version": "Up to Date",
            "subscribed": True,
            "subscribed_motions": True,
            "features": {"motions_enabled": True, "show_recordings": True},
            "owned": not self.shared,
            "owner": _GRACE if self.shared else _ADA,
            "battery_life": None if life is None else str(life),
            "alerts": {
                "connection": "offline" if offline else "online",
                **({"privacy_cover_enabled": True} if covered else {}),
            },
            "settings": {
                "enable_vod": video,
                "live_view_disabled": disabled,
                "power_mode": "wired" if self.battery is None else "battery",
                "sheila_settings": {"cv_processing_enabled": False, "local_storage_enabled": False},
            },
            "health": health,
            **({"led_status": "off"} if self.has_light else {}),
            **({"siren_status": {"seconds_remaining": 0}} if self.has_siren else {}),
        }


CAMERAS = (
    SimCamera(1001, "Front Door", "lpd_v2", "doorbots", "high", 160),
    SimCamera(1002, "Back Yard", "cocoa_camera", "stickup_cams", "baseline", 140, battery=87),
    SimCamera(1003, "Driveway", "floodlight_pro", "stickup_cams", "main", 185, pan_and_tilt=True),
)

# For `World(cameras=CAMERAS + MORE_CAMERAS)`: what a long list of devices may hold.
MORE_CAMERAS = (
    SimCamera(1004, "Nursery", "stickup_cam_mini_v2", "stickup_cams", "baseline", 150, privacy_cover=True),
    SimCamera(1005, "Garage", "stickup_cam_wired", "stickup_cams", "main", 170, video_off=True),
    SimCamera(1006, "Neighbours", "doorbell_v4", "authorized_doorbots", "high", 180, battery=41, shared=True),
    SimCamera(1007, "Attic", "cam_of_tomorrow", "stickup_cams", "baseline", 190),
    SimCamera(1008, "Gate", "lpd_v1", "doorbots", "main", 165, millivolts=4003),
)


@dataclass(frozen=True, slots=True)
class SimEvent:
    """Something that a simulated camera has seen.

    Attributes:
        id: Ring's number for it, too long for a JavaScript number.
        doorbot_id: The camera.
        kind: `motion`, `ding` or `on_demand`.
        created_at: When, in Ring's form.
        recorded: Whether there is a recording.
        seen: What the picture analysis saw; `None` where it saw nothing.
    """

    id: int
    doorbot_id: int
    kind: str
    created_at: str
    recorded: bool = True
    seen: str | None = None

    def record(self) -> dict[str, Any]:
        """Return its entry of a camera's history."""
        status = "ready" if self.recorded else "unavailable"
        return {"id": self.id, "created_at": self.created_at, "kind": self.kind, "answered": False, "favorite": False,
                "cv_properties": {"detection_type": self.seen, "person_detected": self.seen == "human"},
                "events": [], "recording": {"status": status}, "snapshot_url": ""}  # fmt: skip

    def location_record(self) -> dict[str, Any]:
        """Return its entry of the newer list, which is asked for by place and camera."""
        return {"ding_id": self.id, "ding_id_str": str(self.id), "doorbot_id": self.doorbot_id, "kind": self.kind,
                "created_at": self.created_at, "favorite": False, "recorded": self.recorded, "state": "timed_out",
                "recording_status": "ready" if self.recorded else "unavailable", "cv_properties": {}}  # fmt: skip


EVENTS = (
    SimEvent(7_500_000_000_000_000_003, 1001, "ding", "2026-02-03T18:04:05.250Z"),
    SimEvent(7_500_000_000_000_000_002, 1001, "motion", "2026-02-03T18:03:58.000Z", seen="human"),
    SimEvent(7_500_000_000_000_000_001, 1001, "on_demand", "2026-02-02T07:00:00.000Z", recorded=False),
    SimEvent(7_500_000_000_000_000_004, 1003, "motion", "2026-02-03T19:30:00.000Z"),
)
