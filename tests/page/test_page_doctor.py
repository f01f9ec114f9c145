""" "What is wrong?" on the page: the browser's checks and the server's, and one verdict."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from conftest import CHROMIUM_FLAGS
from ringlight.doctor.checks import CHECKS
from ringlight.faults import FAULTS

pytestmark = [pytest.mark.browser, pytest.mark.program]


@pytest.fixture
def page(chromium: Browser, house: str) -> Iterator[Page]:
    """A browser with a camera and a microphone, which are only pretended."""
    flags = [*CHROMIUM_FLAGS, "--use-fake-device-for-media-stream"]
    browser = chromium.browser_type.launch(executable_path="/usr/bin/chromium", args=flags)
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(house)
    yield page
    browser.close()
    httpx2.put(f"{house}_sim/faults", json={"on": []})


def _look(page: Page) -> None:
    page.click("#open-doctor")
    page.wait_for_selector(".doctor-all", state="attached", timeout=60_000)


def _marks(page: Page) -> dict[str, str]:
    script = "lines => lines.map(line => [line.dataset.check, line.dataset.mark])"
    return dict(page.eval_on_selector_all(".doctor-line", script))


def test_a_healthy_browser_and_server_are_called_healthy_and_no_camera_wakes_up(page: Page, house: str) -> None:
    _look(page)
    assert "nothing is wrong" in page.inner_text(".doctor-said")
    marks = _marks(page)
    assert set(marks.values()) <= {"good", "skipped"}
    assert marks["browser-media"] == marks["browser-socket"] == marks["token"] == "good"
    assert {name for name in CHECKS if CHECKS[name].area == "browser"} <= set(marks)
    assert httpx2.get(f"{house}_sim/cameras").json()["live_views"] == 0


def test_what_the_browser_refuses_comes_first_where_nothing_else_is_wrong(page: Page, house: str) -> None:
    session = page.context.new_cdp_session(page)
    context = session.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    for name in ("camera", "microphone"):
        wanted = {"permission": {"name": name}, "setting": "denied", "origin": house.rstrip("/")}
        session.send("Browser.setPermission", {**wanted, "browserContextId": context})
    _look(page)
    assert page.inner_text(".doctor-said") == "Fix this first:"
    assert page.locator('.doctor [data-fault-code="WEB-DENIED"]').count() == 1


def test_what_the_server_finds_comes_before_what_the_browser_finds(page: Page, house: str) -> None:
    """The browser gets to the server well, and the account is blocked behind it."""
    httpx2.put(f"{house}_sim/faults", json={"on": ["ticket-401"]})
    page.add_init_script("delete window.RTCPeerConnection")
    page.reload()
    _look(page)
    card = page.locator(".doctor .fault-card")
    assert card.get_attribute("data-fault-code") == "TICKET-REFUSED"
    assert FAULTS["VIEWER-NO-WEBRTC"].title in page.inner_text(".doctor-rest")


def test_a_path_by_tcp_alone_is_worth_knowing(chromium: Browser, house: str) -> None:
    policy = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
    flags = [*CHROMIUM_FLAGS, policy, "--use-fake-device-for-media-stream"]
    browser = chromium.browser_type.launch(executable_path="/usr/bin/chromium", args=flags)
    try:
        page = browser.new_page()
        page.goto(house)
        _look(page)
        assert page.locator(".doctor .fault-card").get_attribute("data-fault-code") == "VIEWER-TCP"
        assert "It works" in page.inner_text(".doctor-said")
    finally:
        browser.close()
