"""A viewer whose line is too thin for the camera is told so, and nobody else; the line is a real one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect
from watching import wait_for_picture, watch

from axe import Axe
from conftest import Program, clean_environment
from modem import Modem
from ringlight.faults import FAULTS

pytestmark = [pytest.mark.browser, pytest.mark.program, pytest.mark.long]


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = {**clean_environment(tmp_path_factory.mktemp("state")), "RINGLIGHT_MEDIA__TCP": "false"}
    program = Program("demo", "--port", "0", env=environment)
    yield program.url
    program.stop()


def test_who_watches_over_a_thin_line_reads_why_pictures_are_left_out_and_what_helps(
    chromium: Browser, demo: str
) -> None:
    modems: list[Modem] = []

    def over_the_modem(route: Route) -> None:
        """Name the modem in place of the server's own port."""
        answer = route.fetch()
        [port] = set(re.findall(r"a=candidate:\S+ 1 udp \d+ \S+ (\d+)", answer.text()))
        modems.append(Modem(int(port), kbps=150))
        leads = rf"\1 127.0.0.1 {modems[-1].port}"
        route.fulfill(response=answer, body=re.sub(r"(a=candidate:\S+ 1 udp \d+) \S+ \d+", leads, answer.text()))

    thin, other = chromium.new_page(), chromium.new_page()
    try:
        thin.route("**/whep/front-door", over_the_modem)
        for page in (thin, other):
            page.goto(demo)
        watch(other)
        thin.click('[data-camera="front-door"]')
        wait_for_picture(thin)
        note = thin.locator(".line-note")
        expect(note).to_be_visible(timeout=60_000)
        expect(note).to_contain_text(re.compile(r"too thin for the camera: it carries \d+ kbit/s\. VIEWER-THIN"))
        expect(note).to_contain_text(FAULTS["VIEWER-THIN"].fix.replace("`", ""))
        assert thin.locator("camera-view").get_attribute("state") == "playing"
        Axe().judge(thin)
        with other.expect_response("**/audience/*") as asked:
            expect(other.locator(".line-note")).to_be_hidden()
        assert asked.value.json()["line"]["fault"] is None
        thin.route("**/audience/*", lambda route: route.fulfill(json={"line": {"fault": None}}))
        expect(note).to_be_hidden(timeout=20_000)  # as soon as the server says that it is over
    finally:
        for page in (thin, other):
            page.close()
        for modem in modems:
            modem.close()
