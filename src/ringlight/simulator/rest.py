"""The simulator's HTTP side as a whole: Ring's addresses, and the switches under `/_sim/`."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.account_api import account_router
from ringlight.simulator.camera_api import camera_router
from ringlight.simulator.footage_api import footage_router
from ringlight.simulator.oauth import oauth_router
from ringlight.simulator.partner.control_api import partner_control_router
from ringlight.simulator.partner.premises import OWNERS, account_id
from ringlight.simulator.partner.switches import PARTNER_SWITCHES
from ringlight.simulator.switchboard import SWITCHES, as_rows
from ringlight.simulator.world import World

_ASKED = ("cameras", "people", "faults", "dialogs", "partner")


def ring_router(world: World) -> APIRouter:
    """Return Ring's addresses, told apart by their paths."""
    router = APIRouter()
    for part in (oauth_router(world), account_router(world), camera_router(world), footage_router(world)):
        router.include_router(part)
    return router


def control_router(world: World) -> APIRouter:
    """Return `/_sim/…`: the switches, the cameras, the recorded dialogs with their verdicts, and the partner's side."""
    router = APIRouter(prefix="/_sim", tags=["simulator"])
    whole = APIRouter()

    def switches() -> dict[str, Any]:
        return {"faults": as_rows(SWITCHES, world.on), "partner": as_rows(PARTNER_SWITCHES, world.on)}

    @router.get("/")
    async def about() -> dict[str, Any]:
        """Say what this is, and what can be asked."""
        return {"name": "Ring on this machine", **{name: f"/_sim/{name}" for name in _ASKED}}

    @router.get("/people")
    async def people() -> dict[str, Any]:
        """List the people: whose account the app is for, with what signs in, and who can take a partner app."""
        signing_in = {"email": world.email, "password": world.password, "code": world.code}
        owners = [
            {"key": key, "name": owner.first_name, "email": owner.email, "account_id": account_id(key),
             "installed": key in world.partner.links}
            for key, owner in OWNERS.items()
        ]  # fmt: skip
        return {"account": signing_in, "people": owners}

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
            return JSONResponse({"detail": f"no switch {error}", **switches()}, 404)
        return JSONResponse(switches())

    @router.get("/cameras")
    async def cameras() -> dict[str, Any]:
        """List the simulated cameras."""
        facing = {str(number): asdict(where) for number, where in world.facing.items()}
        listed = [world.device_record(camera) for camera in world.cameras]
        heard = {str(number): ear.as_dict() for number, ear in world.heard.items()}
        return {"cameras": listed, "live_views": world.live_views, "facing": facing, "heard": heard}

    @router.post("/cameras/{number}/{what}")
    async def press(number: int, what: Literal["bell", "motion"]) -> Response:
        """Press a camera's bell, or walk past it: an event for its history and for who asked to be told."""
        if world.camera(number) is None:
            return JSONResponse({"detail": f"no camera {number}"}, 404)
        event = world.press(number, "ding" if what == "bell" else "motion")
        return JSONResponse(event.record(), 201)

    @router.get("/dialogs")
    async def dialogs() -> dict[str, Any]:
        """List the last dialogs: each message with its verdict."""
        return {"dialogs": [asdict(record) for record in world.dialogs]}

    for part in (router, partner_control_router(world)):
        whole.include_router(part)
    return whole
