"""Servers that share cameras over a real Redis: one holds a camera, the others send viewers there."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest

from own_redis import PROGRAM, OwnRedis
from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.media.sdp import Transport
from ringlight.nodes import keeper
from ringlight.nodes.keeper import PREFIX, CameraLeases
from ringlight.nodes.leases import BEAT
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import CameraSettings, ServerSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator
from whep_viewer import offer_text, viewer

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]
WITHIN = 30.0  # seconds that anything may take on a busy machine
OFFER = offer_text(Transport("ufra", "p" * 22, ":".join(["AA"] * 32), "actpass"))
SDP = {"Content-Type": "application/sdp"}


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


@dataclass
class Server:
    """One server, and a client of it that follows redirects."""

    url: str
    http: httpx2.AsyncClient

    async def json(self, path: str) -> Any:
        return (await self.http.get(path)).json()

    async def faults(self) -> list[str]:
        return [fault["code"] for fault in (await self.json("api/cameras"))["faults"]]


@contextlib.asynccontextmanager
async def server(redis: OwnRedis, ring: Any, **options: Any) -> AsyncIterator[Server]:
    settings = Settings(
        ring_url=ring.url, redis_url=redis.url, secret_key=Secret("k" * 32), server=ServerSettings(port=0, **options),
        cameras=CameraSettings(linger=0.2),
    )  # fmt: skip
    known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
    async with (
        Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
        run_server(settings, account) as running,
        httpx2.AsyncClient(base_url=running.url, timeout=20, follow_redirects=True) as http,
    ):
        yield Server(running.url, http)


async def test_a_camera_has_one_session_with_ring_however_many_servers_show_it(redis: OwnRedis) -> None:
    async with (
        simulator() as ring, server(redis, ring) as one, server(redis, ring) as two,
        viewer(one.url, "front-door", one.http) as first, viewer(two.url, "front-door", two.http) as second,
    ):  # fmt: skip
        await first.receive(20)
        await second.receive(20)
        assert second.location.startswith(one.url), "the second server has sent it to the first"
        assert ring.world.live_views == 1
        told = await one.json("api/nodes")
        assert [held["node"] for held in told["held"].values()] == [told["node"]]
        await hears_of(two, one)
        async with viewer(two.url, "driveway", two.http) as other:
            await other.receive(5)
            assert other.location.startswith(two.url), "what nobody holds is held by who is asked"


async def test_a_server_that_died_before_the_clock_of_redis_was_set_back_holds_nothing(redis: OwnRedis) -> None:
    async with simulator() as ring, server(redis, ring) as one:
        with redis.client() as client:
            async with viewer(one.url, "front-door", one.http) as playing:
                await playing.receive(5)
                (holders,) = client.keys("ringlight:*:holders")
                ((camera, held),) = client.hgetall(holders).items()
            await free(one)
            (nodes,) = client.keys("ringlight:*:nodes")
            client.zadd(nodes, {"dead": int(time.time() * 1000) + 3_600_000})
            client.hset(holders, camera, held.split()[0] + b" dead")
            async with viewer(one.url, "front-door", one.http) as playing:
                await playing.receive(5)
            async with asyncio.timeout(WITHIN):
                while client.zscore(nodes, "dead") is not None:
                    await asyncio.sleep(0.05)


async def hears_of(server: Server, other: Server, count: int = 1) -> None:
    """Wait until both servers know the same holders of so many cameras."""
    async with asyncio.timeout(WITHIN):
        while True:
            held = [(await each.json("api/nodes"))["held"].values() for each in (server, other)]
            if len(held[0]) == count and sorted(map(str, held[0])) == sorted(map(str, held[1])):
                return
            await asyncio.sleep(0.05)


async def test_all_that_needs_the_view_is_led_to_its_holder_and_nothing_else(redis: OwnRedis) -> None:
    async with simulator() as ring, server(redis, ring) as one, server(redis, ring) as two:
        async with viewer(one.url, "driveway", one.http) as playing:
            await playing.receive(5)
            plain = httpx2.AsyncClient(base_url=two.url, timeout=20)
            led = [
                ("GET", "api/cameras/driveway", None),
                ("GET", "api/cameras/driveway/events", None),
                ("GET", "api/cameras/driveway/snapshot.jpg?fresh=1", None),
                ("GET", "api/cameras/driveway/live.mp4", None),
                ("GET", "api/cameras/driveway/hls/index.m3u8", None),
                ("POST", "api/cameras/driveway/renewal", None),
                ("POST", "api/cameras/driveway/ptz", {"direction": "left"}),
                ("POST", "api/cameras/driveway/recordings", None),
            ]
            for method, path, body in led:
                answer = await plain.request(method, path, json=body)
                assert (answer.status_code, answer.headers.get("location")) == (307, one.url + path), path
                assert answer.headers["cache-control"] == "no-store"
            answer = await plain.post("whep/driveway", content=OFFER, headers=SDP)
            assert (answer.status_code, answer.headers["location"]) == (307, f"{one.url}whep/driveway")
            here = [("GET", "api/cameras"), ("GET", "api/cameras/driveway/history"), ("GET", "api/cameras/back-yard")]
            for method, path in here:
                assert (await plain.request(method, path)).status_code == 200, path
            light = await plain.post("api/cameras/driveway/light", json={"on": True})
            assert light.status_code == 200
            turned = await two.http.post("api/cameras/driveway/ptz", json={"direction": "left"})
            assert turned.json() == {"result": "moved"}
            assert (await two.http.get("api/cameras/driveway/snapshot.jpg")).content[:2] == b"\xff\xd8"
            await plain.aclose()
        assert ring.world.live_views == 1


async def test_a_session_is_patched_and_ended_where_it_is(redis: OwnRedis) -> None:
    async with simulator() as ring, server(redis, ring, node_url="/node-a") as one:
        answer = await one.http.post("whep/front-door", content=OFFER, headers=SDP)
        assert answer.status_code == 201
        assert answer.headers["location"].startswith("/node-a/whep/front-door/")
        there = urljoin(one.url, answer.headers["location"].removeprefix("/node-a"))
        assert (await one.http.delete(there)).status_code == 200


async def test_a_script_of_a_page_that_cannot_follow_is_told_where_to_go(redis: OwnRedis) -> None:
    """Where the other server is of another origin; a player that is no browser, or a path, can be followed."""
    async with simulator() as ring, server(redis, ring) as one, server(redis, ring, node_url="/b") as two:
        script = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
        for holder, asked, follows in ((one, two, False), (two, one, True)):
            async with viewer(holder.url, "front-door", holder.http) as playing:
                await playing.receive(1)
                answer = await asked.http.post(
                    "whep/front-door", content=OFFER, headers={**SDP, **script}, follow_redirects=False
                )
                if follows:
                    assert (answer.status_code, answer.headers["location"]) == (307, "/b/whep/front-door")
                else:
                    assert (answer.status_code, answer.json()["code"]) == (409, "CAM-ELSEWHERE")
                    assert answer.json()["detail"] == holder.url.rstrip("/")
            await free(holder)


async def free(server: Server) -> None:
    """Wait until its view has closed."""
    async with asyncio.timeout(WITHIN):
        while (await server.json("api/nodes"))["held"]:
            await asyncio.sleep(0.05)


async def test_a_server_that_stops_hands_its_cameras_over(redis: OwnRedis) -> None:
    async with simulator() as ring, server(redis, ring) as two, contextlib.AsyncExitStack() as running:
        one = await running.enter_async_context(server(redis, ring))
        with contextlib.suppress(httpx2.HTTPError):  # it cannot be told any more that we leave
            async with viewer(one.url, "front-door", two.http) as playing:
                await playing.receive(5)
                told = asyncio.create_task(last_words(one.url, two.http))
                await asyncio.sleep(0.1)
                await running.aclose()
                assert '"moved":true' in await told
        async with viewer(two.url, "front-door", two.http) as again:
            await again.receive(5)
            assert again.location.startswith(two.url)
        assert ring.world.live_views == 2


async def last_words(url: str, http: httpx2.AsyncClient) -> str:
    """Return what the page was told last of its view."""
    said = ""
    async with http.stream("GET", f"{url}api/cameras/front-door/events", timeout=WITHIN) as events:
        async for line in events.aiter_lines():
            said = line if line.startswith("data:") else said
    return said


async def test_without_redis_everything_goes_on_with_a_notice_and_nothing_has_to_be_started_again(
    redis: OwnRedis,
) -> None:
    async with simulator() as ring, server(redis, ring) as one, server(redis, ring) as two:
        async with viewer(one.url, "front-door", one.http) as playing:
            await playing.receive(5)
            await hears_of(two, one)
            redis.kill()
            for each in (one, two):
                await knows(each, "NODE-ALONE")
                ready = await each.http.get("ready")
                assert (ready.status_code, ready.json()["redis"]) == (200, "away")
                assert (await each.json("api/status"))["notices"][0]["code"] == "NODE-ALONE"
            before = len(playing.packets)
            async with viewer(two.url, "front-door", two.http) as second:
                assert second.location.startswith(one.url), "who had it goes on to have it"
                await second.receive(5)
            async with viewer(two.url, "driveway", two.http) as third:
                await third.receive(5)
                redis.start()
                for each in (one, two):
                    await knows(each, None)
                    assert (await each.json("ready"))["redis"] == "ok"
                await hears_of(one, two, 2)
                await third.receive(len(third.packets) + 5)
            await playing.receive(before + 20)
            assert not playing.closed.is_set()
        assert ring.world.live_views == 2


async def knows(server: Server, code: str | None) -> None:
    """Wait until people are told this, or nothing."""
    async with asyncio.timeout(WITHIN):
        while await server.faults() != ([code] if code else []):
            await asyncio.sleep(0.05)


async def test_a_server_that_may_not_go_on_alone_ends_its_views(redis: OwnRedis) -> None:
    async with simulator() as ring, server(redis, ring, alone_for=0) as one:
        async with viewer(one.url, "front-door", one.http) as playing:
            await playing.receive(5)
            redis.kill()
            async with asyncio.timeout(WITHIN):
                await playing.closed.wait()
            answer = await one.http.post("whep/front-door", content=OFFER, headers=SDP)
            assert (answer.status_code, answer.json()["code"]) == (503, "NODE-ALONE")
            redis.start()
            await knows(one, None)
        async with viewer(one.url, "front-door", one.http) as again:
            await again.receive(5)


async def test_two_that_opened_the_same_camera_without_redis_keep_one_session(redis: OwnRedis) -> None:
    redis.kill()
    async with (
        simulator() as ring, server(redis, ring) as one, server(redis, ring) as two,
        viewer(one.url, "front-door", one.http) as first, viewer(two.url, "front-door", two.http) as second,
    ):  # fmt: skip
        await first.receive(5)
        await second.receive(5)
        assert ring.world.live_views == 2
        redis.start()
        async with asyncio.timeout(WITHIN):
            await asyncio.wait(
                {asyncio.create_task(one.closed.wait()) for one in (first, second)},
                return_when=asyncio.FIRST_COMPLETED,
            )
        assert first.closed.is_set() is not second.closed.is_set()


async def test_a_frozen_redis_holds_nobody_up_for_long(redis: OwnRedis) -> None:
    async with simulator() as ring, server(redis, ring) as one:
        redis.stop()
        try:
            async with viewer(one.url, "front-door", one.http) as playing:
                await playing.receive(5)
        finally:
            redis.go_on()
        await knows(one, None)


@pytest.mark.parametrize("kept", ["junk", "", "99999999999999999999999999999 -", "1e5 {other}", "x {other}", "{other}"])
async def test_what_cannot_be_read_in_redis_is_as_nothing(redis: OwnRedis, kept: str) -> None:
    """The camera it was of is free, and the node goes on with all others."""
    one = CameraLeases(redis.url, "http://one.example", alone_for=30.0)
    other = CameraLeases(redis.url, "http://other.example", alone_for=30.0)
    async with one.running(), other.running():
        with redis.client() as client:
            client.hset(f"{PREFIX}:holders", keeper._name("1001"), kept.format(other=other.node))
        async with asyncio.timeout(WITHIN):
            lease = await one.take("1001", "front-door")
            await asyncio.sleep(2.5 * BEAT)
        assert lease.token > 0
        assert not one.is_alone
        assert not other.is_alone
        assert not lease.over.done()
