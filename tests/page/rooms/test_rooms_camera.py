"""A camera's tile in a room, in a real Chromium: without a picture it says why, and it plays as soon as one comes."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from visits import chromium_with_devices, visitor

from axe import Axe
from conftest import Program
from ringlight.faults import FAULTS

pytestmark = [pytest.mark.browser, pytest.mark.program, pytest.mark.long]
KEY = "the owner's own key, long and random"
TILE = '[data-camera="front-door"]'
NAMED = 30_000  # ms: ten seconds, and what a busy machine needs
# What comes goes to a script, and to the decoder only once `decode` is called.
NO_DECODER = """
  globalThis.ways = [];
  globalThis.decode = () => { for (const { readable, writable } of ways.splice(0)) void readable.pipeTo(writable); };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(settings) {
      super({ ...settings, encodedInsertableStreams: true });
      this.addEventListener("track", (event) => ways.push(event.receiver.createEncodedStreams()));
    }
  };
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_with_devices() as browser:
        yield browser


@pytest.fixture
def owner(start: Callable[..., Program]) -> Iterator[httpx2.Client]:
    """A demo that others reach: people of a room have their token, and no key."""
    url = start("demo", "--port", "0", RINGLIGHT_SECRET_KEY=KEY).url
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}) as owner:
        yield owner


def come_to_the_desk(page: Page, owner: httpx2.Client) -> list[str]:
    """Enter a room with a camera by a link; return the offers, to which each new one is added."""
    offers: list[str] = []
    page.on("request", lambda asked: offers.append(asked.url) if asked.url.endswith("/whep/front-door") else None)
    room = owner.post("api/rooms", json={"cameras": ["front-door"]}).json()["id"]
    link = owner.post(f"api/rooms/{room}/links", json={"role": "receptionist", "name": "Rita"}).json()
    page.goto(str(owner.base_url).rstrip("/") + str(link["url"]))
    page.click("#enter")
    return offers


def reads(page: Page, code: str) -> None:
    """Wait until the tile names a fault, and read all of it there."""
    tile = page.locator(TILE)
    expect(tile).to_have_attribute("data-state", "connecting")
    expect(tile.locator(".tile-veil p")).to_have_text("Connecting with Front Door")
    expect(tile.locator(".tile-veil p")).to_have_text(FAULTS[code].title, timeout=NAMED)
    expect(tile.get_by_role("button", name="Try again")).to_be_visible()
    Axe().judge(page)
    tile.get_by_role("button", name="Details").click()
    card = page.locator(f'dialog [data-fault-code="{code}"]')
    expect(card.locator(".fault-fix")).to_contain_text(FAULTS[code].fix.partition(";")[0].partition("(")[0])
    page.keyboard.press("Escape")


def plays(page: Page) -> None:
    page.wait_for_selector(f'{TILE}[data-state="playing"]')
    expect(page.locator(f"{TILE} .tile-veil")).to_be_hidden()
    page.wait_for_function("(tile) => document.querySelector(tile + ' video').videoWidth > 0", arg=TILE)


def test_a_camera_that_sends_no_whole_picture_is_to_blame_until_it_does(browser: Browser, owner: httpx2.Client) -> None:
    owner.put("_sim/faults", json={"on": ["no-key-frame"]}).raise_for_status()
    with visitor(browser) as desk:
        offers = come_to_the_desk(desk, owner)
        reads(desk, "MEDIA-NO-KEY-FRAME")
        owner.put("_sim/faults", json={"on": []})
        plays(desk)
        assert len(offers) == 1, "the same playback goes on"


def test_a_browser_that_decodes_nothing_is_to_blame_until_it_does(browser: Browser, owner: httpx2.Client) -> None:
    """The server says that the camera sends all that is needed."""
    with visitor(browser) as desk:
        desk.add_init_script(NO_DECODER)
        offers = come_to_the_desk(desk, owner)
        reads(desk, "VIEWER-NO-FRAME")
        desk.evaluate("decode()")
        plays(desk)
        assert len(offers) == 1, "the same playback goes on"
