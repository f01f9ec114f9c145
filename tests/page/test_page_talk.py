"""Talking from the page, in a real Chromium with a microphone that plays a file: the simulator measures the tone."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page
from watching import video_stats, wait_for_picture, watch

from conftest import CHROMIUM_FLAGS, Program
from ringlight.faults import FAULTS
from tones import tone

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

pytestmark = [pytest.mark.browser, pytest.mark.program]
PITCH = 440
NOT_YET: dict[str, Any] = {"hz": None, "seconds": 0, "unheard": 0, "noise": 0, "speaker": "closed"}


@pytest.fixture(scope="module")
def playwright() -> "Iterator[Playwright]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def speaking_chromium(playwright: "Playwright", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose microphone hears one tone without end, and whose user always allows it."""
    spoken = tone(tmp_path_factory.mktemp("sound") / "tone.wav", PITCH, seconds=10, rate=48_000)
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
             f"--use-file-for-fake-audio-capture={spoken}"]  # fmt: skip
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM_FLAGS, *flags])
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def silent_chromium(playwright: "Playwright") -> Iterator[Browser]:
    """A Chromium that refuses the microphone, as it does where nobody answers its question."""
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def demo(start: Callable[..., Program]) -> str:
    return start("demo", "--port", "0").url


@pytest.fixture
def page(speaking_chromium: Browser, demo: str) -> Iterator[Page]:
    complaints: list[str] = []
    page = speaking_chromium.new_page(viewport={"width": 1280, "height": 860})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(demo)
    yield page
    page.close()
    assert complaints == []


def ear(demo: str, camera: str = "1001") -> dict[str, Any]:
    heard: dict[str, dict[str, Any]] = httpx2.get(f"{demo}_sim/cameras").json()["heard"]
    return heard.get(camera, NOT_YET)


def until(demo: str, true: Callable[[dict[str, Any]], bool], within: float = 10.0) -> dict[str, Any]:
    """Wait until the camera's ear says so."""
    deadline = time.monotonic() + within
    while not true(heard := ear(demo)):
        assert time.monotonic() < deadline, heard
        time.sleep(0.1)
    return heard


def methods(demo: str) -> list[str]:
    dialogs = httpx2.get(f"{demo}_sim/dialogs").json()["dialogs"]
    assert [row for dialog in dialogs for row in dialog["messages"] if row["code"]] == []
    return [row["method"] for dialog in dialogs for row in dialog["messages"] if row["method"] not in ("ping", "ice")]


def microphones_on(page: Page) -> bool:
    """Whether the page holds a microphone; `tracks` has all that it was ever given."""
    return bool(page.evaluate("window.tracks.some((track) => track.readyState === 'live')"))


def keep_tracks(page: Page) -> None:
    page.evaluate("""() => {
      window.tracks = [];
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await open(wanted);
        window.tracks.push(...stream.getTracks());
        return stream;
      };
    }""")


def test_what_is_said_while_the_button_is_held_comes_out_of_the_camera(page: Page, demo: str) -> None:
    """The tone of the microphone is measured at the camera; with the release the speaker and the microphone close."""
    watch(page)
    keep_tracks(page)
    assert "camera_options" not in methods(demo), "watching alone opens no speaker"
    assert page.evaluate("window.tracks.length") == 0, "nor a microphone"
    page.hover("#talk")
    page.mouse.down()
    page.wait_for_selector('#talk[aria-pressed="true"]')
    heard = until(demo, lambda ear: ear["seconds"] > 1.2 and ear["hz"] is not None)
    assert abs(heard["hz"] - PITCH) <= 10
    assert heard["speaker"] == "open"
    assert microphones_on(page)
    page.mouse.up()
    page.wait_for_selector('#talk[aria-pressed="false"]')
    seconds = until(demo, lambda ear: ear["speaker"] == "closed")["seconds"]
    assert not microphones_on(page)
    page.wait_for_timeout(500)
    after = ear(demo)
    assert (after["seconds"], after["noise"]) == (seconds, 0)
    assert after["unheard"] < 0.3, "what was on its way"
    talk = methods(demo)[4:]
    assert talk == ["mic_enable", "camera_options", "stream_options", "mic_enable", "camera_options"]
    assert page.locator("camera-view").get_attribute("state") == "playing"


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_a_key_is_held_as_a_finger_is(page: Page, demo: str, key: str) -> None:
    watch(page)
    page.focus("#talk")
    page.keyboard.down(key)
    page.keyboard.down(key)  # the keyboard repeats it
    until(demo, lambda ear: ear["speaker"] == "open" and ear["seconds"] > 0.2)
    page.keyboard.up(key)
    until(demo, lambda ear: ear["speaker"] == "closed")
    assert methods(demo).count("camera_options") == 2


