"""The simulator as one ASGI application: Ring's addresses and its own controls on one port."""

from fastapi import FastAPI

from ringlight.simulator.channel import signaling_router
from ringlight.simulator.rest import control_router, ring_router
from ringlight.simulator.world import World


def create_app(world: World) -> FastAPI:
    """Return the application for a world."""
    app = FastAPI(title="Ring on this machine", docs_url="/_sim/docs", openapi_url="/_sim/openapi.json")
    app.include_router(ring_router(world))
    app.include_router(signaling_router(world))
    app.include_router(control_router(world))
    return app
