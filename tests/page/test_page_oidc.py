"""A browser logs in by another service: an OpenID provider of somebody else, as a process of its own."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import Program, clean_environment

pytestmark = [pytest.mark.browser, pytest.mark.program]
PEOPLE = [{"sub": "ada", "groups": ["family"]}, {"sub": "eve", "groups": ["neighbours"]}]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider. Its page has a button for each person."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = [part for person in PEOPLE for part in ("--user-claims", json.dumps(person))]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *known],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"NO_PROXY": "*"},
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/.well-known/openid-configuration", timeout=5) as answer:
                assert json.load(answer)["issuer"] == url
                break
        except OSError:
            assert time.monotonic() < until, "the provider does not start"
            assert process.poll() is None
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="module")
def base(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = clean_environment(tmp_path_factory.mktemp("state")) | {
        "RINGLIGHT_SECRET_KEY": "the owner's own key, long and random",
        "RINGLIGHT_OIDC__ISSUER": issuer,
        "RINGLIGHT_OIDC__CLIENT_ID": "ringlight",
        "RINGLIGHT_OIDC__CLIENT_SECRET": "any will do there",
        "RINGLIGHT_OIDC__NAME": "the house",
        "RINGLIGHT_OIDC__SCOPES": json.dumps({"family": "view"}),
        "RINGLIGHT_OIDC__ASK_FOR": "openid,profile,email,groups",
    }
    program = Program("demo", "--host", "0.0.0.0", "--port", "0", env=environment)
    # By another site's name than the provider's, so that browsers treat the way there and back as between sites.
    yield f"http://localhost:{program.url.rstrip('/').rpartition(':')[2]}"
    program.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 900, "height": 740})
    yield context.new_page()
    context.close()


def test_ada_of_the_family_logs_in_and_out(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.get_by_role("link", name="Log in with the house").click()
    page.get_by_role("button", name="ada").click()
    expect(page).to_have_url(f"{base}/")
    expect(page.get_by_text("Front Door").first).to_be_visible()
    page.goto(f"{base}/login")
    expect(page.get_by_text("This browser may use: view")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile(r"/oauth2/end_session\?client_id=ringlight"))
    page.goto(f"{base}/")
    expect(page).to_have_url(f"{base}/login")


def test_eve_of_next_door_is_known_and_not_let_in(page: Page, base: str) -> None:
    page.goto(f"{base}/login/oidc")
    page.get_by_role("button", name="eve").click()
    expect(page.get_by_role("heading", name="Your account is not for this server")).to_be_visible()
    page.get_by_role("link", name="Log in again").click()
    expect(page).to_have_url(f"{base}/login")


def test_who_changes_their_mind_at_the_provider_is_told(page: Page, base: str) -> None:
    page.goto(f"{base}/login/oidc")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="The service did not let you in")).to_be_visible()
