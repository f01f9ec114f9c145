"""How many webhooks a second a server stores before it answers, beside what SQLite itself commits in the same run.

The server is a process of its own; this one plays Ring at a steady rate, then as fast as it can.
Usage: python bench/bench_webhooks.py [SECONDS]
"""

import asyncio
import contextlib
import os
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import verdict

from media import kernel
from ringlight.simulator.partner.deliveries import sign
from ringlight.simulator.partner.envelope import envelope

RATE = 500  # webhooks a second: the goal
P99 = 0.050  # seconds: the goal
CONNECTIONS = 128  # with few, a slow answer would hold up what is still to be sent, and the rate would be ours
KEY = "bench-key"
SERVER = """
import asyncio, sys
from fastapi import FastAPI
from ringlight.http.serving import listen, serving
from ringlight.partner.fastapi import router
from ringlight.partner.webhooks import Handlers, Verifier, Webhooks
handlers = Handlers()
@handlers.on()
async def handle(event): pass
async def main():
    app = FastAPI()
    app.include_router(router(webhooks=Webhooks(Verifier(sys.argv[2]), sys.argv[1], handlers)))
    async with serving(app, listen("127.0.0.1", 0)) as running:
        print(running.port, flush=True)
        await asyncio.Event().wait()
import uvloop
uvloop.run(main())
"""


def bare_commits(folder: Path, seconds: float) -> float:
    """Return how many rows a second SQLite commits, each in a transaction of its own, as durably."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (id TEXT UNIQUE, body BLOB)")
    body, count, began = os.urandom(500), 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?, ?)", (str(count), body))
        connection.execute("COMMIT")
        count += 1
    connection.close()
    return count / (time.perf_counter() - began)


def request(number: int) -> bytes:
    body = envelope(
        "motion_detected", request_id=str(uuid.uuid4()), account="a", device=f"d-{number % 200}",
        at_ns=time.time_ns(), subtype="human",
    )  # fmt: skip
    head = (
        f"POST /ring/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Signature: {sign(body, KEY)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Ring:
    """Sends over connections that stay open, so that it costs little beside what is measured."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.times: list[float] = []
        self.sent = 0
        self.warming = True

    async def run(self, seconds: float, rate: float | None) -> float:
        """Send at a rate, `None` as fast as it goes; return how many were answered in a second."""
        self.times, self.sent, began = [], 0, time.perf_counter()
        await asyncio.gather(*(self._line(began, seconds, rate) for _ in range(CONNECTIONS)))
        return len(self.times) / (time.perf_counter() - began)

    async def _line(self, began: float, seconds: float, rate: float | None) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while True:
            number, self.sent = self.sent, self.sent + 1
            # Counted from when it should have been sent: a wait for a free line is a wait too.
            due = time.perf_counter() if rate is None else began + number / rate
            if due - began >= seconds:
                break
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            if self.warming and head.startswith(b"HTTP/1.1 503"):  # the tables are still being made
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
                continue
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            self.times.append(time.perf_counter() - due)
        writer.close()


def quantile(times: list[float], part: float) -> float:
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]


@contextlib.asynccontextmanager
async def webhook_server(folder: Path) -> AsyncIterator[tuple[int, Ring]]:
    """Run a server with its tables made; give its process id, and Ring, which sends to it."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, f"sqlite:///{folder / 'hooks.db'}", KEY, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        ring = Ring(int(await server.stdout.readline()))
        await ring.run(1.0, 100)  # everything is loaded, the tables are made
        ring.warming = False
        yield server.pid, ring
    finally:
        server.terminate()
        await server.wait()


async def measure(folder: Path, seconds: float) -> None:
    bare = bare_commits(folder, min(seconds, 3.0))
    async with webhook_server(folder) as (pid, ring):
        used = kernel.cpu_seconds(pid)
        rate = await ring.run(seconds, RATE)
        used = (kernel.cpu_seconds(pid) - used) / len(ring.times)
        p50, p99 = quantile(ring.times, 0.5), quantile(ring.times, 0.99)
        most = await ring.run(seconds, None)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    print(f"bare SQLite, a commit for each row      {bare:8.0f} a second")
    print(f"stored, answered and handled            {rate:8.0f} a second of {RATE} sent")
    print(f"  answer p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms")
    print(f"  the server's cores: {1000 * used:.2f} ms for each")
    print(f"as fast as it goes                      {most:8.0f} a second, {most / bare:.2f} of bare SQLite")
    verdict.goal("webhooks stored, answered and handled", rate, 0.98 * RATE, "a second", least=True)
    verdict.goal(f"answer to a webhook at {RATE} a second, p99", 1000 * p99, 1000 * P99, "ms")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), seconds))


if __name__ == "__main__":
    main()
