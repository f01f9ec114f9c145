"""The rooms as a server to be measured: everything on, limits so high that a load generator does not meet them.

Usage: python serve.py fast|asgi
"""

import asyncio
import sys

import uvloop
from fastapi import FastAPI

from ringlight.http.serving import listen, serving
from ringlight.rooms import house, open_rooms, rooms_router
from ringlight.rooms.fast import FastRooms
from ringlight.secrets import Secret
from ringlight.settings import RoomSettings, Settings

KEY = "a key for measurements, and for nothing else"


async def main(adapter: str) -> None:
    house.BYTES_A_SECOND = 1e12
    settings = Settings(secret_key=Secret(KEY), rooms=RoomSettings(rate=1e9, burst=10**9))
    porter = open_rooms(settings, any_loopback_origin=True)
    app = FastAPI()
    app.include_router(rooms_router(porter))
    sockets = FastRooms(porter) if adapter == "fast" else None
    async with serving(app, listen("127.0.0.1", 0), sockets=sockets) as running:
        print(f"ready {running.port}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
