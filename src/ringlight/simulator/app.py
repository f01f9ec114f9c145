"""The simulator as one ASGI application: Ring's addresses and its own controls on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from ringlight.simulator.browser_view import BrowserViews, browser_router
from ringlight.simulator.channel import signaling_router
from ringlight.simulator.rest import control_router, ring_router
from ringlight.simulator.world import World


def create_app(world: World) -> FastAPI:
    """Return the application for a world."""
    views = BrowserViews(world)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await views.close()

    app = FastAPI(
        title="Ring on this machine", docs_url="/_sim/docs", openapi_url="/_sim/openapi.json", lifespan=lifespan
    )
    app.include_router(ring_router(world))
    app.include_router(browser_router(world, views))
    app.include_router(signaling_router(world))
    app.include_router(control_router(world))
    return app
