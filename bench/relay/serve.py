"""The rooms as a server to be measured: everything on, limits so high that a load generator does not meet them.

Audit and counting are on too; the database is a file in a temporary folder.

Usage: python serve.py fast|asgi. With RINGLIGHT_REDIS_URL it shares its rooms.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import uvloop
from fastapi import FastAPI

from ringlight.http.serving import listen, serving
from ringlight.media.port import ViewerPort
from ringlight.rooms import house, rooms_router
from ringlight.rooms.fast import FastRooms
from ringlight.secrets import Secret
from ringlight.server.collector import nothing_collected
from ringlight.server.database_watch import open_database
from ringlight.server.metrics import Metrics
from ringlight.server.places import Places
from ringlight.server.playback import Playbacks
from ringlight.server.recordings import Recordings
from ringlight.server.room_server import room_server
from ringlight.settings import RoomSettings, Settings

KEY = "a key for measurements, and for nothing else"


async def main(adapter: str) -> None:
    house.BYTES_A_SECOND = 1e12
    with tempfile.TemporaryDirectory() as state:
        settings = Settings(
            secret_key=Secret(KEY), state_dir=Path(state), rooms=RoomSettings(rate=1e9, burst=10**9)
        )  # fmt: skip
        async with (
            open_database(settings) as database,
            room_server(settings, database, local=True, any_loopback_origin=True) as rooms,
        ):
            Metrics(rooms, Playbacks(ViewerPort(settings.media)), Places(1), Recordings(settings))
            app = FastAPI()
            app.include_router(rooms_router(rooms.porter))
            sockets = FastRooms(rooms.porter) if adapter == "fast" else None
            async with serving(app, listen("127.0.0.1", 0), sockets=sockets) as running:
                with nothing_collected():  # as after the start of `ringlight serve`
                    pass
                print(f"ready {running.port}", flush=True)
                await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
