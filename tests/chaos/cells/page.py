"""Cells of the page: each switch, and each trouble of `causes.py` that befalls a view which runs, met in a browser."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from playwright.async_api import Page

from causes import TROUBLES, Trouble
from cells import Cell, Lab, Met, Outcome, Run
from cells.live_view import ITSELF, named_in, of_switches, own_server

LOOK = """() => {
  const view = document.querySelector("camera-view");
  const card = document.querySelector("[data-fault-code]");
  return { state: view?.getAttribute("state") ?? "", code: card?.dataset.faultCode ?? null,
           card: card?.innerText ?? "", text: view?.innerText ?? "" };
}"""


async def lines_of(page: Page) -> Counter[str]:
    """Return what is read beside the picture: a view tells for as long as it runs what befell its opening."""
    return Counter((await page.evaluate(LOOK))["text"].splitlines())


async def until_told(page: Page, *, within: float, known: Counter[str] | None = None) -> tuple[str | None, str, str]:
    """Wait until the page names a fault; return its code, what is read, and the state of the view.

    Args:
        page: The page.
        within: Seconds.
        known: Lines that stood there before; what they name is told of something else.
    """
    deadline = time.monotonic() + within
    while True:
        seen = await page.evaluate(LOOK)
        if seen["code"]:
            return seen["code"], seen["card"], seen["state"]
        for line in (Counter(seen["text"].splitlines()) - (known or Counter())).elements():
            if (code := named_in(line)) is not None:
                return code, line, seen["state"]
        if time.monotonic() > deadline:
            return None, "", seen["state"]
        await asyncio.sleep(0.05)


async def until_playing(page: Page, *, within: float) -> bool:
    """Wait for a picture that is newer than now."""
    from playwright.async_api import TimeoutError as Late

    try:
        await page.wait_for_selector(
            'camera-view[state="playing"], camera-view[state="failed"], camera-view[state="stopped"]',
            timeout=within * 1000,
        )
        if await page.locator("camera-view").get_attribute("state") != "playing":
            return False
        await page.evaluate(
            """(within) => new Promise((resolve, reject) => {
                 document.querySelector("camera-view video").requestVideoFrameCallback(resolve);
                 setTimeout(() => reject(new Error("late")), within);
               })""",
            within * 1000,
        )
    except Late:
        return False
    except Exception as error:
        if "late" in str(error) or "null" in str(error):
            return False
        raise
    return True


def page_meets(trouble: Trouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        given: dict[str, Any] = dict(trouble.settings)
        async with own_server(lab, **given) as (ring, url):
            page = await lab.chromium.new_page()
            try:
                await page.goto(url)
                await page.wait_for_selector("[data-camera]")
                ring.world.switch(list(trouble.on))
                began, known = time.monotonic(), None
                await page.locator("[data-camera]").first.click()
                if trouble.during is not None:
                    assert await until_playing(page, within=20), "no picture before the trouble"
                    began, known = time.monotonic(), await lines_of(page)
                    trouble.during(ring)
                code, said, state = await until_told(page, within=45, known=known)
                named = time.monotonic() - began
                if trouble.code is None or (trouble.during is not None and state != "failed"):
                    back = await until_playing(page, within=30)
                    return Outcome(code, said, named, "by itself" if back else "not yet", time.monotonic() - began)
                if trouble.settings:  # only another start of the server mends these
                    return Outcome(code, said, named)
                ring.world.switch([])
                began = time.monotonic()
                if state != "failed" and await until_playing(page, within=ITSELF):
                    return Outcome(code, said, named, "by itself", time.monotonic() - began)
                return await asked_again(page, code, said, named)
            finally:
                await page.close()

    return run


async def asked_again(page: Page, code: str | None, said: str, named: float) -> Outcome:
    """Press the button of the card; without one press the camera again."""
    began = time.monotonic()
    button = page.locator("#try-again, #watch-again").locator("visible=true")
    if not await button.count():
        return Outcome(code, said, named, "not yet")
    await button.first.click()
    back = await until_playing(page, within=30)
    return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)


def during_troubles() -> Iterator[Trouble]:
    """What befalls a view that runs."""
    for row, rows in TROUBLES.items():
        for trouble in rows:
            if trouble.during is not None:
                yield Trouble(f"{row}: {trouble.what}", trouble.code, during=trouble.during)


def page_cells() -> Iterator[Cell]:
    for trouble in (*of_switches(), *during_troubles()):
        code = trouble.code or trouble.note
        assert code is not None
        if trouble.what in UNSEEN or code in NO_FAULTS:
            continue
        yield Cell(code, Met.PAGE, trouble.what, page_meets(trouble), is_quick=trouble.what == "expired-ticket")


# Switches of which a viewer is told nothing at once: the page shows them as a note of the story, or not at all.
UNSEEN: Mapping[str, str] = {
    "session-lapsed": "it is registered anew before anybody sees a thing",
    "short-view": "another view takes over before the limit, and nobody need know",
}

# Ends in good order: the page says so, and shows no fault.
NO_FAULTS = {"SIG-CLOSED"}
