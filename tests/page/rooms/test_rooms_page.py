"""The page of the rooms in a real Chromium, against `ringlight demo`: what patients and clinicians see."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from visits import assert_fits, chromium_with_devices, enter, person, post, sees, visitor, wait_for, wait_for_picture
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from axe import Axe
from conftest import Program, clean_environment
from own_coturn import OwnCoturn

pytestmark = [pytest.mark.browser, pytest.mark.program]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_with_devices() as browser:
        yield browser


@pytest.fixture(scope="module")
def axe() -> Axe:
    return Axe()


def test_two_tabs_of_the_demo_see_and_hear_each_other_also_after_a_reload(browser: Browser, house: str) -> None:
    """Names, moving pictures and sound on both sides; a reload comes back as the same person without asking."""
    with visitor(browser) as doctor, visitor(browser) as patient:
        enter(doctor, f"{house}rooms/demo", "Dr Example", "clinician")
        enter(patient, f"{house}rooms/demo", "Ada")
        wait_for_picture(doctor, "Ada")
        wait_for_picture(patient, "Dr Example")
        before = patient.evaluate("ringlightCall.me.id")
        patient.reload()
        wait_for_picture(patient, "Dr Example")
        wait_for_picture(doctor, "Ada")
        assert patient.evaluate("ringlightCall.me.id") == before
        assert doctor.locator(person("Ada")).count() == 1
        numbers = [_safety_number(page) for page in (doctor, patient)]
        assert numbers[0] == numbers[1]
        assert re.fullmatch(r"(\d{4} ){4}\d{4}", numbers[0])


def test_mute_chat_and_screen_are_told_to_the_other_side(browser: Browser, house: str) -> None:
    """What one turns off is seen and said at the other; words arrive; a screen gets a tile of its own."""
    with visitor(browser) as doctor, visitor(browser) as patient:
        enter(doctor, f"{house}rooms/told", "Dr Example", "clinician")
        enter(patient, f"{house}rooms/told", "Ada")
        doctor.click("#admit-next")
        doctor.wait_for_selector(person("Ada"))
        patient.wait_for_selector(person("Dr Example"))
        patient.click("#mic")
        expect(doctor.locator("#said")).to_contain_text("Ada muted the microphone.")
        doctor.wait_for_selector(f"{person('Ada')} .tile-muted:not([hidden])")
        patient.click("#camera")
        expect(doctor.locator("#said")).to_contain_text("Ada turned the camera off.")
        patient.click("#open-chat")
        patient.fill("#chat-text", "My number is 12 34")
        patient.press("#chat-text", "Enter")
        expect(doctor.locator("#open-chat .badge")).to_have_text("1")
        doctor.click("#open-chat")
        expect(doctor.locator("#chat-log")).to_contain_text("My number is 12 34")
        doctor.click("#screen-share")
        patient.wait_for_selector('[data-screen-of]:has-text("Screen of Dr Example")')
        doctor.click("#screen-share")
        patient.wait_for_selector("[data-screen-of]", state="detached")


def test_a_visit_by_links_from_the_invitation_to_the_end(browser: Browser, house: str, axe: Axe) -> None:
    """Invitation, consent, waiting area, let in, sent back, ended for all; accessible in each of these states."""
    room = post(house, "api/rooms", {"consent": ["video"]})["id"]
    links = {role: post(house, f"api/rooms/{room}/links", {"role": role, "name": name, "invited_by": "Example"})["url"]
             for role, name in (("doctor", "Dr Example"), ("patient", "Ada"))}  # fmt: skip
    with visitor(browser) as doctor, visitor(browser, viewport={"width": 360, "height": 740}) as patient:
        doctor.goto(house.rstrip("/") + links["doctor"])
        doctor.click("#enter")
        wait_for(doctor, "call")
        patient.goto(house.rstrip("/") + links["patient"])
        expect(patient.locator(".lead")).to_contain_text("Welcome, Ada.")
        expect(patient.locator("#invited-by")).to_have_text("Example")
        _judge(axe, patient)
        looked = httpx2.get(house.rstrip("/") + links["patient"], headers={"accept": "application/json"}).json()
        assert (looked["state"], looked["invited_by"]) == ("good", "Example")
        patient.click("#enter")
        wait_for(patient, "consent")
        _judge(axe, patient)
        assert patient.url == f"{house}rooms/{room}"  # nobody reads the link, or a token, from the address
        assert "eyJ" not in json.dumps(patient.evaluate("({...localStorage})"))
        patient.click("#agree")
        wait_for(patient, "lobby")
        expect(patient.locator("#position")).to_have_text("You are next.")
        _judge(axe, patient)
        patient.reload()
        wait_for(patient, "lobby")
        expect(doctor.locator("#said-now")).to_contain_text("Ada, Patient, is waiting to be let in.")
        _judge(axe, doctor)
        _let_in(doctor, "Ada")
        wait_for_picture(patient, "Dr Example")
        wait_for_picture(doctor, "Ada")
        _judge(axe, patient)
        for side in ("people", "chat", "more"):
            patient.click(f"#open-{side}")
            _judge(axe, patient)
        doctor.click('.person:has-text("Ada") button')
        wait_for(patient, "lobby")
        _let_in(doctor, "Ada")
        doctor.wait_for_selector(person("Ada"))
        patient.click("#open-more")
        patient.click("#withdraw")
        patient.click('dialog [value="yes"]')
        wait_for(patient, "consent")
        patient.click("#agree")
        wait_for_picture(patient, "Dr Example")
        doctor.click("#leave")
        _judge(axe, doctor)
        doctor.click('dialog [value="end"]')
        doctor.click('dialog [value="yes"]')
        for page in (doctor, patient):
            page.wait_for_selector('[data-end="ended"]')
            _judge(axe, page)
        patient.goto(house.rstrip("/") + links["patient"])
        expect(patient.locator("[data-end]")).to_have_attribute("data-end", re.compile("used|ended"))


def test_who_comes_by_a_link_needs_no_key_of_the_server(browser: Browser, start: Callable[..., Program]) -> None:
    """Where others reach the server all but the rooms' page needs a key; the desk sees its camera by its link alone."""
    secret = "the owner's own key, long and random"
    with httpx2.Client(
        base_url=start("demo", "--port", "0", RINGLIGHT_SECRET_KEY=secret).url,
        headers={"Authorization": f"Bearer {secret}"},
    ) as owner:
        room = owner.post("api/rooms", json={"cameras": ["front-door"]}).json()["id"]

        def link(role: str, name: str) -> str:
            made = owner.post(f"api/rooms/{room}/links", json={"role": role, "name": name}).json()
            return str(owner.base_url).rstrip("/") + str(made["url"])

        with visitor(browser) as desk, visitor(browser) as patient:
            desk.goto(link("receptionist", "Rita"))
            expect(desk.locator(".facts")).to_contain_text("Receptionist")
            expect(desk.locator(".next")).to_contain_text("let them in one by one")
            desk.click("#enter")
            desk.wait_for_selector('[data-camera="front-door"][data-state="playing"]')
            patient.goto(link("patient", "Ada"))
            patient.click("#enter")
            patient.click("#agree")
            wait_for(patient, "lobby")
            desk.click("#admit-next")
            wait_for_picture(patient, "Rita")


