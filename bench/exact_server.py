"""A server of its own process that takes an exact number of calls in any second, counted at their arrival.

It answers `GET /v1/devices` with 200 or 429, or with 503 while it is down. `with running(limit) as server:` starts it;
it is told what to do, and asked what it counted, on its standard input and output.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

BODY = b'{"data":[]}'
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
REFUSED = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}"
DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Counts:
    """What the server saw since it was last asked to begin anew."""

    requests: int = 0
    good: int = 0
    refused: int = 0
    most: int = 0  # in any second


class Server:
    """The other end, as its users see it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self.url = url

    def say(self, what: str) -> Counts:
        """Tell it `up`, `down`, `anew` or `counts`; return what it has counted."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(what, file=self._process.stdin, flush=True)
        return Counts(**json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def running(limit: int) -> Iterator[Server]:
    with subprocess.Popen(
        [sys.executable, __file__, str(limit)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(process, process.stdout.readline().strip())
        finally:
            process.terminate()


class Limit:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.down = False
        self.counts = Counts()
        self._taken: deque[float] = deque()
        self._came: deque[float] = deque()

    def answer(self) -> bytes:
        now = time.monotonic()
        counts = self.counts
        counts.requests += 1
        self._came.append(now)
        for times in (self._came, self._taken):
            while times and now - times[0] >= 1.0:
                times.popleft()
        counts.most = max(counts.most, len(self._came))
        if self.down:
            return DOWN
        if len(self._taken) >= self.limit:
            counts.refused += 1
            return REFUSED
        self._taken.append(now)
        counts.good += 1
        return GOOD


class Connection(asyncio.Protocol):
    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            _, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._transport.write(self._limit.answer())


async def serve(limit: Limit) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(limit), "127.0.0.1", 0, backlog=2000)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := (await orders.readline()).decode().strip():
        counted = vars(limit.counts)
        if order in {"up", "down"}:
            limit.down = order == "down"
        elif order == "anew":
            limit.counts = Counts()
        print(json.dumps(counted), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Limit(int(sys.argv[1]))))
