"""A viewer whose link is dead for longer than the server waits reads why, and has the picture back by itself."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from watching import wait_for_picture, wait_until_it_moves, watch

from calling import Gate, Narrow
from conftest import Program, clean_environment
from ringlight.faults import FAULTS

pytestmark = [pytest.mark.browser, pytest.mark.program, pytest.mark.long]
# Media goes by the wire in place of the server's own port; the page knows nothing of it.
_BY_THE_WIRE = """const plain = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (said) {
  const sdp = said.sdp?.replace(/(a=candidate:\\S+ 1 udp \\d+) \\S+ \\d+/g, "$1 127.0.0.1 PORT");
  return plain.call(this, said.type === "rollback" ? said : { type: said.type, sdp });
};"""


@dataclass
class Link:
    """All that is between a browser and a server: HTTP by the gate, media by the wire.

    Attributes:
        server: The server itself, past the link.
    """

    server: str
    gate: Gate
    wire: Narrow

    def audience(self, camera: str = "front-door") -> list[dict[str, object]]:
        """Who watches, as the server knows it."""
        found: list[dict[str, object]] = httpx2.get(f"{self.server}api/cameras/{camera}").json()["audience"]
        return found

    @contextlib.contextmanager
    def dead(self) -> Iterator[None]:
        """Nothing gets through meanwhile, and no connection is refused or broken."""
        self.wire.is_up = False
        with self.gate.held_up():
            yield
        self.wire.is_up = True


@pytest.fixture
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    environment = {**clean_environment(tmp_path_factory.mktemp("state")), "RINGLIGHT_MEDIA__TCP": "false"}
    program = Program("demo", "--port", "0", env=environment)
    media = httpx2.get(f"{program.url}api/media").json()["port"]
    with contextlib.closing(Narrow(media)) as wire:
        gate = Gate(int(program.url.rstrip("/").rpartition(":")[2]))
        yield Link(program.url, gate, wire)
        gate.cut()
    program.stop()


@pytest.fixture
def page(chromium: Browser, link: Link) -> Iterator[Page]:
    page = chromium.new_page()
    page.add_init_script(_BY_THE_WIRE.replace("PORT", str(link.wire.port)))
    yield page
    page.close()


def _until_the_server_has_given_up(page: Page, link: Link) -> None:
    """It does so after 14 s; a session that was held for ever would keep a camera awake for nobody."""
    for _ in range(300):
        if not link.audience():
            return
        page.wait_for_timeout(100)
    raise AssertionError("the server still holds the place")


def test_a_picture_comes_back_over_a_link_that_was_dead_for_longer_than_the_server_waits(
    page: Page, link: Link
) -> None:
    page.goto(link.gate.url)
    watch(page)
    view, note = page.locator("camera-view"), page.locator(".line-note")
    with link.dead():
        expect(note).to_contain_text(FAULTS["VIEWER-LOST"].title, timeout=20_000)
        expect(note).to_contain_text("VIEWER-LOST")
        _until_the_server_has_given_up(page, link)
        assert view.get_attribute("state") == "playing"  # the last picture stays, with the time that it is from
        expect(page.locator(".stage-note")).to_contain_text("stands still")
    expect(note).to_be_hidden(timeout=20_000)
    wait_for_picture(page)
    wait_until_it_moves(page)
    assert len(link.audience()) == 1
