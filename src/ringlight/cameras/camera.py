"""A camera as the page, the commands and programs see it, whatever it is behind."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from ringlight.account import Power
from ringlight.account.events import CameraEvent
from ringlight.cameras.battery import Cost
from ringlight.cameras.download import Download, Progressed
from ringlight.cameras.driver import Controls, Described
from ringlight.cameras.shared_view import SharedView
from ringlight.cameras.turning import HELD, SPEED, Turner
from ringlight.cameras.view import Direction, Turned, View
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.http.flow import Streamed
from ringlight.liveview.session import STEPS
from ringlight.secrets import Secret

PAGE = 50  # events that one request asks for


class Publication(Protocol):
    """The way of a camera to another media server."""

    def as_dict(self) -> dict[str, Any]:
        """Return where it stands, as JSON."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of now.

    Attributes:
        image: The picture as JPEG.
        source: `camera`: it took the picture for this; `view`: the newest key frame of the live view that runs.
    """

    image: bytes = field(repr=False)
    source: Literal["camera", "view"]


class Camera:
    """One camera and its shared view.

    Attributes:
        id: Its name in addresses: `front-door`.
        device: What is known of it; replaced when the list is read anew.
        steps: The steps of opening its view, in order.
        view: The view that all share.
        battery_cost: What a minute of video costs its battery; `None` for a camera on line power.
        publication: Its way to another media server; `None` where it is published nowhere.
    """

    def __init__(self, identifier: str, device: Described, view: SharedView, controls: Controls) -> None:
        self.id = identifier
        self.device = device
        self.view = view
        view.named = lambda: self.id
        self.battery_cost: Cost | None = None
        self.publication: Publication | None = None
        self.steps: tuple[str, ...] = STEPS
        self._controls = controls
        self._turner = Turner(view)

    @property
    def name(self) -> str:
        """What its owner called it."""
        return self.device.name

    @asynccontextmanager
    async def live_view(self) -> AsyncIterator[View]:
        """Watch it. Everybody who does shares one upstream; the first opens it.

        Raises:
            RingError: Why it cannot be watched.
        """
        async with self.view.join() as view:
            yield view

    @asynccontextmanager
    async def player_view(self) -> AsyncIterator[View]:
        """Watch it with a player that asks again and again by itself, such as a video recorder.

        It never wakes a camera on battery whose owner wants to be asked: with its view, it would go on all day. For
        the same reason it sees such a camera for as long as somebody else watches, and no longer.

        Raises:
            MediaError: VIEWER-BATTERY.
            RingError: Why it cannot be watched.
        """
        asleep = self.view.progress.state not in ("opening", "live")
        guest = self.device.power is Power.BATTERY and self.view.renewal_policy != "while-watched"
        if asleep and guest:
            raise fault_error("VIEWER-BATTERY", self.id)
        async with self.view.join(guest=guest) as view:
            yield view

    async def turn(self, direction: Direction) -> Turned:
        """Turn the camera one step; opens the shared view for it if nobody watches.

        Returns:
            `moved`, or `limit` where it came to the end of its way.

        Raises:
            CameraError: CAM-NO-PTZ or CAM-COMMAND.
        """
        self._check_turns()
        return await self._turner.step(direction)

    async def keep_turning(self, direction: Direction, *, speed: float = SPEED, seconds: float = HELD) -> Turned:
        """Turn the camera on and on, until `stop_turning`, the end of its way, or the time is over.

        Call it again in time to go on; so a program that is gone leaves no camera turning.

        Args:
            direction: Where to; another than before stops that first.
            speed: Above 0, up to 1.
            seconds: How long from now it turns without being asked again.

        Returns:
            `moved`, or `limit` where it has come to the end of its way since it was first asked.

        Raises:
            CameraError: CAM-NO-PTZ or CAM-COMMAND.
            UsageError: REQUEST-INVALID, the speed is out of range.
        """
        self._check_turns()
        if not 0 < speed <= 1:
            raise fault_error("REQUEST-INVALID", f"a camera turns with a speed above 0, up to 1, not {speed:g}")
        return await self._turner.keep(direction, speed, seconds)

    async def stop_turning(self) -> Turned:
        """Stop what `keep_turning` began; return `limit` where the camera had come to the end of its way before."""
        return await self._turner.stop()

    async def set_light(self, on: bool) -> None:
        """Switch its light.

        Raises:
            CameraError: CAM-UNABLE, it has none; CAM-GONE.
        """
        await self._controls.set_light(on)
        self.device = replace(self.device, light_on=on)

    async def set_siren(self, on: bool, *, seconds: int = 30) -> None:
        """Sound its siren for some seconds, 1 to 120, or silence it.

        Raises:
            CameraError: CAM-UNABLE, it has none; CAM-GONE.
            UsageError: REQUEST-INVALID, `seconds` is out of range.
        """
        await self._controls.set_siren(on, seconds=seconds)
        self.device = replace(self.device, siren_seconds=seconds if on else 0)

    async def fresh_snapshot(self, *, within: float = 10.0) -> Still:
        """Return a picture of now, where the camera can take one without a live view.

        A camera on battery takes none while it streams; then the picture is from that view, and the result says so. One
        of the Partner API takes none by itself: its live view is opened for a moment.

        Args:
            within: Seconds that the camera may take.

        Raises:
            CameraError: CAM-SNAPSHOT, CAM-OFFLINE or CAM-PRIVACY.
        """
        streaming = self.view.progress.state == "live"
        if streaming and self.device.power is Power.BATTERY:
            return await self._still_of_view()
        try:
            image = await self._controls.fresh_snapshot(within=within, streaming=streaming)
        except RingError as error:
            if error.code != "CAM-SNAPSHOT" or self.view.progress.state != "live":
                raise
            return await self._still_of_view()
        return await self._still_of_view() if image is None else Still(image, "camera")

    async def history(self, *, limit: int | None = 50, before: str | None = None) -> AsyncIterator[CameraEvent]:
        """Yield what it has seen, newest first; asks for the next page when that is wanted.

        Args:
            limit: How many at most; `None` for all that Ring keeps.
            before: The id of an event: only what came before it.

        Raises:
            CameraError: CAM-GONE.
        """
        left, known = limit, set[str]()
        while left is None or left > 0:
            count = PAGE if left is None else min(left, PAGE)
            page = await self._controls.events(count, before)
            new = [event for event in page if event.id not in known]
            for event in new:
                yield event
            if not new or len(page) < count:  # nothing new: Ring did not go on where it was asked to
                return
            known.update(event.id for event in new)
            before = new[-1].id
            left = None if left is None else left - len(new)

    async def download(self, event: CameraEvent | str, path: str | Path, *, progress: Progressed | None = None) -> int:
        """Save the recording of an event as an MP4 file; return its length in bytes.

        Until it is whole it is beside its place, with `.part` at the end. Where the line is cut it goes on from there.

        Args:
            event: The event, or its id.
            path: Where to; what is there is replaced.
            progress: Called with the bytes that are there and those there will be, or `None` where nobody knows.

        Raises:
            CameraError: CAM-RECORDING, there is none.
            MediaError: FILE-WRITE.
            NetworkError: The line was cut too often.
            UsageError: REQUEST-INVALID, the id is none.
        """
        wanted = self._event(event)
        address = self._controls.recording_url
        return await Download(lambda: address(wanted), self._controls.stream_recording, Path(path), progress).run()

    async def recording_url(self, event: CameraEvent | str) -> Secret:
        """Return the address of a recording; who has it can watch for about 15 minutes.

        Raises:
            CameraError: CAM-RECORDING, there is none.
            UsageError: REQUEST-INVALID, the id is none.
        """
        return await self._controls.recording_url(self._event(event))

    def stream_recording(
        self, url: Secret, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Streamed]:
        """Read a recording piece by piece, from the address that `recording_url` returned."""
        return self._controls.stream_recording(url, headers)

    async def close(self) -> None:
        """Stop turning and close the view, whoever watches."""
        await self._turner.close()
        await self.view.close()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        device, cost = self.device, self.battery_cost
        return {
            "id": self.id,
            "name": device.name,
            "kind": device.kind,
            "model": device.model,
            "power": device.power.value,
            "battery_percent": device.battery_percent,
            "battery_cost": cost.as_dict() if cost else None,
            "state": device.state.value,
            "can_turn": device.has_ptz,
            "has_light": device.has_light,
            "light_on": device.light_on,
            "has_siren": device.has_siren,
            "siren_seconds": device.siren_seconds,
            "has_recordings": device.has_recordings,
            "refusal": FAULTS[device.refusal].as_dict() if device.refusal else None,
            "steps": self.steps,
            "renewal": self.view.renewal_policy,
            "view": self.view.progress.state,
            "viewers": self.view.progress.viewers,
            "publication": self.publication.as_dict() if self.publication else None,
        }

    async def _still_of_view(self) -> Still:
        async with self.view.join() as view:
            return Still(await view.snapshot(), "view")

    def _check_turns(self) -> None:
        if not self.device.has_ptz:
            raise fault_error("CAM-NO-PTZ", self.name)

    def _event(self, event: CameraEvent | str) -> CameraEvent:
        return event if isinstance(event, CameraEvent) else self._controls.event_named(event)
