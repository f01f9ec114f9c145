"""A viewer whose line is too thin for the camera is told so, and nobody else; the line is a real one."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect
from watching import wait_for_picture, watch

from axe import Axe
from conftest import Program, clean_environment
from ringlight.faults import FAULTS

pytestmark = [pytest.mark.browser, pytest.mark.program, pytest.mark.long]


class Modem:
    """A way for UDP from a server to one viewer that carries so many kilobits a second, and queues the rest."""

    def __init__(self, port: int, kbps: float) -> None:
        self._kbps = kbps
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)  # some seconds wait here
        self._far.connect(("127.0.0.1", port))
        self._viewer: tuple[str, int] | None = None
        self.port = int(self._near.getsockname()[1])
        for way in (self._forth, self._back):
            threading.Thread(target=way, daemon=True).start()

    def close(self) -> None:
        for one in (self._near, self._far):
            one.close()

    def _forth(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, self._viewer = self._near.recvfrom(65_536)
                self._far.send(data)

    def _back(self) -> None:
        free_at = 0.0
        with contextlib.suppress(OSError):
            while True:
                data = self._far.recv(65_536)
                free_at = max(free_at, time.monotonic()) + len(data) * 8 / 1000 / self._kbps
                time.sleep(max(0.0, free_at - time.monotonic()))
                if self._viewer is not None:
                    self._near.sendto(data, self._viewer)


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
