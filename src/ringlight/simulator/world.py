"""What the simulator knows: the account, its cameras, tokens, tickets, the switches, and what it was sent."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ringlight.simulator.clip import Clip, make_clip
from ringlight.simulator.sound import make_sound
from ringlight.simulator.switchboard import SWITCHES
from ringlight.simulator.turning import Facing

TICKET_LIFE = 60.0  # seconds
TOKEN_LIFE = 3600  # seconds
KEPT_DIALOGS = 100
_ADA = {"id": 4711, "email": "ada@ringlight.test", "first_name": "Ada", "last_name": "Sim"}
_GRACE = {"id": 4712, "email": "grace@ringlight.test", "first_name": "Grace", "last_name": "Sim"}


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
            health["supported_rpc_commands"] = ["PTZ.Pan.Step", "PTZ.Tilt.Step"]
        return {
            "id": self.id,
            "description": self.name,
            "kind": self.kind,
            "device_id": f"{self.id:012x}",
            "location_id": "loc-sim-1",
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
    """

    id: int
    doorbot_id: int
    kind: str
    created_at: str
    recorded: bool = True

    def record(self) -> dict[str, Any]:
        """Return its entry of a camera's history."""
        status = "ready" if self.recorded else "unavailable"
        return {"id": self.id, "created_at": self.created_at, "kind": self.kind, "answered": False, "favorite": False,
                "events": [], "recording": {"status": status}, "snapshot_url": ""}  # fmt: skip


