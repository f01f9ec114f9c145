"""The page in a real Chromium, against `ringlight demo` as a newcomer starts it."""

import re
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page
from watching import choose_fault, chosen_protocols, video_stats, wait_for_picture, watch

from conftest import CHROMIUM_FLAGS, Program, clean_environment
from ringlight.faults import FAULTS
from ringlight.simulator.switchboard import SWITCHES

pytestmark = [pytest.mark.browser, pytest.mark.program]


@pytest.fixture
def demo(start: Callable[..., object]) -> str:
    program = start("demo", "--port", "0")
    return str(program.url)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo for tests that leave nothing behind in it: it starts once."""
    program = Program("demo", "--port", "0", env=clean_environment(tmp_path_factory.mktemp("state")))
    yield program.url
    code, said = program.stop()
    assert code == 0, said  # else it ended by itself, and the tests after that failed for it


@pytest.fixture
def page(chromium: Browser, demo: str) -> Iterator[Page]:
    yield from _page_on(chromium, demo)


@pytest.fixture
def shared_page(chromium: Browser, shared_demo: str) -> Iterator[Page]:
    yield from _page_on(chromium, shared_demo)
    httpx2.put(f"{shared_demo}_sim/faults", json={"on": []})
    deadline = time.monotonic() + 20
    while any(one["view"] in ("live", "opening") for one in httpx2.get(f"{shared_demo}api/cameras").json()["cameras"]):
        assert time.monotonic() < deadline, "a view stays open for nobody"
        time.sleep(0.05)


def _page_on(chromium: Browser, demo: str) -> Iterator[Page]:
    complaints: list[str] = []
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page.goto(demo)
    yield page
    page.close()
    assert complaints == []


def test_moving_frames_are_decoded_for_ten_seconds(shared_page: Page) -> None:
    """At least ten frames a second for ten seconds, by the browser's own count, without loss or freeze.

    A busy machine may freeze the browser itself; then it is looked at again, three times at most.
    """
    watch(shared_page)
    for _ in range(3):
        before = video_stats(shared_page)
        shared_page.wait_for_timeout(10_000)
        after = video_stats(shared_page)
        if after["freezes"] == before["freezes"]:
            break
    assert (after["frames"] - before["frames"]) / 10 >= 10
    assert after["lost"] == 0
    assert after["freezes"] == before["freezes"]
    assert after["cipher"] == "SRTP_AEAD_AES_128_GCM"


def test_a_browser_tells_what_its_line_carries(shared_page: Page, shared_demo: str) -> None:
    """Chromium offers transport-wide feedback, and answers packets that ask for it."""
    watch(shared_page)
    deadline = time.monotonic() + 20
    while True:
        (viewer,) = httpx2.get(f"{shared_demo}api/cameras/front-door").json()["audience"]
        if viewer["line"] is not None and viewer["line"]["received_kbps"] is not None:
            break
        assert time.monotonic() < deadline, "it was never told"
        shared_page.wait_for_timeout(100)
    assert viewer["line"]["received_kbps"] > 50
    assert 0 <= viewer["line"]["loss"] <= 1


def test_the_picture_moves(shared_page: Page) -> None:
    watch(shared_page)
    video = shared_page.locator("video#player")
    first = video.screenshot()
    shared_page.wait_for_timeout(1_000)
    assert video.screenshot() != first


def test_two_tabs_share_one_upstream(page: Page, chromium: Browser, demo: str) -> None:
    watch(page)
    second = chromium.new_page()
    second.goto(f"{demo}#front-door")
    second.wait_for_selector("camera-view")
    if second.locator("camera-view").get_attribute("state") == "idle":
        second.click('[data-camera="front-door"]')
    wait_for_picture(second)
    assert video_stats(second)["frames"] >= 1
    assert httpx2.get(f"{demo}_sim/cameras").json()["live_views"] == 1
    second.close()
    assert video_stats(page)["frames"] > 0


@pytest.mark.parametrize("camera", ["front-door", "back-yard", "driveway"])
def test_every_h264_profile_plays(shared_page: Page, camera: str) -> None:
    """High, Baseline and Main: packets are passed through, so the profile does not matter."""
    watch(shared_page, camera)
    shared_page.wait_for_timeout(500)
    assert video_stats(shared_page)["frames"] >= 5


def test_the_steps_are_shown_with_their_times(shared_page: Page) -> None:
    watch(shared_page)
    for name in ("token", "ticket", "socket", "offer", "session", "answer", "camera", "media", "frame"):
        step = shared_page.locator(f'[data-step="{name}"]')
        assert step.get_attribute("data-state") == "done", name
        assert re.search(r"\d", step.inner_text()), name


LATE = {"black-hole", "never-ready", "no-key-frame", "ping-lost", "video-stops"}  # known by a time that passes
FAILING = [
    pytest.param(switch, id=switch.name, marks=[pytest.mark.long] if switch.name in LATE else [])
    for switch in SWITCHES.values()
    if not switch.overcome
]


@pytest.mark.parametrize("switch", FAILING)
def test_each_fault_is_shown_and_lifted(shared_page: Page, switch: object) -> None:
    """The card has the code, cause and fix of the catalogue; without the fault, "try again" plays."""
    name, code = switch.name, switch.code  # type: ignore[attr-defined]
    choose_fault(shared_page, name)
    shared_page.click('[data-camera="front-door"]')
    card = shared_page.locator(f'[data-fault-code="{code}"]')
    card.wait_for(timeout=60_000 if name in LATE else 20_000)
    assert _plain(card.locator(".fault-cause").inner_text()) == _plain(FAULTS[code].cause)
    assert _plain(card.locator(".fault-fix").inner_text()) == _plain(FAULTS[code].fix)
    choose_fault(shared_page, "")
    shared_page.click("#try-again")
    wait_for_picture(shared_page)
    assert shared_page.locator("[data-fault-code]").count() == 0


def test_a_camera_that_is_not_ready_is_asked_again(shared_page: Page) -> None:
    """Reason 26 twice: the page tells of it, and the third offer plays."""
    choose_fault(shared_page, "not-ready")
    shared_page.click('[data-camera="front-door"]')
    shared_page.wait_for_function(
        "() => document.body.innerText.includes('SIG-NOT-READY') && document.body.innerText.includes('Trying again')"
    )
    wait_for_picture(shared_page)


@pytest.mark.long
def test_a_view_goes_on_beyond_rings_time_limit_without_a_freeze(
    chromium: Browser, start: Callable[..., object]
) -> None:
    """Ring ends each view after four seconds; the next is opened after two and takes over with a key frame."""
    program = start("demo", "--port", "0", RINGLIGHT_LIVE_VIEW__RENEW_AFTER="2")
    demo = str(program.url)  # type: ignore[attr-defined]
    page = chromium.new_page()
    page.goto(demo)
    choose_fault(page, "short-view")
    watch(page)
    before = video_stats(page)
    page.wait_for_timeout(10_000)
    after = video_stats(page)
    assert (after["frames"] - before["frames"]) / 10 >= 10
    assert after["frozen"] < 1.0, "no picture stood still for a second"
    assert httpx2.get(f"{demo}_sim/cameras").json()["live_views"] >= 4
    assert page.locator("[data-fault-code]").count() == 0
    page.close()


def test_a_view_that_breaks_off_goes_on_in_the_same_player(shared_page: Page, shared_demo: str) -> None:
    """Ring ends the view after two seconds; the picture stands still, the page says why, and it moves again."""
    before = httpx2.get(f"{shared_demo}_sim/cameras").json()["live_views"]
    choose_fault(shared_page, "ping-lost")
    watch(shared_page)
    offers: list[str] = []
    shared_page.on("request", lambda request: offers.append(request.url) if request.method == "POST" else None)
    shared_page.wait_for_function("() => document.body.innerText.includes('SIG-PING: The keep-alive was lost. Trying')")
    choose_fault(shared_page, "")
    stats = video_stats(shared_page)
    shared_page.wait_for_timeout(5_000)
    assert video_stats(shared_page)["frames"] - stats["frames"] >= 40
    assert shared_page.locator("camera-view").get_attribute("state") == "playing"
    assert shared_page.locator(".stage-note").is_hidden()
    assert httpx2.get(f"{shared_demo}_sim/cameras").json()["live_views"] - before >= 2
    assert offers == [], "no second playback was asked for"


def test_while_it_is_tried_again_the_page_says_why(shared_page: Page) -> None:
    choose_fault(shared_page, "rate-429")
    shared_page.click('[data-camera="front-door"]')
    shared_page.wait_for_function(
        "() => /Trying again in \\d s, because: Too many requests/.test(document.body.innerText)"
    )
    choose_fault(shared_page, "")
    wait_for_picture(shared_page)


@pytest.mark.long
def test_on_a_battery_the_viewer_is_asked_before_the_view_goes_on(
    chromium: Browser, start: Callable[..., object]
) -> None:
    program = start("demo", "--port", "0", RINGLIGHT_LIVE_VIEW__RENEW_AFTER="1")
    demo = str(program.url)  # type: ignore[attr-defined]
    page = chromium.new_page()
    page.goto(demo)
    watch(page, "back-yard")
    page.wait_for_selector("#keep-watching")
    assert httpx2.get(f"{demo}_sim/cameras").json()["live_views"] == 1
    page.click("#keep-watching")
    page.wait_for_function("() => document.body.innerText.includes('goes on beyond')", timeout=15_000)
    assert httpx2.get(f"{demo}_sim/cameras").json()["live_views"] == 2
    assert page.locator("camera-view").get_attribute("state") == "playing"
    page.close()


def test_a_browser_and_a_server_without_udp_play_over_tcp(chromium: Browser, page: Page) -> None:
    """Both halves of the way are blocked for UDP: Ring's towards us, and ours towards the browser."""
    choose_fault(page, "udp-blocked")
    policy = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
    walled_in = chromium.browser_type.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM_FLAGS, policy])
    try:
        walled = walled_in.new_page()
        walled.goto(page.url)
        watch(walled)
        before = video_stats(walled)
        walled.wait_for_timeout(5_000)
        after = video_stats(walled)
        assert (after["frames"] - before["frames"]) / 5 >= 10
        assert after["lost"] == 0
        assert "MEDIA-TCP" in walled.inner_text("body")
        assert chosen_protocols(walled) == ("tcp", "tcp")
    finally:
        walled_in.close()


