"""Both ways of linking from end to end: a real app, the simulator's Ring, and people with browsers."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from linking_people import PASSWORD, AppProcess, People, code_of, state_of

from ringlight.faults import FAULTS
from ringlight.testing import SimulatedRing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.program


@pytest.fixture
def app(ring: SimulatedRing, tmp_path: Path) -> Iterator[AppProcess]:
    started = AppProcess(f"sqlite:///{tmp_path / 'app.db'}", ring)
    started.start()
    yield started
    started.close()


@pytest.fixture
def people(ring: SimulatedRing, app: AppProcess) -> Iterator[People]:
    with People(ring) as known:
        known.enter(app.url)
        yield known


def test_an_install_is_linked_to_whoever_signs_in_and_nothing_before(people: People) -> None:
    done = people.press("install")
    assert {(one["step"], one["good"]) for one in done["verdicts"]} == {("exchange", True), ("token", True)}
    assert people.web.get(done["redirect"]).status_code == 200
    assert people.status() == "unclaimed", "opening the page claims nothing"
    guessed, fault = people.sign_in(done["redirect"], password="guess"), FAULTS["LINK-PERSON"]
    assert (guessed.status_code, fault.title in guessed.text, fault.fix in guessed.text) == (403, True, True)
    assert (code_of(guessed), people.status()) == (None, "unclaimed"), "the form is there again"
    page = people.sign_in(done["redirect"])
    assert (state_of(page), people.status()) == ("completed", "completed")
    assert people.ring.world.partner.links["ada"].identifier == "m***a@shop.example"
    assert state_of(people.sign_in(done["redirect"])) == "completed", "a reload shows what there is"
    assert code_of(people.sign_in(done["redirect"], "john@shop.example")) == "LINK-NONCE"


def test_two_accounts_wait_and_each_nonce_finds_its_own(people: People) -> None:
    ada, bob = people.press("install"), people.press("install", account="bob", style="json")
    assert state_of(people.sign_in(bob["redirect"], "bob@shop.example")) == "completed"
    assert (people.status("ada"), people.status("bob")) == ("unclaimed", "completed")
    assert state_of(people.sign_in(ada["redirect"])) == "completed"


def test_the_same_account_is_linked_anew_after_it_removed_the_app(people: People) -> None:
    first = people.press("install", style="query")
    assert state_of(people.sign_in(first["redirect"])) == "completed"
    people.press("remove")
    again = people.press("install")
    assert state_of(people.sign_in(again["redirect"], "john@shop.example")) == "completed"
    assert people.ring.world.partner.links["ada"].identifier == "j***n@shop.example"


def test_a_nonce_that_ring_sends_again_works_and_an_old_or_forged_one_does_not(people: People) -> None:
    first = people.press("install")["redirect"]
    again = people.press("redirect")["redirect"]
    assert first != again
    query = parse_qs(urlsplit(first).query)
    base = first.partition("?")[0]
    stale = f"{base}?nonce={query['nonce'][0]}&time={int(query['time'][0]) - 601_000}"
    forged = f"{base}?nonce={'f' * 43}&time={query['time'][0]}"
    assert [code_of(people.sign_in(address)) for address in (base, stale, forged)] == [
        "LINK-QUERY", "LINK-STALE", "LINK-NONCE",
    ]  # fmt: skip
    assert people.status() == "unclaimed"
    assert state_of(people.sign_in(again)) == "completed"


def test_another_site_cannot_click_for_its_visitors(people: People) -> None:
    redirect = people.press("install")["redirect"]
    fields = {name: values[0] for name, values in parse_qs(urlsplit(redirect).query).items()}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        sent = people.web.post(redirect, data={**fields, "name": "x", "password": PASSWORD}, headers=headers)
        assert code_of(sent) == "ORIGIN-REFUSED"
    assert people.status() == "unclaimed"


def test_what_is_no_code_is_refused_without_a_row(people: People, app: AppProcess) -> None:
    for body in (b"", b"{", b'{"code": 5}', b"code=", b"x" * 20_000):
        assert people.web.post(f"{app.url}/token", content=body).status_code == 400
    invented = people.web.post(f"{app.url}/token", data={"code": "invented"})
    fault = FAULTS["LINK-CODE-EXPIRED"]
    assert (invented.status_code, invented.json()["code"], invented.json()["title"]) == (400, fault.code, fault.title)


@pytest.mark.browser
def test_both_ways_in_a_real_browser(people: People, app: AppProcess, chromium: "Browser") -> None:
    page = chromium.new_page()
    page.goto(people.press("install")["redirect"])
    page.fill("[name=name]", "maria@shop.example")
    page.fill("[name=password]", "wrong")
    page.click("button")
    page.wait_for_selector("[role=alert]")
    page.fill("[name=name]", "maria@shop.example")
    page.fill("[name=password]", PASSWORD)
    page.click("button")
    page.wait_for_selector('[data-state="completed"]')
    assert people.status() == "completed"

    people.enter(app.url, one_way=False)
    page.goto(f"{app.url}/start")
    page.fill("[name=name]", "bob@shop.example")
    page.fill("[name=password]", PASSWORD)
    page.click("button")
    page.click("text=Decline")
    page.wait_for_selector('[data-code="LINK-DENIED"]')
    page.goto(f"{app.url}/start")
    page.fill("[name=name]", "bob@shop.example")
    page.fill("[name=password]", PASSWORD)
    page.click("button")
    page.click("text=Allow as Bob")
    page.wait_for_selector('[data-state="completed"]')
    assert (people.status("bob"), people.ring.world.partner.links["bob"].identifier) == (
        "completed",
        "b***b@shop.example",
    )
    page.reload()
    page.wait_for_selector('[data-code="LINK-STATE"]')
    page.goto(f"{app.url}/home")
    assert "Shop" in page.inner_text("h1")
    page.close()


def test_who_sends_wrong_codes_waits_before_ring_is_asked_again(people: People, app: AppProcess) -> None:
    sent = [people.web.post(f"{app.url}/token", data={"code": f"guess-{number}"}) for number in range(11)]
    assert [(one.status_code, one.json()["code"]) for one in sent[:10]] == [(400, "LINK-CODE-EXPIRED")] * 10
    assert (sent[10].status_code, sent[10].json()["code"]) == (429, "LINK-TRIES")
    assert 0 < int(sent[10].headers["retry-after"]) <= 60
