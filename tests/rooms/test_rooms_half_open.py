"""Connections that never say what they want, by the thousand, against a real server: each is ended, and nobody notices.

Some send nothing, some the half of a request, some open a WebSocket and say no hello, some enter at the old address and
answer no ping. Meanwhile two people talk in a room of the same server.
"""

import asyncio
import base64
import contextlib
import json
import logging
import os
import resource
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect

from conftest import Program

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.anyio, pytest.mark.program]

SOURCES = 16  # addresses of 127.0.0.0/8, so that no more come from one of them than it has ports for
AT_ONCE = 100  # that connect at the same time
SPEAK_EVERY = 0.05  # seconds
OF_ITS_OWN = 8  # files that the server may have opened meanwhile for itself, such as of its database
SOON = 20.0  # seconds that a word may take while the machine opens thousands of sockets
KEY = base64.b64encode(bytes(16)).decode()


@dataclass(frozen=True)
class Kind:
    """What somebody sends who then falls silent, and how the server ends it: the last close frame, if any."""

    name: str
    path: str = ""
    whole: bool = True
    ends: tuple[int, str] | None = None

    def greeting(self, index: int) -> bytes:
        if not self.path:
            return b""
        head = (
            f"GET {self.path.format(index)} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        ).encode()
        return head if self.whole else head[: len(head) // 2]


MUTE = Kind("says nothing")
HALF = Kind("sends half a request", "/ws/v2", whole=False)
NO_HELLO = Kind("says no hello", "/ws/v2", ends=(4408, "ROOM-HELLO"))
NO_PONG = Kind("answers no ping", "/ws/signaling/half-open-{}/patient", ends=(4408, "ROOM-SILENT"))


class Silent(asyncio.Protocol):
    """One of them."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.heard = b""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    @property
    def ending(self) -> tuple[int, str] | None:
        """The close frame that came last."""
        at = self.heard.rfind(b"\x88")
        if at < 0:
            return None
        body = self.heard[at + 2 : at + 2 + self.heard[at + 1]]
        return int.from_bytes(body[:2], "big"), body[2:].decode()


async def open_all(port: int, kinds: list[Kind], count: int) -> list[Silent]:
    """Open so many connections, the kinds in turn; those that the server refuses at once are over already."""
    loop = asyncio.get_running_loop()
    silent: list[Silent] = []
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            one = Silent(kinds[number % len(kinds)])
            silent.append(one)
            sock = socket.socket()
            sock.setblocking(False)
            sock.bind((f"127.0.0.{2 + number % SOURCES}", 0))
            await loop.sock_connect(sock, ("127.0.0.1", port))
            transport, _ = await loop.create_connection(lambda one=one: one, sock=sock)  # type: ignore[misc]
            transport.write(one.kind.greeting(number))

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return silent


class Talk:
    """Two people in a room, who speak in turn. Whatever one says the other hears, in order, and soon."""

    def __init__(self, one: ClientConnection, other: ClientConnection) -> None:
        self._one, self._other = one, other
        self.said = 0
        self.slowest = 0.0

    async def go_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.said += 1
            began = loop.time()
            speaker, listener = (self._one, self._other)[:: 1 if self.said % 2 else -1]
            await speaker.send(json.dumps({"t": "chat", "text": str(self.said)}))
            async with asyncio.timeout(SOON):
                heard = json.loads(await listener.recv())
                while heard["t"] != "chat":
                    heard = json.loads(await listener.recv())
            assert heard["text"] == str(self.said)
            self.slowest = max(self.slowest, loop.time() - began)
            await asyncio.sleep(SPEAK_EVERY)


@contextlib.asynccontextmanager
async def talking(url: str) -> AsyncIterator[Talk]:
    """Have two people talk while the body runs; it fails if they cannot."""
    async with connect(f"{url}ws/v2", proxy=None) as one, connect(f"{url}ws/v2", proxy=None) as other:
        for web, role in ((one, "clinician"), (other, "patient")):
            await web.send(json.dumps({"t": "hello", "v": 2, "room": "demo", "role": role, "name": role}))
            assert json.loads(await web.recv())["t"] == "welcome"
        talk = Talk(one, other)
        async with asyncio.TaskGroup() as tasks:
            going_on = tasks.create_task(talk.go_on())
            yield talk
            going_on.cancel()
        assert (one.close_code, other.close_code) == (None, None)


@contextlib.contextmanager
def files_at_once(most: int) -> Iterator[None]:
    """Let this process, and those that it starts, open so many files unless they ask for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def wave(program: Program, kinds: list[Kind], count: int, within: float) -> float:
    """Open them, wait until all are ended, and judge how; return how long the slowest word of others took."""
    url = urlsplit(program.url)
    assert url.port is not None
    async with talking(program.url.replace("http", "ws")) as talk:
        before = open_files(program.process.pid)
        silent = await open_all(url.port, kinds, count)
        async with asyncio.timeout(within):
            await asyncio.gather(*(one.over for one in silent))
        ends = {kind: Counter(one.ending for one in silent if one.kind is kind) for kind in kinds}
        assert ends == {kind: Counter({kind.ends: sum(one.kind is kind for one in silent)}) for kind in kinds}
        async with asyncio.timeout(60):
            while open_files(program.process.pid) > before + OF_ITS_OWN or talk.said < 20:
                await asyncio.sleep(0.05)
    return talk.slowest


async def test_three_hundred_half_open_sockets_are_ended_and_leave_nothing_behind(
    start: Callable[..., Program],
) -> None:
    """More than a system gives to who does not ask: the server asks."""
    with files_at_once(256):
        program = start("demo", "--port", "0")
    await wave(program, [MUTE, HALF, NO_HELLO], 300, within=60)


@pytest.mark.long
async def test_ten_thousand_half_open_sockets_are_ended_and_leave_nothing_behind(
    start: Callable[..., Program],
) -> None:
    """Twice: what the first ten thousand left behind is what the second ones use."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 12_000:
        pytest.skip(f"a process may open {hard} files here, and 12,000 are needed")
    with files_at_once(hard):
        program = start("demo", "--port", "0")
        sizes = [megabytes(program.process.pid)]
        for _ in range(2):
            slowest = await wave(program, [MUTE, HALF, NO_HELLO, NO_PONG], 10_000, within=240)
            sizes.append(megabytes(program.process.pid))
            log.info("slowest word %.2f s, memory %.0f MB, before %.0f", slowest, sizes[-1], sizes[0])
        assert sizes[2] - sizes[1] < 10