def test_the_main_page_makes_a_room_and_links_to_it(browser: Browser, house: str, axe: Axe) -> None:
    """One link for each who comes, to be copied; each leads to the door, with the role and name that it gives."""
    with visitor(browser, viewport={"width": 360, "height": 740}) as page:
        page.goto(house)
        expect(page.get_by_role("link", name="Enter the demo room")).to_have_attribute("href", "/rooms/demo")
        page.fill("#room-host", "Dr Example")
        page.fill("#room-guest", "Ada")
        page.click("#make-room")
        links = page.locator("[data-copy]")
        expect(links).to_have_count(2)
        axe.judge(page)
        assert_fits(page, ".rooms")
        for link, role, name in zip(links.all(), ("Clinician", "Patient"), ("Dr Example", "Ada"), strict=True):
            with visitor(browser) as guest:
                guest.goto(link.get_attribute("data-copy") or "")
                expect(guest.locator(".facts")).to_contain_text(role)
                expect(guest.locator(".lead")).to_contain_text(f"Welcome, {name}.")
                expect(guest.locator("#invited-by")).to_have_text("Dr Example")


def test_a_host_lets_all_in_locks_the_room_and_sees_the_call_as_they_like(
    browser: Browser, house: str, axe: Axe
) -> None:
    """Who comes to a locked room reads so, and gets on when it is open; the small window has the other's picture."""
    with visitor(browser) as doctor, visitor(browser) as ada, visitor(browser) as ben:
        enter(doctor, f"{house}rooms/locked", "Dr Example", "clinician")
        wait_for(doctor, "call")
        for page, name in ((ada, "Ada"), (ben, "Ben")):
            enter(page, f"{house}rooms/locked", name)
            wait_for(page, "lobby")
        expect(ben.locator("#position")).to_have_text("Your place in the line: 2")
        doctor.click("#open-people")
        doctor.click("#admit-all")
        for page in (ada, ben):
            wait_for(page, "call")
        sees(doctor, "Ada")
        expect(doctor.locator(".call-quality")).to_contain_text(re.compile("connection|arrives"))
        doctor.click("#lock")
        expect(ada.locator("#said")).to_contain_text("The room is locked.")
        with visitor(browser) as late:
            enter(late, f"{house}rooms/locked", "Cleo")
            expect(late.locator("h1")).to_have_text("The room is locked")
            expect(late.locator("#away")).to_contain_text("Trying again")
            expect(late.locator("#away .banner-title")).to_be_hidden()  # the heading says better what is awaited
            _judge(axe, late)
            doctor.click("#lock")
            expect(ada.locator("#said")).to_contain_text("The room is open again.")
            wait_for(late, "lobby")  # by itself
        doctor.click("#open-more")
        doctor.click("#hide-self")
        expect(doctor.locator("#self")).to_be_hidden()
        doctor.click("#pip")
        doctor.wait_for_function("document.pictureInPictureElement?.srcObject === ringlightCall.people[0].stream")


