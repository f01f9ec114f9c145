"""Recording from the page: a button, a clock, and a file that the browser itself plays."""

from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Browser, expect
from watching import watch

from conftest import Program

pytestmark = [pytest.mark.browser, pytest.mark.program]
_PLAY = """async (address) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = address;
  await video.play();
  video.pause();
  const seeked = new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
  video.currentTime = 1.5;
  await seeked;
  return { width: video.videoWidth, at: video.currentTime, error: video.error?.message ?? null };
}"""


def test_what_is_watched_is_recorded_until_stopped_and_plays_in_the_browser(
    chromium: Browser, start: Callable[..., Program]
) -> None:
    demo = start("demo", "--port", "0").url
    page = chromium.new_page()
    page.goto(demo)
    assert page.locator(".record-bar").is_hidden()
    watch(page)
    page.click("#record")
    expect(page.locator(".record-clock")).to_have_text("0:02", timeout=15_000)
    page.click("#record")
    page.wait_for_selector(".record-said a")
    link = page.locator(".record-said a")
    assert (link.text_content() or "").startswith("Download 0:0")
    address = link.get_attribute("href") or ""
    assert httpx2.get(demo.rstrip("/") + address).headers["content-type"] == "video/mp4"
    assert page.evaluate(_PLAY, address) == {"width": 640, "at": 1.5, "error": None}
    assert page.locator("#record").text_content() == "Record"
    page.close()


def test_a_recording_that_cannot_be_looked_at_for_a_moment_can_still_be_ended(
    chromium: Browser, start: Callable[..., Program]
) -> None:
    """A network that comes and goes ends no recording on the server."""
    demo = start("demo", "--port", "0").url
    page = chromium.new_page()
    page.goto(demo)
    watch(page)
    page.click("#record")
    expect(page.locator("#record")).to_have_text("Stop recording", timeout=15_000)
    page.route("**/recordings/*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        pass
    with page.expect_event("requestfailed"):
        pass
    page.unroute("**/recordings/*")
    expect(page.locator("#record")).to_have_text("Stop recording")
    page.click("#record")
    page.wait_for_selector(".record-said a")
    page.close()
