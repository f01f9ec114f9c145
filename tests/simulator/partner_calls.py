"""A partner's program that may do everything wrong: plain HTTP to the simulator, whose clocks are set by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx2

from ringlight.simulator.app import create_app
from ringlight.simulator.partner.limit import Limit
from ringlight.simulator.world import World
from ringlight.testing import simulator

NOON = 1_795_000_000  # seconds; the wall clock at the start
SECRETS = {"client_id": "sim-client", "client_secret": "sim-secret"}


class Partner:
    """One app. `seconds` have passed since the start, on both clocks."""

    def __init__(self, profile: str, on: tuple[str, ...]) -> None:
        self.seconds = 0.0
        self.world = World(profile=profile, now=lambda: 1000 + self.seconds, wall=lambda: NOON + self.seconds)
        self.world.switch(list(on))
        self.token = "sim-token"
        self.web: httpx2.AsyncClient

    @property
    def estate(self) -> Any:
        return self.world.partner

    @property
    def now(self) -> int:
        """The time of day in epoch ms."""
        return int((NOON + self.seconds) * 1000)

    async def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        return await self.web.request(method, path, headers=sent, **more)

    async def get(self, path: str, **more: Any) -> Any:
        return await self.call("GET", path, **more)

    async def tokens(self, **fields: str) -> Any:
        return await self.web.post("/oauth/token", data={**SECRETS, **fields})

    async def device(self, name: str = "Front Door") -> str:
        """Return the path of a device."""
        listed = (await self.get("/v1/devices")).json()["data"]
        (identity,) = [one["id"] for one in listed if one["attributes"]["name"] == name]
        return f"/v1/devices/{quote(identity, safe='')}"

    async def events(self, name: str = "Front Door", query: str = "") -> Any:
        device = await self.device(name)
        return await self.get(f"{device.replace('/v1/', '/v1/history/')}/events{query}")


@asynccontextmanager
async def partner(
    profile: str = "documented", *on: str, limit: int = 1_000_000, wire: bool = False
) -> AsyncIterator[Partner]:
    """Make a simulator, and a program for it; only with `wire` there is a real connection between them."""
    app = Partner(profile, on)
    app.world.partner.limit = Limit(calls=limit)
    if not wire:
        transport = httpx2.ASGITransport(app=create_app(app.world))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as app.web:
            yield app
        return
    async with (
        simulator(app.world) as ring,
        httpx2.AsyncClient(base_url=ring.url, trust_env=False, verify=False) as app.web,
    ):
        yield app


def code_of(answer: Any) -> tuple[int, str]:
    """Return the status, and the code of the error; without one its title."""
    (error,) = answer.json()["errors"]
    return answer.status_code, error.get("code") or error["title"]
