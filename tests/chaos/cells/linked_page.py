"""Cells of the page with cameras of a linked account: the list, a view, a recording."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Locator, Page
from scenes.linked_house import TOKEN, LinkedHouse, linked_house
from troubles.crossed import crossed

from cells import Cell, Lab, Met, Outcome, Run
from cells.page import asked_again, until_playing, until_told
from cells.renewal import ENDED, REFUSED, keep_pair
from patients import PARTNER, refusal

LISTED, FOOTAGE, WHEP = "/v1/devices", "/media/", "/whep/"


@dataclass(frozen=True)
class Shown:
    """What the page shows.

    Attributes:
        code: The fault.
        what: In words.
        on: Switches.
        answers: What answers in Ring's place, by a part of the address.
        given: Settings of how calls survive.
        pair: Whether the account is linked with a pair of tokens; else there is an access token alone.
        again: Whether it works once the cause is gone.
        before: How often somebody asked for the list before the page does.
    """

    code: str
    what: str
    on: tuple[str, ...] = ()
    answers: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    pair: bool = False
    again: bool = True
    before: int = 0


SHORT = {"total": 2.0}
LISTS = (
    Shown("PARTNER-AUTH", "401", ("partner-401",), again=False),
    Shown("PARTNER-SCOPE", "403", ("partner-403",)),
    Shown("PARTNER-RATE", "429", ("partner-429",), given=SHORT),
    Shown("PARTNER-SERVER", "500", ("partner-500",)),
    Shown("PARTNER-UNAVAILABLE", "503, busy", ("partner-503",)),
    Shown("PARTNER-ANSWER", "a page of HTML", ("partner-html",)),
    Shown("PARTNER-BAD-REQUEST", "400", answers={LISTED: refusal(400, "Validation Error")}),
    Shown("PARTNER-STATUS", "418", answers={LISTED: refusal(418, "I'm a teapot")}),
    Shown("CALL-DEADLINE", "no answer", ("partner-silent",), given={"total": 1.0}),
    Shown("CALL-CIRCUIT", "it fails again and again", ("partner-500",), given={"breaker_in_a_row": 1}, before=1),
    Shown(
        "CALL-BUDGET",
        "it takes nothing",
        ("partner-500",),
        before=20,
        given={"shedding": True, "circuit_breaker": False, "attempts": 1},
    ),
    Shown("LINK-LOST", "the link was revoked", ("partner-link-lost",), pair=True, again=False),
    Shown("LINK-UNAVAILABLE", "the token service is down", (*ENDED, "partner-token-503"), pair=True),
    Shown("LINK-ANSWER", "a hotel's page for tokens", (*ENDED, "partner-token-html"), pair=True),
    Shown("LINK-REFUSED", "the app's secret is another one", ENDED, REFUSED, pair=True),
)
NARROW = {"gate_rate": 0.5, "gate_burst": 1, "total": 1.0}
HISTORIES = (Shown("CALL-GATE", "a line too long", given=NARROW),)
VIEWS = (
    Shown("PARTNER-DEVICE-OFFLINE", "the device is offline",
          answers={WHEP: refusal(503, "Device Unavailable", "Device is currently offline")},
          given={"device_open": 1.0}),
    Shown("PARTNER-VIEW-BUSY", "another program watches", answers={WHEP: refusal(409, "Conflict")}),
    Shown("PARTNER-ORIGIN", "a view elsewhere", ("partner-view-foreign",)),
)  # fmt: skip
CLIPS = (
    Shown("PARTNER-CUT", "storage cuts, and changes",
          ("partner-media-303", "partner-media-cut", "partner-media-changed")),
    Shown("PARTNER-NO-FOOTAGE", "no footage", ("partner-media-missing",)),
    Shown("PARTNER-NOT-READY", "footage not ready", ("partner-media-early",)),
    Shown("PARTNER-CORRUPT", "footage corrupt", ("partner-media-corrupt",)),
    Shown("PARTNER-ENCRYPTED", "footage encrypted", ("partner-media-encrypted",)),
    Shown("PARTNER-NOT-FOUND", "the devices were withdrawn", ("partner-no-devices",)),
    Shown("PARTNER-CONSENT", "403 for that time",
          answers={FOOTAGE: refusal(403, "Forbidden", code="TIME_RANGE_NOT_AUTHORIZED")}),
    Shown("PARTNER-FORBIDDEN", "403 without a reason",
          answers={FOOTAGE: refusal(403, "Forbidden", code="REQUEST_FORBIDDEN")}),
    Shown("PARTNER-UNPROCESSABLE", "422 without a reason", answers={FOOTAGE: refusal(422, "Unprocessable Content")}),
)  # fmt: skip


@contextlib.asynccontextmanager
async def _visited(lab: Lab, shown: Shown, **given: Any) -> AsyncIterator[tuple[LinkedHouse, Page]]:
    assert lab.chromium is not None
    async with crossed() as between:
        if shown.pair:
            await asyncio.to_thread(keep_pair, lab, between)
        partner = PARTNER if shown.pair else TOKEN
        async with linked_house(lab, between, partner=partner, resilience=shown.given, **given) as house:
            page = await lab.chromium.new_page()
            try:
                yield house, page
            finally:
                await page.close()


def list_shows(shown: Shown) -> Run:
    """The list of cameras cannot be had; it is there once the cause is gone, and somebody presses "Try again"."""

    async def run(lab: Lab) -> Outcome:
        async with _visited(lab, shown) as (house, page):
            house.between.trouble(shown.on, shown.answers)
            for _ in range(shown.before):
                await house.http.get("api/cameras")
            began = time.monotonic()
            await page.goto(house.url)
            card = page.locator("[data-fault-code]").first
            await card.wait_for()
            while await card.get_attribute("data-fault-code") != shown.code and shown.code == "CALL-BUDGET":
                await _press(card)  # one call in many is let through, and fails
            said, code = await card.inner_text(), await card.get_attribute("data-fault-code")
            named = time.monotonic() - began
            house.between.mend()
            if not shown.again:
                return Outcome(code, said, named)
            began, back = time.monotonic(), False
            while not back and time.monotonic() < began + 45:
                await _press(card)
                back = await page.locator("[data-camera]").count() > 0
            return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


async def _press(card: Locator) -> None:
    again = card.get_by_role("button", name="Try again")
    if await again.count():
        await again.click()
    await asyncio.sleep(0.3)


def history_shows(shown: Shown) -> Run:
    """What a camera has seen cannot be listed."""

    async def run(lab: Lab) -> Outcome:
        async with _visited(lab, shown) as (house, page):
            await page.goto(house.url)
            part = page.locator("[data-controls]").first
            await part.locator("summary").click()
            began = time.monotonic()
            card = part.locator("[data-fault-code]").first
            await card.wait_for()
            said, code = await card.inner_text(), await card.get_attribute("data-fault-code")
            named = time.monotonic() - began
            began, back = time.monotonic(), False
            while not back and time.monotonic() < began + 20:
                await _press(card)
                back = await part.locator("[data-event]").count() > 0
            return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


def view_shows(shown: Shown) -> Run:
    """A view cannot be opened."""

    async def run(lab: Lab) -> Outcome:
        async with _visited(lab, shown) as (house, page):
            await page.goto(house.url)
            await page.wait_for_selector("[data-camera]")
            house.between.trouble(shown.on, shown.answers)
            began = time.monotonic()
            await page.locator("[data-camera]").first.click()
            code, said, _ = await until_told(page, within=30)
            named = time.monotonic() - began
            house.between.mend()
            await asyncio.sleep(2 * shown.given.get("device_open", 0.0))  # for so long the device is left alone
            return await asked_again(page, code, said, named)

    return run


def view_ends() -> Run:
    """Ring ends a view of a battery camera after 30 seconds, and says nothing."""

    async def run(lab: Lab) -> Outcome:
        async with _visited(lab, Shown("PARTNER-VIEW-LIMIT", ""), cameras={"renewal": "never"}) as (house, page):
            await page.goto(house.url)
            await page.wait_for_selector("[data-camera]")
            await page.locator("[data-camera]", has_text="Back Yard").click()
            assert await until_playing(page, within=20)
            began = time.monotonic()
            code, said, _ = await until_told(page, within=45)
            return await asked_again(page, code, said, time.monotonic() - began)

    return run


def clip_shows(shown: Shown) -> Run:
    """A recording of the history cannot be played; it plays once the cause is gone, and somebody asks again."""

    async def run(lab: Lab) -> Outcome:
        async with _visited(lab, shown) as (house, page):
            await house.learn()
            await page.goto(house.url)
            part = page.locator(f'[data-controls="{house.door}"]')
            await part.locator("summary").click()
            play = part.locator(".event-play").first
            await play.wait_for()
            house.between.trouble(shown.on, shown.answers)
            began = time.monotonic()
            await play.click()
            card = part.locator("[data-fault-code]").first
            await card.wait_for(timeout=60_000)
            said, code = await card.inner_text(), await card.get_attribute("data-fault-code")
            named = time.monotonic() - began
            house.between.mend()
            began = time.monotonic()
            await card.get_by_role("button", name="Try again").click()
            film = part.locator("video")
            await film.wait_for()
            await film.evaluate("film => film.videoWidth || new Promise((seen) => film.onloadeddata = seen)")
            return Outcome(code, said, named, "when asked again", time.monotonic() - began)

    return run


def linked_page_cells() -> Iterator[Cell]:
    for what, table, run in (
        ("cameras", LISTS, list_shows), ("history", HISTORIES, history_shows), ("view", VIEWS, view_shows),
        ("recording", CLIPS, clip_shows),
    ):  # fmt: skip
        for shown in table:
            yield Cell(shown.code, Met.PAGE, f"{what}: {shown.what}", run(shown))
    yield Cell("PARTNER-VIEW-LIMIT", Met.PAGE, "view: 30 seconds on battery", view_ends())
