"""The RTSP port: takes connections, keeps strangers within bounds, and lets everybody go at the end."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ringlight.http.serving import listen
from ringlight.server.rtsp.connection import Connection, House

log = logging.getLogger("ringlight.server")
STRANGERS = 64  # connections in all that may be open beside those that play
STRANGERS_PER_ADDRESS = 16  # of one address; a recorder asks for all its cameras at once
TICK = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Listening:
    """Where RTSP is served."""

    host: str
    port: int
    connections: "set[Connection]"

    @property
    def url(self) -> str:
        """The address before a camera's name, ending in a slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{host}:{self.port}/"


@contextlib.asynccontextmanager
async def rtsp_server(house: House, host: str, port: int) -> AsyncIterator[Listening]:
    """Serve cameras by RTSP inside the `async with`.

    Args:
        house: The cameras, and who may watch them.
        host: Address to listen on.
        port: TCP port; 0 picks a free one.

    Raises:
        SetupError: CFG-PORT.
    """
    bound = listen(host, port)
    loop = asyncio.get_running_loop()
    crowd = _Crowd(house.places.most)
    server = await loop.create_server(lambda: Connection(house, crowd.welcome, crowd.part), sock=bound)
    ticking = asyncio.create_task(_tick(crowd), name="rtsp ticks")
    try:
        address = bound.getsockname()
        yield Listening(str(address[0]), int(address[1]), crowd.all)
    finally:
        ticking.cancel()
        await asyncio.wait({ticking})
        server.close()
        await crowd.disperse()
        await server.wait_closed()


class _Crowd:
    """All connections."""

    def __init__(self, players: int) -> None:
        self.all: set[Connection] = set()
        self._most = players + STRANGERS
        self._closed = False

    def welcome(self, connection: Connection) -> bool:
        """Let a connection in, or not."""
        strangers = Counter(one.host for one in self.all if not one.playing)
        if self._closed or len(self.all) >= self._most or strangers[connection.host] >= STRANGERS_PER_ADDRESS:
            return False
        self.all.add(connection)
        return True

    def part(self, connection: Connection) -> None:
        """Forget one that has ended."""
        self.all.discard(connection)

    async def disperse(self) -> None:
        """Let everybody go."""
        self._closed = True
        for connection in tuple(self.all):
            connection.end(None)
        if self.all:
            await asyncio.wait([connection.gone for connection in self.all])


async def _tick(crowd: _Crowd) -> None:
    while True:
        await asyncio.sleep(TICK)
        for connection in tuple(crowd.all):
            try:
                connection.tick()
            except Exception:
                # One player's trouble must not stop the clock of all others.
                log.exception("rtsp: a player could not be served")
                connection.end(None, at_once=True)
