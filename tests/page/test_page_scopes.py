"""The page shows what the key that is logged in allows, says why the rest is missing, and when it is taken back."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from watching import wait_for_picture, watch

from axe import Axe
from conftest import Program, clean_environment
from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key

pytestmark = [pytest.mark.browser, pytest.mark.program]
OWN, SEEING, MORE = "the owner's own key, long and random", "rlk_" + "s" * 43, "rlk_" + "m" * 43


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("state")
    with closing(Database(f"sqlite:///{found / 'ringlight.db'}")) as database:
        for name, key, scopes in (("nan", SEEING, ("view",)), ("ben", MORE, ("view", "talk", "control", "rooms"))):
            KeyRows(database).add(KeptKey(name, name, hash_of_key(Secret(key)), scopes, None, 0.0))
    return found


@pytest.fixture(scope="module")
def base(state: Path) -> Iterator[str]:
    environment = clean_environment(state) | {
        "RINGLIGHT_SECRET_KEY": OWN,
        "RINGLIGHT_DATABASE_URL": f"sqlite:///{state / 'ringlight.db'}",  # a demo has one of its own otherwise
    }
    program = Program("demo", "--host", "0.0.0.0", "--port", "0", env=environment)
    yield f"http://127.0.0.1:{program.url.rstrip('/').rpartition(':')[2]}"
    program.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1100, "height": 860})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def log_in(page: Page, base: str, key: str) -> None:
    """With the keyboard alone."""
    page.goto(f"{base}/login")
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{base}/")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_who_may_only_look_sees_no_buttons_in_vain_and_why(page: Page, base: str) -> None:
    log_in(page, base, SEEING)
    expect(page.locator("#make-room")).to_be_hidden()
    expect(page.get_by_text("To make a room, log in with what allows rooms.")).to_be_visible()
    for hidden in ("#open-doctor", "#open-switchboard"):
        expect(page.locator(hidden)).to_be_hidden()
    watch(page, "driveway")  # it can turn, and has a light and a siren
    expect(page.locator("#limits")).to_contain_text("does not allow you to talk (talk), nor to record, turn")
    for hidden in ("#record", "#talk", ".turn-pad"):
        expect(page.locator(hidden).first).to_be_hidden()
    page.locator('[data-controls="driveway"] summary').click()
    for hidden in ("light", "siren"):
        expect(page.locator(f'[data-controls="driveway"] [data-control="{hidden}"]').first).to_be_hidden()
    Axe().judge(page)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Log out").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{base}/login")
    page.goto(f"{base}/")
    expect(page).to_have_url(f"{base}/login")


def test_who_may_do_all_but_run_the_server_sees_all_of_that(page: Page, base: str) -> None:
    log_in(page, base, MORE)
    expect(page.locator("#make-room")).to_be_visible()
    expect(page.locator("#open-doctor")).to_be_hidden()
    watch(page, "driveway")
    for shown in ("#record", ".turn-pad"):
        expect(page.locator(shown).first).to_be_visible()
    expect(page.locator("#limits")).to_be_hidden()


def test_a_key_that_is_taken_back_ends_the_picture_and_says_so(page: Page, base: str, state: Path) -> None:
    log_in(page, base, SEEING)
    watch(page)
    wait_for_picture(page)
    with closing(Database(f"sqlite:///{state / 'ringlight.db'}")) as database:
        assert KeyRows(database).revoke("nan")
    card = page.locator('[data-fault-code="KEY-REVOKED"]')
    expect(card).to_be_visible(timeout=20_000)
    expect(card).to_contain_text("The key was taken back")
    assert page.evaluate("document.querySelector('video').srcObject") is None


def test_a_link_that_is_taken_back_ends_the_picture_and_says_so_wherever_its_guest_turns(page: Page, base: str) -> None:
    """While they watch, when they load the page again, and when they follow the link again; a script is told too."""
    with httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {OWN}"}, timeout=30) as owner:
        link = owner.post("/api/links", json={"camera": "driveway", "seconds": 600}).json()
        page.goto(base + link["url"])
        watch(page, "driveway")
        wait_for_picture(page)
        assert owner.delete(f"/api/links/{link['id']}").status_code == 204
    card = page.locator('[data-fault-code="KEY-LINK-REVOKED"]')
    expect(card).to_be_visible(timeout=20_000)
    expect(card).to_contain_text("The link was taken back")
    expect(card).to_contain_text("Ask for another one")
    assert page.evaluate("document.querySelector('video').srcObject") is None
    asked = page.evaluate("fetch('/api/cameras').then(async (answer) => [answer.status, (await answer.json()).code])")
    assert asked == [410, "KEY-LINK-REVOKED"]
    page.reload()
    expect(page).to_have_url(re.compile("/login"))
    expect(page.get_by_role("heading", name="The link was taken back")).to_be_visible()
    Axe().judge(page)
    followed = page.goto(base + link["url"])
    assert followed is not None
    assert followed.status == 410
    expect(page.get_by_role("heading", name="The link was taken back")).to_be_visible()
    expect(page.get_by_text("Ask for another one")).to_be_visible()
