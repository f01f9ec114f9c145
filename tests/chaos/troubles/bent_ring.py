"""A simulated Ring some of whose addresses answer otherwise: as an outage, a proxy in between or a change of Ring's."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from ringlight.http.serving import Tls, listen, serving
from ringlight.simulator.app import create_app
from ringlight.simulator.behaviour import Behaviour
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing

HOTEL = "<html><head><title>Welcome</title></head><body>Room number, please</body></html>"


@dataclass(frozen=True)
class Instead:
    """What some addresses answer in place of Ring.

    Attributes:
        path: A regular expression that is looked for in the path.
        status: Of the answer; 0 never answers.
        body: Text is a page of HTML, anything else JSON.
        headers: Further header fields.
    """

    path: str
    status: int
    body: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    async def answer(self, receive: Any, send: Any) -> None:
        """Answer one request."""
        while (await receive()).get("more_body"):
            pass
        if not self.status:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        is_page = isinstance(self.body, str)
        content = self.body.encode() if isinstance(self.body, str) else msgspec.json.encode(self.body)
        fields = {"content-type": "text/html" if is_page else "application/json", **self.headers}
        head = [(name.encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        await send({"type": "http.response.body", "body": content})


class DeafWorld(World):
    """A Ring on whose way to the cameras one method is lost.

    Attributes:
        eats: The method; empty while nothing is lost.
    """

    eats: str = ""

    @property
    def behaviour(self) -> Behaviour:
        """What it does, but for what is lost."""
        known = super().behaviour
        return replace(known, eats=self.eats) if self.eats else known


@dataclass
class BentRing:
    """A Ring that runs.

    Attributes:
        ring: Its address and its world.
        instead: What answers otherwise just now; change it while it runs.
    """

    ring: SimulatedRing
    instead: list[Instead] = field(default_factory=list)

    @property
    def world(self) -> World:
        """Its state."""
        return self.ring.world


@contextlib.asynccontextmanager
async def bent_ring(world: World | None = None, *, port: int = 0, tls: Tls | None = None) -> AsyncIterator[BentRing]:
    """Run one on this machine."""
    known = world or World()
    app = create_app(known)
    bent = BentRing(SimulatedRing("", known))

    async def either(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            for one in bent.instead:
                if re.search(one.path, scope["path"]):
                    await one.answer(receive, send)
                    return
        await app(scope, receive, send)

    async with serving(either, listen("127.0.0.1", port), tls) as running:
        url = f"https://localhost:{running.port}" if tls else running.url.rstrip("/")
        bent.ring = SimulatedRing(url, known)
        yield bent


async def until(done: Any, within: float) -> bool:
    """Ask again and again until it works; whether it did in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not await done():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True
