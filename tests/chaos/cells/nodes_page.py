"""Cells of several servers that share cameras: what a page, or a program by the API, is told when one stops or has it.

Their cameras are of a linked account where something must be asked at the very moment when a server stops: a picture
of such a camera opens its view.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from playwright.async_api import Page
from scenes.linked_house import LinkedHouse, linked_house
from troubles.crossed import Crossed, crossed

from cells import Back, Cell, Lab, Met, Outcome
from cells.live_view import ITSELF
from cells.page import asked_again, until_playing, until_told
from cells.server import read_refusal
from cells.viewer import of_servers, one_of_several
from own_redis import PROGRAM, OwnRedis
from whep_viewer import viewer

WHEP = "/whep/"
Meet = Callable[[Lab, OwnRedis], Awaitable[Outcome]]


# ---- another one has the camera, or Redis is gone ----


async def held_elsewhere(lab: Lab, redis: OwnRedis) -> Outcome:
    """The page of one server, while another one of another origin shows the camera."""
    async with (
        one_of_several(lab, redis, "a") as (one, http),
        one_of_several(lab, redis, "b") as (two, _),
        _page(lab) as page,
    ):
        async with viewer(one, "front-door", http) as playing:
            await playing.receive(1)
            await page.goto(two)
            began = time.monotonic()
            await page.locator('[data-camera="front-door"]').click()
            code, said, _ = await until_told(page, within=30)
            named = time.monotonic() - began
        while (await http.get("api/nodes")).json()["held"]:
            await asyncio.sleep(0.1)
        return await asked_again(page, code, said, named)


async def without_redis(lab: Lab, redis: OwnRedis) -> Outcome:
    """Redis dies under somebody who watches, where no server may go on alone."""
    async with one_of_several(lab, redis, "a", alone_for=0) as (url, http), _page(lab) as page:
        await page.goto(url)
        await page.locator('[data-camera="front-door"]').click()
        assert await until_playing(page, within=30), "no picture before the trouble"
        began = time.monotonic()
        redis.kill()
        code, said, _ = await until_told(page, within=30)
        named = time.monotonic() - began
        redis.start()
        while (await http.get("api/cameras")).json()["faults"]:
            await asyncio.sleep(0.1)
        return await asked_again(page, code, said, named)


@contextlib.asynccontextmanager
async def _page(lab: Lab) -> AsyncIterator[Page]:
    assert lab.chromium is not None
    page = await lab.chromium.new_page()
    try:
        yield page
    finally:
        await page.close()


# ---- a server stops ----


@dataclass
class Asking:
    """Who asks for pictures, and how."""

    met: Met
    page: Page
    http: httpx2.AsyncClient

    async def begin(self, url: str, camera: str) -> None:
        """Open the page, with what this camera can do."""
        if self.met is Met.PAGE:
            await self.page.goto(url)
            await self.page.locator(f'[data-controls="{camera}"] summary').click()

    async def ask(self, url: str, camera: str) -> tuple[str | None, str]:
        """Ask for a picture; return the fault and what is read, `None` where the picture came."""
        if self.met is Met.API:
            answer = await self.http.get(f"{url}api/cameras/{camera}/snapshot.jpg")
            return (None, "") if answer.status_code == 200 else read_refusal(answer)
        part = self.page.locator(f'[data-controls="{camera}"]')
        await part.locator('[data-control="picture"]').click()
        card = part.locator(".controls-fault [data-fault-code]")
        await card.or_(part.locator(".still-picture:visible")).first.wait_for(timeout=30_000)
        return (
            (await card.get_attribute("data-fault-code"), await card.inner_text()) if await card.count() else (None, "")
        )


async def _silent(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing for as long as somebody waits."""
    del scope, send
    while (await receive())["type"] != "http.disconnect":
        pass


@contextlib.asynccontextmanager
async def _linked(lab: Lab, redis: OwnRedis, between: Crossed, name: str) -> AsyncIterator[LinkedHouse]:
    shared: dict[str, Any] = {"redis_url": redis.url, "secret_key": "k" * 32, "cameras": {"linger": 10}}
    async with linked_house(Lab(lab.folder / name, lab.patch), between, **shared) as house:
        await house.learn()
        yield house


async def _holds(http: httpx2.AsyncClient, url: str, *, something: bool) -> None:
    """Wait until the server holds a camera, or none."""
    while bool((await http.get(f"{url}api/nodes")).json()["held"]) is not something:
        await asyncio.sleep(0.02)


def while_it_stops(met: Met, *, is_opening: bool) -> Meet:
    """Ask for a picture of a camera that is being opened when the server stops, or for one of another a moment later.

    Ring takes long to answer; so the server has views to end for a moment.
    """

    async def meet(lab: Lab, redis: OwnRedis) -> Outcome:
        async with crossed() as between, _page(lab) as page, httpx2.AsyncClient(timeout=30) as http:
            asking = Asking(met, page, http)
            async with contextlib.AsyncExitStack() as running:
                house = await running.enter_async_context(_linked(lab, redis, between, "a"))
                url, asked = house.url, house.id_of("Back Yard")
                await asking.begin(url, asked)
                if not is_opening:
                    assert (await http.get(f"{url}api/cameras/{house.door}/snapshot.jpg")).status_code == 200
                between.trouble(answers={WHEP: _silent})

                async def when_it_is_time() -> tuple[float, str | None, str]:
                    if not is_opening:
                        await _holds(http, url, something=False)
                    began = time.monotonic()
                    code, said = await asking.ask(url, asked)
                    return time.monotonic() - began, code, said

                told = asyncio.create_task(when_it_is_time())
                await _holds(http, url, something=True)
                await running.aclose()
                named, code, said = await told
            between.mend()
            async with _linked(lab, redis, between, "b") as other:
                began, asked = time.monotonic(), other.id_of("Back Yard")
                await asking.begin(other.url, asked)
                again, _ = await asking.ask(other.url, asked)
                back: Back = (
                    "when asked again" if again is None and time.monotonic() - began < 2 * ITSELF else "not yet"
                )
                return Outcome(code, said, named, back, time.monotonic() - began)

    return meet


def nodes_page_cells() -> Iterator[Cell]:
    if PROGRAM is None:
        return
    yield Cell("CAM-ELSEWHERE", Met.PAGE, "another server holds the camera", of_servers(held_elsewhere))
    yield Cell("NODE-ALONE", Met.PAGE, "Redis is killed", of_servers(without_redis))
    for met in (Met.API, Met.PAGE):
        yield Cell("CAM-MOVED", met, "the server stops while it opens the camera",
                   of_servers(while_it_stops(met, is_opening=True)))  # fmt: skip
        yield Cell("NODE-LEAVING", met, "the server is about to stop",
                   of_servers(while_it_stops(met, is_opening=False)))  # fmt: skip
