"""The pictures of the documentation, of the real pages. `make picture` takes them anew; else they are looked at."""

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page
from visits import PATIENCE, chromium_with_devices, enter, post, visitor, wait_for, wait_for_picture

TAKES = pytest.mark.skipif(not os.environ.get("RINGLIGHT_TAKE_PICTURE"), reason="`make picture` takes it")
ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "docs" / "images"
# Chromium's own camera shows a green disc: nobody would guess from it what a call looks like.
PORTRAIT = """
const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
devices.getUserMedia = async (wanted) => {
  const stream = await open({ ...wanted, video: false });
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const paint = canvas.getContext("2d");
  const colour = (light) => { paint.fillStyle = `hsl(${hue} 32% ${light}%)`; };
  setInterval(() => {
    colour(34); paint.fillRect(0, 0, 640, 480);
    colour(58); paint.beginPath(); paint.ellipse(320, 470, 190, 160, 0, 0, 7); paint.fill();
    const nod = Math.sin(Date.now() / 400) * 3;
    colour(72); paint.beginPath(); paint.ellipse(320, 215 + nod, 82, 100, 0, 0, 7); paint.fill();
  }, 40);
  stream.addTrack(canvas.captureStream(25).getVideoTracks()[0]);
  return stream;
};
"""


def test_every_picture_is_shown_and_every_one_shown_is_taken() -> None:
    """None is left that nobody sees, none is linked that is not there, and each has a test that takes it."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {name for page in pages for name in re.findall(r"images/([\w-]+\.png)", page.read_text("utf-8"))}
    taken = set(re.findall(r'"([\w-]+\.png)"', Path(__file__).read_text("utf-8")))
    there = {path.name for path in PICTURES.glob("*.png")}
    assert shown == taken == there
    for name in there:
        head = (PICTURES / name).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", head[16:]) > (300, 200)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_with_devices() as browser:
        yield browser


def take(name: str, of: Page | Locator) -> None:
    """Take a picture for the documentation."""
    of.screenshot(path=PICTURES / name)


@pytest.mark.browser
@pytest.mark.program
@TAKES
class TestPictures:
    def test_the_page(self, browser: Browser, house: str) -> None:
        """A camera that plays, and the rooms beside it."""
        with visitor(browser, viewport={"width": 1280, "height": 1180}) as page:
            page.goto(house)
            page.click('[data-camera="front-door"]')
            page.wait_for_selector('camera-view[state="playing"]')
            page.wait_for_timeout(2_500)  # the picture becomes sharp
            page.locator("#make-room").scroll_into_view_if_needed()
            page.evaluate("scrollTo(0, 0)")
            take("page.png", page)

    def test_a_ring_app(self, browser: Browser, house: str) -> None:
        """A linked account, and who walked past its door. Before the doctor, whose checks are noted there too."""
        with visitor(browser) as page:
            page.goto(house)
            page.locator("#ring-app").get_by_role("button", name="Add the app in Ring's store").click()
            page.get_by_role("button", name="Link").click()
            page.locator('[data-state="completed"]').wait_for()
            page.get_by_role("link", name="Go on").click()
            page.goto(house)
            page.locator("#ring-app").get_by_role("button", name="Walk past the front door").click()
            page.locator("#ring-app .event", has_text="Motion").first.wait_for()
            take("ring-app.png", page.locator("#ring-app"))

    def test_the_doctor(self, browser: Browser, house: str) -> None:
        """What is wrong, with the fault that the switchboard makes."""
        with visitor(browser) as page:
            page.goto(house)
            httpx2.put(f"{house}_sim/faults", json={"on": ["ticket-401"]})
            page.click("#open-doctor")
            page.wait_for_selector(".doctor-all", state="attached", timeout=60_000)
            take("doctor.png", page.locator(".doctor"))
            httpx2.put(f"{house}_sim/faults", json={"on": []})

    def test_the_waiting_area(self, browser: Browser, house: str) -> None:
        """What the patient sees who waits to be let in."""
        room = post(house, "api/rooms", {"consent": []})["id"]
        with visitor(browser, viewport={"width": 900, "height": 620}) as patient:
            patient.add_init_script(f"const hue = 28; {PORTRAIT}")
            link = {"role": "patient", "name": "A. Patient", "invited_by": "Practice of Dr Example"}
            patient.goto(house.rstrip("/") + post(house, f"api/rooms/{room}/links", link)["url"])
            patient.click("#enter")
            wait_for(patient, "lobby")
            patient.wait_for_timeout(1_000)  # one's own picture
            take("lobby.png", patient)

    def test_a_call(self, browser: Browser, house: str) -> None:
        """A patient, a camera at the door, and who is there."""
        with visitor(browser, viewport={"width": 1280, "height": 800}) as doctor, visitor(browser) as patient:
            for page, hue in ((doctor, 208), (patient, 28)):
                page.add_init_script(f"const hue = {hue}; {PORTRAIT}")
            enter(doctor, f"{house}rooms/demo", "Dr Example", "clinician")
            enter(patient, f"{house}rooms/demo", "A. Patient")
            wait_for_picture(doctor, "A. Patient")
            doctor.wait_for_selector('[data-camera="front-door"][data-state="playing"]', timeout=PATIENCE)
            doctor.click("#open-people")
            doctor.wait_for_selector(".safety:not([hidden])")
            doctor.wait_for_selector('.tile[data-quality="good"]')  # a busy machine may never come to it
            take("call.png", doctor)
