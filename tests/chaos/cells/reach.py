"""Cells of the way to our server: what stands between it and a room's page, a program's socket, or a command."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from playwright.async_api import BrowserContext, Page, Route
from playwright.async_api import TimeoutError as Late
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from another_program import another_program
from calling import FLAGS, Gate
from cells import Cell, Lab, Met, Outcome, Run
from cells.command import RINGLIGHT, Finished, command, signed_in
from cells.live_view import named_in, own_server
from patients import foreign, free_port, proxy_that_drops_upgrades, seed_app
from room_house import house

SANDBOX = Path(__file__).parents[2] / "sandbox.py"
IS_IN = "() => ['inside', 'waiting'].includes(call.phase)"
# Keeps every fault that is judged with all that the page can find out: a first guess is made before the probe ends.
JOIN = """async ([options]) => {
  const { Call } = await import("/rooms-page/client/index.js");
  globalThis.call = new Call({ audio: false, video: false, room: "visit", role: "doctor", name: "A", ...options });
  globalThis.faults = [];
  call.addEventListener("phase", () => {
    if (call.fault && (call.phase === "over" || call.fault.tried?.length > 2)) faults.push({ ...call.fault });
  });
  void call.join();
}"""
Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """Where a page is, and where it looks for its server.

    Attributes:
        page: The origin of the page, ending in a slash; the client's files are there.
        url: The address of the socket.
        befalls: What happens once it is in.
        mend: What ends the cause.
    """

    page: str
    url: str
    befalls: Act | None = None
    mend: Act | None = None


Way = Callable[[str], AbstractAsyncContextManager[Place]]


@dataclass(frozen=True)
class Trouble:
    """A way that leads nowhere.

    Attributes:
        what: In words.
        code: The fault.
        way: Given the address of our server, makes it.
        strict: Whether the page keeps its own Content-Security-Policy.
        as_https: Whether the page is pretended to have come from `https://clinic.example`.
    """

    what: str
    code: str
    way: Way
    strict: bool = False
    as_https: bool = False


def _sockets(server: str) -> str:
    return f"{server.replace('http', 'ws')}ws/v2"


def _port(server: str) -> int:
    port = urlsplit(server).port
    assert port is not None
    return port


@contextlib.asynccontextmanager
async def _proxied(server: str) -> AsyncIterator[Place]:
    async with proxy_that_drops_upgrades(_port(server)) as port:
        yield Place(server, f"ws://127.0.0.1:{port}/ws/v2")


@contextlib.asynccontextmanager
async def _elsewhere(server: str) -> AsyncIterator[Place]:
    with another_program() as port:
        yield Place(server, f"ws://127.0.0.1:{port}/ws/v2")


@contextlib.asynccontextmanager
async def _secretive(server: str) -> AsyncIterator[Place]:
    with another_program(lets_read=False) as port:
        yield Place(server, f"ws://127.0.0.1:{port}/ws/v2")


@contextlib.asynccontextmanager
async def _mute(server: str) -> AsyncIterator[Place]:
    """Connections are taken, and nothing is ever said; the name is none of this machine."""

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(taken, "127.0.0.1", 0)
    yield Place(server, f"ws://clinic.example:{listening.sockets[0].getsockname()[1]}/ws/v2")
    listening.close()


@contextlib.asynccontextmanager
async def _of_the_visitor(_: str) -> AsyncIterator[Place]:
    """The page came from another machine, and its server is said to be localhost, where nobody listens."""
    with another_program() as port:
        yield Place(f"http://clinic.example:{port}/", f"ws://localhost:{free_port()}/ws/v2")


@contextlib.asynccontextmanager
async def _unsafe(server: str) -> AsyncIterator[Place]:
    yield Place("https://clinic.example/", f"ws://clinic.example:{_port(server)}/ws/v2")


@contextlib.asynccontextmanager
async def _closed_at_once(server: str) -> AsyncIterator[Place]:
    async with foreign(seed_app(close=1000)) as where:
        yield Place(server, f"ws://{where}/ws/signaling/visit/doctor")


def _gate(*, offline: bool) -> Way:
    """A way that breaks once the page is in; with `offline` the browser has no network until it is mended."""

    @contextlib.asynccontextmanager
    async def way(server: str) -> AsyncIterator[Place]:
        gate = Gate(_port(server))

        async def befalls(page: Page) -> None:
            if offline:
                await page.context.set_offline(True)
            gate.cut()
            if not offline:
                gate.mend()

        async def mend(page: Page) -> None:
            if offline:
                gate.mend()
                await page.context.set_offline(False)

        yield Place(gate.url, _sockets(gate.url), befalls, mend)
        gate.cut()

    return way


TROUBLES = (
    Trouble("a proxy drops the upgrade", "REACH-PROXY", _proxied),
    Trouble("another program answers, and lets the page read", "REACH-OTHER", _elsewhere),
    Trouble("another program answers, and lets nobody read", "REACH-CORS", _secretive),
    Trouble("nothing ever comes back", "REACH-FIREWALL", _mute),
    Trouble("a page from elsewhere that looks for localhost", "REACH-SELF", _of_the_visitor),
    Trouble("a page by https, a socket without", "REACH-MIXED", _unsafe, as_https=True),
    Trouble("the page's own policy", "REACH-POLICY", _elsewhere, strict=True),
    Trouble("closed with 1000 as soon as it is open", "REACH-CLOSED", _closed_at_once),
    Trouble("the connection breaks", "REACH-DROPPED", _gate(offline=False)),
    Trouble("the device goes offline", "REACH-OFFLINE", _gate(offline=True)),
)


# ---- the client in a browser ----


def page_meets(trouble: Trouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        browser = await lab.chromium.browser_type.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            async with house(lab.folder / "state") as (http, _), trouble.way(str(http.base_url)) as place:
                context = await browser.new_context(bypass_csp=not trouble.strict)
                if trouble.as_https:
                    await _pretend_https(context, str(http.base_url))
                page = await context.new_page()
                await page.goto(f"{place.page}health")
                return await _in_browser(page, place)
        finally:
            await browser.close()

    return run


async def _pretend_https(context: BrowserContext, server: str) -> None:
    async def answer(route: Route) -> None:
        async with httpx2.AsyncClient() as http:
            found = await http.get(server.rstrip("/") + urlsplit(route.request.url).path)
        await route.fulfill(status=found.status_code, body=found.text, content_type=found.headers["content-type"])

    await context.route("https://clinic.example/**", answer)


async def _in_browser(page: Page, place: Place) -> Outcome:
    await page.evaluate("async () => { await import('/rooms-page/client/index.js'); }")
    began = time.monotonic()
    await page.evaluate(JOIN, [{"url": place.url}])
    if place.befalls is not None:
        await page.wait_for_function(IS_IN, timeout=20_000)
        began = time.monotonic()
        await place.befalls(page)
    await page.wait_for_function("() => faults.length", timeout=30_000)
    found = await page.evaluate("() => faults[0]")
    named, said = time.monotonic() - began, f"{found['title']}. {found['cause']}"
    if place.mend is None:
        return Outcome(found["code"], said, named)
    await place.mend(page)
    mended = time.monotonic()
    try:
        await page.wait_for_function(IS_IN, timeout=40_000)
    except Late:
        return Outcome(found["code"], said, named, "not yet")
    return Outcome(found["code"], said, named, "by itself", time.monotonic() - mended)


# ---- a bare socket of a program, and a plain request ----


async def _socket_behind_proxy(lab: Lab) -> Outcome:
    """Our server sees no upgrade, and says in its answer what that means; a socket shows it to whoever asks."""
    async with (
        house(lab.folder / "state") as (http, _),
        proxy_that_drops_upgrades(_port(str(http.base_url))) as port,
    ):
        began = time.monotonic()
        try:
            async with connect(f"ws://127.0.0.1:{port}/ws/v2", proxy=None):
                return Outcome(None, "it opened")
        except InvalidStatus as error:
            problem: dict[str, Any] = json.loads(error.response.body)
    return Outcome(problem["code"], f"{problem['title']}. {problem['cause']}", time.monotonic() - began)


async def _plain_request(lab: Lab) -> Outcome:
    async with house(lab.folder / "state") as (http, _):
        began = time.monotonic()
        answer = await http.get("ws/v2")
        problem = answer.json()
    return Outcome(problem["code"], f"{problem['title']}. {problem['cause']}", time.monotonic() - began)


# ---- commands that speak to a server of ours ----


def _told(finished: Finished) -> Outcome:
    assert "Traceback" not in finished.err, finished.err
    assert finished.status in (1, 2), finished.status
    return Outcome(finished.code, finished.said, finished.read_after)


async def _status_of_another(lab: Lab) -> Outcome:
    async with signed_in(lab) as (_, env):
        with another_program() as port:
            where = f"http://127.0.0.1:{port}"
            return _told(await command("status", "--once", "--server", where, env=env, cwd=lab.folder))


async def _status_by_another_name(lab: Lab) -> Outcome:
    """Whoever copies `0.0.0.0` from a server's settings into an address."""
    async with own_server(lab) as (_, url):
        _, env = {}, {"RINGLIGHT_STATE_DIR": str(lab.folder), "NO_COLOR": "1", "COLUMNS": "400"}
        where = url.replace("127.0.0.1", "0.0.0.0")
        first = _told(await command("status", "--once", "--server", where, env=env, cwd=lab.folder))
        began = time.monotonic()
        again = await command("status", "--once", "--server", url, env=env, cwd=lab.folder)
        back = "when asked again" if again.status == 0 else "not yet"
        return Outcome(first.code, first.said, first.named_after, back, time.monotonic() - began)  # type: ignore[arg-type]


