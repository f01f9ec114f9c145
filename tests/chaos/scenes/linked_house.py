"""Our server with cameras of a linked account alone, and what people ask of them by its API."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from cells import Lab
from troubles.crossed import Crossed, crossed

from patients import PARTNER
from ringlight.cli.servers import DEMO_LINGER
from ringlight.server.program import run_server
from ringlight.settings import load_settings

TOKEN = {**PARTNER, "access_token": "sim-token"}
QUICK = {"backoff_first": 0.01, "backoff_cap": 0.02}


@dataclass
class LinkedHouse:
    """It runs."""

    between: Crossed
    url: str
    http: httpx2.AsyncClient
    door: str = ""
    moment: str = ""
    listed: list[dict[str, Any]] = field(default_factory=list)

    async def learn(self) -> None:
        """Look up the front door and something that it has seen."""
        self.listed = (await self._good("api/cameras"))["cameras"]
        self.door = self.id_of("Front Door")
        seen = (await self._good(f"api/cameras/{self.door}/history"))["events"]
        self.moment = next(one["id"] for one in seen if one["has_recording"])

    def id_of(self, name: str) -> str:
        """Return a camera's id in addresses."""
        return next(str(one["id"]) for one in self.listed if one["name"] == name)

    async def _good(self, path: str) -> Any:
        """Ask until the server answers well: its gate may be a narrow one."""
        while (answer := await self.http.get(path)).status_code != 200:
            await asyncio.sleep(0.2)
        return answer.json()


Send = Callable[[LinkedHouse], Awaitable[httpx2.Response]]
ASKED: dict[str, Send] = {
    "devices": lambda house: house.http.get("api/cameras"),
    "events": lambda house: house.http.get(f"api/cameras/{house.door}/history"),
    "clip": lambda house: house.http.get(f"api/cameras/{house.door}/history/{house.moment}/recording"),
    "view": lambda house: house.http.get(f"api/cameras/{house.door}/snapshot.jpg"),
}


@contextlib.asynccontextmanager
async def linked_house(
    lab: Lab, between: Crossed | None = None, *, partner: dict[str, Any] | None = None,
    resilience: dict[str, Any] | None = None, **given: Any,
) -> AsyncIterator[LinkedHouse]:  # fmt: skip
    """Run our server before a simulated Ring.

    Args:
        lab: Where it keeps things.
        between: The Ring; `None` makes one.
        partner: Settings of the app; an access token alone if none.
        resilience: How calls survive, in place of the lab's.
        given: Other settings.
    """
    async with contextlib.AsyncExitStack() as stack:
        if between is None:
            between = await stack.enter_async_context(crossed())
        settings = load_settings(**{
            "ring_url": between.ring.url, "state_dir": lab.folder / "state", "server": {"port": 0},
            "cameras": {"linger": DEMO_LINGER}, "live_view": {"retries": 0, "reopen_retries": 0},
            "partner": TOKEN if partner is None else partner, "resilience": {**QUICK, **(resilience or {})}, **given,
        })  # fmt: skip
        running = await stack.enter_async_context(run_server(settings))
        http = httpx2.AsyncClient(base_url=running.url, timeout=60)
        yield LinkedHouse(between, running.url, await stack.enter_async_context(http))
