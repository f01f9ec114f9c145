"""The cameras of an account that is linked by Ring's Partner API."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ringlight.account import Power
from ringlight.account.devices import Online
from ringlight.account.events import CameraEvent
from ringlight.cameras.camera import Camera
from ringlight.cameras.clips import Clips
from ringlight.cameras.renewal import renewal_policy
from ringlight.cameras.shared_view import Policy, SharedView
from ringlight.cameras.whep_attempt import WhepAttempt
from ringlight.cameras.whep_session import STEPS, Waits
from ringlight.errors import RingError, fault_error
from ringlight.foreign import one_line
from ringlight.http.flow import Streamed
from ringlight.liveview import Event
from ringlight.liveview.lasting import LastingView
from ringlight.liveview.leg import Leg
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.partner import AsyncClient, plain
from ringlight.partner.capabilities import Capabilities
from ringlight.partner.devices import Device
from ringlight.partner.live import LiveSession
from ringlight.partner.media import LONGEST_CLIP
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings

__all__ = ["PartnerCamera", "PartnerCameras", "PartnerDevice"]

LIST_LIFE = 10.0  # seconds that a list of cameras is shown again without asking Ring
MOST_EVENTS = 500  # of the history that are looked through for one page
_EVENT = re.compile(r"(\d{10,15})-(\d{10,15})")
_LONGEST = int(LONGEST_CLIP * 1000)


@dataclass(frozen=True, slots=True)
class PartnerDevice:
    """What the Partner API says of a camera. It cannot be told to do anything.

    Attributes:
        id: Ring's id, which is another one for every app.
        name: What its owner called it.
        model: As the address of its picture names it, which is not documented.
        power: Battery where Ring names one, wired where it says that there is none.
        battery_percent: 0 to 100; `None` without a reading.
        state: Whether Ring is in touch with it.
        refusal: PARTNER-DEVICE-OFFLINE where it is not.
        view_seconds: After how long Ring ends a live view.
    """

    id: str
    name: str
    model: str
    power: Power
    battery_percent: int | None
    state: Online
    refusal: str | None
    view_seconds: float
    kind: str = "partner"
    has_light: bool = False
    light_on: bool | None = None
    has_siren: bool = False
    siren_seconds: int | None = None
    has_ptz: bool = False
    has_recordings: bool | None = True


class PartnerCamera(Camera):
    """A camera of a linked account.

    Attributes:
        device: What Ring says of it; replaced when the list is read anew.
    """

    device: PartnerDevice


class PartnerCameras:
    """The cameras that somebody shares with the app. Open it with `async with`; the client stays its owner's.

        async with AsyncClient() as ring, PartnerCameras(ring) as cameras:
            camera = await cameras.camera("Front Door")
            picture = await camera.fresh_snapshot()

    Args:
        client: The linked account.
        settings: For deadlines, `cameras.…`, `media.…` and `recordings.…`; `None` reads them.
    """

    problems: Sequence[RingError] = ()  # there is one account: all of its cameras can be listed, or none

    def __init__(self, client: AsyncClient, settings: Settings | None = None) -> None:
        self._client = client
        self._settings = settings or load_settings()
        self._clips = Clips(client)
        self._known: dict[str, PartnerCamera] = {}
        self._listed: list[PartnerCamera] | None = None
        self._listed_at = float("-inf")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every view."""
        await asyncio.gather(*(camera.close() for camera in self._known.values()))
        await self._clips.aclose()

    async def cameras(self) -> list[PartnerCamera]:
        """List the cameras; the same camera stays the same object. Chimes and sensors are left out.

        Raises:
            RingError: Why the list could not be read.
        """
        now = asyncio.get_running_loop().time()
        if self._listed is None or now - self._listed_at >= LIST_LIFE:
            found = await self._client.devices.list(include=["status", "capabilities"], fill=True)
            devices = [described(device) for device in found if has_video(device)]
            self._listed = [self._camera_of(device) for device in devices]
            self._listed_at = now
        return list(self._listed)

    def listed(self) -> list[PartnerCamera]:
        """Return the cameras that were listed last, without asking Ring."""
        return list(self._listed or ())

    async def camera(self, name: str) -> PartnerCamera:
        """Return a camera by its name, its id in addresses, or Ring's id.

        Raises:
            CameraError: CAM-UNKNOWN, with the names that there are.
        """
        cameras = await self.cameras()
        for camera in cameras:
            if name in (camera.id, camera.device.id) or name.casefold() == camera.name.casefold():
                return camera
        known = ", ".join(camera.name for camera in cameras) or "none"
        raise fault_error("CAM-UNKNOWN", f"asked for {name[:80]!r}; known: {known}")

    def _camera_of(self, device: PartnerDevice) -> PartnerCamera:
        camera = self._known.get(device.id)
        if camera is None:
            view = SharedView(self._dial(device.id), self._settings, lambda: self._policy(device.id))
            remote = _Remote(device.id, self._client, self._clips)
            camera = self._known[device.id] = PartnerCamera(name_of(device), device, view, remote)
            camera.steps = STEPS
        camera.device = device
        return camera

    def _policy(self, identity: str) -> Policy:
        camera = self._known[identity]
        return renewal_policy(self._settings.cameras, camera.id, camera.device.power)

    def _dial(self, identity: str) -> Callable[..., LastingView]:
        def dial(
            *,
            on_packet: Callable[[Packet], None],
            on_agreed: Callable[[Agreed], None],
            on_event: Callable[[Event], None],
            is_watched: Callable[[], bool],
            may_renew: Callable[[], bool],
        ) -> LastingView:
            settings, camera = self._settings, self._known[identity]
            view, limit = settings.live_view, camera.device.view_seconds
            waits = Waits(view.path_timeout, view.media_timeout, settings.partner.view_stall, limit)
            service = _Live(identity, self._client)

            async def run(leg: Leg, _new_token: bool) -> RingError:  # the client renews its token by itself
                attempt = WhepAttempt(service, waits, leg, audio=view.audio)
                leg.begun(attempt)
                return await attempt.run()

            ahead = max(limit - settings.partner.view_ahead, limit / 2)
            return LastingView(
                camera.id, run, view.model_copy(update={"renew_after": ahead}), on_packet=on_packet,
                on_agreed=on_agreed, on_event=on_event, is_watched=is_watched, may_renew=may_renew,
            )  # fmt: skip

        return dial