def test_what_the_server_declines_is_read_where_it_was_asked_for(
    browser: Browser, start: Callable[..., Program]
) -> None:
    """Somebody is let in from the banner while the list of people is closed; words are longer than a message may be."""
    program = start("demo", "--port", "0", RINGLIGHT_ROOMS__CAPACITY="2", RINGLIGHT_ROOMS__MESSAGE_BYTES="8192")
    hello = '{"t":"hello","v":2,"room":"small","role":"%s","name":"Ada"}'
    socket = f"{program.url.replace('http', 'ws')}ws/v2"
    with visitor(browser) as page, connect(socket, proxy=None) as colleague, connect(socket, proxy=None) as ada:
        enter(page, f"{program.url}rooms/small", "Dr Example", "clinician")
        wait_for(page, "call")
        colleague.send(hello % "doctor")
        ada.send(hello % "patient")
        page.click("#admit-next")
        expect(page.locator(".panel-said")).to_contain_text("The room is full.")
        page.click("#open-chat")
        page.fill("#chat-text", "€" * 4000)
        page.click("#chat-send")
        expect(page.locator(".line-state")).to_have_text("not sent: The message is too large")


def test_whose_link_has_no_name_is_called_by_their_role(browser: Browser, house: str) -> None:
    """Once, not as name and as role."""
    room = post(house, "api/rooms", {"consent": []})["id"]
    links = [post(house, f"api/rooms/{room}/links", {"role": role})["url"] for role in ("doctor", "patient")]
    with visitor(browser) as doctor, visitor(browser) as patient:
        for page, link, screen in zip((doctor, patient), links, ("call", "lobby"), strict=True):
            page.goto(house.rstrip("/") + link)
            page.click("#enter")
            wait_for(page, screen)
        expect(doctor.locator("#knock .banner-title")).to_have_text("Somebody is waiting to be let in: Patient.")
        expect(doctor.locator("#said-now")).to_contain_text("Somebody is waiting to be let in: Patient.")


