"""Debian's Firefox by our own page: what it plays, and what it is told where it cannot."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from av1_camera import Premises
from firefox import Firefox, firefox

from conftest import Program, clean_environment
from ringlight.server.program import run_server
from ringlight.settings import CameraSettings, ServerSettings, Settings

pytestmark = [pytest.mark.browser, pytest.mark.program, pytest.mark.long]
PLAYING = 'document.querySelector("camera-view").getAttribute("state") === "playing"'
STATS = """const found = {};
  (await document.querySelector("camera-view").stats()).forEach((entry) => {
    if (entry.type === "inbound-rtp") found[entry.kind] = {
      frames: entry.framesDecoded, packets: entry.packetsReceived, lost: entry.packetsLost,
      samples: entry.totalSamplesReceived, concealed: entry.concealedSamples};
  });
  return found;"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    with firefox() as running:
        yield running


@contextmanager
def serving() -> Iterator[str]:
    """Serve a camera of AV1 from a thread of its own; gives the address."""
    settings = Settings(server=ServerSettings(port=0), cameras=CameraSettings(linger=0.2))
    address: list[str] = []
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with run_server(settings, Premises(settings)) as running:
            address.append(running.url)
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stop.wait()

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield address[0]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(30)


def test_firefox_plays_a_camera_of_av1_with_its_sound(browser: Firefox) -> None:
    """By the page: signaling, ICE, DTLS, RTP; pictures and Opus decoded, nothing lost, its line measured."""
    with serving() as url:
        browser.open(url)
        browser.wait_for("document.querySelector('[data-camera=\"av1\"]')")
        browser.run("document.querySelector('[data-camera=\"av1\"]').click()")
        browser.wait_for(PLAYING)
        before = browser.run(STATS)
        browser.wait_for(f"((found) => found.video.frames >= {before['video']['frames'] + 30})"
                         f"(await (async () => {{ {STATS} }})())")  # fmt: skip
        seen = browser.run(STATS)
        (told,) = httpx2.get(f"{url}api/cameras/av1").json()["audience"]
        browser.open("about:blank")
    assert (seen["video"]["lost"], seen["audio"]["lost"]) == (0, 0)
    assert seen["audio"]["packets"] > 50
    assert told["line"]["received_kbps"] > 0
    assert told["round_trip_ms"] is not None


def test_firefox_without_its_plugin_is_told_in_words_and_with_it_plays_h264(
    browser: Firefox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It decodes H.264 in calls by OpenH264 alone, which it loads from its maker: not where the network forbids it."""
    program = Program("demo", "--port", "0", env=clean_environment(tmp_path_factory.mktemp("state")))
    try:
        browser.open(program.url)
        can = browser.run(
            'return RTCRtpReceiver.getCapabilities("video").codecs.some((c) => c.mimeType.endsWith("H264"))'
        )
        browser.wait_for("document.querySelector('[data-camera=\"front-door\"]')")
        browser.run("document.querySelector('[data-camera=\"front-door\"]').click()")
        if can:
            browser.wait_for(PLAYING)
        else:
            browser.wait_for('document.querySelector("camera-view").textContent.includes("VIEWER-OFFER")')
            said = browser.run('return document.querySelector("camera-view").textContent')
            assert "OpenH264" in said
        browser.open("about:blank")
    finally:
        program.stop()
