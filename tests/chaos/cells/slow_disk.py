"""Cells of a disk that is too slow for what a camera sends, read on the page, in an answer and on a terminal."""

import asyncio
import time
from collections.abc import Iterator

import httpx2
from troubles.slow_disk import for_a_command, make_slow

from cells import Cell, Lab, Met, Outcome
from cells.command import command, signed_in
from cells.live_view import named_in, own_server
from cells.page import until_playing, until_told

RECORDINGS = "api/cameras/front-door/recordings"


async def page_records(lab: Lab) -> Outcome:
    """Somebody watches and presses Record."""
    assert lab.chromium is not None
    make_slow(lab.patch.setattr)
    async with own_server(lab) as (_, url):
        page = await lab.chromium.new_page()
        try:
            await page.goto(url)
            await page.locator('[data-camera="front-door"]').click()
            assert await until_playing(page, within=30), "no picture before the trouble"
            began = time.monotonic()
            await page.click("#record")
            code, said, _ = await until_told(page, within=45)
            return Outcome(code, said, time.monotonic() - began)
        finally:
            await page.close()


async def api_records(lab: Lab) -> Outcome:
    """A program records some seconds, and looks at what has become of them."""
    make_slow(lab.patch.setattr)
    async with own_server(lab) as (_, url), httpx2.AsyncClient(base_url=url, timeout=30) as http:
        began = time.monotonic()
        made = (await http.post(RECORDINGS, json={"seconds": 30})).headers["location"]
        said = ""
        while not said and time.monotonic() - began < 45:
            await asyncio.sleep(0.2)
            said = next(iter((await http.get(made)).json()["notes"]), "")
        named = time.monotonic() - began
        await http.delete(made)
        return Outcome(named_in(said), said, named)


async def command_records(lab: Lab) -> Outcome:
    """`ringlight record` to such a disk."""
    async with signed_in(lab) as (_, env):
        wanted = ("record", "Front Door", "door.mp4", "--seconds", "10")
        first = await command(*wanted, env={**env, **for_a_command(lab.folder / "slow")}, cwd=lab.folder)
        assert "Traceback" not in first.err, first.err
        return Outcome(first.code, first.said, first.read_after)


def slow_disk_cells() -> Iterator[Cell]:
    yield Cell("FILE-SLOW", Met.PAGE, "a disk that takes long for each picture", page_records)
    yield Cell("FILE-SLOW", Met.API, "a disk that takes long for each picture", api_records)
    yield Cell("FILE-SLOW", Met.COMMAND, "`record`: a disk that takes long for each picture", command_records)
