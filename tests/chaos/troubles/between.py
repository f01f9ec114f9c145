"""What stands between a browser and a server: it may hold back what that says, or give it another name."""

import asyncio
import contextlib
import socket


class Between:
    """Passes TCP connections on.

    Args:
        port: Where the server is.
        renames: Whether the server is told its own address as `Host`, as by a proxy that is not told to keep the name
            that the browser uses.
    """

    def __init__(self, port: int, *, renames: bool = False) -> None:
        self._port = port
        self._renames = renames
        self._going = asyncio.Event()
        self._going.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """Return the port at which it is reached."""
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End it with all that goes through."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self) -> None:
        """Pass on nothing more of what the server says."""
        self._going.clear()

    def go_on(self) -> None:
        """Pass on what was held back, and what comes."""
        self._going.set()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # little waits on the way
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", self._port))
        back, there = await asyncio.open_connection(sock=line, limit=4096)
        ways = {asyncio.create_task(self._pass_on(reader, there)), asyncio.create_task(self._bring_back(back, writer))}
        self._tasks |= ways
        await asyncio.wait(ways)
        self._tasks -= ways

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self._renames and b"\r\nHost: " in data:
                    before, _, after = data.partition(b"\r\nHost: ")
                    data = b"".join((before, b"\r\nHost: localhost:%d\r\n" % self._port, after.partition(b"\r\n")[2]))
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _bring_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                await self._going.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
