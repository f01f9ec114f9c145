"""A browser plays the endless file in a plain video element, without a script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from conftest import Program

pytestmark = [pytest.mark.browser, pytest.mark.program]
_PLAY = """async (address) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = address;
  document.body.append(video);
  await video.play();
  const began = video.currentTime;
  await new Promise((resolve, reject) => {
    video.addEventListener("error", () => reject(video.error.message));
    video.addEventListener("timeupdate", () => video.currentTime > began + 2 && resolve());
  });
  const made = { width: video.videoWidth, frames: video.getVideoPlaybackQuality().totalVideoFrames };
  video.removeAttribute("src");
  video.load();
  return made;
}"""


def test_chromium_plays_the_endless_file(chromium: Browser, start: Callable[..., Program]) -> None:
    page = chromium.new_page()
    page.goto(start("demo", "--port", "0").url)
    made = page.evaluate(_PLAY, "/api/cameras/front-door/live.mp4")
    assert made["width"] == 640
    assert made["frames"] >= 25
    page.close()
