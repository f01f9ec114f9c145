"""How cells use the page of a person's own cameras: what is pressed, where a fault is read, what shows its end."""

import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2
from cells import Lab, Outcome
from cells.live_view import ITSELF, named_in, own_server
from playwright.async_api import Page
from playwright.async_api import TimeoutError as Late

from scenes.account_home import EVENT
from whep_viewer import viewer


@dataclass(frozen=True)
class PageAsk:
    """One thing that people do on the page.

    Attributes:
        presses: What is pressed one after the other, as CSS.
        place: Where a fault is read.
        address: What follows the server's address.
        good: What is there once it works; empty: the fault is not there any more.
    """

    presses: tuple[str, ...] = ()
    place: str = "[data-fault-code]"
    address: str = ""
    good: str = ""


def _of(camera: str, *presses: str) -> PageAsk:
    controls = f'[data-controls="{camera}"]'
    return PageAsk((f"{controls} summary", *(f"{controls} {press}" for press in presses)),
                   f"{controls} [data-fault-code]")  # fmt: skip


PAGE_ASKS = {
    "cameras": PageAsk(good="[data-camera]"),
    "nobody": PageAsk(address="#nobody"),
    "light": _of("driveway", '[data-control="light"]'),
    "still": _of("front-door"),  # opened, it takes a picture by itself
    "recording": _of("front-door", f'[data-event="{EVENT}"] .event-play'),
    "turn": PageAsk(('[data-camera="driveway"]', '[data-turn="left"]'), ".turn-said:not(:empty)"),
}


# A made-up microphone; somebody thinks about the browser's question, whether it may be used.
THINKS = """() => {
  navigator.mediaDevices.getUserMedia = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const sound = new AudioContext(), tone = sound.createOscillator(), out = sound.createMediaStreamDestination();
    tone.connect(out);
    tone.start();
    return out.stream;
  };
}"""


async def taken_meanwhile(lab: Lab) -> Outcome:
    """Somebody else takes the turn to talk after the button was pressed, before there is a microphone."""
    assert lab.chromium is not None
    async with own_server(lab) as (_, url), httpx2.AsyncClient(timeout=30) as http:
        page = await lab.chromium.new_page()
        try:
            await page.goto(url)
            await page.locator('[data-camera="front-door"]').click()
            await page.locator('camera-view[state="playing"]').wait_for(timeout=30_000)
            await page.evaluate(THINKS)
            fault = page.locator(".talk-fault[data-fault-code]")
            async with viewer(url, "front-door", http, talk=True) as other:
                began = time.monotonic()
                await page.locator("#talk-keep").click()
                assert (await http.post(f"{url.rstrip('/')}{other.location}/talk")).status_code == 204
                await fault.wait_for(timeout=20_000)
                code, said = await fault.get_attribute("data-fault-code"), await fault.inner_text()
                named = time.monotonic() - began
            began = time.monotonic()
            while time.monotonic() < began + ITSELF:
                await page.locator("#talk-keep").click()
                with contextlib.suppress(Late):
                    await page.locator('#talk[aria-pressed="true"]').wait_for(timeout=4_000)
                    return Outcome(code, said, named, "when asked again", time.monotonic() - began)
            return Outcome(code, said, named, "not yet")
        finally:
            await page.close()


async def page_reads(page: Page, url: str, ask: PageAsk, mend: Callable[[], Awaitable[None]] | None) -> Outcome:
    """Do it, read the fault; once it is mended press "Try again", or do it again where there is no such button."""
    await page.goto(f"{url}{ask.address}")
    began = time.monotonic()
    for press in ask.presses:
        await page.locator(press).first.click(timeout=30_000)
        began = time.monotonic()
    card = page.locator(ask.place).first
    await card.wait_for(timeout=30_000)
    said = await card.inner_text()
    code = await card.get_attribute("data-fault-code") or named_in(said)
    named = time.monotonic() - began
    if mend is None:
        return Outcome(code, said, named)
    await mend()
    began = time.monotonic()
    while time.monotonic() < began + ITSELF:
        again = card.get_by_role("button", name="Try again")
        pressed = again if await again.count() else page.locator(ask.presses[-1] if ask.presses else ask.place).first
        with contextlib.suppress(Late):
            await pressed.click(timeout=1_000)
        with contextlib.suppress(Late):
            wanted = page.locator(ask.good) if ask.good else card
            await wanted.first.wait_for(state="visible" if ask.good else "detached", timeout=2_000)
            return Outcome(code, said, named, "when asked again", time.monotonic() - began)
    return Outcome(code, said, named, "not yet")
