"""What the simulator knows: the account, its cameras, the switches, and what it was sent."""

import random
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from ringlight.liveview.trace import Trace
from ringlight.simulator.behaviour import Behaviour, behaviour_of
from ringlight.simulator.clip import Clip
from ringlight.simulator.hearing import Ear
from ringlight.simulator.partner.estate import Estate
from ringlight.simulator.partner.switches import ALL_SWITCHES
from ringlight.simulator.premises import CAMERAS, EVENTS, MORE_CAMERAS, SimCamera, SimEvent
from ringlight.simulator.sound import make_sound
from ringlight.simulator.tokens import Tokens
from ringlight.simulator.turning import Facing

__all__ = [
    "CAMERAS",
    "EVENTS",
    "MORE_CAMERAS",
    "Delays",
    "DialogRecord",
    "Line",
    "SimCamera",
    "SimEvent",
    "World",
]

KEPT_DIALOGS = 100
KEPT_MESSAGES = 500  # of a dialog, the last ones; a view of ten minutes has some hundred
KEPT_EVENTS = 1000  # the newest
KEPT_HARDWARE = 1000  # installations; one that is forgotten registers again


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
    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    ended: str | None = None


class Line(Protocol):
    """One signaling socket that is open, as the world reaches it."""

    def seen(self, event: SimEvent) -> None:
        """Tell of an event, if that was asked for."""

    def end_views(self, reason: int, text: str) -> None:
        """Close all its views with a reason."""

    def end(self, code: int | None, text: str) -> None:
        """Close the socket; `None` cuts the connection without a close frame."""


@dataclass(slots=True)
class World:
    """The state of the simulator. One account: `ada@ringlight.test`.

    Attributes:
        on: Names of the switches that are on.
        profile: Whose description of Ring it follows; see `behaviour.PROFILES`.
        seed: Begins all that is left to chance, so that it is the same again; `None` is another one each time.
        dice: All chance comes from here.
        speed: How many seconds of delays, limits of a view and scenarios pass in one second. Pings and tickets
            keep to real time, since clients do.
        jitter: By what part delays may be longer or shorter.
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
        motion_off: Which cameras' motion detection was switched off.
        recording_requests: The header fields of each request for a recording's bytes.
        heard: What the cameras heard of who talked to them, by camera.
        now: The clock, for what expires.
        wall: The time of day in seconds.
        tokens: The tokens, codes and tickets that were given.
        partner: The Partner API's side: apps, links, consents, events, and what was asked.
        lines: The signaling sockets that are open.
        trace: Takes what is said there, as the client would record it; `None` takes nothing.
    """

    email: str = "ada@ringlight.test"
    password: str = "ringlight"  # noqa: S105 - public: it is in the documentation
    code: str = "123456"
    cameras: tuple[SimCamera, ...] = CAMERAS
    on: set[str] = field(default_factory=set)
    profile: str = "observed"
    seed: int | None = None
    dice: random.Random = field(init=False)
    partner: Estate = field(init=False)
    tokens: Tokens = field(init=False)
    speed: float = 1.0
    jitter: float = 0.0
    lines: set[Line] = field(default_factory=set)
    trace: Trace | None = None
    delays: Delays = field(default_factory=Delays)
    ping_interval: float = 10.0
    time_limit: float = 600.0
    activation_limit: float = 70.0
    live_views: int = 0
    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
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
    motion_off: set[int] = field(default_factory=set)
    recording_requests: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=KEPT_DIALOGS))
    heard: dict[int, Ear] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - nothing here is a secret, and it must be repeatable
        self.partner = Estate(self)
        self.tokens = Tokens(self)

    @property
    def behaviour(self) -> Behaviour:
        """What Ring does just now: the profile, changed by the switches."""
        return behaviour_of(self.profile, self.on)

    def delay(self, phase: str) -> float:
        """Return the real seconds that a phase of `delays` takes this time."""
        seconds: float = getattr(self.delays, phase)
        return seconds * (1 + self.jitter * self.dice.uniform(-1, 1)) / self.speed

    def hexadecimal(self, count: int) -> str:
        """Return a name of `count` bytes by chance, in hexadecimal."""
        return self.dice.randbytes(count).hex()

    def uuid(self) -> str:
        """Return a UUID by chance."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def press(self, doorbot_id: int, kind: str) -> SimEvent:
        """Let a camera see something: it goes into its history, and to all who asked to be told."""
        at = datetime.fromtimestamp(self.wall(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = SimEvent(self.dice.randrange(75 * 10**17, 76 * 10**17), doorbot_id, kind, at)
        self.events = (event, *self.events[: KEPT_EVENTS - 1])
        self.partner.pressed(doorbot_id, kind)
        for line in tuple(self.lines):
            line.seen(event)
        return event

    def end_views(self, reason: int, text: str) -> None:
        """Close all views with a reason."""
        for line in tuple(self.lines):
            line.end_views(reason, text)

    def end_sockets(self, code: int | None, text: str) -> None:
        """Close all signaling sockets; `None` cuts the connections without a close frame."""
        for line in tuple(self.lines):
            line.end(code, text)

    def camera(self, number: int) -> SimCamera | None:
        """Return the camera with this id, or `None`."""
        return next((camera for camera in self.cameras if camera.id == number), None)

    def ear(self, number: int) -> Ear:
        """Return what the camera with this id hears."""
        return self.heard.setdefault(number, Ear())

    def clip(self, camera: SimCamera) -> Clip:
        """Return what a camera sees where it looks now."""
        return camera.clip_facing(self.facing.get(camera.id, Facing()))

    def draw(self) -> None:
        """Make all pictures and sound now, so that the first who watches does not wait for them."""
        make_sound(self.behaviour.sound)
        for camera in self.cameras:
            _ = camera.clip

    def switch(self, names: list[str]) -> None:
        """Replace the set of switches that are on.

        Raises:
            KeyError: One of the names is no switch.
        """
        wanted = {ALL_SWITCHES[name].name for name in names}
        if "wrong-password" in wanted - self.on:
            self.tokens.clear()
        if "token-not-json" in wanted - self.on:
            self.tokens.access.clear()  # so that clients must renew theirs
        if "session-lapsed" in wanted - self.on:
            self.hardware_ids.clear()
        if "not-ready" in wanted - self.on:
            self.not_ready_left = 2
        elif "not-ready" not in wanted:
            self.not_ready_left = 0
        self.partner.switched(self.on, wanted)
        self.on = wanted

    def register(self, hardware_id: str) -> None:
        """Take a registration; the switch `session-denied` forgets it at once."""
        if "session-denied" not in self.on:
            if len(self.hardware_ids) >= KEPT_HARDWARE:
                self.hardware_ids.pop()
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
        record["settings"]["motion_detection_enabled"] = camera.id not in self.motion_off
        if camera.has_light:
            record["led_status"] = "on" if self.lights.get(camera.id) else "off"
        if camera.has_siren:
            record["siren_status"] = {"seconds_remaining": self.siren_seconds(camera.id)}
        return record

    def device_settings(self, camera: SimCamera) -> dict[str, Any]:
        """Return a camera's settings as their own service lists them."""
        return {"motion_settings": {"motion_detection_enabled": camera.id not in self.motion_off}}

    def siren_seconds(self, number: int) -> int:
        """Return for how many seconds more a camera's siren sounds."""
        return max(0, round(self.sirens.get(number, 0.0) - self.now()))

    def record(self, dialog_id: str, doorbot_id: int | None) -> DialogRecord:
        """Begin the record of a dialog."""
        record = DialogRecord(dialog_id, doorbot_id)
        self.dialogs.append(record)
        return record
