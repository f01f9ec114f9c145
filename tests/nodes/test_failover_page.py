"""A server dies, or stops, while its camera is on the screen of a real Chromium: the picture comes back by itself."""

import json
import sys
import time
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from cluster import NGINX, WITHIN, Cluster, Proxy, cluster
from own_postgres import PROGRAMS
from own_redis import PROGRAM

pytestmark = [
    pytest.mark.browser, pytest.mark.program,
    pytest.mark.skipif(not (PROGRAM and PROGRAMS and NGINX), reason="see tests/debian-packages.sh"),
]  # fmt: skip
BACK_WITHIN = 5.0  # seconds, on a machine that is not busy
VIEW, TILE = ("camera-view", "state"), ('[data-camera="front-door"]', "data-state")  # and what says that it plays
# Notes in the page itself how long the picture stood or was away, from its last frame to the next one after a change.
WATCH = """([where, state]) => {
  globalThis.gaps = [];
  globalThis.shownFrames = 0;
  const view = document.querySelector(where), video = view.querySelector("video");
  let last = performance.now(), hasEnded = false;
  const shown = () => {
    if (hasEnded) gaps.push((performance.now() - last) / 1000);
    hasEnded = false;
    last = performance.now();
    shownFrames += 1;
    video.requestVideoFrameCallback(shown);
  };
  new MutationObserver(() => (hasEnded ||= view.getAttribute(state) !== "playing"))
    .observe(view, { attributeFilter: [state] });
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
    watch(page, VIEW)
    yield page
    page.close()


@pytest.fixture
def tile(chromium: Browser, proxy: Proxy) -> Iterator[Page]:
    """The same camera as a tile in a room."""
    wanted = {"lobby": False, "consent": [], "cameras": ["Front Door"], "people": [{"role": "doctor"}]}
    made = httpx2.post(f"{proxy.url}api/rooms", json=wanted, timeout=WITHIN).json()
    room, token = made["id"], made["people"][0]["token"]
    visit = json.dumps(json.dumps({"room": room, "token": token, "name": "Desk"}))
    page = chromium.new_page()
    page.add_init_script(f"sessionStorage.setItem('ringlight.visit.{room}', {visit})")
    page.goto(f"{proxy.url}rooms/{room}")
    watch(page, TILE)
    yield page
    page.close()


def watch(page: Page, where: tuple[str, str]) -> None:
    selector, state = where
    page.wait_for_selector(f'{selector}[{state}="playing"]', timeout=WITHIN * 1000)
    page.evaluate(WATCH, where)
    plays(page)


def plays(page: Page) -> None:
    before = page.evaluate("shownFrames")
    page.wait_for_function("(before) => shownFrames > before + 5", arg=before, timeout=WITHIN * 1000)


def gap(page: Page) -> float:
    """Wait until the picture has ended and come back; return the seconds in between."""
    until = time.monotonic() + WITHIN
    while not page.evaluate("gaps.length"):
        assert time.monotonic() < until, "the picture does not come back"
        page.wait_for_timeout(100)
    plays(page)
    assert page.locator("camera-view [data-fault-code]").count() == 0
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
        assert dark < BACK_WITHIN * started.slowness
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


def test_a_tile_in_a_room_comes_back_as_soon(tile: Page, started: Cluster) -> None:
    """It has no events that break: it looks by itself whether the server is there when no picture comes."""
    for ends, word in ((started.kill, "killed"), (started.stop, "stopped")):
        holder = started.holder("front-door")
        assert holder is not None
        ends(holder)
        try:
            dark = gap(tile)
            _tell(f"{word}: dark in a room for {dark:.1f} s")
            assert dark < BACK_WITHIN * started.slowness
            if word == "stopped":
                assert "Stopped." in started.gone(holder)
        finally:
            started.start(holder)


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_server_that_shows_the_camera_is_asked_how_the_line_does(
    chromium: Browser, proxy: Proxy, started: Cluster, name: str
) -> None:
    """Whichever the proxy keeps the page at: another one knows nothing of the playback."""
    other, page = chromium.new_page(), chromium.new_page()
    until = time.monotonic() + WITHIN
    while started.holder("front-door") is not None:  # who watched before has just left
        assert time.monotonic() < until
        page.wait_for_timeout(100)
    other.goto(proxy.url)
    other.evaluate(
        """async (address) => {
          const { WhepClient } = await import("/page/whep.js");
          globalThis.held = new WhepClient(address);
          await held.start();
        }""",
        f"/node-{name}/whep/front-door",
    )
    page.goto(proxy.url)
    page.click('[data-camera="front-door"]')
    with page.expect_response("**/audience/*", timeout=WITHIN * 1000) as asked:
        watch(page, VIEW)
    assert (asked.value.status, asked.value.json()["view"]) == (200, "live")
    assert f"/node-{name}/" in asked.value.url
    other.close()
    page.close()
