"""Cells of what a browser lacks, refuses or measures, met on the page of cameras and by its "What is wrong?"."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page

from cells import Cell, Lab, Met, Outcome, Run
from cells.browser import MADE_UP, NAMED, NO_UDP, chromium, let
from cells.live_view import named_in, own_server
from cells.page import until_playing, until_told
from patients import proxy_that_drops_upgrades


async def _card(page: Page) -> tuple[str | None, str]:
    """Ask the page what is wrong; return the card that it shows first."""
    await page.click("#open-doctor")
    await page.wait_for_selector(".doctor-all", state="attached", timeout=60_000)
    card = page.locator(".doctor .fault-card")
    if not await card.count():
        return None, await page.inner_text(".doctor-said")
    return await card.get_attribute("data-fault-code"), await card.inner_text()


Prepare = Callable[[BrowserContext, Page, str], Awaitable[None]]


async def _nothing(_: BrowserContext, __: Page, ___: str) -> None:
    pass


async def _deny(context: BrowserContext, page: Page, origin: str) -> None:
    await let(context, page, origin, "denied")


async def _allow(context: BrowserContext, page: Page, origin: str) -> None:
    await let(context, page, origin, "granted")
    await page.keyboard.press("Escape")


async def _slow(context: BrowserContext, page: Page, _: str) -> None:
    session = await context.new_cdp_session(page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": 250_000, "uploadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", limits)


@dataclass(frozen=True)
class Look:
    """What "What is wrong?" of the page finds.

    Attributes:
        what: In words.
        code: The fault.
        flags: Of Chromium.
        given: Settings of the server.
        before: What is done to the browser before the question.
        mend: What ends the cause.
        host: The name by which the page is opened.
        proxy: How a proxy between the browser and the server fails; `None` where there is none.
        secret: Shared with the TURN server, wrongly; where there is none, no TURN server is set.
    """

    what: str
    code: str
    flags: tuple[str, ...] = (MADE_UP,)
    given: dict[str, Any] = field(default_factory=dict)
    before: Prepare = _nothing
    mend: Prepare | None = None
    host: str = "127.0.0.1"
    proxy: dict[str, bool] | None = None
    secret: str = ""


LOOKS = (
    Look("refused to this page", "WEB-DENIED", before=_deny, mend=_allow),
    Look("a machine without devices", "WEB-NO-DEVICE", ()),
    Look("a page by http from another machine", "WEB-INSECURE", (MADE_UP, NAMED),
         {"allowed_origins": ["http://clinic.example"]}, host="clinic.example"),
    Look("2 Mbit/s from the server", "WEB-SLOW", before=_slow),
    Look("no UDP between browser and server", "VIEWER-TCP", (MADE_UP, NO_UDP)),
    Look("nobody at the TURN server's address", "TURN-UNREACHABLE",
         given={"turn_url": ["turn:127.0.0.1:9"], "turn_secret": "of nobody"}),
    Look("another secret than the TURN server's", "TURN-CREDENTIALS", secret="another"),
    Look("a proxy drops the upgrade", "REACH-PROXY", proxy={}),
    Look("a proxy cuts what has become a WebSocket", "REACH-CUT", proxy={"cuts": True}),
)  # fmt: skip


def page_finds(look: Look) -> Run:
    async def run(lab: Lab) -> Outcome:
        given = dict(look.given)
        if look.secret:
            given = {"turn_url": [f"turn:127.0.0.1:{(await lab.coturn()).port}"], "turn_secret": look.secret}
        async with chromium(lab, *look.flags) as browser, contextlib.AsyncExitStack() as stack:
            _, url = await stack.enter_async_context(own_server(lab, **given))
            port = urlsplit(url).port
            assert port is not None
            if look.proxy is not None:
                port = await stack.enter_async_context(proxy_that_drops_upgrades(port, **look.proxy))
            origin = f"http://{look.host}:{port}/"
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(origin)
            await page.wait_for_selector("[data-camera]")
            await look.before(context, page, origin)
            began = time.monotonic()
            code, said = await _card(page)
            named = time.monotonic() - began
            if look.mend is None:
                return Outcome(code, said, named)
            await look.mend(context, page, origin)
            began = time.monotonic()
            again, _ = await _card(page)
            back = "when asked again" if again is None else "not yet"
            return Outcome(code, said, named, back, time.monotonic() - began)  # type: ignore[arg-type]

    return run


async def _page_without_webrtc(lab: Lab) -> Outcome:
    async with chromium(lab) as browser, own_server(lab) as (_, url):
        page = await browser.new_page()
        await page.add_init_script("delete window.RTCPeerConnection")
        await page.goto(url)
        began = time.monotonic()
        await page.locator("[data-camera]").first.click()
        code, said, _ = await until_told(page, within=20)
        return Outcome(code, said, time.monotonic() - began)


async def _page_without_microphone(lab: Lab) -> Outcome:
    async with chromium(lab, MADE_UP) as browser, own_server(lab) as (_, url):
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(url)
        await let(context, page, url, "denied")
        await page.locator("[data-camera]").first.click()
        assert await until_playing(page, within=20), "no picture"
        began = time.monotonic()
        await page.click("#talk-keep")
        code, said, _ = await until_told(page, within=20)
        named = time.monotonic() - began
        await let(context, page, url, "granted")
        began = time.monotonic()
        await page.click("#talk-keep")
        await page.wait_for_selector('#talk-keep[aria-pressed="true"]', timeout=20_000)
        return Outcome(code, said, named, "when asked again", time.monotonic() - began)


async def _page_by_another_name(lab: Lab) -> Outcome:
    """The server listens for this machine alone, and the address bar has a name that nobody told it of."""
    async with chromium(lab, NAMED) as browser, own_server(lab) as (_, url):
        page = await browser.new_page()
        began = time.monotonic()
        await page.goto(url.replace("127.0.0.1", "clinic.example"))
        said = await page.inner_text("body")
        named = time.monotonic() - began
        began = time.monotonic()
        await page.goto(url)
        await page.wait_for_selector("[data-camera]")
        return Outcome(named_in(said), said, named, "when asked again", time.monotonic() - began)


def look_cells() -> Iterator[Cell]:
    for look in LOOKS:
        yield Cell(look.code, Met.PAGE, look.what, page_finds(look))
    yield Cell("VIEWER-NO-WEBRTC", Met.PAGE, "a browser without WebRTC", _page_without_webrtc)
    yield Cell("VIEWER-MICROPHONE", Met.PAGE, "who talks gets no microphone", _page_without_microphone)
    yield Cell("ORIGIN-REFUSED", Met.PAGE, "the page by a name that the server was not told", _page_by_another_name)
