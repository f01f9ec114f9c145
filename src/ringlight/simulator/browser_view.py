"""The older way of browsers to a live view: offer and answer over HTTP alone, without pings or trickled candidates."""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringlight.errors import RingError
from ringlight.media import sdp
from ringlight.simulator.bodies import fields_of
from ringlight.simulator.camera_api import judged, not_found
from ringlight.simulator.hearing import Listening
from ringlight.simulator.sender import CameraSender
from ringlight.simulator.world import SimCamera, World

__all__ = ["BrowserViews", "browser_router"]


@dataclass(slots=True)
class _View:
    sender: CameraSender
    listening: Listening
    task: "asyncio.Task[None]"


class BrowserViews:
    """The views that were opened over HTTP. They end when told to, at the time limit, or with the program."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._views: dict[str, _View] = {}

    async def start(self, session: str, camera: SimCamera, offer: sdp.Description) -> str:
        """Open a view, in place of another one of the same name; return the answer."""
        await self.end(session)
        world = self._world
        world.live_views += 1
        listening = Listening(world.ear(camera.id), session)
        clip = world.clip(camera)
        sender = CameraSender(clip, offer, world.behaviour, world.dice, listening.packet)
        answer = await sender.answer()
        self._views[session] = _View(sender, listening, asyncio.create_task(self._run(sender), name="browser view"))
        return answer

    def unmute(self, session: str) -> bool:
        """Open the camera's speaker; whether there is such a view."""
        view = self._views.get(session)
        if view is not None:
            view.listening.options(stealth=False)
        return view is not None

    async def end(self, session: str) -> bool:
        """End a view; whether there was one."""
        view = self._views.pop(session, None)
        if view is None:
            return False
        view.task.cancel()
        await asyncio.wait({view.task})
        view.listening.close()
        await view.sender.close()
        return True

    async def close(self) -> None:
        """End all views."""
        for session in tuple(self._views):
            await self.end(session)

    async def _run(self, sender: CameraSender) -> None:
        try:
            async with asyncio.timeout(self._world.time_limit / self._world.speed):
                await sender.connect()
                await sender.send()
        except (RingError, TimeoutError):
            await sender.close()


def browser_router(world: World, views: BrowserViews) -> APIRouter:
    """Return `/integrations/v1/liveview/…` (observed-protocol.md#older-flows)."""
    router = APIRouter(prefix="/integrations/v1/liveview")

    @router.post("/start")
    async def start(request: Request) -> Response:
        fields = await fields_of(request) or {}
        session, number, offered = fields.get("session_id"), fields.get("device_id"), fields.get("sdp")
        camera = judged(world, request, number if isinstance(number, int) else 0)
        if isinstance(camera, Response):
            return camera
        try:
            if not isinstance(session, str) or not isinstance(offered, str) or fields.get("protocol") != "webrtc":
                return JSONResponse({"error": "session_id, sdp and the protocol webrtc are wanted"}, 400)
            offer = sdp.parse(offered)
            if offer.find("video") is None or not offer.transport.ufrag:
                return JSONResponse({"error": "the offer has no video, or says not how to reach it"}, 400)
        except RingError as error:
            return JSONResponse({"error": str(error.detail)}, 400)
        return JSONResponse({"sdp": await views.start(session, camera, offer)})

    @router.post("/end")
    async def end(request: Request) -> Response:
        fields = await fields_of(request) or {}
        return Response(status_code=204) if await views.end(str(fields.get("session_id"))) else not_found()

    @router.patch("/options")
    async def options(request: Request) -> Response:
        """Open the speaker, the one thing that can be asked for."""
        fields = await fields_of(request) or {}
        if fields.get("actions") != ["turn_off_stealth_mode"]:
            return JSONResponse({"error": "no action that is known"}, 422)
        return Response(status_code=204) if views.unmute(str(fields.get("session_id"))) else not_found()

    return router
