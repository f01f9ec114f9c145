"""Live view by WHEP: an offer for an answer, with real pictures until the time is over."""

import asyncio
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response

from ringlight.errors import RingError
from ringlight.media import sdp
from ringlight.simulator.partner.gate import Caller, enter_device
from ringlight.simulator.partner.history import PartnerEvent
from ringlight.simulator.partner.premises import PartnerDevice
from ringlight.simulator.sender import CameraSender
from ringlight.simulator.world import World

__all__ = ["PartnerViews", "add_views"]

SHORT = 3.0  # seconds of a view that a switch cuts short
LINGER = 30.0  # seconds that the path stays open without pictures
SESSIONS = "/v1/devices/{identity}/media/streaming/whep/sessions"


@dataclass(slots=True)
class _View:
    device: PartnerDevice
    sender: CameraSender
    event: PartnerEvent
    seconds: float
    over: bool = False
    task: "asyncio.Task[None] | None" = None


class PartnerViews:
    """The views that are open. They end at the time limit, by DELETE, or with the program."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._views: dict[str, _View] = {}

    def watched(self, device: PartnerDevice) -> bool:
        """Whether somebody watches a device."""
        return any(view.device.key == device.key and not view.over for view in self._views.values())

    async def start(self, device: PartnerDevice, offer: sdp.Description, on: set[str]) -> tuple[str, str]:
        """Open a view; return its name and the answer."""
        world = self._world
        camera = device.camera
        assert camera is not None  # noqa: S101 - judged before
        how = replace(
            world.behaviour, candidates="answer", direction="sendonly", sound_direction="sendonly",
            sends=world.behaviour.sends and "partner-view-dark" not in on,
        )  # fmt: skip
        world.live_views += 1
        clip = await asyncio.to_thread(lambda: camera.marked_clip)  # at the first use it is encoded, for seconds
        sender = CameraSender(clip, offer, how, world.dice)
        answer = await sender.answer()
        limit = world.partner.view_line if device.battery is None else world.partner.view_battery
        event = world.partner.happened(device.key, "on_demand", reviewed=True)
        seconds = SHORT if "partner-view-short" in on else limit / world.speed
        view, name = _View(device, sender, event, seconds), world.uuid()
        self._views[name] = view
        view.task = asyncio.create_task(self._run(name, view), name="partner view")
        return name, answer

    async def end(self, name: str, device: PartnerDevice) -> bool:
        """End a view; whether it was still going on."""
        view = self._views.get(name)
        if view is None or view.device.key != device.key:
            return False
        was_over = view.over
        await self._stop(name, view)
        return not was_over

    async def close(self) -> None:
        """End all views."""
        for name, view in tuple(self._views.items()):
            await self._stop(name, view)

    async def _stop(self, name: str, view: _View) -> None:
        self._views.pop(name, None)
        if view.task is not None:
            view.task.cancel()
            await asyncio.wait({view.task})

    async def _run(self, name: str, view: _View) -> None:
        try:
            await self._show(view)
            # Not a word: neither a goodbye over RTCP nor the end of the path is sent.
            await asyncio.sleep(LINGER)
        finally:
            self._over(view)
            self._views.pop(name, None)
            await view.sender.close()

    async def _show(self, view: _View) -> None:
        try:
            async with asyncio.timeout(LINGER):
                await view.sender.connect()
            await asyncio.sleep(self._world.delay("started"))
            async with asyncio.timeout(view.seconds):
                await view.sender.send()
        except (RingError, TimeoutError):
            pass
        self._over(view)

    def _over(self, view: _View) -> None:
        if not view.over:
            view.over = True
            self._world.partner.event_ends(view.event)


def add_views(router: APIRouter, world: World, views: PartnerViews) -> None:
    """Add `…/media/streaming/whep/sessions`."""

    @router.post(SESSIONS)
    async def start(request: Request, identity: str) -> Response:
        found = enter_device(world, request, identity)
        if isinstance(found, Response):
            return found
        caller, device = found
        offer = await _offered(request, caller, device)
        if isinstance(offer, Response):
            return offer
        if not world.partner.state(device, caller.on).online:
            return caller.refuse(503, "Device is currently offline", title="Device Unavailable")
        if "partner-view-busy" in caller.on and views.watched(device):
            return caller.refuse(409, "There is a session of this device already.")
        await asyncio.sleep(world.delay("answer"))
        name, answer = await views.start(device, offer, caller.on)
        path = f"{request.url.path}/{name}"
        address = str(request.url.replace(path=path, query=""))
        if "partner-view-foreign" in caller.on:
            address = str(request.url.replace(hostname="elsewhere.example", path=path, query=""))
        elif "partner-view-relative" in caller.on or world.partner.how.relative_location:
            address = request.url.replace(path=path, query="").path
        return Response(answer, 201, {"Location": address}, "application/sdp")

    @router.delete(SESSIONS + "/{name}")
    async def end(request: Request, identity: str, name: str) -> Response:
        found = enter_device(world, request, identity)
        if isinstance(found, Response):
            return found
        caller, device = found
        if await views.end(name, device):
            return Response(status_code=world.partner.how.deleted)
        if world.partner.how.gone == 410:
            return Response(status_code=410)
        return caller.refuse(404, "Session not found")


async def _offered(request: Request, caller: Caller, device: PartnerDevice) -> sdp.Description | Response:
    """Read the offer, or refuse it."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/sdp":
        return caller.refuse(415, "The body must be application/sdp")
    if device.camera is None:
        return caller.refuse(400, "The device has no video.")
    try:
        offer = sdp.parse((await request.body()).decode("utf-8", "replace"))
        video = offer.find("video")
        usable = video is not None and video.find("H264") is not None and bool(offer.transport.ufrag)
    except RingError as error:
        return caller.refuse(400, str(error.detail))
    if video is None or not usable:
        return caller.refuse(400, "The offer has no H.264 video, or says not how to reach the client.")
    if video.direction != "recvonly":
        return caller.refuse(400, "Video must be recvonly.")
    return offer
