"""A server dies, or stops, while its camera is on the screen of a real Chromium: the picture comes back by itself."""

import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from cluster import NGINX, WITHIN, Cluster, Proxy, cluster
from own_postgres import PROGRAMS
from own_redis import PROGRAM

pytestmark = [
    pytest.mark.browser, pytest.mark.program,
    pytest.mark.skipif(not (PROGRAM and PROGRAMS and NGINX), reason="see tests/debian-packages.sh"),
]  # fmt: skip
FRAMES = """async () => {
  let frames = 0;
  (await document.querySelector("camera-view").stats()).forEach((entry) => {
    if (entry.type === "inbound-rtp" && entry.kind === "video") frames = entry.framesDecoded;
  });
  return frames;
}"""
# Notes in the page itself how long the picture stood or was away, from its last frame to the next one after a change.
WATCH = """() => {
  globalThis.gaps = [];
  const view = document.querySelector("camera-view"), video = view.querySelector("video");
  let last = performance.now(), hasEnded = false;
  const shown = () => {
    if (hasEnded) gaps.push((performance.now() - last) / 1000);
    hasEnded = false;
    last = performance.now();
    video.requestVideoFrameCallback(shown);
  };
  view.addEventListener("viewstate", () => (hasEnded ||= view.state !== "playing"));
  video.requestVideoFrameCallback(shown);
}"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), "ab") as made:
        yield made


@pytest.fixture(scope="module")
def proxy(started: Cluster) -> Iterator[Proxy]:
    assert NGINX is not None
    made = Proxy(NGINX, list(started.ports.values()))
    yield made
    made.close()


@pytest.fixture
def page(chromium: Browser, proxy: Proxy) -> Iterator[Page]:
    page = chromium.new_page()
    page.goto(proxy.url)
    page.click('[data-camera="front-door"]')
    page.wait_for_selector('camera-view[state="playing"]', timeout=WITHIN * 1000)
    page.evaluate(WATCH)
    yield page
    page.close()


def plays(page: Page) -> bool:
    before = page.evaluate(FRAMES)
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        if page.evaluate(FRAMES) > before + 5:
            return True
        page.wait_for_timeout(100)
    return False


def gap(page: Page) -> float:
    """Wait until the picture has ended and come back; return the seconds in between."""
    until = time.monotonic() + WITHIN
    while not page.evaluate("gaps.length"):
        assert time.monotonic() < until, "the picture does not come back"
        page.wait_for_timeout(100)
    assert plays(page)
    assert page.locator("[data-fault-code]").count() == 0
    return float(page.evaluate("gaps.shift()"))


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


def test_a_server_that_dies_is_replaced_before_anybody_has_pressed_a_button(page: Page, started: Cluster) -> None:
    holder = started.holder("front-door")
    assert holder is not None
    started.kill(holder)
    try:
        dark = gap(page)
        _tell(f"killed: dark for {dark:.1f} s")
        assert started.holder("front-door") not in (None, holder)
    finally:
        started.start(holder)


def test_a_server_that_stops_hands_its_camera_over(page: Page, started: Cluster) -> None:
    holder = started.holder("front-door")
    assert holder is not None
    before = started.live_views()
    started.stop(holder)
    try:
        dark = gap(page)
        _tell(f"stopped: dark for {dark:.1f} s")
        assert "Stopped." in started.gone(holder)
        assert started.live_views() == before + 1
    finally:
        started.start(holder)
