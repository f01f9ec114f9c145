"""The load generator, in a process of its own: pairs of sockets that pass messages to each other.

It reads one order per line (JSON) and writes one result per line. Usage: python crowd.py DIALECT PORT[,PORT]
With two ports, the two of a pair are at different servers.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from relay.dialects import DIALECTS, Dialect, Own, of_size

TEXT = WSMsgType.TEXT


class Seat(WSListener):
    """One socket."""

    def __init__(self, crowd: "Crowd", index: int) -> None:
        self.crowd = crowd
        self.index = index
        self.ready = asyncio.get_running_loop().create_future()
        self.partner = ""
        self.hello = crowd.dialect.hello(index)  # before the clock begins: to sign its token is not the server's work
        self.transport: WSTransport | None = None
        self.message = b""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        if self.hello is not None:
            transport.send(TEXT, self.hello)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        crowd = self.crowd
        payload = frame.get_payload_as_bytes()
        if crowd.running and payload.startswith(crowd.passed):  # first what is measured: it must not cost much here
            crowd.count += 1
            if crowd.answering:
                transport.send(TEXT, crowd.answer(self.message, payload))
            else:
                at = payload.index(b"@") + 1
                crowd.took.append(time.monotonic_ns() - int(payload[at : payload.index(b" ", at)]))
            return
        if frame.msg_type is not TEXT:
            if frame.msg_type is WSMsgType.PING:
                transport.send_pong(payload)
            return
        learned = crowd.dialect.is_ready(payload)
        if learned is not None:
            self.partner = crowd.dialect.partner(self.index, learned)
            if not self.ready.done():
                self.ready.set_result(None)


class Crowd:
    """All sockets."""

    def __init__(self, dialect: Dialect, name: str, ports: list[str]) -> None:
        self.dialect = dialect
        self.passed, self.answer = dialect.passed, dialect.answer
        self.name = name
        self.urls = [f"ws://127.0.0.1:{port}" for port in ports]
        self.seats: list[Seat] = []
        self.running = False
        self.answering = False
        self.count = 0
        self.took: list[int] = []

    async def join(self, order: dict[str, Any]) -> dict[str, Any]:
        """Open sockets, so many at a time, each until it is in; both of a pair one after the other."""
        first, more = len(self.seats), int(order["sockets"])
        seats = [Seat(self, first + offset) for offset in range(more)]
        queue = iter(range(0, more, 2))

        async def worker() -> None:
            for offset in queue:
                for seat in seats[offset : offset + 2]:
                    await self._sit(seat)

        began = time.monotonic()
        async with asyncio.timeout(120):
            await asyncio.gather(*(worker() for _ in range(int(order.get("at_once", 32)))))
        took = time.monotonic() - began
        self.seats += seats
        return {"joined": more, "seconds": took}

    async def _sit(self, seat: Seat) -> None:
        url = self.urls[seat.index % len(self.urls)]
        seat.transport, _ = await ws_connect(lambda: seat, url + self.dialect.path(seat.index))
        if self.name != "seed":
            await seat.ready

    async def closed(self, order: dict[str, Any]) -> dict[str, Any]:
        """Play ping-pong in every pair; one message of each is on its way."""
        await asyncio.sleep(0.3)
        self.running = self.answering = True
        for seat in self.seats:
            seat.message = of_size(self.dialect, seat.partner, int(order["size"]), str(time.monotonic_ns()))
        for seat in self.seats[::2]:
            self._send(seat, seat.message)
        await asyncio.sleep(float(order["warm_up"]))
        print(json.dumps({"measuring": self.count}), flush=True)
        self.count, began, busy = 0, time.monotonic(), time.process_time()
        await asyncio.sleep(float(order["seconds"]))
        took = time.monotonic() - began
        found = {"messages": self.count, "seconds": took, "generator": (time.process_time() - busy) / took}
        print(json.dumps(found), flush=True)
        self.answering = False
        await asyncio.sleep(0.5)
        self.running = False
        return {"done": True}

    async def opened(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send at a steady rate from one socket after another, whatever comes back."""
        size, rate, seconds = int(order["size"]), float(order["rate"]), float(order["seconds"])
        self.running, self.answering = True, False
        self.took = []
        print(json.dumps({"measuring": 0}), flush=True)
        began, sent, lot = time.monotonic(), 0, int(rate * seconds)
        while sent < lot:
            due = min(lot, int((time.monotonic() - began) * rate) + 1)
            while sent < due:
                seat = self.seats[sent % len(self.seats)]
                self._send(seat, of_size(self.dialect, seat.partner, size, str(time.monotonic_ns())))
                sent += 1
            await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))
        await asyncio.sleep(0.3)
        self.running = False
        took = sorted(self.took)
        return {
            "messages": len(took), "lost": sent - len(took), "seconds": time.monotonic() - began,
            "p50_ms": took[len(took) // 2] / 1e6, "p99_ms": took[len(took) * 99 // 100] / 1e6,
        }  # fmt: skip

    @staticmethod
    def _send(seat: Seat, message: bytes) -> None:
        assert seat.transport is not None
        seat.transport.send(TEXT, message)


async def main(name: str, ports: list[str]) -> None:
    crowd = Crowd(DIALECTS[name](), name, ports)
    if isinstance(crowd.dialect, Own):
        crowd.dialect.now = time.time()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        print(json.dumps(await getattr(crowd, order["do"])(order)), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2].split(",")))
