"""A browser logs in where the server wants a key, or comes in by a link on another site: cookies as they are."""

import http.server
import re
import threading
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import Program, clean_environment

pytestmark = [pytest.mark.browser, pytest.mark.program]
KEY = "the owner's own key, long and random"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that others reach."""
    environment = clean_environment(tmp_path_factory.mktemp("state")) | {"RINGLIGHT_SECRET_KEY": KEY}
    program = Program("demo", "--host", "0.0.0.0", "--port", "0", env=environment)
    yield f"http://127.0.0.1:{program.url.rstrip('/').rpartition(':')[2]}"
    program.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=True, viewport={"width": 360, "height": 740})
    yield context.new_page()
    context.close()


@pytest.fixture
def elsewhere(base: str) -> Iterator[str]:
    """Another site with a link to ours: for browsers, localhost is another site than 127.0.0.1."""
    bearer = {"Authorization": f"Bearer {KEY}"}
    made = httpx2.post(f"{base}/api/links", json={"camera": "front-door"}, headers=bearer, timeout=30).json()
    body = f"<a id='camera' href='{base}{made['url']}'>look</a> <a id='home' href='{base}/'>home</a>".encode()

    class Linking(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Linking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def _log_in(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.get_by_label("Key", exact=True).fill(KEY)
    page.get_by_role("button", name="Log in").click()


def test_logging_in_shows_the_cameras_and_logging_out_hides_them(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    expect(page).to_have_url(f"{base}/login")
    page.get_by_label("Key", exact=True).fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not known here")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    _log_in(page, base)
    expect(page).to_have_url(f"{base}/")
    expect(page.get_by_text("Back Yard").first).to_be_visible()
    page.goto(f"{base}/login")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Key", exact=True)).to_be_visible()


def test_who_has_lost_the_log_in_reads_so_beside_the_list_that_is_there(page: Page, base: str) -> None:
    """The browser's cookies were cleared, or the server has another key by now; the list of before stays."""
    _log_in(page, base)
    expect(page.get_by_text("Back Yard").first).to_be_visible()
    page.context.clear_cookies()
    page.click("#refresh")
    expect(page.locator('#missing-cameras [data-fault-code="KEY-NEEDED"]')).to_contain_text("A key is needed")
    expect(page.get_by_text("Back Yard").first).to_be_visible()


def test_a_link_on_another_site_leads_to_its_camera_alone(page: Page, base: str, elsewhere: str) -> None:
    page.goto(elsewhere)
    page.click("#camera")
    expect(page).to_have_url(re.compile(r"/#front-door$"))
    expect(page.get_by_text("Front Door").first).to_be_visible()
    expect(page.get_by_text("Back Yard")).to_have_count(0)


def test_who_is_logged_in_and_comes_from_another_site_need_not_log_in_again(
    page: Page, base: str, elsewhere: str
) -> None:
    _log_in(page, base)
    expect(page.get_by_text("Back Yard").first).to_be_visible()
    page.goto(elsewhere)
    page.click("#home")
    expect(page.get_by_text("Back Yard").first).to_be_visible()
    expect(page).to_have_url(f"{base}/")