def _status_at(where: str) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with signed_in(lab) as (_, env):
            return _told(await command("status", "--once", "--server", where, env=env, cwd=lab.folder))

    return run


def _in_sandbox(*args: str) -> Run:
    """A command that the kernel lets open no socket of the internet."""

    async def run(lab: Lab) -> Outcome:
        async with signed_in(lab) as (_, env):
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(SANDBOX), str(RINGLIGHT), *args, env=env, cwd=lab.folder,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = (text.decode() for text in await process.communicate())
        assert "Traceback" not in err, err
        _, _, verdict = (out + err).rpartition("Fix this first: ")
        lines = [line.strip() for line in verdict.splitlines()]
        return Outcome(named_in(verdict), " ".join(lines[:3]), time.monotonic() - began)

    return run


def reach_cells() -> Iterator[Cell]:
    for trouble in TROUBLES:
        yield Cell(trouble.code, Met.ROOM_PAGE, trouble.what, page_meets(trouble))
    yield Cell("REACH-PROXY", Met.ROOM_SOCKET, "a proxy drops the upgrade", _socket_behind_proxy, is_quick=True)
    yield Cell("REACH-PROXY", Met.API, "the upgrade was lost on the way", _plain_request)
    yield Cell("REACH-OTHER", Met.COMMAND, "`status`: another program answers", _status_of_another)
    yield Cell("ORIGIN-REFUSED", Met.COMMAND, "`status`: the server by the address 0.0.0.0", _status_by_another_name)
    for where in ("http://undefined:8000", "http://[::1"):
        yield Cell("REACH-URL", Met.COMMAND, f"`status`: the address {where}", _status_at(where))
    yield Cell("REACH-SANDBOX", Met.COMMAND, "`serve`: no sockets are allowed", _in_sandbox("serve", "--port", "0"))
    yield Cell("REACH-SANDBOX", Met.DOCTOR, "no sockets are allowed", _in_sandbox("doctor"))
