"""Several people in one room, each in a Chromium page of their own, and Debian's Firefox beside Chromium."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect
from visits import assert_fits, chromium_with_devices, person, post, sees, visitor, wait_for

from axe import Axe

pytestmark = [pytest.mark.browser, pytest.mark.program]
SMALL = """{
  const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
  const small = { width: 320, height: 240, frameRate: 10 };
  devices.getUserMedia = (wanted) => open({ ...wanted, video: wanted.video && small });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_with_devices() as browser:
        yield browser


@pytest.fixture
def three(browser: Browser, house: str) -> Iterator[dict[str, Page]]:
    """A doctor, a patient and an interpreter with their pages; the last has not entered yet."""
    people = {"Dr Example": "clinician", "Ada": "patient", "Ben": "interpreter"}
    room = post(house, "api/rooms", {"lobby": False, "consent": []})["id"]
    with ExitStack() as stack:
        pages = {name: stack.enter_context(visitor(browser)) for name in people}
        for (name, role), page in zip(people.items(), pages.values(), strict=True):
            page.add_init_script(SMALL)  # small pictures: three pages encode six of them
            link = post(house, f"api/rooms/{room}/links", {"role": role, "name": name})["url"]
            page.goto(house.rstrip("/") + link)
            if name != "Ben":
                page.click("#enter")
                wait_for(page, "call")
        yield pages


def test_three_people_see_and_hear_each_other_through_coming_late_a_reload_and_leaving(
    three: dict[str, Page],
) -> None:
    """A mesh: each has a path to each; names, mute states and who is there are the same on every page."""
    doctor, ada, ben = three.values()
    sees(doctor, "Ada")
    sees(ada, "Dr Example")
    ada.click("#mic")
    ben.click("#enter")  # late: two are in a call already, and one of them is muted
    for name, page in three.items():
        for other in three.keys() - {name}:
            sees(page, other)
        assert page.locator(".tile[data-person]").count() == 2
    for page in (doctor, ben):
        page.wait_for_selector(f"{person('Ada')} .tile-muted:not([hidden])")
    assert ben.locator(f"{person('Dr Example')} .tile-muted:not([hidden])").count() == 0
    numbers = {page.evaluate(_SAFETY_NUMBERS) for page in three.values()}
    assert len(numbers) == 3, "each of the three paths has keys of its own"
    before = [doctor.evaluate(_WHO), ada.evaluate("ringlightCall.people.map(({ key }) => key)")]
    ben.reload()
    for name, page in three.items():
        for other in three.keys() - {name}:
            sees(page, other)
    assert [doctor.evaluate(_WHO), ada.evaluate("ringlightCall.people.map(({ key }) => key)")] == before
    ada.click("#leave")
    ada.wait_for_selector('[data-end="left"]')
    for page in (doctor, ben):
        expect(page.locator(".tile[data-person]")).to_have_count(1)
        expect(page.locator("#said")).to_contain_text("Ada left")
    sees(doctor, "Ben")
    sees(ben, "Dr Example")


_WHO = "ringlightCall.people.map(({ id, key, name, role }) => [id, key, name, role].join()).sort().join(';')"
_SAFETY_NUMBERS = "ringlightCall.people.map(({ safetyNumber }) => safetyNumber).sort().join()"


@pytest.mark.long
def test_an_observer_meets_only_who_agrees_to_one(browser: Browser, house: str) -> None:
    """The patient is asked, may leave it unticked, sees that nothing goes there, and changes their mind in the call."""
    axe = Axe()
    room = post(house, "api/rooms", {"lobby": False, "consent": ["observer", "recording"]})["id"]
    with visitor(browser) as doctor, visitor(browser) as patient, visitor(browser) as observer:
        for page, role, name in (
            (doctor, "doctor", "Dr Example"),
            (observer, "observer", "Oli"),
            (patient, "patient", "Ada"),
        ):
            page.add_init_script(SMALL)
            page.goto(house.rstrip("/") + post(house, f"api/rooms/{room}/links", {"role": role, "name": name})["url"])
            page.click("#enter")
            if page is observer:  # is asked about recordings, and not about observers
                wait_for(page, "consent")
                assert page.locator("#agree-observer").count() == 0
            if page is not doctor:
                page.click("#agree")
        sees(patient, "Dr Example")
        sees(observer, "Dr Example")
        for page, other in ((patient, "Oli"), (observer, "Ada")):
            page.wait_for_selector(f'.tile[data-person]:has-text("{other}") .tile-veil:not([hidden])')
        patient.click("#open-more")
        patient.check("#consent-observer")
        sees(observer, "Ada")
        sees(patient, "Oli")
        axe.judge(patient)
        assert_fits(patient)
        doctor.click("#open-people")
        expect(doctor.locator('.person:has-text("Ada") .person-consents')).to_have_text("Agreed to: an observer")
        axe.judge(doctor)
        patient.uncheck("#consent-observer")
        observer.wait_for_selector('.tile[data-person]:has-text("Ada") .tile-veil:not([hidden])')
        expect(doctor.locator('.person:has-text("Ada") .person-consents')).to_have_count(0)
        wait_for(patient, "call")
        sees(patient, "Dr Example")
