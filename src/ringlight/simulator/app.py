"""The simulator as one ASGI application: Ring's addresses and its own controls on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from ringlight.simulator.browser_view import BrowserViews, browser_router
from ringlight.simulator.channel import signaling_router
from ringlight.simulator.partner.api import partner_router
from ringlight.simulator.partner.authorize_api import authorize_router
from ringlight.simulator.partner.front import Front
from ringlight.simulator.partner.view_api import PartnerViews
from ringlight.simulator.partner.webhooks import sending
from ringlight.simulator.rest import control_router, ring_router
from ringlight.simulator.world import World


def create_app(world: World) -> FastAPI:
    """Return the application for a world."""
    views, partner_views = BrowserViews(world), PartnerViews(world)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with sending(world.partner):
            yield
        await views.close()
        await partner_views.close()

    app = FastAPI(
        title="Ring on this machine", docs_url="/_sim/docs", openapi_url="/_sim/openapi.json", lifespan=lifespan
    )

    @app.get("/", include_in_schema=False)
    async def about() -> RedirectResponse:
        return RedirectResponse("/_sim/")

    app.include_router(ring_router(world))
    app.include_router(browser_router(world, views))
    app.include_router(signaling_router(world))
    app.include_router(control_router(world))
    app.include_router(authorize_router(world))
    app.include_router(partner_router(world, partner_views))
    app.add_middleware(Front, estate=world.partner, name=world.uuid)
    return app
