"""Rooms as ASGI WebSockets: works under any server, and mounted in anybody's FastAPI app."""

import asyncio
import contextlib
from collections import deque

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from ringlight.http.address import is_loopback_host
from ringlight.rooms.messages import CLOSE_CODES
from ringlight.rooms.porter import Porter

__all__ = ["rooms_router"]

TICK = 1.0  # seconds
_TOKEN = "token."  # noqa: S105 - how a subprotocol begins that is a token
# The two ends of Starlette's test client: it hands an app's messages to a test on this machine, without a socket. A
# server tells its own address, which is none of these.
_TEST_CLIENT = ("testserver", "testclient")


def rooms_router(porter: Porter, *, wrong_paths: bool = False) -> APIRouter:
    """Return the routes of both room protocols.

    Args:
        porter: Of the rooms.
        wrong_paths: Whether every other WebSocket path is taken too, to say that it is wrong. A page sees nothing of
            a refused upgrade. Add such a router last.
    """
    router = APIRouter()
    paths = ["/ws/v2", "/ws/signaling", "/ws/signaling/{rest:path}", "//ws/v2", "//ws/signaling/{rest:path}"]
    if wrong_paths:
        paths.append("/{rest:path}")
    ticking = _Ticking(porter)
    for path in paths:

        async def enter(web: WebSocket) -> None:
            ticking.begin()
            await _Connection(web, porter).run()

        router.add_api_websocket_route(path, enter)
    return router


class _Ticking:
    """Tells the porter the time while there is anybody to whom it matters."""

    def __init__(self, porter: Porter) -> None:
        self._porter = porter
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="rooms: time")

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._porter.tick()
            if self._porter.is_idle:
                return


class _Connection:
    """One WebSocket: what comes in is told to the porter, what goes out waits in a queue that may not grow long."""

    def __init__(self, web: WebSocket, porter: Porter) -> None:
        self._web = web
        self._porter = porter
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._most = porter.house.settings.queue_bytes
        self._stirred = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._end: tuple[int, str] | None = None
        self._number = 0

    def send(self, frame: bytes) -> None:
        """Queue a frame; a connection that cannot keep up is given up."""
        if self._end is not None:
            return
        self._queue.append(frame)
        self._queued += len(frame)
        self._stir()
        if self._queued > self._most:
            self._queue.clear()
            self.close(CLOSE_CODES["ROOM-SLOW"], "ROOM-SLOW")
            self._porter.lost(self._number, "slow")

    def close(self, code: int, reason: str) -> None:
        """Close after what is queued."""
        if self._end is None:
            self._end = (code, reason)
        self._stir()

    def _stir(self) -> None:
        # Starlette's test client gives each connection a loop of its own, unless it is entered itself.
        if self._loop is asyncio.get_running_loop():
            self._stirred.set()
        else:
            self._loop.call_soon_threadsafe(self._stirred.set)

    async def run(self) -> None:
        """Serve the connection to its end."""
        web = self._web
        offered = web.scope.get("subprotocols", [])
        token = next((item.removeprefix(_TOKEN) for item in offered if item.startswith(_TOKEN)), "")
        named = next((item for item in offered if not item.startswith(_TOKEN)), None)
        path = web.scope["path"]
        if not path.rstrip("/").endswith("/v2"):  # there it would stand in the logs of proxies for nothing
            token = token or web.query_params.get("token", "")
        # A browser gives up unless one of the subprotocols that it offers comes back.
        await web.accept(subprotocol=named or (offered[0] if offered else None))
        server, peer = (web.scope.get("server") or ("", 0))[0] or "", web.client.host if web.client else ""
        host = web.headers.get("host", "")
        if (server, peer) == _TEST_CLIENT and host == server:
            server = host = "localhost"
        forwarded = "x-forwarded-for" in web.headers or "forwarded" in web.headers  # by a proxy on this machine
        self._number = self._porter.open(
            self, path, token=token, origin=web.headers.get("origin"), host=host,
            local=not forwarded and is_loopback_host(server), peer=peer,
            traceparent=web.query_params.get("traceparent", ""),
        )  # fmt: skip
        writing = asyncio.create_task(self._write(), name="rooms: writing")
        try:
            await self._read()
        finally:
            self._porter.lost(self._number)
            writing.cancel()  # the socket is over: whatever still waits would wait for ever
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await writing

    async def _read(self) -> None:
        while True:
            message = await self._web.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            try:
                frame = text.encode() if text is not None else None
            except UnicodeEncodeError:  # halves of a surrogate pair: some servers let them through
                frame = b""
            self._porter.heard(self._number, frame)

    async def _write(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._queue:
                frame = self._queue.popleft()
                await self._web.send_text(frame.decode())
                self._queued -= len(frame)
            if self._end is not None:
                with contextlib.suppress(RuntimeError):  # the other side was faster
                    await self._web.close(*self._end)
                return
