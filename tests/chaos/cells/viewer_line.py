"""Cells of the line between a server and a browser that watches: it is too thin for the camera, or dead for a while."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx2
from playwright.async_api import Page, Route
from playwright.async_api import TimeoutError as Late

from calling import Gate
from cells import Cell, Lab, Met, Outcome
from cells.live_view import own_server
from cells.page import until_playing, until_told
from modem import Modem

NOTE = ".line-note"
WITHIN = 60.0  # seconds: a line is judged by what it carries over a while


@dataclass
class Line:
    """A page that watches over a line; HTTP goes by the gate, and media by the wire."""

    page: Page
    http: httpx2.AsyncClient
    gate: Gate
    wire: Modem


@contextlib.asynccontextmanager
async def watched(lab: Lab, kbps: float = float("inf")) -> AsyncIterator[Line]:
    """Watch over a line that carries so many kilobits a second to the browser."""
    assert lab.chromium is not None
    async with (
        own_server(lab, media={"tcp": False}) as (_, url),
        httpx2.AsyncClient(base_url=url) as http,
        contextlib.AsyncExitStack() as stack,
    ):
        wire = stack.enter_context(contextlib.closing(Modem((await http.get("api/media")).json()["port"], kbps)))
        gate = Gate(int(url.rstrip("/").rpartition(":")[2]))
        stack.callback(gate.cut)
        page = await lab.chromium.new_page()
        stack.push_async_callback(page.close)

        async def by_the_wire(route: Route) -> None:
            """Name the wire in place of the server's own port."""
            answer = await route.fetch()
            leads = rf"\1 127.0.0.1 {wire.port}"
            said = re.sub(r"(a=candidate:\S+ 1 udp \d+) \S+ \d+", leads, await answer.text())
            await route.fulfill(response=answer, body=said)

        await page.route("**/whep/front-door", by_the_wire)
        await page.goto(gate.url)
        await page.locator('[data-camera="front-door"]').click()
        assert await until_playing(page, within=30), "no picture before the trouble"
        yield Line(page, http, gate, wire)


async def page_over_thin_line(lab: Lab) -> Outcome:
    async with watched(lab, THIN) as line:
        began = time.monotonic()
        code, said, _ = await until_told(line.page, within=WITHIN)
        named, line.wire.kbps = time.monotonic() - began, float("inf")
        return await _note_goes(line, code, said, named)


async def api_over_thin_line(lab: Lab) -> Outcome:
    """A program asks how those fare who watch."""
    async with watched(lab, THIN) as line:
        began = time.monotonic()
        fault = None
        while fault is None and time.monotonic() - began < WITHIN:
            await asyncio.sleep(0.2)
            fault = await _told_of_line(line.http)
        named, line.wire.kbps = time.monotonic() - began, float("inf")
        if fault is None:
            return Outcome(None, "", named)
        began = time.monotonic()
        while await _told_of_line(line.http) is not None and time.monotonic() - began < WITHIN:
            await asyncio.sleep(0.2)
        over = await _told_of_line(line.http) is None
        return Outcome(fault["code"], f"{fault['title']}. {fault['cause']}", named, "by itself" if over else "not yet",
                       time.monotonic() - began)  # fmt: skip


async def _told_of_line(http: httpx2.AsyncClient) -> dict[str, str] | None:
    fault: dict[str, str] | None = (await http.get("api/cameras/front-door")).json()["audience"][0]["line"]["fault"]
    return fault


async def page_over_dead_line(lab: Lab) -> Outcome:
    """Nothing gets through for a while, and no connection is refused or broken."""
    async with watched(lab) as line:
        began = time.monotonic()
        line.wire.is_up = False
        with line.gate.held_up():
            code, said, _ = await until_told(line.page, within=WITHIN)
            named = time.monotonic() - began
        line.wire.is_up = True
        return await _note_goes(line, code, said, named)


async def _note_goes(line: Line, code: str | None, said: str, named: float) -> Outcome:
    """Wait until the page says nothing more of its line, and pictures come."""
    began = time.monotonic()
    with contextlib.suppress(Late):
        await line.page.locator(NOTE).wait_for(state="hidden", timeout=WITHIN * 1000)
        if await until_playing(line.page, within=30):
            return Outcome(code, said, named, "by itself", time.monotonic() - began)
    return Outcome(code, said, named, "not yet", time.monotonic() - began)


THIN = 150.0  # kbit/s


def viewer_line_cells() -> Iterator[Cell]:
    yield Cell("VIEWER-LOST", Met.PAGE, "a line that is dead for a while", page_over_dead_line)
    yield Cell("VIEWER-THIN", Met.PAGE, "a line of 150 kbit/s", page_over_thin_line)
    yield Cell("VIEWER-THIN", Met.API, "a line of 150 kbit/s", api_over_thin_line)
