"""The Partner API as a whole: its addresses, and what is answered where there is none."""

import re

from fastapi import APIRouter, Request, Response

from ringlight.simulator.partner.account_api import add_account
from ringlight.simulator.partner.device_api import add_devices
from ringlight.simulator.partner.gate import enter
from ringlight.simulator.partner.media_api import add_media
from ringlight.simulator.partner.openapi import methods_of
from ringlight.simulator.partner.view_api import PartnerViews, add_views
from ringlight.simulator.world import World

__all__ = ["partner_router"]

ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def partner_router(world: World, views: PartnerViews) -> APIRouter:
    """Return all of `/v1/…`."""
    router = APIRouter()
    add_account(router, world)
    add_devices(router, world)
    add_media(router, world)
    add_views(router, world, views)

    async def nowhere(request: Request) -> Response:
        caller = enter(world, request, linked=False)
        if isinstance(caller, Response):
            return caller
        path = request.url.path
        known = methods_of(path)
        if known:
            refused = caller.refuse(405)
            refused.headers["Allow"] = ", ".join(known)
            return refused
        # The path that everybody guesses for the history.
        guessed = re.fullmatch(r"/v1/devices/[^/]+/events", path)
        return caller.refuse(world.partner.how.guessed_events if guessed else 404)

    router.add_api_route("/v1/{rest:path}", nowhere, methods=ANY, include_in_schema=False)
    return router