def test_a_browser_without_webrtc_is_told_so(chromium: Browser, shared_demo: str) -> None:
    page = chromium.new_page()
    page.add_init_script("delete window.RTCPeerConnection")
    page.goto(shared_demo)
    page.click('[data-camera="front-door"]')
    page.locator('[data-fault-code="VIEWER-NO-WEBRTC"]').wait_for()
    page.close()


def test_turning_the_camera_moves_the_picture(page: Page, demo: str) -> None:
    """The way of a command: page, server, rpc on Ring's socket, the camera, and back as its picture."""
    watch(page, "driveway")
    page.click('[data-turn="right"]')
    page.click('[data-turn="up"]')  # the first may still be under way: it waits for that
    until = time.monotonic() + 15
    while httpx2.get(f"{demo}_sim/cameras").json()["facing"] != {"1003": {"pan": 1, "tilt": 1}}:
        assert time.monotonic() < until
        page.wait_for_timeout(50)
    sent = [message["method"] for message in httpx2.get(f"{demo}_sim/dialogs").json()["dialogs"][0]["messages"]]
    assert sent.count("rpc") == 2
    assert page.locator("camera-view").get_attribute("state") == "playing"


def test_a_camera_that_cannot_turn_shows_no_buttons_for_it(shared_page: Page) -> None:
    watch(shared_page)
    assert shared_page.locator(".turn-pad").is_hidden()


def test_everything_works_with_the_keyboard_alone(shared_page: Page) -> None:
    shared_page.keyboard.press("Tab")
    for _ in range(20):
        if shared_page.evaluate("document.activeElement?.dataset?.camera") == "front-door":
            break
        shared_page.keyboard.press("Tab")
    shared_page.keyboard.press("Enter")
    wait_for_picture(shared_page)


def test_a_phone_needs_no_sideways_scrolling(chromium: Browser, shared_demo: str) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    page.goto(shared_demo)
    watch(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


def test_leaving_the_page_ends_the_view_after_the_linger(page: Page, demo: str) -> None:
    watch(page)
    page.goto("about:blank")
    deadline = page.evaluate("performance.now()") + 15_000
    while httpx2.get(f"{demo}api/cameras/front-door").json()["view"] != "closed":
        assert page.evaluate("performance.now()") < deadline, "the view is still open"
        page.wait_for_timeout(200)
    ended = [dialog["ended"] for dialog in httpx2.get(f"{demo}_sim/dialogs").json()["dialogs"]]
    assert ended == ["closed by the client"]


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())