def test_who_is_declined_reads_why(browser: Browser, house: str, axe: Axe) -> None:
    """The reason that somebody wrote stands on the page of the one who was not let in."""
    with visitor(browser) as doctor, visitor(browser) as patient:
        enter(doctor, f"{house}rooms/declined", "Dr Example", "clinician")
        wait_for(doctor, "call")
        enter(patient, f"{house}rooms/declined", "Ada")
        wait_for(patient, "lobby")
        doctor.click("#knock >> text=Show")
        doctor.click("#knocks .deny")
        doctor.fill(".refusing input", "Please call the front desk")
        _judge(axe, doctor)
        doctor.click(".refusing button")
        patient.wait_for_selector('[data-end="denied"]')
        expect(patient.locator("q")).to_have_text("Please call the front desk")
        _judge(axe, patient)


def test_the_check_before_the_call_says_what_works_and_what_does_not(browser: Browser, house: str, axe: Axe) -> None:
    """All well, and then without permission: a verdict in words, a fault with a fix, a report; entering works still."""
    with visitor(browser) as page:
        page.goto(f"{house}rooms/demo")
        page.click("#check")
        page.wait_for_selector("#verdict[data-verdict]:not([hidden])", timeout=60_000)
        assert page.locator('[data-check="camera"]').get_attribute("data-state") == "good"
        page.wait_for_selector(".mirror-picture:not([hidden])")
        _judge(axe, page)
        with page.expect_download() as saved:
            page.click("#save-report")
        report = json.loads(saved.value.path().read_text())
        assert {check["name"] for check in report["checks"]} >= {"permission", "camera", "microphone", "server"}
    with visitor(browser, viewport={"width": 360, "height": 740}) as page:
        page.add_init_script("""navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException("Permission denied", "NotAllowedError"))""")
        page.goto(f"{house}rooms/demo")
        page.click("#check")
        page.wait_for_selector('[data-fault-code="WEB-DENIED"]', timeout=60_000)
        _judge(axe, page)
        page.fill("#name", "Ada")
        page.click("#enter")
        wait_for(page, "call")
        page.wait_for_selector('.media-fault [data-fault-code="WEB-DENIED"]')


def test_the_way_through_a_turn_server_is_tried_before_the_link_is_used(
    browser: Browser, tmp_path: Path, axe: Axe
) -> None:
    """Through coturn and back: the check is good, the report has figures, and the link can still be used."""
    with contextlib.closing(OwnCoturn()) as coturn:
        settings = {"RINGLIGHT_TURN_URL": f"turn:127.0.0.1:{coturn.port}", "RINGLIGHT_TURN_SECRET": coturn.secret}
        program = Program("demo", "--port", "0", env={**clean_environment(tmp_path), **settings})
        room = post(program.url, "api/rooms", {})["id"]
        link = post(program.url, f"api/rooms/{room}/links", {"role": "patient", "name": "Ada"})["url"]
        with visitor(browser) as page:
            page.goto(program.url.rstrip("/") + link)
            page.click("#check")
            page.wait_for_selector('[data-check="turn"][data-state="good"]', timeout=60_000)
            page.wait_for_selector("#verdict[data-verdict]:not([hidden])", timeout=60_000)
            _judge(axe, page)
            page.click("#enter")
            wait_for(page, "consent")
        program.stop()


