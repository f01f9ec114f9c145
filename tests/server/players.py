"""A house with every way out open: a simulated Ring, the server, RTSP on a free port, and programs that play."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.secrets import Secret
from ringlight.server.database_watch import open_database
from ringlight.server.entrance import open_doors
from ringlight.server.places import Places
from ringlight.server.program import run_server
from ringlight.server.room_server import room_server
from ringlight.server.rtsp.connection import House as RtspHouse
from ringlight.server.rtsp.listener import Listening, rtsp_server
from ringlight.server.watches import Watches
from ringlight.settings import CameraSettings, LiveViewSettings, PlayerSettings, ServerSettings, Settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.store.key_rows import KeptKey, KeyRows
from ringlight.testing import simulator


@dataclass(frozen=True)
class Ways:
    """What the tests of players ask of it."""

    http: httpx2.AsyncClient
    rtsp: Listening
    account: Account
    world: World
    places: Places

    async def closed(self, camera: str = "front-door", within: float = 10.0) -> None:
        """Wait until nobody watches a camera any more."""
        view = (await self.account.camera(camera)).view
        async with asyncio.timeout(within):
            async for progress in view.changes():
                if not progress.viewers:
                    return

    async def emptied(self, within: float = 15.0) -> None:
        """Wait until no player has a place any more."""
        async with asyncio.timeout(within):
            while self.places.taken:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def ways_out(
    *, key: str | None = None, udp: bool = True, hevc: bool = False, cameras: dict[str, Any] | None = None,
    keys: tuple[KeptKey, ...] = (), **players: Any,
) -> AsyncIterator[Ways]:  # fmt: skip
    async with simulator() as ring:
        settings = Settings(
            ring_url=ring.url, server=ServerSettings(port=0), players=PlayerSettings(**players),
            cameras=CameraSettings(**{"linger": 0.2, **(cameras or {})}), live_view=LiveViewSettings(hevc=hevc),
        )  # fmt: skip
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        places = Places(settings.players.most)
        async with open_database(settings) as database:
            for one in keys:
                KeyRows(database).add(one)
            doors = await open_doors(Secret(key) if key else None, settings, database)
            async with (
                Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
                run_server(settings, account) as serving,
                room_server(settings, database, local=True, any_loopback_origin=False) as rooms,
                Watches(rooms.record, doors.entrance) as watches,
                rtsp_server(RtspHouse(account, places, watches, doors.entrance, udp=udp), "127.0.0.1", 0) as rtsp,
                httpx2.AsyncClient(base_url=f"http://127.0.0.1:{serving.port}/", timeout=20) as http,
            ):
                yield Ways(http, rtsp, account, ring.world, places)


async def run(*command: str, within: float = 60.0) -> tuple[int, str, str]:
    """Run a program; return its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(within):
            said, complained = await process.communicate()
    except BaseException:
        process.kill()
        await process.communicate()
        raise
    return process.returncode or 0, said.decode(), complained.decode()
