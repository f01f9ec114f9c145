"""Devices, their parts, their history, and the chime."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.partner.documents import INCLUDES, SLOTS, Writer
from ringlight.simulator.partner.footage import DAY
from ringlight.simulator.partner.gate import Caller, body_of, enter, enter_device
from ringlight.simulator.partner.history import iso, page_of, parse_cursor, parse_filter
from ringlight.simulator.partner.premises import PartnerDevice
from ringlight.simulator.world import World

__all__ = ["add_devices"]


def add_devices(router: APIRouter, world: World) -> None:
    """Add `/v1/devices…`, `/v1/locations` and `/v1/history/…`."""
    _add_devices(router, world)
    _add_history(router, world)
    _add_chime(router, world)


def _add_devices(router: APIRouter, world: World) -> None:
    def writer() -> Writer:
        return Writer(world.partner.how, world.partner.now())

    def included(request: Request, caller: Caller, devices: list[PartnerDevice]) -> list[dict[str, Any]] | None:
        """Return what is asked for beside the devices: each resource once; unknown names are passed over."""
        asked = set(request.query_params.get("include", "").split(",")) & set(INCLUDES)
        if not asked:
            return None
        parts = (
            writer().part(device, name, world.partner.state(device, caller.on))
            for name in INCLUDES if name in asked for device in devices
        )  # fmt: skip
        return list({(part["type"], part["id"]): part for part in parts}.values())

    @router.get("/v1/devices")
    async def listed(request: Request) -> Response:
        caller = enter(world, request)
        if isinstance(caller, Response):
            return caller
        devices = world.partner.devices(caller.access, caller.on)
        data = [writer().device(device) for device in devices]
        return JSONResponse(writer().document(data, included(request, caller, devices)))

    @router.get("/v1/devices/{identity}")
    async def one(request: Request, identity: str) -> Response:
        found = enter_device(world, request, identity)
        if isinstance(found, Response):
            return found
        caller, device = found
        return JSONResponse(writer().document(writer().device(device), included(request, caller, [device])))

    def part_route(name: str) -> None:
        @router.get(f"/v1/devices/{{identity}}/{name}")
        async def part(request: Request, identity: str) -> Response:
            found = enter_device(world, request, identity)
            if isinstance(found, Response):
                return found
            caller, device = found
            return JSONResponse(writer().document(writer().part(device, name, world.partner.state(device, caller.on))))

    for name in INCLUDES:
        part_route(name)

    @router.get("/v1/locations")
    async def locations(request: Request) -> Response:
        """Undocumented; some profiles have it."""
        caller = enter(world, request)
        if isinstance(caller, Response):
            return caller
        devices = world.partner.devices(caller.access, caller.on)[:1]
        if not world.partner.how.lists_locations:
            return caller.refuse(404)
        parts = [writer().part(device, "location", world.partner.state(device, caller.on)) for device in devices]
        return JSONResponse(writer().document(parts))


def _add_history(router: APIRouter, world: World) -> None:
    @router.get("/v1/history/devices/{identity}/events")
    async def events(request: Request, identity: str) -> Response:
        found = enter_device(world, request, identity)
        if isinstance(found, Response):
            return found
        caller, device = found
        how, now = world.partner.how, world.partner.now()
        try:
            wanted = parse_filter(request.query_params.get("event_types"))
            before = parse_cursor(request.query_params.get("page[key]"))
        except ValueError as error:
            return caller.refuse(400, str(error))
        since = world.partner.consent(caller.access.account, device)
        seen = world.partner.history(device, since) if device.camera is not None else []
        page = page_of(seen, wanted, before, how.page_size, keep=how.keeps_filters)
        query = page.next_query or None
        older = (before if before is not None else now) - 10 * DAY
        if not page.events and how.empty_next and older > since:
            query = f"page[key]={iso(older)}"
        return JSONResponse(Writer(how, now).events(device, page.events, query))


def _add_chime(router: APIRouter, world: World) -> None:
    @router.post("/v1/devices/{identity}/media/audio/playback")
    async def play(request: Request, identity: str) -> Response:
        found, fields = enter_device(world, request, identity), await body_of(request)
        if isinstance(found, Response):
            return found
        caller, device = found
        slot = _slot(fields)
        if device.family != "chime" or slot is None:
            error = {"detail": "The request contains invalid input.", "title": "Validation Error"}
            return JSONResponse({"errors": [error]}, 400)
        if not world.partner.state(device, caller.on).online:
            return caller.refuse(503, "Device is currently offline", title="Device Unavailable")
        world.partner.play(device.key, slot["event"])
        if isinstance(fields, dict) and "event" in fields:
            return Response(status_code=204)
        return JSONResponse({"data": {"id": slot["audio_ref"], "attributes": {"status": "completed"}}})


def _slot(fields: object) -> dict[str, Any] | None:
    """Find the slot that a body names, in any of the three shapes that are told of."""
    if not isinstance(fields, dict):
        return None
    data = fields.get("data")
    attributes = data.get("attributes") if isinstance(data, dict) else None
    inner = attributes.get("audio_ref") if isinstance(attributes, dict) else None
    named = (inner, fields.get("audio_ref"), fields.get("event"))
    return next((slot for slot in SLOTS if slot["audio_ref"] in named[:2] or slot["event"] == named[2]), None)