def test_everything_can_be_done_without_a_mouse(browser: Browser, house: str, axe: Axe) -> None:
    """Enter by keyboard alone; keys mute, open and close; their map can be shown, and the keys switched off."""
    with visitor(browser) as page:
        page.goto(f"{house}rooms/keys")
        page.wait_for_selector("#enter")
        _tab_to(page, "role")
        page.keyboard.press("Home")
        page.keyboard.type("Clin")
        page.keyboard.press("Shift+Tab")
        page.keyboard.type("Dr Example")
        page.keyboard.press("Enter")
        wait_for(page, "call")
        expect(page.locator("#mic")).to_have_accessible_name("Mic Mute microphone")
        page.keyboard.press("m")
        expect(page.locator("#mic")).to_have_accessible_name("Mic Unmute microphone")
        expect(page.locator("#said")).to_contain_text("Your microphone is off.")
        page.keyboard.press("c")
        assert page.evaluate("document.activeElement.id") == "chat-text"
        page.keyboard.type("m")  # a letter in a text is a letter
        expect(page.locator("#mic")).to_have_accessible_name("Mic Unmute microphone")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "open-chat"
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        _judge(axe, page)
        page.click("#keys-on")
        page.keyboard.press("Escape")
        page.keyboard.press("m")
        expect(page.locator("#mic")).to_have_accessible_name("Mic Unmute microphone")
        _tab_to(page, "leave")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.wait_for_selector('[data-end="left"]')
        page.click("#again")
        wait_for(page, "call")


def test_arabic_is_read_from_the_right_and_fits_a_phone(browser: Browser, house: str, axe: Axe) -> None:
    """The browser's language is taken; the picker changes it in place; nothing sticks out at 320 px."""
    with visitor(browser, locale="ar", viewport={"width": 320, "height": 640}) as page:
        page.goto(f"{house}rooms/arabic")
        page.wait_for_selector("#enter")
        assert page.evaluate("[document.documentElement.dir, document.documentElement.lang]") == ["rtl", "ar"]
        assert _right_of_words(page, "h1") > 290  # its first word is at the right edge
        _judge(axe, page)
        page.fill("#name", "Ada")
        page.select_option("#role", "clinician")
        page.click("#enter")
        wait_for(page, "call")
        assert page.locator("#mic").bounding_box()["x"] > page.locator("#leave").bounding_box()["x"]  # type: ignore[index]
        _judge(axe, page)
        page.click("#open-people")
        name, role = (_right_of_words(page, f".person .person-{what}") for what in ("name", "role"))
        assert name == pytest.approx(role, abs=3)  # a name in our letters begins there too
        page.click("#open-more")
        page.locator("#side .language").select_option("de")
        expect(page.locator("#side-title")).to_have_text("Mehr")
        assert page.evaluate("document.documentElement.dir") == "ltr"


def test_a_wrong_address_is_explained(browser: Browser, house: str, axe: Axe) -> None:
    """`undefined`, a link that nobody made, and what is left of one that was cut off: each page says what to do."""
    with visitor(browser) as page:
        for nothing in ("undefined", "null", "%7B%7Broom%7D%7D"):  # told before anybody is asked for a name
            page.goto(f"{house}rooms/{nothing}")
            page.wait_for_selector('[data-fault-code="ROOM-ID"]')
        _judge(axe, page)
        for address in ("j/nobody-made-this", "j/nobody-made-this/", "j/", "j", "rooms/", "rooms", "rooms/demo/more"):
            page.goto(f"{house}{address}")
            page.wait_for_selector('[data-end="unknown"]')
        _judge(axe, page)
        page.goto(f"{house}j/nobody-made-this")
        page.click(".for-support summary")
        expect(page.locator('[data-fault-code="ROOM-LINK-UNKNOWN"]')).to_be_visible()
        _judge(axe, page)
        page.goto(f"{house}rooms/demo/")
        expect(page.locator("h1")).to_have_text("Enter the room demo")


