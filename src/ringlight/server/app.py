"""The server's application: one FastAPI app, put together from its routers."""

import asyncio
from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig

import ringlight
from ringlight.cameras import Cameras
from ringlight.errors import RingError
from ringlight.http.proxies import Proxies
from ringlight.nodes.keeper import CameraLeases
from ringlight.rooms.asgi import rooms_router
from ringlight.server import problems
from ringlight.server.access import Access, AccessMiddleware
from ringlight.server.api import api_router
from ringlight.server.api_pages import SOCKETS_PAGE, api_pages_router
from ringlight.server.callers import CallerMiddleware
from ringlight.server.control_api import control_router
from ringlight.server.elsewhere import here_by
from ringlight.server.entrance import Entrance
from ringlight.server.fault_pages import fault_pages_router
from ringlight.server.hls import Showings
from ringlight.server.metrics import CONTENT_TYPE_LATEST, Metrics
from ringlight.server.nodes_api import nodes_router
from ringlight.server.places import Places
from ringlight.server.playback import Playbacks
from ringlight.server.players_api import players_router
from ringlight.server.recordings import Recordings
from ringlight.server.recordings_api import recordings_router
from ringlight.server.relay import IceServers
from ringlight.server.request_lines import RequestLines
from ringlight.server.retention import Retention
from ringlight.server.room_guests import RoomGuests
from ringlight.server.room_links import RoomLinks
from ringlight.server.room_links_api import room_links_router
from ringlight.server.room_server import RoomServer
from ringlight.server.rooms_api import rooms_api_router
from ringlight.server.rooms_page import rooms_page_router
from ringlight.server.watches import Watches
from ringlight.server.whep import whep_router
from ringlight.web import PAGE, ROOMS_PAGE

# FastAPI's own spans have whole addresses in them, and some of ours open doors: links, and names of sessions.
OWN_SPANS: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}


def create_app(
    house: Cameras,
    playbacks: Playbacks,
    access: Access,
    stopping: asyncio.Event,
    *,
    recordings: Recordings,
    showings: Showings,
    places: Places,
    rooms: RoomServer,
    watches: Watches,
    guests: RoomGuests | None = None,
    entrance: Entrance | None = None,
    proxies: Proxies | None = None,
    relays: IceServers | None = None,
    leases: CameraLeases | None = None,
    extra: tuple[APIRouter, ...] = (),
    retention: Retention | None = None,
    problems_of_server: Callable[[], Sequence[RingError]] = tuple,
    demo: bool = False,
    has_app: bool = False,
) -> FastAPI:
    """Return the application.

    Args:
        house: The cameras that are shown. Whoever opened them closes them.
        playbacks: The viewers.
        access: Which pages may use it.
        stopping: Set when the server is about to stop.
        recordings: Those that run, and the shelf.
        showings: What is shown by HLS.
        places: Of players by RTSP and over HTTP.
        rooms: Where people call each other.
        watches: Who watches what.
        guests: Those who come to a camera with a room's token; `None` lets nobody in with one.
        entrance: Says who somebody is; `None` takes everybody for the owner.
        proxies: Those that are believed when they name a caller; `None` is none.
        relays: STUN and TURN servers that viewers are told of.
        leases: Who of several nodes holds which camera; `None` where there is one server.
        retention: What removes what is old; `None` removes nothing.
        extra: More routers; the demo adds the simulator's controls.
        problems_of_server: What whoever sees cameras should know of the server itself just now.
        demo: Whether the page shows the switchboard.
        has_app: Whether the page shows a Ring app: its accounts and what they tell.
    """
    app = FastAPI(
        title="Ringlight",
        version=ringlight.__version__,
        description="Puts cameras into a browser, and says why when live video fails. "
        f"The WebSockets have [a page of their own]({SOCKETS_PAGE}).",
        docs_url=None,  # made in api_pages.py
        telemetry=OWN_SPANS,
    )
    problems.install(app)

    @app.get("/health", tags=["about"])
    @app.head("/health", include_in_schema=False)
    async def health(response: Response) -> dict[str, str]:
        """Say that the server runs. Pages of every origin may read it, to find out why they get no further."""
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return {"status": "ok"}

    @app.get("/ready", tags=["about"])
    @app.head("/ready", include_in_schema=False)
    async def ready(response: Response) -> dict[str, str]:
        """Say whether somebody new may be sent here: 503 once the server is about to stop.

        A server that reaches no Redis or no database goes on, and says so here: were it taken out,
        nobody would be left.
        """
        if rooms.is_leaving:
            response.status_code = 503
        return {
            "status": "draining" if rooms.is_leaving else "ready",
            "record": "behind" if rooms.record.is_behind else "ok",
            "redis": "away" if leases is not None and leases.is_alone else "ok",
            "database": "away" if rooms.database.problem is not None else "ok",
        }

    metrics = Metrics(rooms, playbacks, places, recordings, retention)

    @app.get("/metrics", tags=["about"], response_class=Response)
    @app.head("/metrics", include_in_schema=False)
    def measured() -> Response:
        """Show what is counted, in the text format of Prometheus."""
        return Response(metrics.shown(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    here = here_by(leases)
    app.include_router(
        api_router(house, playbacks, stopping, here, watches, problems_of_server, demo=demo, has_app=has_app)
    )
    app.include_router(nodes_router(leases))
    app.include_router(recordings_router(house, recordings, here, watches))
    app.include_router(control_router(house, watches))
    app.include_router(players_router(house, showings, places, stopping, here, watches))
    app.include_router(
        whep_router(
            house, playbacks, relays=relays, guests=guests, watches=watches, address=leases.address if leases else ""
        )
    )
    app.include_router(rooms_api_router(rooms, house))
    app.include_router(room_links_router(RoomLinks(rooms.porter, rooms.record)))
    app.include_router(rooms_page_router())
    app.include_router(fault_pages_router())
    app.include_router(api_pages_router())
    for router in extra:
        app.include_router(router)

    @app.get("/", include_in_schema=False)
    @app.head("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    app.include_router(rooms_router(rooms.porter, wrong_paths=True))
    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/rooms-page", StaticFiles(directory=ROOMS_PAGE))
    app.add_middleware(AccessMiddleware, access=access, guests=guests, entrance=entrance)
    app.add_middleware(RequestLines)
    app.add_middleware(CallerMiddleware, proxies=proxies or Proxies())  # the last that is added is the first to judge
    return app
