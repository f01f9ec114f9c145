"""Hours of random outages in virtual time: nothing that a client keeps grows with the calls it has made."""

import asyncio
import gc
import json
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from jumping_loop import JumpingLoop
from ringlight.errors import RingError
from ringlight.http.flow import Request, Response, Streamed
from ringlight.http.reach import Way
from ringlight.http.sending import Sending
from ringlight.http.target import Target
from ringlight.http.translate import HTTPX2
from ringlight.partner import AsyncClient, Event
from ringlight.settings import ResilienceSettings, Settings

HOURS = 5
DEVICES = 400
KEPT = 100


class Moody(Sending):
    """A server with moods that last for minutes: well, busy, strict, silent, talking nonsense."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(HTTPX2, timeout=30, base_url=None, user_agent="x")
        self._dice = dice
        self._mood, self._until = "well", 0.0
        self.requests = 0

    async def aclose(self) -> None:
        """Nothing is open."""

    @asynccontextmanager
    async def open(self, request: Request, target: Target, way: Way) -> AsyncIterator[Streamed]:
        raise NotImplementedError
        yield

    async def exchange(self, request: Request, target: Target, way: Way) -> Response:
        now = asyncio.get_running_loop().time()
        if now >= self._until:
            self._mood = self._dice.choice(["well", "well", "busy", "strict", "silent", "nonsense", "offline"])
            self._until = now + self._dice.uniform(30, 600)
        self.requests += 1
        await asyncio.sleep(self._dice.uniform(0.01, 0.2))
        return await self._answer(target.url)

    async def _answer(self, url: str) -> Response:
        fields = {"Content-Type": "application/json"}
        if self._mood == "busy":
            return Response(503, fields, b'{"errors": [{"code": "SERVER_BUSY"}]}')
        if self._mood == "strict":
            return Response(429, {**fields, "Retry-After": "2"})
        if self._mood == "silent":
            await asyncio.sleep(3600)
        if self._mood == "nonsense":
            return Response(200, {"Content-Type": "text/html"}, b"<html>")
        if self._mood == "offline":
            return Response(503, fields, b'{"errors": [{"code": "DEVICE_OFFLINE"}]}')
        one = {"type": "devices", "id": url.rpartition("/")[2], "attributes": {"online": True}}
        return Response(200, fields, json.dumps({"data": one}).encode())


async def _soak() -> dict[str, Any]:
    dice, loop = random.Random(5), asyncio.get_running_loop()
    server, events = Moody(dice), 0
    numbers = ResilienceSettings(devices=KEPT, stale_entries=KEPT)
    client = AsyncClient(
        tokens="canary", settings=Settings(resilience=numbers), driver=server, clock=loop.time, sleep=asyncio.sleep
    )

    def count(event: Event) -> None:
        nonlocal events
        events += 1

    client.on_event(count)
    came = {"good": 0, "stale": 0, "failed": 0}

    async def call() -> None:
        try:
            status = await client.devices.status(f"device-{dice.randrange(DEVICES)}")
        except RingError:
            came["failed"] += 1
        else:
            came["good" if status.stale is None else "stale"] += 1

    async def an_hour() -> int:
        end, tasks = loop.time() + 3600, set[asyncio.Task[None]]()
        while loop.time() < end:
            task = asyncio.create_task(call())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(dice.expovariate(0.4))
        await asyncio.gather(*tasks)
        del task, tasks
        gc.collect()
        return len(gc.get_objects())

    objects = [await an_hour() for _ in range(HOURS)]
    shared = client._runner.shared
    kept = {
        "devices": len(shared.devices), "known": len(shared.known), "notices": len(shared.notices),
        "waiting": len(shared.outbox.drain()), "dropped": client._runner.bus.dropped, "tasks": len(asyncio.all_tasks()),
    }  # fmt: skip
    await client.aclose()
    return {"objects": objects, "events": events, "requests": server.requests, **kept, **came}


def _in_virtual_time(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


def test_hours_of_outages_leave_nothing_behind() -> None:
    seen = _in_virtual_time(_soak())
    assert min(seen["good"], seen["stale"], seen["failed"]) > 40, seen  # 86 to 160 stale ones, as the jitter falls
    assert seen["events"] > seen["requests"] > 3000, seen
    assert seen["devices"] <= KEPT, seen
    assert seen["known"] <= KEPT, seen
    assert (seen["waiting"], seen["dropped"], seen["tasks"]) == (0, 0, 1), seen
    assert seen["notices"] <= 3 * KEPT, seen
    _, second, *_, last = seen["objects"]
    assert last < second * 1.02, seen