@pytest.mark.long
def test_a_server_that_stops_is_told_and_awaited(browser: Browser, start: Callable[..., object], axe: Axe) -> None:
    """The banner says why and when it tries again; with the server back the call goes on under the same name."""
    program = start("demo", "--port", "0")
    address = str(program.url)  # type: ignore[attr-defined]
    with visitor(browser) as page:
        enter(page, f"{address}rooms/demo", "Dr Example", "clinician")
        wait_for(page, "call")
        program.stop()  # type: ignore[attr-defined]
        page.wait_for_selector("#away:not([hidden])")
        page.click("#away summary")
        page.wait_for_selector("#away [data-fault-code]")
        _judge(axe, page)
        start("demo", "--port", address.rstrip("/").rpartition(":")[2])
        page.wait_for_selector("#away", state="hidden", timeout=60_000)
        assert page.evaluate("ringlightCall.me.name") == "Dr Example"


@pytest.mark.long
def test_silence_is_called_by_its_name_on_both_sides(browser: Browser, start: Callable[..., object]) -> None:
    """A connection that is open and says nothing: the others read so, and the silent one is told, page or not."""
    program = start("demo", "--port", "0", RINGLIGHT_ROOMS__SILENT_AFTER="8", RINGLIGHT_ROOMS__PING_EVERY="1")
    address = str(program.url)  # type: ignore[attr-defined]
    passes = [True]

    def between(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        line.on_message(lambda message: server.send(message) if passes[0] else None)

    with visitor(browser) as page:
        page.route_web_socket("**/ws/v2*", between)
        enter(page, f"{address}rooms/demo", "Dr Example", "clinician")
        wait_for(page, "call")
        with connect(f"{address.replace('http', 'ws')}ws/v2", proxy=None) as ada:
            ada.send('{"t":"hello","v":2,"room":"demo","role":"patient","name":"Ada"}')
            words = "Nothing has been heard from Ada for a while. Their place is kept."
            expect(page.locator('.tile[aria-label="Ada"] .tile-veil')).to_contain_text(words, timeout=60_000)
            expect(page.locator("#said")).to_contain_text("Nothing is heard from Ada any more.")
            said: list[str | bytes] = []
            with contextlib.suppress(ConnectionClosedError):  # the end that the server makes
                said.extend(ada)
        assert json.loads(said[-1])["code"] == "ROOM-SILENT"
        assert (ada.close_code, ada.close_reason) == (4408, "ROOM-SILENT")
        passes[0] = False
        expect(page.locator(".banner-why")).to_have_text("Nothing was heard for too long", timeout=60_000)
        passes[0] = True
        page.wait_for_selector("#away", state="hidden", timeout=60_000)


def test_what_everybody_should_know_of_the_server_is_shown(browser: Browser, house: str, axe: Axe) -> None:
    """A server that lost its others says so, and says when it has them again; here the notice comes in between."""
    lines: list[WebSocketRoute] = []

    def between(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    with visitor(browser) as page:
        page.route_web_socket("**/ws/v2*", between)
        enter(page, f"{house}rooms/demo", "Dr Example", "clinician")
        wait_for(page, "call")
        lines[-1].send('{"t":"notice","code":"ROOM-ALONE","on":true,"message":"…","fix":"…"}')
        expect(page.locator("#notice")).to_have_text("Those connected elsewhere are out of reach")
        _judge(axe, page)
        lines[-1].send('{"t":"notice","code":"ROOM-ALONE","on":false,"message":"…","fix":"…"}')
        expect(page.locator("#notice")).to_be_hidden()


def test_a_bell_rings_in_the_room_and_is_answered(browser: Browser, house: str, axe: Axe) -> None:
    """The door's camera is in the demo room: its bell is heard there, and whoever answers sees and speaks."""
    with visitor(browser) as page:
        enter(page, f"{house}rooms/demo", "Reception", "clinician")
        page.wait_for_selector('[data-camera="front-door"][data-state="playing"]')
        with visitor(browser) as outside:
            outside.goto(house)
            outside.click("#press-bell")
        page.wait_for_selector(".bell:not([hidden])")
        expect(page.locator("#said-now")).to_contain_text("Somebody rings at Front Door")
        _judge(axe, page)
        page.click(".answer")
        page.wait_for_selector('[data-camera="front-door"][data-talk="on"]')
        page.click('[data-camera="front-door"] .talk')
        page.wait_for_selector('[data-camera="front-door"][data-talk="off"]')


def test_on_a_phone_nothing_that_wants_an_answer_is_hidden_by_what_is_open(browser: Browser, house: str) -> None:
    """Who knocks and who rings is seen, and let in and answered, while the chat is open over the call."""
    with visitor(browser, viewport={"width": 360, "height": 740}) as desk, visitor(browser) as patient:
        room = post(house, "api/rooms", {"cameras": ["front-door"], "consent": []})["id"]
        enter(desk, f"{house}rooms/{room}", "Reception", "receptionist")
        desk.wait_for_selector('[data-camera="front-door"][data-state="playing"]')
        desk.click("#open-chat")
        enter(patient, f"{house}rooms/{room}", "Ada")
        desk.click("#admit-next")
        wait_for(patient, "call")
        with visitor(browser) as outside:
            outside.goto(house)
            outside.click("#press-bell")
        desk.wait_for_selector(".bell:not([hidden])")
        assert_fits(desk)
        desk.click("#close-side")
        desk.click("#open-chat")
        desk.click(".answer")
        desk.wait_for_selector('[data-camera="front-door"][data-talk="on"]')
        desk.fill("#chat-text", "Come in")
        desk.press("#chat-text", "Enter")
        expect(patient.locator("#open-chat .badge")).to_have_text("1")


def test_the_same_person_in_two_windows_can_take_the_visit_over(browser: Browser, house: str, axe: Axe) -> None:
    """The older window says where the visit went on, and can take it back."""
    room = post(house, "api/rooms", {"consent": []})["id"]
    token = post(house, f"api/rooms/{room}/tokens", {"role": "clinician", "name": "Dr Example"})["token"]
    visit = json.dumps(json.dumps({"room": room, "token": token, "name": "Dr Example"}))
    with visitor(browser) as old, visitor(browser) as new:
        for page in (old, new):
            page.add_init_script(f"sessionStorage.setItem('ringlight.visit.{room}', {visit})")
        old.goto(f"{house}rooms/{room}")
        wait_for(old, "call")
        new.goto(f"{house}rooms/{room}")
        wait_for(new, "call")
        old.wait_for_selector('[data-end="replaced"]')
        _judge(axe, old)
        old.click("#again")
        wait_for(old, "call")
        new.wait_for_selector('[data-end="replaced"]')


def _let_in(host: Page, name: str) -> None:
    if host.get_attribute("#open-people", "aria-expanded") == "false":
        host.click("#open-people")
    host.click(f'#knocks .knock:has-text("{name}") .admit')


def _right_of_words(page: Page, where: str) -> float:
    return float(
        page.evaluate(
            """(where) => { const range = document.createRange();
      range.selectNodeContents(document.querySelector(where)); return range.getBoundingClientRect().right; }""",
            where,
        )
    )


def _safety_number(page: Page) -> str:
    if page.get_attribute("#open-people", "aria-expanded") == "false":
        page.click("#open-people")
    return page.locator(".safety-number code").inner_text()


def _judge(axe: Axe, page: Page) -> None:
    axe.judge(page)
    assert_fits(page)


def _tab_to(page: Page, wanted: str) -> None:
    """Go on with the tab key until an element has the focus; it must come, and be seen to have it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == wanted:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"the tab key never reached {wanted}")
