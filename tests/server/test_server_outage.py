"""PostgreSQL or Redis is away for a while: what needs it says so, the rest works, and nothing confirmed is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
import pytest

from cluster import HMAC_KEY, WITHIN, Cluster, cluster
from coming_back import ComingBack
from own_postgres import PROGRAMS, OwnPostgres
from own_redis import PROGRAM, OwnRedis
from ringlight.partner.webhooks import signature_of
from ringlight.simulator.partner.envelope import envelope
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox
from whep_viewer import viewer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.program,
    pytest.mark.skipif(not (PROGRAM and PROGRAMS), reason="Redis or PostgreSQL is not installed"),
]
KEY = {"Authorization": "Bearer " + "k" * 32}
AWAY = [pytest.param(4.0, id="seconds"), pytest.param(60.0, id="a-minute", marks=pytest.mark.long)]
SOON = 8.0  # seconds in which a door has to say that it needs the database, on a machine that is not busy


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # Reached from elsewhere, so that each request has to show a key.
    with cluster(tmp_path_factory.mktemp("cluster"), "a", RINGLIGHT_SERVER__HOST="0.0.0.0") as made:
        yield made


@dataclass
class Server:
    """The server, as its owner sees it."""

    cluster: Cluster
    http: httpx2.AsyncClient

    async def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return await self.http.request(method, path, **more)

    async def refused(self, method: str, path: str, **more: Any) -> None:
        """A door that needs the database says so soon, with what to do about it and when to come again."""
        began = time.monotonic()
        answer = await self.ask(method, path, **more)
        said = answer.json()
        assert (answer.status_code, said["code"]) == (503, "STORE-UNREACHABLE"), (path, answer.text)
        assert said["fix"]
        assert int(answer.headers["retry-after"]) > 0
        assert time.monotonic() - began < SOON * self.cluster.slowness, path

    async def told(self, key: str, word: str) -> None:
        async with asyncio.timeout(WITHIN):
            while (await self.ask("GET", "ready")).json()[key] != word:
                await asyncio.sleep(0.05)

    async def webhook(self, name: str) -> httpx2.Response:
        body = envelope("motion_detected", request_id=name, account="ada", device="d1", at_ns=time.time_ns())
        headers = {"Content-Type": "application/json", "X-Signature": signature_of(body, HMAC_KEY)}
        return await self.ask("POST", "ring/webhook", content=body, headers=headers)

    def sockets(self) -> list[str]:
        return [f"{self.cluster.address('a').replace('http', 'ws', 1)}ws/v2"]


@pytest.fixture
async def server(started: Cluster) -> AsyncIterator[Server]:
    async with httpx2.AsyncClient(base_url=started.address("a"), headers=KEY, timeout=WITHIN) as http:
        yield Server(started, http)


async def has_heard(person: ComingBack, count: int) -> None:
    await person.until(lambda: len(person.heard) == count)


@asynccontextmanager
async def life(server: Server) -> AsyncIterator[Callable[[float, Callable[[str], Awaitable[None]]], Awaitable[None]]]:
    """Two people who talk and somebody who watches; gives what lets them go on for a while without something."""
    room = (await server.ask("POST", "api/rooms", json={"lobby": False, "people": [{"role": "doctor"}] * 3})).json()
    tokens = [person["token"] for person in room["people"]]
    async with (
        ComingBack(server.sockets, token=tokens[0]) as one,
        ComingBack(server.sockets, token=tokens[1]) as other,
        viewer(server.cluster.address("a"), "front-door", server.http) as playing,
    ):
        await playing.receive(10, WITHIN)

        async def go_on(seconds: float, come: Callable[[str], Awaitable[None]]) -> None:
            """Talk and watch, and come to the doors again and again: nothing gives way in time."""
            began, words = time.monotonic(), 0
            while not words or time.monotonic() - began < seconds:
                await come(room["id"])
                words += 1
                await other.say(f"{words}")
                await has_heard(one, words)
                await one.say(f"{words}")  # who says nothing for long counts as gone
                await playing.receive(len(playing.packets) + 5, WITHIN)
            async with viewer(server.cluster.address("a"), "front-door", server.http) as another:
                await another.receive(5, WITHIN)
            async with ComingBack(server.sockets, token=tokens[2]) as third:  # enters meanwhile
                await third.say("third")
                await has_heard(one, words + 1)
            assert one.heard == [*map(str, range(1, words + 1)), "third"]

        yield go_on
        await other.say("after")
        await one.until(lambda: one.heard[-1:] == ["after"])
        await playing.receive(len(playing.packets) + 5, WITHIN)
        assert len(one.names) == len(other.names) == 1, "nobody was thrown out"
    assert (await server.ask("GET", f"api/rooms/{room['id']}")).status_code == 200


@pytest.mark.parametrize("seconds", AWAY)
async def test_postgresql_is_away(server: Server, seconds: float) -> None:
    """What was confirmed before is there after it, and what was refused is taken then, without a restart."""
    link = (await server.ask("POST", "api/links", json={"camera": "front-door"})).json()["url"]
    handled = await done(server)
    assert (await server.webhook(f"before-{seconds}")).status_code == 200

    async def come(room: str) -> None:
        await come_to_all_doors(server, room, "STORE-UNREACHABLE")
        await server.refused("POST", "api/rooms", json={"id": "later", "lobby": False})
        await server.refused("POST", f"api/rooms/{room}/links", json={"role": "doctor"})
        await server.refused("POST", "api/links", json={"camera": "front-door"})
        await server.refused("GET", "api/links")
        await server.refused("GET", link)
        await server.refused("GET", "api/cameras", headers={"Authorization": "Bearer rlk_" + "A" * 40})
        # Ring sends it again, as its documentation has it for all but 2xx.
        assert (await server.webhook(f"meanwhile-{seconds}")).status_code == 503

    async with life(server) as go_on:
        await be_without(server, "database", server.cluster.postgres, partial(go_on, seconds, come))
        await server.told("record", "ok")
    assert (await server.ask("GET", link)).status_code == 200
    assert (await server.webhook(f"meanwhile-{seconds}")).status_code == 200
    made = await server.ask("POST", "api/rooms", json={"id": "later", "lobby": False})
    assert made.status_code == 201, made.text
    assert (await server.ask("DELETE", "api/rooms/later")).status_code == 204
    async with asyncio.timeout(WITHIN):
        while await done(server) != handled + 2:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("seconds", AWAY)
async def test_redis_is_away(server: Server, seconds: float) -> None:
    """A server alone goes on with all that it has, says so, and is one of several again as soon as Redis is back."""

    async def come(room: str) -> None:
        await come_to_all_doors(server, room, "NODE-ALONE")
        assert (await server.ask("POST", f"api/rooms/{room}/links", json={"role": "doctor"})).status_code == 201
        assert (await server.webhook(f"without-redis-{time.monotonic()}")).status_code == 200

    async with life(server) as go_on:
        await be_without(server, "redis", server.cluster.redis, partial(go_on, seconds, come))
        assert "NODE-ALONE" not in await faults(server)


async def be_without(
    server: Server, name: str, program: OwnPostgres | OwnRedis, go_on: Callable[[], Awaitable[None]]
) -> None:
    """Kill a program, go on for a while without it, and start it again; the server tells of both."""
    program.kill()
    try:
        await server.told(name, "away")
        await go_on()
    finally:
        await asyncio.to_thread(program.start)
    await server.told(name, "ok")


async def come_to_all_doors(server: Server, room: str, code: str) -> None:
    """What needs neither works, and the page is told what is away."""
    for path in ("health", "ready", "metrics", "api/faults", "api/cameras/front-door", f"api/rooms/{room}"):
        answer = await server.ask("GET", path)
        assert answer.status_code == 200, (path, answer.text)
    assert code in await faults(server)
    assert (await server.ask("GET", "api/cameras/front-door/snapshot.jpg")).content[:2] == b"\xff\xd8"
    assert (await server.ask("POST", f"api/rooms/{room}/tokens", json={"role": "doctor"})).status_code == 201


async def faults(server: Server) -> list[str]:
    return [fault["code"] for fault in (await server.ask("GET", "api/cameras")).json()["faults"]]


async def done(server: Server) -> int:
    """Return how many webhooks were handled."""

    def read() -> int:
        with closing(Database(server.cluster.shared["RINGLIGHT_DATABASE_URL"])) as database:
            return Inbox(database).counts().get("done", 0)

    return await asyncio.to_thread(read)