def test_a_finger_that_slides_off_the_button_still_ends_the_talk(page: Page, demo: str) -> None:
    watch(page)
    page.hover("#talk")
    page.mouse.down()
    until(demo, lambda ear: ear["speaker"] == "open")
    page.mouse.move(5, 5)
    page.mouse.up()
    until(demo, lambda ear: ear["speaker"] == "closed")


def test_a_press_as_short_as_a_click_leaves_no_speaker_open(page: Page, demo: str) -> None:
    """The release may overtake the opening."""
    watch(page)
    for _ in range(5):
        page.click("#talk")
    page.wait_for_timeout(500)
    until(demo, lambda ear: ear["speaker"] == "closed")
    page.wait_for_timeout(500)
    assert ear(demo)["speaker"] == "closed"
    page.hover("#talk")
    page.mouse.down()
    until(demo, lambda ear: ear["speaker"] == "open" and ear["seconds"] > 0.3)
    page.mouse.up()


def test_who_cannot_hold_switches_and_a_second_viewer_has_to_wait(
    page: Page, demo: str, speaking_chromium: Browser
) -> None:
    watch(page)
    page.focus("#talk-keep")
    page.keyboard.press("Enter")
    page.wait_for_selector('#talk-keep[aria-pressed="true"]')
    until(demo, lambda ear: ear["seconds"] > 0.3)
    second = speaking_chromium.new_page()
    second.goto(f"{demo}#front-door")
    wait_for_picture(second)
    second.wait_for_selector('#talk[aria-disabled="true"]')
    assert "Somebody is talking" in second.locator(".talk-said").inner_text()
    resource = second.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert not [name for name in resource if name.endswith("/talk")]
    page.keyboard.press("Enter")
    until(demo, lambda ear: ear["speaker"] == "closed")
    second.wait_for_selector('#talk[aria-disabled="false"]')
    second.close()


def test_a_talker_whose_page_is_gone_releases_the_speaker(page: Page, demo: str, speaking_chromium: Browser) -> None:
    watch(page)
    talker = speaking_chromium.new_page()
    talker.goto(f"{demo}#front-door")
    wait_for_picture(talker)
    talker.click("#talk-keep")
    until(demo, lambda ear: ear["speaker"] == "open" and ear["seconds"] > 0.3)
    page.wait_for_selector('#talk[aria-disabled="true"]')
    talker.close()
    until(demo, lambda ear: ear["speaker"] == "closed")
    page.wait_for_selector('#talk[aria-disabled="false"]')
    assert video_stats(page)["frames"] > 0


def test_a_talk_outlasts_the_renewal_of_the_view(speaking_chromium: Browser, start: Callable[..., Program]) -> None:
    demo = start("demo", "--port", "0", RINGLIGHT_LIVE_VIEW__RENEW_AFTER="2").url
    page = speaking_chromium.new_page()
    page.goto(demo)
    watch(page)
    page.click("#talk-keep")
    page.wait_for_function("() => document.body.innerText.includes('goes on beyond')", timeout=15_000)
    before = ear(demo)["seconds"]
    heard = until(demo, lambda ear: ear["seconds"] > before + 1)
    assert abs(heard["hz"] - PITCH) <= 10
    assert page.get_attribute("#talk", "aria-pressed") == "true"
    page.click("#talk-keep")
    until(demo, lambda ear: ear["speaker"] == "closed")
    page.close()


def test_a_refused_microphone_is_a_fault_with_a_fix(silent_chromium: Browser, demo: str) -> None:
    """The browser's own reason is shown; the view goes on, and no speaker was opened."""
    page = silent_chromium.new_page()
    page.goto(demo)
    watch(page)
    page.click("#talk-keep")
    fault = page.locator('[data-fault-code="VIEWER-MICROPHONE"]')
    fault.wait_for()
    said = fault.inner_text()
    assert FAULTS["VIEWER-MICROPHONE"].title in said
    assert FAULTS["VIEWER-MICROPHONE"].fix.replace("`", "") in said
    assert "Not" in said, "NotAllowedError or NotFoundError"
    assert page.get_attribute("#talk-keep", "aria-pressed") == "false"
    assert page.locator("camera-view").get_attribute("state") == "playing"
    assert "camera_options" not in methods(demo)
    page.close()


def test_without_sound_there_is_nothing_to_talk_to(speaking_chromium: Browser, start: Callable[..., Program]) -> None:
    demo = start("demo", "--port", "0", RINGLIGHT_LIVE_VIEW__AUDIO="false").url
    page = speaking_chromium.new_page()
    page.goto(demo)
    watch(page)
    assert page.locator(".talk-bar").is_hidden()
    page.close()
