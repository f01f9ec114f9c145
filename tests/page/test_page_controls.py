"""What a camera can do without being watched, on the page in a real Chromium, against the demo."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from watching import watch

from conftest import Program
from ringlight.faults import FAULTS

pytestmark = [pytest.mark.browser, pytest.mark.program]
BELL, MOTION, VIEW = "7500000000000000003", "7500000000000000002", "7500000000000000001"


@pytest.fixture
def page(chromium: Browser, house: str) -> Iterator[Page]:
    complaints: list[str] = []
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page.goto(house)
    yield page
    page.close()
    assert complaints == []


def _open(page: Page, camera: str) -> Locator:
    """Open what a camera can do; return its part of the page."""
    part = page.locator(f'[data-controls="{camera}"]')
    part.locator("summary").click()
    return part


def _as_if(page: Page, house: str, **fields: object) -> None:
    """Let the server list the cameras with other abilities than the simulated ones have."""

    def changed(route: Route) -> None:
        listed = httpx2.get(f"{house}api/cameras").json()["cameras"]
        route.fulfill(json={"cameras": [{**camera, **fields} for camera in listed]})

    page.route("**/api/cameras", changed)
    page.reload()


def _simulated(house: str, number: int) -> dict[str, object]:
    cameras = httpx2.get(f"{house}_sim/cameras").json()["cameras"]
    return next(camera for camera in cameras if camera["id"] == number)


def test_a_light_is_switched_and_its_state_is_shown_and_said(page: Page, house: str) -> None:
    part = _open(page, "driveway")
    light = part.locator('[data-control="light"]')
    expect(light).to_have_attribute("aria-pressed", "false")
    said = part.get_by_role("status").first
    expect(said).to_contain_text("There is a picture")  # or it may be said after what is looked at here
    light.focus()
    page.keyboard.press("Enter")
    expect(light).to_have_attribute("aria-pressed", "true")
    expect(said).to_have_text("The light is on.")
    assert _simulated(house, 1003)["led_status"] == "on"
    expect(light).to_be_focused()
    light.click()
    expect(light).to_have_attribute("aria-pressed", "false")
    assert _simulated(house, 1003)["led_status"] == "off"


def test_a_light_of_which_ring_says_nothing_is_neither_on_nor_off(page: Page, house: str) -> None:
    _as_if(page, house, light_on=None)
    light = _open(page, "driveway").locator('[data-control="light"]')
    expect(light).to_have_attribute("aria-pressed", "mixed")
    expect(light).to_contain_text("not known")


def test_a_siren_sounds_only_after_it_was_confirmed_and_can_be_silenced(page: Page, house: str) -> None:
    siren = _open(page, "driveway").locator('[data-control="siren"]')
    siren.click()
    question = page.get_by_role("dialog", name="Sound the siren of Driveway?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    assert _simulated(house, 1003)["siren_status"] == {"seconds_remaining": 0}
    siren.click()
    question.get_by_role("button", name="Sound it for 30 s").click()
    expect(siren).to_contain_text("Silence the siren")
    expect(siren).to_have_text(re.compile(r"\d+ s"))
    status = _simulated(house, 1003)["siren_status"]
    assert isinstance(status, dict)
    assert 20 <= status["seconds_remaining"] <= 30
    siren.click()
    expect(siren).to_have_text("Sound the siren")
    assert _simulated(house, 1003)["siren_status"] == {"seconds_remaining": 0}


def test_only_what_a_camera_has_is_shown(page: Page, house: str) -> None:
    part = _open(page, "front-door")
    assert part.locator("summary").inner_text().startswith("Picture, history")
    for control in ("light", "siren"):
        assert part.locator(f'[data-control="{control}"]').is_hidden()
    assert page.locator('[data-controls="driveway"] summary').inner_text().startswith("Picture, light, siren, history")
    _as_if(page, house, has_recordings=False)
    part = _open(page, "front-door")
    assert part.locator("summary").inner_text().startswith("Picture")
    assert part.get_by_role("heading", name="History").is_hidden()


def test_a_wired_camera_shows_a_picture_of_now_before_anybody_watches(page: Page, house: str) -> None:
    views = httpx2.get(f"{house}_sim/cameras").json()["live_views"]
    part = _open(page, "front-door")
    picture = part.get_by_role("img", name="Front Door now")
    expect(picture).to_be_visible()
    page.wait_for_function("(one) => one.naturalWidth === 640", arg=picture.element_handle())
    expect(part.locator("figcaption")).to_contain_text("taken by the camera")
    assert httpx2.get(f"{house}_sim/cameras").json()["live_views"] == views


def test_a_battery_camera_is_woken_for_a_picture_only_when_asked(page: Page) -> None:
    part = _open(page, "back-yard")
    expect(part.locator("figcaption")).to_contain_text("wakes the camera")
    assert part.get_by_role("img").count() == 0 or part.get_by_role("img").first.is_hidden()
    part.get_by_role("button", name="Picture of now").click()
    expect(part.get_by_role("img", name="Back Yard now")).to_be_visible()


def test_while_a_battery_camera_streams_its_picture_is_from_the_view_and_says_so(page: Page) -> None:
    watch(page, "back-yard")
    part = _open(page, "back-yard")
    part.get_by_role("button", name="Picture of now").click()
    expect(part.locator("figcaption")).to_contain_text("from the live view that runs")


def test_a_battery_camera_says_what_a_minute_costs_and_what_goes_on_before_it_is_watched(
    page: Page, house: str
) -> None:
    said = page.locator("#cost-back-yard")
    expect(said).to_have_text(
        "Video on battery: not measured yet. At Ring's time limit you are asked whether it goes on."
    )
    expect(page.locator('[data-camera="back-yard"]')).to_have_attribute("aria-describedby", "cost-back-yard")
    assert page.locator("#cost-front-door").is_hidden()
    text = "about 0.3 % a minute (measured over 42 minutes)"
    _as_if(page, house, battery_cost={"percent_per_minute": 0.3, "minutes": 42.0, "text": text})
    expect(said).to_contain_text(text)


def test_the_history_is_listed_and_a_recording_plays_in_its_place(page: Page, house: str) -> None:
    part = _open(page, "front-door")
    events = part.locator("[data-event]")
    expect(events).to_have_count(3)
    assert [event.locator(".event-kind").inner_text() for event in events.all()] == [
        "Bell",
        "Motion · Person",
        "Live view",
    ]
    assert events.first.locator("time").get_attribute("datetime") == "2026-02-03T18:04:05.250Z"
    expect(part.locator(f'[data-event="{VIEW}"]')).to_contain_text("No recording")
    motion = part.locator(f'[data-event="{MOTION}"]')
    motion.get_by_role("button", name=re.compile("^Play Motion · Person")).click()
    film = motion.locator("video")
    page.wait_for_function("(film) => film.readyState >= 2 && film.videoWidth === 640", arg=film.element_handle())
    page.wait_for_function("(film) => film.currentTime > 0.2", arg=film.element_handle())
    motion.get_by_role("button", name=re.compile("^Close")).click()
    expect(film).to_have_count(0)


def test_a_recording_is_downloaded_whole(page: Page, tmp_path: Path) -> None:
    part = _open(page, "front-door")
    with page.expect_download() as coming:
        part.locator(f'[data-event="{BELL}"]').get_by_role("link", name=re.compile("^Download Bell")).click()
    saved = tmp_path / "bell.mp4"
    coming.value.save_as(saved)
    assert coming.value.suggested_filename == "front-door-2026-02-03T18-04-05.mp4"
    assert saved.read_bytes()[4:8] == b"ftyp"


def test_older_events_follow_when_they_are_asked_for(page: Page) -> None:
    def answer(route: Route) -> None:
        first = 40 if "before=" not in route.request.url else 35
        events = [
            {"id": str(first - number), "kind": "motion", "at": 1_770_000_000.0 + first - number, "answered": False,
             "person": None, "has_recording": None}
            for number in range(5)
        ]  # fmt: skip
        route.fulfill(json={"events": events, "next": "36" if first == 40 else None})

    page.route("**/history?*", answer)
    part = _open(page, "front-door")
    expect(part.locator("[data-event]")).to_have_count(5)
    part.get_by_role("button", name="Older").click()
    expect(part.locator("[data-event]")).to_have_count(10)
    expect(part.locator('[data-event="35"]')).to_be_focused()
    assert part.get_by_role("button", name="Older").is_hidden()
    assert part.locator('[data-event="40"]').get_by_role("button", name=re.compile("^Play")).is_visible(), "not known"


def test_what_fails_is_a_card_with_the_fix_and_a_way_to_try_again(page: Page, house: str) -> None:
    part = _open(page, "driveway")
    expect(part.locator("[data-event]")).to_have_count(1)
    httpx2.put(f"{house}_sim/faults", json={"on": ["session-denied"]})
    part.locator('[data-control="light"]').click()
    card = part.locator('[data-fault-code="ACCOUNT-SESSION"]')
    expect(card.get_by_role("alert")).to_contain_text(FAULTS["ACCOUNT-SESSION"].title)
    httpx2.put(f"{house}_sim/faults", json={"on": []})
    card.get_by_role("button", name="Try again").click()
    expect(part.locator('[data-control="light"]')).to_have_attribute("aria-pressed", "true")
    expect(card).to_have_count(0)
    part.locator('[data-control="light"]').click()
    expect(part.locator('[data-control="light"]')).to_have_attribute("aria-pressed", "false")


def test_a_recording_that_is_gone_says_why_in_its_place(page: Page) -> None:
    part = _open(page, "front-door")
    fault = FAULTS["CAM-RECORDING"].as_dict("HTTP 404")
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404, json=fault)

    page.route("**/recording", refuse)
    bell = part.locator(f'[data-event="{BELL}"]')
    bell.get_by_role("button", name=re.compile("^Play")).click()
    expect(bell.locator('[data-fault-code="CAM-RECORDING"]')).to_be_visible()
    assert len(asked) == 1, "where a download breaks off again and again, each time takes long"
    page.unroute("**/recording")
    bell.get_by_role("button", name="Try again").click()
    page.wait_for_function("(film) => film.readyState >= 2", arg=bell.locator("video").element_handle())


# Turning


@pytest.fixture
def driveway(chromium: Browser, start: Callable[..., Program]) -> Iterator[tuple[Page, str]]:
    """A house of its own, in which the camera still looks straight ahead, and somebody watches it."""
    house = start("demo", "--port", "0").url
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    page.goto(house)
    watch(page, "driveway")
    yield page, house
    page.close()


def _commands(house: str) -> int:
    (dialog,) = httpx2.get(f"{house}_sim/dialogs").json()["dialogs"]
    assert {message["code"] for message in dialog["messages"]} == {None}
    return sum(message["method"] == "rpc" for message in dialog["messages"])


def test_holding_turns_on_until_the_end_of_the_way_and_says_so(driveway: tuple[Page, str]) -> None:
    page, house = driveway
    left = page.locator('[data-turn="left"]')
    left.hover()
    page.mouse.down()
    expect(page.locator(".turn-said")).to_have_text("Turned to the left as far as it goes.", timeout=15_000)
    page.mouse.up()
    expect(left).to_have_attribute("data-limit", "")
    assert httpx2.get(f"{house}_sim/cameras").json()["facing"]["1003"] == {"pan": -2, "tilt": 0}
    assert _commands(house) == 1, "one turning that went on; a camera at its end needs no stop"
    page.click('[data-turn="left"]')
    page.wait_for_timeout(300)
    expect(page.locator(".turn-said")).to_have_text("Turned to the left as far as it goes.")
    page.click('[data-turn="right"]')
    expect(page.locator(".turn-said")).to_have_text("")
    assert page.locator("camera-view").get_attribute("state") == "playing"


def test_letting_go_stops_it_and_the_press_is_no_step_besides(driveway: tuple[Page, str]) -> None:
    page, house = driveway
    page.locator('[data-turn="right"]').hover()
    with page.expect_response(lambda answer: answer.url.endswith("/ptz")):
        page.mouse.down()
    with page.expect_response(lambda answer: answer.url.endswith("/ptz")) as stopped:
        page.mouse.up()
    assert stopped.value.json() == {"result": "moved"}
    page.wait_for_timeout(500)
    assert _commands(house) == 2, "begun and stopped"


def test_an_arrow_key_that_is_held_turns_on_too(driveway: tuple[Page, str]) -> None:
    """It does so also where the key repeats before the first step has been answered: the hold waits for it."""
    page, _ = driveway
    page.locator('[data-turn="up"]').focus()
    with page.expect_response(lambda answer: answer.url.endswith("/ptz")):
        page.keyboard.down("ArrowUp")
    with page.expect_response(lambda answer: answer.url.endswith("/ptz")) as going:
        page.keyboard.down("ArrowUp")  # as a key does that repeats
    assert '"continuous":true' in str(going.value.request.post_data)
    with page.expect_response(lambda answer: answer.url.endswith("/ptz")) as stopped:
        page.keyboard.up("ArrowUp")
    assert '"speed":0' in str(stopped.value.request.post_data)


def test_a_phone_shows_all_of_it_without_sideways_scrolling(chromium: Browser, house: str) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    page.goto(house)
    part = _open(page, "driveway")
    expect(part.locator("[data-event]")).to_have_count(1)
    expect(part.get_by_role("img", name="Driveway now")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
