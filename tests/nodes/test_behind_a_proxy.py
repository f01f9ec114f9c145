"""Several servers behind nginx and Caddy, as the examples configure them: everything a browser does goes through."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from websockets.asyncio.client import ClientConnection, connect

from cluster import CADDY, NGINX, WITHIN, Cluster, Proxy, cluster
from own_postgres import PROGRAMS
from own_redis import PROGRAM
from ringlight.http.serving import listen, serving
from ringlight.server.event_stream import KEEP_ALIVE, event_stream
from whep_viewer import viewer

pytestmark = [
    pytest.mark.anyio, pytest.mark.program,
    pytest.mark.skipif(PROGRAM is None or not PROGRAMS, reason="Redis or PostgreSQL is not installed"),
]  # fmt: skip


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(params=[NGINX, CADDY], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, started: Cluster) -> Iterator[Proxy]:
    if request.param is None:
        pytest.skip("not installed; see tests/debian-packages.sh")
    made = Proxy(request.param, list(started.ports.values()))
    yield made
    made.close()


@pytest.fixture
async def http(proxy: Proxy) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=30, follow_redirects=True) as client:
        yield client


@pytest.mark.long
async def test_viewers_events_and_rooms_go_through(started: Cluster, proxy: Proxy, http: httpx2.AsyncClient) -> None:
    await nobody_watches(http, f"{proxy.url}api/cameras/front-door")
    before = started.live_views()
    there = f"{proxy.url}node-b/"  # a proxy keeps who comes from one address at one server
    async with viewer(proxy.url, "front-door", http) as first, viewer(there, "front-door", http) as second:
        await first.receive(10)
        await second.receive(10)
        assert started.live_views() <= before + 1, "it may still be open from the other proxy"
        place = first.location.rpartition("/whep/")[0]
        assert second.location.startswith(f"{place}/whep/front-door/")
        assert place.removeprefix("/node-") in started.ports
        session = urljoin(proxy.url, first.location)
        assert (await http.patch(session, content="x", headers={"Content-Type": "text/plain"})).status_code == 415
        for name in started.ports:  # whichever server it comes to
            async with http.stream("GET", f"{proxy.url}node-{name}/api/cameras/front-door/events") as events:
                line = await anext(line async for line in events.aiter_lines() if line.startswith("data:"))
                assert json.loads(line.removeprefix("data:"))["viewers"] == 2
        still = await http.get(f"{proxy.url}api/cameras/front-door/snapshot.jpg")
        assert still.content[:2] == b"\xff\xd8"
        async with http.stream("GET", f"{proxy.url}api/cameras/front-door/live.mp4") as film:
            assert (await anext(film.aiter_bytes()))[4:8] == b"ftyp"
        playlist = await http.get(f"{proxy.url}api/cameras/front-door/hls/index.m3u8")
        part = next(line for line in playlist.text.splitlines() if line.endswith(".m4s"))
        assert (await http.get(urljoin(str(playlist.url), part))).status_code == 200
    # Through a proxy nobody is from this machine, so a token is needed.
    guests = {"lobby": False, "people": [{"role": "doctor"}, {"role": "doctor"}]}
    tokens = [one["token"] for one in (await http.post(f"{proxy.url}api/rooms", json=guests)).json()["people"]]
    sockets = f"{proxy.url.replace('http', 'ws', 1)}ws/v2"
    async with connect(sockets, proxy=None) as one, connect(sockets, proxy=None) as other:
        for web, token in zip((one, other), tokens, strict=True):
            await web.send(json.dumps({"t": "hello", "v": 2, "token": token}))
            await hear(web, "roster")
        await other.send(json.dumps({"t": "chat", "rid": 1, "text": "hello"}))
        assert (await hear(one, "chat"))["text"] == "hello"


@pytest.mark.parametrize("program", [NGINX, CADDY], ids=["nginx", "caddy"])
async def test_who_leaves_has_left_the_server_behind_it_at_once(program: str | None) -> None:
    """Not when one sign of life after another could not be delivered."""
    if program is None:
        pytest.skip("not installed; see tests/debian-packages.sh")
    left = asyncio.Event()

    async def snapshots() -> AsyncGenerator[dict[str, Any], None]:
        try:
            yield {"viewers": 1}
            await asyncio.Event().wait()
        finally:
            left.set()

    async def events(request: Request) -> Response:
        return event_stream(snapshots(), request, asyncio.Event(), lambda _: lambda: None)

    app = Starlette(routes=[Route("/events", events)])
    async with serving(app, listen("127.0.0.1", 0)) as server, httpx2.AsyncClient(timeout=WITHIN) as http:
        proxy = await asyncio.to_thread(Proxy, program, [server.port])
        try:
            async with http.stream("GET", f"{proxy.url}node-a/events") as stream:
                assert await anext(stream.aiter_lines()) == 'data: {"viewers":1}'
            async with asyncio.timeout(KEEP_ALIVE * 2 / 3):
                await left.wait()
        finally:
            await asyncio.to_thread(proxy.close)


async def nobody_watches(http: httpx2.AsyncClient, camera: str) -> None:
    """Wait until a camera has no viewers; what is shown by HLS has one until nobody has asked for it for a while."""
    async with asyncio.timeout(WITHIN):
        while (await http.get(camera)).json()["viewers"]:
            await asyncio.sleep(0.1)


async def hear(web: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next frame of a kind."""
    async with asyncio.timeout(WITHIN):
        while True:
            frame: dict[str, Any] = json.loads(await web.recv())
            if frame["t"] == kind:
                return frame
