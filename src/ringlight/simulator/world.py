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

TICKET_LIFE = 60.0  # seconds
TOKEN_LIFE = 3600  # seconds
KEPT_DIALOGS = 100


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

    @property
    def clip(self) -> Clip:
        """What it sees; encoded at the first use."""
        return make_clip(self.name, self.hue, self.profile)

    def record(self, on: set[str]) -> dict[str, Any]:
        """Return its entry of `ring_devices`, as the switches say."""
        offline, disabled = "offline" in on, "live-view-disabled" in on
        health: dict[str, Any] = {"connected": not offline, "rss_connected": not offline, "vod_enabled": True}
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
            "owned": True,
            "owner": {"id": 4711, "email": "ada@ringlight.test", "first_name": "Ada", "last_name": "Sim"},
            "battery_life": None if self.battery is None else str(self.battery),
            "alerts": {"connection": "offline" if offline else "online"},
            "settings": {
                "enable_vod": True,
                "live_view_disabled": disabled,
                "power_mode": "wired" if self.battery is None else "battery",
            },
            "health": health,
            **({"led_status": "off", "siren_status": {"seconds_remaining": 0}} if "floodlight" in self.kind else {}),
        }


CAMERAS = (
    SimCamera(1001, "Front Door", "lpd_v2", "doorbots", "high", 160),
    SimCamera(1002, "Back Yard", "cocoa_camera", "stickup_cams", "baseline", 140, battery=87),
    SimCamera(1003, "Driveway", "floodlight_pro", "stickup_cams", "main", 185, pan_and_tilt=True),
)


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds that the simulated camera takes for each phase."""

    session: float = 0.0
    answer: float = 0.0
    connected: float = 0.0
    started: float = 0.0


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
    hardware_ids: set[str] = field(default_factory=set)
    _access: dict[str, float] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)
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
        self.not_ready_left = 2 if "not-ready" in wanted else 0
        self.on = wanted

    # ---- tokens and tickets ----

    def grant(self) -> dict[str, Any]:
        """Make a pair of tokens."""
        access, refresh = f"sim-access-{secrets.token_hex(12)}", f"sim-refresh-{secrets.token_hex(12)}"
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
        if refresh not in self._refresh:
            return None
        self._refresh.discard(refresh)
        return self.grant()

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
