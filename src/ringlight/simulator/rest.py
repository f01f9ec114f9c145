"""The simulator's HTTP side: tokens, registration, devices, tickets, and the switches under `/_sim/`."""

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.switchboard import as_rows
from ringlight.simulator.world import World


def ring_router(world: World) -> APIRouter:
    """Return Ring's addresses, told apart by their paths."""
    router = APIRouter()

    @router.post("/oauth/token")
    async def token(request: Request) -> Response:
        fields = await _fields(request)
        if fields is None:
            return JSONResponse({"error": "invalid_request"}, 400)
        if fields.get("grant_type") == "refresh_token":
            granted = world.rotate(str(fields.get("refresh_token", "")))
            if granted is None:
                said = "refresh token is invalid or expired"
                return JSONResponse({"error": "invalid_grant", "error_description": said}, 401)
            return JSONResponse(granted)
        return _password_grant(world, fields, request)

    @router.post("/clients_api/session")
    async def session(request: Request) -> Response:
        if not world.knows(request.headers.get("authorization", "")):
            return Response(status_code=401)
        fields = await _fields(request)
        device = fields.get("device") if fields else None
        hardware_id = device.get("hardware_id") if isinstance(device, dict) else None
        if not isinstance(hardware_id, str):
            return JSONResponse({"error": "hardware_id is missing"}, 400)
        world.hardware_ids.add(hardware_id)
        profile = {"id": 4711, "email": world.email, "first_name": "Ada", "hardware_id": hardware_id}
        return JSONResponse({"profile": profile}, 201)

    @router.get("/clients_api/ring_devices")
    async def devices(request: Request) -> Response:
        if not world.knows(request.headers.get("authorization", "")):
            return Response(status_code=401)
        groups: dict[str, list[Any]] = {"doorbots": [], "authorized_doorbots": [], "stickup_cams": [], "chimes": []}
        for camera in world.cameras:
            groups[camera.group].append(camera.record(world.on))
        return JSONResponse(groups)

    @router.post("/api/v1/clap/ticket/request/signalsocket")
    async def ticket(request: Request) -> Response:
        if not world.knows(request.headers.get("authorization", "")):
            return Response(status_code=401)
        return JSONResponse({"ticket": world.make_ticket()})

    return router


def control_router(world: World) -> APIRouter:
    """Return `/_sim/…`: the switches, the cameras, and the recorded dialogs with their verdicts."""
    router = APIRouter(prefix="/_sim", tags=["simulator"])

    def switches() -> dict[str, Any]:
        return {"faults": as_rows(world.on)}

    @router.get("/faults")
    async def faults() -> dict[str, Any]:
        """List the switches."""
        return switches()

    @router.put("/faults")
    async def set_faults(on: Annotated[list[str], Body(embed=True)]) -> Response:
        """Replace the set of switches that are on."""
        try:
            world.switch(on)
        except KeyError as error:
            return JSONResponse({"detail": f"no switch {error}", "known": as_rows(world.on)}, 404)
        return JSONResponse(switches())

    @router.get("/cameras")
    async def cameras() -> dict[str, Any]:
        """List the simulated cameras."""
        return {"cameras": [camera.record(world.on) for camera in world.cameras], "live_views": world.live_views}

    @router.get("/dialogs")
    async def dialogs() -> dict[str, Any]:
        """List the last dialogs: each message with its verdict."""
        return {"dialogs": [asdict(record) for record in world.dialogs]}

    return router


def _password_grant(world: World, fields: dict[str, Any], request: Request) -> Response:
    if "wrong-password" in world.on or (fields.get("username"), fields.get("password")) != (
        world.email,
        world.password,
    ):
        said = "invalid user credentials"
        return JSONResponse({"error": "access_denied", "error_description": said}, 401)
    code = request.headers.get("2fa-code", "")
    if not code:
        return JSONResponse({"next_time_in_secs": 60, "phone": "+1xxxxxxxx12", "tsv_state": "sms"}, 412)
    if code != world.code:
        wrong = {"err_msg": "bad request response from dependency service",
                 "error": "Verification Code is invalid or expired"}  # fmt: skip
        return JSONResponse(wrong, 400)
    return JSONResponse(world.grant())


async def _fields(request: Request) -> dict[str, Any] | None:
    """Read a body that may be JSON or a form, as clients send both."""
    body = await request.body()
    if "json" in request.headers.get("content-type", ""):
        try:
            fields = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        return fields if isinstance(fields, dict) else None
    return dict(parse_qsl(body.decode("utf-8", "replace")))