EVENTS = (
    SimEvent(7_500_000_000_000_000_003, 1001, "ding", "2026-02-03T18:04:05.250Z"),
    SimEvent(7_500_000_000_000_000_002, 1001, "motion", "2026-02-03T18:03:58.000Z"),
    SimEvent(7_500_000_000_000_000_001, 1001, "on_demand", "2026-02-02T07:00:00.000Z", recorded=False),
    SimEvent(7_500_000_000_000_000_004, 1003, "motion", "2026-02-03T19:30:00.000Z"),
)


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds that the simulated camera takes for each phase; `ticket` and `still` are those of HTTP answers."""

    session: float = 0.0
    answer: float = 0.0
    connected: float = 0.0
    started: float = 0.0
    ticket: float = 0.0
    still: float = 0.0


@dataclass(slots=True)
class DialogRecord:
    """One dialog as it went: each message of the client with its verdict."""

    dialog_id: str
    doorbot_id: int | None
    messages: list[dict[str, Any]] = field(default_factory=list)
    ended: str | None = None


@dataclass(slots=True)
class World:
    """The state of the simulator. One account: `ada@ringlight.test`.

    Attributes:
        on: Names of the switches that are on.
        delays: How long the phases take.
        ping_interval: Seconds, as told to clients; three of them without a ping end a view.
        time_limit: Seconds of a view.
        activation_limit: Seconds that a view lives without `activate_session`.
        live_views: How many `live_view` offers were taken, in all.
        asks_code: Whether the account has two-step verification.
        needs_registration: Whether addresses about devices answer 404 to a hardware id that is not registered.
        rotation_grace: Seconds that a refresh token still works after it was spent.
        sign_in_pages: How the sign-in in steps goes: `good`, `no-csrf` (no token on the page), `other-state` (in
            the redirect) or `bad-code` (refused when it is exchanged).
        has_ring_devices: Whether the older device list is still there; the flat one always is.
        takes_stills: Whether the cameras can take a fresh picture.
        events: What the cameras have seen, newest first for each.
        facing: Where the cameras that can turn look, by camera.
        lights: Which lights are on, by camera.
        sirens: Until when sirens sound, by camera and clock.
        now: The clock, for what expires.
    """

    email: str = "ada@ringlight.test"
    password: str = "ringlight"  # noqa: S105 - public: it is in the documentation
    code: str = "123456"
    cameras: tuple[SimCamera, ...] = CAMERAS
    on: set[str] = field(default_factory=set)
    delays: Delays = field(default_factory=Delays)
    ping_interval: float = 10.0
    time_limit: float = 600.0
    activation_limit: float = 70.0
    live_views: int = 0
    now: Callable[[], float] = time.monotonic
    dialogs: deque[DialogRecord] = field(default_factory=lambda: deque(maxlen=KEPT_DIALOGS))
    not_ready_left: int = 0
    facing: dict[int, Facing] = field(default_factory=dict)
    hardware_ids: set[str] = field(default_factory=set)
    asks_code: bool = True
    needs_registration: bool = False
    rotation_grace: float = 0.0
    sign_in_pages: str = "good"
    has_ring_devices: bool = True
    takes_stills: bool = True
    events: tuple[SimEvent, ...] = EVENTS
    lights: dict[int, bool] = field(default_factory=dict)
    sirens: dict[int, float] = field(default_factory=dict)
    _access: dict[str, float] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)
    _spent: dict[str, float] = field(default_factory=dict)
    _codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    _tickets: dict[str, float] = field(default_factory=dict)

    def camera(self, number: int) -> SimCamera | None:
        """Return the camera with this id, or `None`."""
        return next((camera for camera in self.cameras if camera.id == number), None)

    def draw(self) -> None:
        """Make all pictures and sound now, so that the first who watches does not wait for them."""
        make_sound()
        for camera in self.cameras:
            _ = camera.clip

    def switch(self, names: list[str]) -> None:
        """Replace the set of switches that are on.

        Raises:
            KeyError: One of the names is no switch.
        """
        wanted = {SWITCHES[name].name for name in names}
        if "wrong-password" in wanted - self.on:
            self._access.clear()
            self._refresh.clear()
            self._spent.clear()
        if "token-not-json" in wanted - self.on:
            self._access.clear()  # so that clients must renew theirs
        if "session-lapsed" in wanted - self.on:
            self.hardware_ids.clear()
        self.not_ready_left = 2 if "not-ready" in wanted else 0
        self.on = wanted

    # ---- tokens and tickets ----

    def grant(self, *, usable: bool = True) -> dict[str, Any]:
        """Make a pair of tokens; an access token that is not usable is refused by all other services."""
        access, refresh = f"sim-access-{secrets.token_hex(12)}", f"sim-refresh-{secrets.token_hex(12)}"
        if usable:
            self._access[access] = self.now() + TOKEN_LIFE
        self._refresh.add(refresh)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE,
            "refresh_token": refresh,
            "scope": "client",
        }

    def rotate(self, refresh: str) -> dict[str, Any] | None:
        """Take a refresh token out of use and make a new pair; `None` for one that is not valid."""
        if refresh in self._refresh:
            self._refresh.discard(refresh)
            self._spent[refresh] = self.now() + self.rotation_grace
        elif self._spent.get(refresh, 0.0) <= self.now():
            return None
        return self.grant()

    def make_code(self, challenge: str, redirect: str) -> str:
        """Make an authorisation code, good once, for who knows the verifier of a challenge."""
        code = f"sim-code-{secrets.token_hex(12)}"
        self._codes[code] = (challenge, redirect)
        return code

    def use_code(self, code: str, challenge: str, redirect: str) -> bool:
        """Take an authorisation code; whether it was valid."""
        return self._codes.pop(code, None) == (challenge, redirect)

    def register(self, hardware_id: str) -> None:
        """Take a registration; the switch `session-denied` forgets it at once."""
        if "session-denied" not in self.on:
            self.hardware_ids.add(hardware_id)

    def is_registered(self, hardware_id: str) -> bool:
        """Whether an installation may ask about devices."""
        if "session-denied" in self.on:
            return False
        needed = self.needs_registration or "session-lapsed" in self.on
        return not needed or hardware_id in self.hardware_ids

    def device_record(self, camera: SimCamera) -> dict[str, Any]:
        """Return a camera's entry of the device lists, with what it does just now."""
        record = camera.record(self.on)
        if camera.has_light:
            record["led_status"] = "on" if self.lights.get(camera.id) else "off"
        if camera.has_siren:
            record["siren_status"] = {"seconds_remaining": self.siren_seconds(camera.id)}
        return record

    def siren_seconds(self, number: int) -> int:
        """Return for how many seconds more a camera's siren sounds."""
        return max(0, round(self.sirens.get(number, 0.0) - self.now()))

    def knows(self, authorization: str) -> bool:
        """Whether an Authorization header carries a valid access token."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._access.get(token, 0.0) > self.now()

    def make_ticket(self) -> str:
        """Make a ticket, good once."""
        ticket = f"sim-ticket-{secrets.token_hex(16)}"
        self._tickets[ticket] = self.now() + TICKET_LIFE
        return ticket

    def use_ticket(self, ticket: str) -> bool:
        """Take a ticket; whether it was valid."""
        return self._tickets.pop(ticket, 0.0) > self.now() and "expired-ticket" not in self.on

    def record(self, dialog_id: str, doorbot_id: int | None) -> DialogRecord:
        """Begin the record of a dialog."""
        record = DialogRecord(dialog_id, doorbot_id)
        self.dialogs.append(record)
        return record
