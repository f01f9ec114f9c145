"""The server as a program: settings judged, ports taken, everything opened and closed in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeVar

from fastapi import APIRouter

from ringlight.cameras import Account, Cameras, House
from ringlight.errors import RingError, UsageError, fault_error
from ringlight.home.bridge import Bridge
from ringlight.http.address import is_loopback_host
from ringlight.http.proxies import Proxies
from ringlight.http.serving import Serving, listen, serving
from ringlight.media.port import ViewerPort
from ringlight.nodes.keeper import CameraLeases
from ringlight.nodes.opening import camera_leases
from ringlight.nodes.presses import telling_all
from ringlight.nodes.role import held_by_one
from ringlight.publishing import Publications
from ringlight.rooms.fast import FastRooms
from ringlight.server.access import Access
from ringlight.server.app import create_app
from ringlight.server.bells import Bells
from ringlight.server.clock_watch import ClockWatch
from ringlight.server.database_watch import open_database
from ringlight.server.doctor_api import doctor_router
from ringlight.server.entrance import open_doors
from ringlight.server.hls import Showings
from ringlight.server.links_api import links_router
from ringlight.server.log_ins import log_ins
from ringlight.server.places import Places
from ringlight.server.playback import Playbacks
from ringlight.server.publications_api import publications_router
from ringlight.server.recordings import Recordings
from ringlight.server.relay import IceServers
from ringlight.server.reloading import Parts, Reloading, reload_router
from ringlight.server.retention import Retention
from ringlight.server.ring_app import is_configured, ring_app
from ringlight.server.room_guests import RoomGuests
from ringlight.server.room_server import RoomServer, room_server
from ringlight.server.rtsp.connection import House as RtspHouse
from ringlight.server.rtsp.listener import rtsp_server
from ringlight.server.status import Status, status_router
from ringlight.server.trial import Trials
from ringlight.server.watches import Watches
from ringlight.settings import Settings
from ringlight.store.database import Database

Part = TypeVar("Part", Playbacks, Showings, RoomGuests, Trials)
DEMO_ROOM = "demo"  # open to everybody on this machine, without a lobby
DEMO_CAMERAS = {"front-door": "Front Door"}
LAST_WORDS = 0.1  # seconds for the pages' event streams to tell how it ended


@contextlib.asynccontextmanager
async def run_server(
    settings: Settings, cameras: Cameras | None = None, *, extra: tuple[APIRouter, ...] = (), demo: bool = False,
    load: Callable[[], Settings] | None = None, told: Callable[[Settings], None] = lambda _: None,
) -> AsyncIterator[Serving]:  # fmt: skip
    """Run the server; it answers inside the `async with`.

    Args:
        settings: Host, port and who may use it.
        cameras: An open account, or other cameras; those of accounts that are linked with the app of the settings are
            shown beside them. `None` shows these alone.
        extra: More routers.
        demo: Whether this is the demo, which takes requests from pages of any loopback origin.
        load: Reads the settings anew, at SIGHUP or when the API is told to; `None` changes nothing then.
        told: Called with the settings when they have changed.

    Raises:
        SetupError: CFG-PORT, CFG-SECRET-KEY or CFG-INVALID.
    """
    host = settings.server.host
    local = is_loopback_host(host)
    if not local and not settings.secret_key:
        raise fault_error("CFG-SECRET-KEY", f"asked to listen on {host}")
    relays = IceServers(settings.turn_url, settings.turn_secret)
    key = None if local else settings.secret_key
    proxies = Proxies(settings.server.trusted_proxies, settings.server.proxy_header)
    access = Access(local, frozenset(settings.allowed_origins), demo)
    listening = listen(host, settings.server.port)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(listening.close)
        port = await stack.enter_async_context(ViewerPort(settings.media))
        playbacks = _closing(stack, Playbacks(port))
        database = await stack.enter_async_context(open_database(settings))
        doors = await open_doors(key, settings, database)
        rooms = await stack.enter_async_context(_rooms(settings, database, local=local, demo=demo))
        clock = await stack.enter_async_context(ClockWatch().running())
        watches = await stack.enter_async_context(Watches(rooms.record, doors.entrance))
        bells = Bells(rooms.porter, settings.rooms.bell_every)
        places, stopping = Places(settings.players.most), asyncio.Event()
        press = await stack.enter_async_context(telling_all(settings.redis_url, bells.press))
        app = (
            await stack.enter_async_context(
                ring_app(settings, database, stopping, watches, press, lambda: clock.problem is not None)
            )
            if is_configured(settings)
            else None
        )
        leases = await stack.enter_async_context(camera_leases(settings, listening.getsockname()[1], local=local))
        house = House(
            *(source for source in (cameras, app.cameras if app else None) if source is not None),
            take=leases.take if leases is not None else None,
        )
        if settings.rtsp.port:
            shared = RtspHouse(house, places, watches, doors.entrance, udp=settings.rtsp.udp)
            await stack.enter_async_context(rtsp_server(shared, host, settings.rtsp.port))
        recordings = await stack.enter_async_context(Recordings(settings))
        publications = await stack.enter_async_context(Publications(settings, house))
        showings = _closing(stack, Showings(settings.players, places))
        await stack.enter_async_context(bells.reading(house))
        home = await stack.enter_async_context(_at_home(settings, house, leases))
        guests = _closing(stack, RoomGuests(rooms.porter, playbacks))
        trials = _closing(stack, Trials(port))
        doctor = _doctor(settings, listening.getsockname()[1], cameras, trials)
        reloading = Reloading(settings, load, Parts(rooms.porter.house, access, publications, app), told)
        stack.enter_context(reloading.on_signal())
        kept = Retention(settings, rooms.tables, rooms.record.rows, rooms.audit, recordings)
        wrong = partial(_wrong, leases, rooms, clock, home)
        status = Status(
            house, playbacks, places, rooms, recordings, publications, lambda: reloading.problem,
            app.state.status if app else None, lambda: (*wrong(), *kept.problems),
        )  # fmt: skip
        routers = (
            *await stack.enter_async_context(log_ins(settings, doors)),
            links_router(house, doors, settings.public_url), *extra,
            *(app.routers if app else ()), publications_router(publications), doctor,
            status_router(status), reload_router(reloading),
        )  # fmt: skip
        retention = await stack.enter_async_context(kept.running())
        served = create_app(
            house, playbacks, access, stopping, recordings=recordings, showings=showings, places=places, rooms=rooms,
            watches=watches, guests=guests, entrance=doors.entrance, proxies=proxies, relays=relays, leases=leases,
            extra=routers, demo=demo, has_app=app is not None, retention=retention, problems_of_server=wrong,
        )  # fmt: skip
        running = await stack.enter_async_context(serving(served, listening, sockets=FastRooms(rooms.porter, proxies)))
        stack.push_async_callback(_end_streams, stopping)
        if leases is not None:
            stack.push_async_callback(leases.leave)
        stack.push_async_callback(lambda: rooms.leave(settings.server.drain))  # as it was read last
        yield running


def _wrong(
    leases: CameraLeases | None, rooms: RoomServer, clock: ClockWatch, home: Callable[[], Sequence[RingError]]
) -> Sequence[RingError]:
    """Return what is wrong with the server, as viewers may know it; its owner is told more."""
    return (*(leases.problems if leases else ()), *rooms.problems, *clock.problems, *home())


def _closing(stack: contextlib.AsyncExitStack, part: Part) -> Part:
    """Have a part closed at the end; return it."""
    stack.push_async_callback(part.close)
    return part


@contextlib.asynccontextmanager
async def _at_home(
    settings: Settings, house: House, leases: CameraLeases | None
) -> AsyncIterator[Callable[[], Sequence[RingError]]]:
    """Tell the home's broker of the cameras, where there is one; of several servers only one does.

    Gives what returns why it cannot.
    """
    bridges = list[Bridge]()

    def bridge() -> Bridge:
        bridges[:] = [Bridge(settings.mqtt, house, page=settings.public_url)]
        return bridges[0]

    if settings.mqtt.url is None:
        yield tuple
        return
    async with held_by_one(leases, "mqtt", bridge):
        yield lambda: [one.problem for one in bridges if one.problem is not None]


@contextlib.asynccontextmanager
async def _rooms(settings: Settings, database: Database, *, local: bool, demo: bool) -> AsyncIterator[RoomServer]:
    async with room_server(settings, database, local=local, any_loopback_origin=demo) as rooms:
        if demo:
            with contextlib.suppress(UsageError):  # it is there: from before, or by another server
                await rooms.porter.make(DEMO_ROOM, lobby=False, cameras=DEMO_CAMERAS)
        yield rooms


async def _end_streams(stopping: asyncio.Event) -> None:
    with contextlib.suppress(asyncio.CancelledError):  # told to stop once more: that is under way
        await asyncio.sleep(LAST_WORDS)
    stopping.set()


def _doctor(settings: Settings, port: int, cameras: Cameras | None, trials: Trials) -> APIRouter:
    """Return the doctor's addresses; it looks at the port that was really taken."""
    place = settings.server.model_copy(update={"port": port})
    signed_in = cameras if isinstance(cameras, Account) else None
    return doctor_router(settings.model_copy(update={"server": place}), signed_in, trials)