class _Live:
    """Opens and ends live views of one camera."""

    def __init__(self, identity: str, client: AsyncClient) -> None:
        self._identity, self._client = identity, client

    async def open(self, offer: str) -> LiveSession:
        return await self._client.live.open(self._identity, offer)

    async def close(self, session: LiveSession) -> None:
        await self._client.live.close(session)


class _Remote:
    """What can be done with one camera besides live video: look at what it saw."""

    def __init__(self, identity: str, client: AsyncClient, clips: Clips) -> None:
        self._identity, self._client, self._clips = identity, client, clips

    async def set_light(self, on: bool) -> None:
        raise fault_error("CAM-UNABLE", "the Partner API switches no light")

    async def set_siren(self, on: bool, *, seconds: int) -> None:
        raise fault_error("CAM-UNABLE", "the Partner API sounds no siren")

    async def fresh_snapshot(self, *, within: float, streaming: bool) -> None:
        return None

    async def events(self, limit: int, before: str | None) -> list[CameraEvent]:
        bound = self.event_named(before).at if before is not None else None
        page: list[CameraEvent] = []
        seen = 0
        async for answer in self._client.history.events(self._identity).pages():
            for event in answer:
                seen += 1
                start, kind = plain(event.start), plain(event.event_type) or "unknown"
                if start is not None and (bound is None or start / 1000 < bound):
                    page.append(_event(self._identity, kind, start, plain(event.end), answer.date))
                if len(page) == limit or seen == MOST_EVENTS:
                    return page
        return page

    def event_named(self, identifier: str) -> CameraEvent:
        found = _EVENT.fullmatch(identifier)
        if found is None or int(found[2]) < int(found[1]):
            raise fault_error("REQUEST-INVALID", f"{identifier[:40]!r} is no id of an event")
        return _event(self._identity, "unknown", int(found[1]), int(found[2]))

    async def recording_url(self, event: CameraEvent) -> Secret:
        start, _, end = event.id.partition("-")
        return await self._clips.address(self._identity, int(start), min(int(end), int(start) + _LONGEST))

    def stream_recording(
        self, url: Secret, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Streamed]:
        return self._clips.stream(url, headers)


def _event(identity: str, kind: str, start: int, end: int | None, date: float | None = None) -> CameraEvent:
    """Name an event by its time: that is how the Partner API finds footage. One that goes on has none yet."""
    at = start / 1000
    return CameraEvent(
        f"{start}-{start if end is None else end}", identity, kind, at, answered=False, has_recording=end is not None,
        ago=None if date is None else date - at, begun=f"{start}-{kind}",
    )  # fmt: skip


def has_video(device: Device) -> bool:
    """Whether a device is a camera, as far as its capabilities tell."""
    capabilities = plain(device.capabilities)
    return capabilities is None or capabilities.video is not None


def described(device: Device) -> PartnerDevice:
    """Read what the Partner API says of a camera."""
    status, capabilities = plain(device.status), plain(device.capabilities) or Capabilities()
    online = plain(status.online) if status is not None else None
    battery = plain(status.battery_status) if status is not None else None
    power = Power.BATTERY if plain(capabilities.battery_status) is not None else Power.UNKNOWN
    if capabilities.battery_status is None or (battery is not None and battery.is_on_mains):
        power = Power.WIRED
    return PartnerDevice(
        device.id,
        one_line(plain(device.name) or "", 80) or "Ring camera",
        _model(plain(device.image_url)),
        power,
        battery.percent if battery is not None else None,
        {True: Online.ONLINE, False: Online.OFFLINE, None: Online.UNKNOWN}[online],
        "PARTNER-DEVICE-OFFLINE" if online is False else None,
        capabilities.live_view_seconds,
    )


def name_of(device: PartnerDevice) -> str:
    """Return a camera's id in addresses: its name and a mark of Ring's id, so that a camera of another account, or of
    the person's own, never has the same. Two dashes stand in no other camera's id.
    """
    plain_name = re.sub(r"[^a-z0-9]+", "-", device.name.casefold()).strip("-") or "camera"
    digest = hashlib.blake2b(device.id.encode(errors="surrogatepass"), digest_size=5).digest()
    return f"{plain_name}--{base64.b32encode(digest).decode().lower()[:6]}"


def _model(image_url: str | None) -> str:
    """Read `DoorbellPro` out of the address of a picture as words."""
    found = re.search(r"/devices/([A-Za-z0-9]{1,40})/", image_url or "")
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", found[1]) if found else "Ring camera"
