"""What the tests of the rooms' page do with it: enter, wait for a picture, and have it judged."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from conftest import CHROMIUM_FLAGS

DEVICES = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire",
]
PATIENCE = 30_000  # ms; a loaded machine takes its time
_DECODED = """async () => {
  const found = { frames: 0, energy: 0 };
  for (const { stream, camera } of ringlightCall.people) {
    if (camera !== null) continue;
    const video = [...document.querySelectorAll("video")].find((one) => one.srcObject === stream);
    found.frames += video.getVideoPlaybackQuality().totalVideoFrames;
    found.sounds = !video.muted && !video.paused && stream.getAudioTracks().some((track) => !track.muted);
  }
  return found;
}"""
_MOVES = """(name) => {
  const { stream } = ringlightCall.people.find((one) => one.name === name) ?? {};
  const video = stream && [...document.querySelectorAll("video")].find((one) => one.srcObject === stream);
  if (!video || video.muted || video.paused || !stream.getAudioTracks().length) return false;
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  const seen = (globalThis.seenFrames ??= new Map());
  if (!seen.has(video) || seen.get(video) > frames) seen.set(video, frames);
  return frames > seen.get(video) + 5 && seen.delete(video);
}"""
_SMALL = """(where) => [...document.querySelectorAll(`${where} :is(button, a, select, textarea, input, summary)`)]
  .filter((one) => one.type !== "checkbox" && getComputedStyle(one).display !== "inline")
  .filter((one) => one.checkVisibility()).map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 43.9 || height < 43.9)
  .map(([html, { width, height }]) => `${html} ${width} x ${height}`)"""


@contextmanager
def chromium_with_devices() -> Iterator[Browser]:
    """A Chromium with a made-up camera, microphone and screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM_FLAGS, *DEVICES])
        yield browser
        browser.close()


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[Page]:
    """A browser of somebody's own, that has seen nothing; it must not complain."""
    complaints: list[str] = []
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}, "locale": "en", **options}
    context = browser.new_context(**settings)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert complaints == []


def enter(page: Page, address: str, name: str, role: str = "patient") -> None:
    """Enter an open room by name."""
    page.goto(address)
    page.fill("#name", name)
    page.select_option("#role", role)
    page.click("#enter")


def wait_for(page: Page, screen: str) -> None:
    """Wait until a screen is shown."""
    page.wait_for_selector(f'body[data-screen="{screen}"]')


def person(name: str) -> str:
    """The tile of somebody whose path stands."""
    return f'.tile[data-person]:has-text("{name}"):not(:has(.tile-veil:not([hidden])))'


def wait_for_picture(page: Page, name: str) -> None:
    """Wait until somebody's tile shows moving pictures and sounds."""
    page.wait_for_selector(person(name))
    before = page.evaluate(_DECODED)
    page.wait_for_function(f"async (before) => {{ const now = await ({_DECODED})(); "
                           "return now.sounds && now.frames > before + 20; }", arg=before["frames"])  # fmt: skip


def sees(page: Page, name: str) -> None:
    """Wait until the picture of one person moves, and their sound is not held back."""
    page.wait_for_selector(person(name))
    page.wait_for_function(_MOVES, arg=name)


def assert_fits(page: Page, where: str = "body") -> None:
    """Nothing sticks out at the side, and everything to press there is 44 px large or more."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(_SMALL, where) == []


def post(base: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask the server for something to be made."""
    answer = httpx2.post(f"{base}{path}", json=body)
    assert answer.is_success, answer.text
    return cast(dict[str, Any], answer.json())
