"""The cameras of a person's Ring account."""

import asyncio
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from ringlight.account import AccountClient, Device
from ringlight.account.endpoints import signaling_url
from ringlight.account.events import CameraEvent, event_named
from ringlight.cameras.battery import KEPT_SPANS
from ringlight.cameras.camera import Camera
from ringlight.cameras.charge import Charge
from ringlight.cameras.renewal import renewal_policy
from ringlight.cameras.shared_view import Policy, SharedView
from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Streamed
from ringlight.liveview import Event, LiveViewClient
from ringlight.liveview.trace import Trace
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.secrets import Secret
from ringlight.store import FileTokenStore, MemoryTokenStore
from ringlight.store.measured_file import MeasuredFile

LIST_LIFE = 2.0  # seconds that a list of cameras is shown again without asking Ring


class AccountCamera(Camera):
    """A camera of a person's Ring account.

    Attributes:
        device: What Ring says of it; replaced when the list is read anew.
    """

    device: Device


class Account(AccountClient):
    """A Ring account with its cameras. Open it with `async with Account.open() as account`.

    Attributes:
        trace: Records the signaling of views that open from now on; `None` records nothing.
    """

    trace: Trace | None = None
    problems: Sequence[RingError] = ()  # there is one account: all of its cameras can be listed, or none
    _listed: list[AccountCamera] | None = None  # as Ring lists them now
    _known: dict[int, AccountCamera]  # all that were ever listed: one may come back, and its view may still run
    _listed_at: float = float("-inf")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._known = {}
        store = self._store
        place = store.path.parent if isinstance(store, FileTokenStore) else self.settings.state_dir
        # An account in memory leaves nothing behind.
        in_memory = isinstance(store, MemoryTokenStore)
        kept = None if in_memory else MeasuredFile(place / "batteries.json", kept=KEPT_SPANS)
        self._charge = Charge(kept, self._clock, self.devices)

    async def devices(self) -> list[Device]:
        """List the cameras of the account, as Ring has them now; what it says of batteries is measured."""
        found = await super().devices()
        self._charge.read(found)
        return found

    async def cameras(self) -> list[AccountCamera]:
        """List the cameras, as Ring has them now; the same camera stays the same object.

        Raises:
            RingError: Why the list could not be read.
        """
        now = asyncio.get_running_loop().time()
        if self._listed is None or now - self._listed_at >= LIST_LIFE:
            devices = await self.devices()
            names = _identifiers(devices)
            self._listed = [self._camera_of(device, names[device.id]) for device in devices]
            self._listed_at = now
        for camera in self._listed:
            camera.battery_cost = self._charge.cost(camera.device)
        return list(self._listed)

    async def camera(self, name: str | int) -> AccountCamera:
        """Return a camera by its name, its id in addresses, or Ring's number.

        Raises:
            CameraError: CAM-UNKNOWN, with the names that there are.
        """
        cameras = await self.cameras()
        wanted = str(name).casefold()
        for camera in cameras:
            if wanted in (camera.name.casefold(), camera.id, str(camera.device.id)):
                return camera
        known = ", ".join(camera.name for camera in cameras) or "none"
        raise fault_error("CAM-UNKNOWN", f"asked for {str(name)[:80]!r}; known: {known}")

    async def aclose(self) -> None:
        """Close every view, then the account."""
        for camera in self._known.values():
            await camera.close()
        await self._charge.aclose()
        await super().aclose()

    def _camera_of(self, device: Device, identifier: str) -> AccountCamera:
        camera = self._known.get(device.id)
        if camera is None:
            view = SharedView(
                self._dial(device.id), self.settings, lambda: self._renewal_policy(device.id),
                lambda progress: self._charge.follow(self._known[device.id].device, progress),
            )  # fmt: skip
            controls = _Remote(self, lambda: self._known[device.id].device)
            camera = self._known[device.id] = AccountCamera(identifier, device, view, controls)
        camera.id, camera.device = identifier, device
        return camera

    def _dial(self, number: int) -> Callable[..., LiveViewClient]:
        def dial(
            *,
            on_packet: Callable[[Packet], None],
            on_agreed: Callable[[Agreed], None],
            on_event: Callable[[Event], None],
            is_watched: Callable[[], bool],
            may_renew: Callable[[], bool],
        ) -> LiveViewClient:
            return LiveViewClient(
                number, token=self.access_token, renewed_token=self.renewed_token,
                signaling_url=lambda: self._signaling_url(number),
                settings=self.settings.live_view, on_packet=on_packet, on_agreed=on_agreed, on_event=on_event,
                is_watched=is_watched, may_renew=may_renew, trace=self.trace,
            )  # fmt: skip

        return dial

    def _renewal_policy(self, number: int) -> Policy:
        camera = self._known[number]
        return renewal_policy(self.settings.cameras, camera.id, camera.device.power)

    async def _signaling_url(self, number: int) -> Secret:
        """Fetch a ticket while looking whether the camera may be watched at all; that answer comes first."""
        fetching = asyncio.create_task(self.ticket())
        try:
            refusal = (await self.device(number)).refusal
            if refusal is not None:
                raise fault_error(refusal)
            ticket = await fetching
        finally:
            fetching.cancel()
            await asyncio.wait({fetching})
            if not fetching.cancelled():
                fetching.exception()  # the device's refusal, if there is one, says more
        client_id = f"ring_site-{uuid.uuid4()}"
        return signaling_url(self.settings.ring_url, self.settings.ring_signaling_url, ticket, client_id)


class _Remote:
    """What can be done with one camera of the account besides live video."""

    def __init__(self, account: Account, device: Callable[[], Device]) -> None:
        self._account, self._device = account, device

    async def set_light(self, on: bool) -> None:
        await self._account.set_light(self._device(), on)

    async def set_siren(self, on: bool, *, seconds: int) -> None:
        await self._account.set_siren(self._device(), on, seconds=seconds)

    async def fresh_snapshot(self, *, within: float, streaming: bool) -> bytes:
        return await self._account.fresh_snapshot(self._device(), within=within, streaming=streaming)

    async def events(self, limit: int, before: str | None) -> list[CameraEvent]:
        return await self._account.events(self._device(), limit, before)

    def event_named(self, identifier: str) -> CameraEvent:
        return event_named(identifier, self._device().id)

    async def recording_url(self, event: CameraEvent) -> Secret:
        return await self._account.recording_url(event)

    def stream_recording(
        self, url: Secret, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Streamed]:
        return self._account.stream_recording(url, headers)


def _identifiers(devices: list[Device]) -> dict[int, str]:
    """Make names for addresses: `front-door`, and `front-door-1001` where two cameras are called the same."""
    plain = {device.id: re.sub(r"[^a-z0-9]+", "-", device.name.casefold()).strip("-") for device in devices}
    counts: dict[str, int] = {}
    for name in plain.values():
        counts[name] = counts.get(name, 0) + 1
    return {
        number: name if name and counts[name] == 1 else f"{name or 'camera'}-{number}" for number, name in plain.items()
    }
