"""The Ring app on the page in a real Chromium, against the demo: linked, told of motion, and what was given up."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from watching import wait_for_picture

from ringlight.faults import FAULTS

pytestmark = [pytest.mark.browser, pytest.mark.program]
LONG = 40_000  # milliseconds, for a machine with much else to do
EVENT = {
    "number": 7, "type": "button_press", "subtype": None, "at": 1_790_000_000, "received": 1_790_000_001,
    "state": "dead", "attempts": 6, "account": "ABC123", "device": "DEV456", "camera": None, "recording": None,
    "fault": None,
}  # fmt: skip


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    complaints: list[str] = []
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    page.set_default_timeout(LONG)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield page
    page.unroute_all(behavior="ignoreErrors")
    page.close()
    assert complaints == []


def told(page: Page, house: str, **state: Any) -> None:
    """Open the page as if the server told this of its Ring app."""
    whole = {"linking": True, "links": [], "events": [], "dead": [], "notices": [], **state}
    body = f"retry: 600000\ndata: {json.dumps(whole)}\n\n"
    page.route("**/api/ring/stream", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    page.goto(house)


def test_an_account_is_linked_and_a_motion_opens_its_clip_and_the_live_view(page: Page, house: str) -> None:
    """All with the demo's own buttons, Ring's redirect included."""
    page.goto(house)
    panel = page.locator("#ring-app")
    expect(page.locator("[data-camera]")).to_have_count(3, timeout=LONG)
    panel.get_by_role("button", name="Add the app in Ring's store").click()
    page.get_by_role("button", name="Link").click()
    page.locator('[data-state="completed"]').wait_for()
    page.get_by_role("link", name="Go on").click()
    page.goto(house)
    expect(panel.locator('.ring-link[data-state="completed"]')).to_contain_text("owner")
    expect(page.locator("[data-camera]")).to_have_count(6, timeout=LONG)
    panel.get_by_role("button", name="Walk past the front door").click()
    motion = panel.locator(".event", has_text="Motion · Person · Front Door").first
    motion.get_by_role("button", name="Watch Front Door now").click()
    wait_for_picture(page)
    steps = [step.get_attribute("data-step") for step in page.locator(".step").all()]
    assert steps == ["offer", "answer", "media", "frame"]
    motion.get_by_role("button", name="Play Motion · Person · Front Door").click()
    film = motion.locator("video")
    film.evaluate("film => film.videoWidth || new Promise((seen) => film.addEventListener('loadeddata', seen))")
    panel.get_by_role("button", name="Ring its bell").click()
    panel.locator(".event", has_text="Bell · Front Door").first.wait_for()
    assert film.is_visible(), "what plays goes on when news comes"
    panel.get_by_role("button", name="Remove the app").click()
    expect(page.locator("[data-camera]")).to_have_count(3, timeout=LONG)


def test_what_was_given_up_says_why_and_is_handled_again_or_dropped(page: Page, house: str) -> None:
    fault = FAULTS["HOOK-HANDLER"].as_dict("ValueError")
    dead = [{**EVENT, "fault": fault}, {**EVENT, "number": 8, "fault": fault}]
    told(page, house, dead=dead)
    sent: list[tuple[str, Any]] = []

    def settle(route: Any) -> None:
        sent.append((route.request.url.rpartition("/")[2], route.request.post_data_json))
        route.fulfill(json={"replayed": 1})

    page.route("**/api/ring/dead-letters/*", settle)
    row = page.locator('[data-dead="7"]')
    expect(row).to_contain_text("HOOK-HANDLER: " + FAULTS["HOOK-HANDLER"].title)
    with page.expect_response("**/replay"):
        row.get_by_role("button", name="Handle Bell again").click()
    with page.expect_response("**/drop"):
        row.get_by_role("button", name="Drop Bell").click()
    with page.expect_response("**/replay"):
        page.get_by_role("button", name="Handle all again").click()
    assert sent == [("replay", {"numbers": [7]}), ("drop", {"numbers": [7]}), ("replay", {"numbers": None})]


def test_a_dead_letter_that_cannot_be_handled_again_is_a_fault_card(page: Page, house: str) -> None:
    told(page, house, dead=[EVENT])
    problem = FAULTS["STORE-UNREACHABLE"].as_dict("disk I/O error")
    page.route("**/api/ring/dead-letters/*", lambda route: route.fulfill(status=503, json=problem))
    page.get_by_role("button", name="Handle all again").click()
    expect(page.locator('#ring-app [data-fault-code="STORE-UNREACHABLE"]')).to_contain_text("disk I/O error")


def test_notices_and_links_say_what_to_do_and_foreign_text_stays_text(page: Page, house: str) -> None:
    notice = {
        **FAULTS["HOOK-SIGNATURE"].as_dict(None),
        "subject": "webhooks",
        "over": False,
        "at": 1_790_000_000,
        "count": 12,
    }
    link = {
        "account": "ABC123", "state": "lost", "since": 1.0, "identifier": "<b>x</b>", "devices": 2, "cameras": [],
    }  # fmt: skip
    told(page, house, notices=[notice], links=[link], events=[{**EVENT, "type": "a_new_type", "state": "done"}])
    panel = page.locator("#ring-app")
    expect(panel.locator('[data-code="HOOK-SIGNATURE"]')).to_contain_text("(12 times)")
    expect(panel.locator(".ring-link")).to_contain_text("Account …ABC123 · <b>x</b>")
    expect(panel.locator(".ring-link")).to_contain_text("lost: add the app again")
    expect(panel.locator(".event")).to_contain_text("A new type")


def test_an_account_that_cannot_be_listed_is_a_card_beside_the_cameras(page: Page, house: str) -> None:
    def fails(route: Any) -> None:
        listed = httpx2.get(f"{house}api/cameras").json()
        route.fulfill(json={**listed, "faults": [FAULTS["AUTH-LINK-LOST"].as_dict(None)]})

    page.route("**/api/cameras", fails)
    page.goto(house)
    expect(page.locator('#missing-cameras [data-fault-code="AUTH-LINK-LOST"]')).to_be_visible(timeout=LONG)
    expect(page.locator('[data-camera="front-door"]')).to_be_visible(timeout=LONG)


def test_it_fits_a_phone(page: Page, house: str) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    told(page, house, dead=[{**EVENT, "fault": FAULTS["HOOK-HANDLER"].as_dict("x" * 60)}], events=[EVENT])
    page.locator('[data-dead="7"]').wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
