"""The adapters of the rooms behind one face, so that one suite judges them all."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any, Protocol

from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ringlight.http.serving import listen, serving
from ringlight.rooms import rooms_router
from ringlight.rooms.admission import Admission
from ringlight.rooms.clock import RoomClock
from ringlight.rooms.fast import FastRooms
from ringlight.rooms.house import House
from ringlight.rooms.memory import MemoryRooms, MemorySocket
from ringlight.rooms.porter import Porter
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.settings import RoomSettings

KEY = Secret("a key for tests, and for nothing else")
Frame = dict[str, Any]


class Page(Protocol):
    """One connection, as a page has it."""

    async def say(self, message: Frame | str | bytes) -> None: ...
    async def hear_text(self) -> str: ...
    async def end(self) -> tuple[int, str]: ...
    async def close(self) -> None: ...


class Rooms(Protocol):
    """A server of rooms."""

    porter: Porter

    async def page(self, path: str, **options: Any) -> Page: ...


class _MemoryPage:
    def __init__(self, socket: MemorySocket) -> None:
        self._socket = socket
        self._read = 0

    async def say(self, message: Frame | str | bytes) -> None:
        self._socket.say(message)

    async def hear_text(self) -> str:
        assert self._read < len(self._socket.frames), f"nothing more was sent; closed: {self._socket.closed}"
        self._read += 1
        return self._socket.frames[self._read - 1].decode()

    async def end(self) -> tuple[int, str]:
        assert self._socket.closed, "it is still open"
        return self._socket.closed

    async def close(self) -> None:
        self._socket.drop()


class InMemory:
    def __init__(self, settings: RoomSettings) -> None:
        self.rooms = MemoryRooms(settings, Tokens(KEY, settings.token_life), now=time.time())
        self.porter = self.rooms.porter

    async def page(self, path: str, **options: Any) -> Page:
        path, _, query = path.partition("?")
        if query:
            options["token"] = query.partition("=")[2]
        return _MemoryPage(self.rooms.connect(path, **options))


class _WebPage:
    def __init__(self, web: ClientConnection) -> None:
        self.web = web

    async def say(self, message: Frame | str | bytes) -> None:
        await self.web.send(json.dumps(message) if isinstance(message, dict) else message)

    async def hear_text(self) -> str:
        async with asyncio.timeout(10):
            text = await self.web.recv()
        assert isinstance(text, str)
        return text

    async def end(self) -> tuple[int, str]:
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.web.recv()
        return self.web.close_code or 0, self.web.close_reason or ""

    async def close(self) -> None:
        await self.web.close()


class OverAsgi:
    def __init__(self, porter: Porter, url: str, stack: contextlib.AsyncExitStack) -> None:
        self.porter = porter
        self.url = url
        self._stack = stack

    async def page(self, path: str, **options: Any) -> Page:
        web = await self._stack.enter_async_context(connect(f"{self.url}{path}", proxy=None, max_size=2**24, **options))
        return _WebPage(web)


@contextlib.asynccontextmanager
async def rooms(adapter: str, settings: RoomSettings | None = None) -> AsyncIterator[Rooms]:
    settings = settings or RoomSettings()
    if adapter == "memory":
        yield InMemory(settings)
        return
    chance = iter(range(1, 10**9))
    admission = Admission(settings, Tokens(KEY, settings.token_life), any_loopback_origin=True)
    house = House(settings, lambda: str(next(chance)), admission)
    porter = Porter(house, RoomClock())
    app = FastAPI()
    app.include_router(rooms_router(porter, wrong_paths=True))
    async with contextlib.AsyncExitStack() as stack:
        sockets = FastRooms(porter) if adapter == "fast" else None
        running = await stack.enter_async_context(serving(app, listen("127.0.0.1", 0), sockets=sockets))
        pages = await stack.enter_async_context(contextlib.AsyncExitStack())
        yield OverAsgi(porter, f"ws://127.0.0.1:{running.port}", pages)


async def hear(page: Page, kind: str | None = None) -> Frame:
    """Return the next frame; with a kind, the next one of it."""
    while True:
        frame: Frame = json.loads(await page.hear_text())
        if kind is None or kind in (frame.get("t"), frame.get("type")):
            return frame


async def nothing_more(page: Page, own: bool = False) -> None:
    """Ask for something that is always answered: what was sent before would come first."""
    if own:
        await page.say({"t": "ping"})
        assert (await hear(page))["t"] == "pong"
    else:
        await page.say("no JSON")
        frame = await hear(page)
        assert frame["code"] == "ROOM-MESSAGE", frame


async def enter(rooms: Rooms, role: str, room: str = "visit", **more: Any) -> tuple[Page, Frame]:
    """Say hello on `/ws/v2`; return page and welcome."""
    page = await rooms.page("/ws/v2")
    await page.say({"t": "hello", "v": 2, "room": room, "role": role, **more})
    return page, await hear(page, "welcome")
