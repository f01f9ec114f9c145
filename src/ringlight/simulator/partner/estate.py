"""What the simulated Partner API knows: apps, linked accounts, consents, events, and what was asked."""

import asyncio
import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ringlight.simulator.expiring import Expiring
from ringlight.simulator.partner.behaviour import PARTNER_PROFILES, PartnerBehaviour
from ringlight.simulator.partner.deliveries import Deliveries
from ringlight.simulator.partner.documents import DeviceState
from ringlight.simulator.partner.envelope import envelope
from ringlight.simulator.partner.footage import DAY, Recording
from ringlight.simulator.partner.grants import ROTATION_GRACE, Access, Grants
from ringlight.simulator.partner.history import PartnerEvent
from ringlight.simulator.partner.installing import Addresses, Verdict
from ringlight.simulator.partner.limit import Limit
from ringlight.simulator.partner.parties import App, Group, Link, Subscription
from ringlight.simulator.partner.premises import PartnerDevice, account_id, devices_of

if TYPE_CHECKING:
    from ringlight.simulator.world import World

NONCE_LIFE = 600.0  # seconds
KEPT_CALLS = 1000
KEPT_EVENTS = 1000  # the newest
Step = Literal["token", "exchange", "confirm", "complete"]


class Estate:
    """The state of the Partner API; `World.partner`.

    Attributes:
        app: The one app.
        grants: All tokens; `sim-token` is good for ever.
        nonces: Those that may still come, and for the link of which account.
        links: The accounts that have the app, by key.
        limit: Of calls, for the client id.
        subscriptions: What is paid for.
        offline: Devices that Ring does not reach, by key.
        flooded: Sensors that stand in water.
        corrupt: Numbers of events whose footage cannot be read.
        events: What happened, by the device's key.
        next_calls: Switches that are on for one call each, in turn, beside those of the world.
        calls: The last calls: method, path, status.
        bearers: The header fields of requests to the storage that should have none of a token.
        event_seconds: How long motion and rings last that are pressed.
        media_lag: Seconds from the end of an event until its footage can be had.
        address_life: Seconds that an address of the storage is good.
        view_battery: Seconds of a live view of a battery device.
        view_line: The same on mains.
        played: What was played on the chime.
        deliveries: The webhooks, and how the app answered them.
        addresses: What the developer portal has of the app.
        codes_used: Somebody waits until these codes are exchanged.
        verdicts: What the app did about its links, and whether that was good.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.app = App()
        self.grants = Grants(lambda: world.hexadecimal(12), self._clock)
        self.nonces: Expiring[str] = Expiring(self._clock)
        self.limit = Limit()
        self.offline: set[str] = set()
        self.flooded: set[str] = set()
        self.corrupt: set[int] = set()
        self.next_calls: deque[tuple[str, ...]] = deque()
        self.calls: deque[tuple[str, str, int]] = deque(maxlen=KEPT_CALLS)
        self.bearers: deque[dict[str, str]] = deque(maxlen=100)
        self.event_seconds = 8.0
        self.media_lag = 2.0
        self.address_life = 900.0
        self.view_battery = 30.0
        self.view_line = 60.0
        self.played: list[tuple[str, str]] = []
        self.deliveries = Deliveries()
        self.addresses = Addresses()
        self.codes_used: dict[str, asyncio.Event] = {}
        self.verdicts: list[Verdict] = []
        self.events: list[PartnerEvent] = []
        self._numbers = 0
        self._odd_call = False
        begun = self.now()
        since = begun - 30 * DAY
        consents = {device.key: since for device in devices_of(world.cameras, early_access=True)}
        self.links = {"ada": Link("ada", identifier="a***a@ringlight.test", updated=since, consents=consents)}
        self._grant_for_ever()
        self.subscriptions = (
            Subscription("sub-sim-1", "paid", True, since, begun + 30 * DAY),
            Subscription("sub-sim-2", "trial", False, since, since + 7 * DAY),
        )
        self._remember(begun)

    def _clock(self) -> float:
        return self._world.now()  # asked each time: tests set another clock

    def now(self) -> int:
        """The time of day in epoch ms."""
        return int(self._world.wall() * 1000)

    @property
    def how(self) -> PartnerBehaviour:
        """How the API answers: the world's profile."""
        return PARTNER_PROFILES[self._world.profile]

    # ---- devices ----

    def devices(self, access: Access, on: Iterable[str]) -> list[PartnerDevice]:
        """Return the devices that a token opens; the sandbox's only one."""
        known = [device for device in self._shared(access, on) if self._group(device) in self.app.groups]
        return [replace(device, name="Playground Device") for device in known[:1]] if access.playground else known

    def device(self, access: Access, identity: str, on: Iterable[str]) -> PartnerDevice | None:
        """Return one of them by its id in the API."""
        return self._named(self.devices(access, on), identity)

    def is_out_of_scope(self, access: Access, identity: str, on: Iterable[str]) -> bool:
        """Whether a device is shared, and only the app has not asked for its kind."""
        return self._named(self._shared(access, on), identity) is not None and not access.playground

    def _shared(self, access: Access, on: Iterable[str]) -> list[PartnerDevice]:
        link = self.links.get(access.account)
        if link is None or "partner-no-devices" in on:
            return []
        early = "partner-early-access" in on
        known = devices_of(self._world.cameras, early_access=early, account=access.account)
        return [device for device in known if device.key in link.consents]

    def _named(self, devices: Iterable[PartnerDevice], identity: str) -> PartnerDevice | None:
        odd = self.how.odd
        return next((one for one in devices if one.id(odd=odd) == identity), None)

    def state(self, device: PartnerDevice, on: Iterable[str]) -> DeviceState:
        """Return how a device is."""
        off = device.key in self.offline or bool({"offline", "partner-offline"} & set(on))
        watching = device.camera is None or device.camera.id not in self._world.motion_off
        return DeviceState(not off, watching, self.now(), device.key in self.flooded)

    def consent(self, account: str, device: PartnerDevice) -> int:
        """Return since when an account shares a device, in epoch ms."""
        return self.links[account].consents[device.key]

    @staticmethod
    def _group(device: PartnerDevice) -> Group:
        groups: dict[str, Group] = {"chime": "chimes", "sensor": "sensors"}
        return groups.get(device.family, "cameras")

    # ---- events and footage ----

    def happened(
        self, key: str, kind: str, *, subtype: str = "", start: int | None = None, seconds: float | None = None,
        reviewed: bool = False, footage: bool = True,
    ) -> PartnerEvent:  # fmt: skip
        """Note an event. Without a start it begins now; without seconds it goes on until `event_ends`."""
        self._numbers += 1
        begins = self.now() if start is None else start
        ends = None if seconds is None else begins + int(seconds * 1000)
        event = PartnerEvent(self._numbers, key, kind, subtype, begins, ends, reviewed, footage)
        self.events.append(event)
        del self.events[:-KEPT_EVENTS]
        return event

    def pressed(self, number: int, kind: str) -> None:
        """Note what a camera saw."""
        subtype = "human" if kind == "motion" else ""
        device = self._by_key(str(number))
        if device is not None:
            self.tell("motion_detected" if kind == "motion" else "button_press", device, subtype=subtype)
        self.happened(str(number), kind, subtype=subtype, seconds=self.event_seconds / self._world.speed)

    def play(self, key: str, sound: str) -> None:
        """Play something on a chime."""
        self.played.append((key, sound))
        del self.played[:-KEPT_CALLS]

    def event_ends(self, event: PartnerEvent) -> None:
        """End an event that goes on."""
        self.events = [replace(one, end=self.now()) if one.number == event.number else one for one in self.events]

    def seen_by_app(self, number: int) -> None:
        """Note that the app had footage of an event."""
        self.events = [replace(one, reviewed=True) if one.number == number else one for one in self.events]

    def history(self, device: PartnerDevice, since: int) -> list[PartnerEvent]:
        """Return what happened at a device since a moment and is over or goes on now."""
        return [one for one in self.events if one.device == device.key and since <= one.start]

    def recordings(self, device: PartnerDevice) -> dict[int, Recording]:
        """Return the footage of a device, by the number of its event."""
        lag, now = int(self.media_lag * 1000 / self._world.speed), self.now()
        found = {}
        for event in self.events:
            if event.device == device.key and event.footage and event.start > now - 180 * DAY:
                end = event.end if event.end is not None else now + 1
                ready = end + lag if event.end is not None else now + lag + 1
                found[event.number] = Recording(event.start, end, ready, event.number in self.corrupt)
        return found

    def _grant_for_ever(self) -> None:
        self.grants.add("sim-token", Access("ada", self.app.client_id, "sim-token"))

    def _remember(self, now: int) -> None:
        """Let some things have happened before the simulator began, the last ten minutes ago."""
        minute = 60_000
        for camera in self._world.cameras:
            key = str(camera.id)
            ring = "doorbots" in camera.group
            self.happened(key, "motion", subtype="human", start=now - 31 * DAY, seconds=20)  # before the consent
            self.happened(key, "on_demand", start=now - DAY, seconds=25, footage=False)
            self.happened(key, "motion", subtype="animal", start=now - 180 * minute, seconds=12)
            self.happened(key, "motion", subtype="vehicle", start=now - 60 * minute, seconds=15)
            self.happened(key, "motion", subtype="human", start=now - 10 * minute, seconds=20)
            if ring:
                self.happened(key, "ding", start=now - 10 * minute + 5000, seconds=15)

    # ---- linking ----

    def enter(self, base: str) -> None:
        """Enter an app that has mounted our router into the developer portal; nobody has taken it yet.

        Whoever has `sim-token` goes on as before, since consents stay. Only webhooks wait for a link.
        """
        self.addresses = Addresses.below(base)
        self.deliveries.url = f"{base.rstrip('/')}/webhook"
        for link in self.links.values():
            link.status = "awaiting"

    def install(self, account: str = "ada", *, challenge: str | None = None) -> str:
        """Let an account take the app; return the authorisation code."""
        known = devices_of(self._world.cameras, early_access=True, account=account)
        link = self.links.setdefault(account, Link(account))
        link.status, link.identifier, link.updated = "unclaimed", None, self.now()
        link.consents = {device.key: self.now() for device in known}
        self.nonces.end(lambda whose: whose == account)
        if self.addresses.token is None:  # else once the code is exchanged
            self.tell_devices(account)
        return self.grants.make_code(account, self.app.client_id, challenge)

    def tell_devices(self, account: str) -> None:
        """Tell of the devices that an account shares from now on; that comes before the link is claimed."""
        for device in devices_of(self._world.cameras, early_access=True, account=account):
            self.tell("device_added", device, account=account)

    def send_person(self, account: str = "ada") -> dict[str, str]:
        """Return the query with which Ring sends the person's browser to the app: nonce and time."""
        at = str(self.now())
        digest = hmac.digest(self.app.hmac_key.encode(), f"{at}:{account_id(account)}".encode(), hashlib.sha256)
        nonce = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        self.nonces.add(nonce, NONCE_LIFE, account)
        return {"nonce": nonce, "time": at}

    def confirms(self, nonce: str, account: str) -> bool:
        """Whether a nonce is good for this account's link; it is good no more then."""
        return self.nonces.get(nonce) == account and self.nonces.take(nonce) is not None

    def code_used(self, code: str) -> None:
        """Note that a code was exchanged."""
        if code in self.codes_used:
            self.codes_used[code].set()

    def judge(self, account: str, step: Step, good: bool, seen: str) -> None:
        """Note what the app did about a link."""
        self.verdicts.append(Verdict(self.now(), account, step, good, seen))
        del self.verdicts[:-KEPT_CALLS]

    def remove(self, account: str = "ada") -> None:
        """Let an account remove the app: its tokens end."""
        link = self.links.pop(account, None)
        self.grants.revoke(account)
        self.nonces.end(lambda whose: whose == account)
        for device in devices_of(self._world.cameras, early_access=True, account=account):
            if link is not None and device.key in link.consents:
                self.tell("device_removed", device, account=account, always=True)
        if link is not None:
            self.tell("app_integration_removed", account=account, always=True)

    def completed(self, account: str) -> None:
        """Note that linking has finished."""
        self.tell("app_integration_added", account=account)

    # ---- webhooks ----

    def clock(self) -> float:
        """The clock by which webhooks are sent: `speed` of its seconds pass in one."""
        return self._world.now() * self._world.speed

    def real(self, seconds: float) -> float:
        """Return how long seconds of that clock take."""
        return seconds / self._world.speed

    def tell(
        self, kind: str, device: PartnerDevice | None = None, *, subtype: str = "", account: str = "ada",
        always: bool = False,
    ) -> None:  # fmt: skip
        """Send a webhook, if there is an address and the account shares the device with an app that it has linked.

        Args:
            kind: What happened.
            device: To what; `None` for what concerns the account.
            subtype: What moved.
            account: Whose.
            always: Whether links and consents do not matter.
        """
        link = self.links.get(account)
        # Devices are told of before linking has finished; the rest only after it.
        linked = link is not None and (link.status == "completed" or kind in ("device_added", "device_removed"))
        shared = device is None or (link is not None and device.key in link.consents)
        if self.deliveries.url is None or not (always or (linked and shared)):
            return
        on = self._world.on
        identity = "" if device is None else device.id(odd=self.how.odd)
        body = envelope(
            kind, request_id=self._world.uuid(), account=account_id(account), device=identity, subtype=subtype,
            at_ns=self.now() * 1_000_000 + self._world.dice.randrange(1_000_000), snake="partner-webhook-snake" in on,
        )  # fmt: skip
        self.deliveries.add(kind, body, self.app.hmac_key, self.clock(), on)

    def went(self, key: str, *, online: bool | None = None, flooded: bool | None = None) -> None:
        """Take a device off line or back, or a sensor into water or out of it."""
        device = self._by_key(key)
        for value, changed, kinds in (
            (online, self.offline, ("device_offline", "device_online")),
            (flooded, self.flooded, ("flood_cleared", "flood_detected")),
        ):
            if value is None:
                continue
            listed = value if changed is self.flooded else not value
            if listed != (key in changed) and device is not None:
                self.tell(kinds[value], device)
            changed.add(key) if listed else changed.discard(key)

    def share(self, key: str, shared: bool) -> None:
        """Share a device of Ada's, or stop it."""
        link, device = self.links.get("ada"), self._by_key(key)
        if link is None or device is None or shared == (key in link.consents):
            return
        if shared:
            link.consents[key] = self.now()
        self.tell("device_added" if shared else "device_removed", device)
        if not shared:
            link.consents.pop(key)

    def _by_key(self, key: str) -> PartnerDevice | None:
        known = devices_of(self._world.cameras, early_access=True)
        return next((device for device in known if device.key == key), None)

    # ---- switches ----

    def switched(self, before: set[str], after: set[str]) -> None:
        """Do what switches do at the moment at which they go on or off."""
        new = after - before
        if "partner-link-lost" in new:
            self.grants.revoke_all()
        elif "partner-link-lost" in before - after:
            self._grant_for_ever()
        if "partner-access-ended" in new:
            self.grants.end_access()
        if "partner-rotation-grace" in before ^ after:
            self.grants.grace = ROTATION_GRACE if "partner-rotation-grace" in after else 0.0

    def switches(self) -> set[str]:
        """Return the switches that are on."""
        return set(self._world.on)

    def switches_of_a_call(self) -> set[str]:
        """Return the switches that are on for the next call."""
        on = set(self._world.on)
        if self.next_calls:
            on |= set(self.next_calls.popleft())
        if "partner-flaky" in on:
            self._odd_call = not self._odd_call
            if self._odd_call:
                on.add("partner-503")
        return on
