"""A call between Debian's Firefox and Chromium, by the page of the rooms."""

from collections.abc import Iterator

import pytest
from firefox import Firefox, firefox
from playwright.sync_api import Browser, Page

from conftest import CHROMIUM_FLAGS

pytestmark = [pytest.mark.browser, pytest.mark.program]
DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
_CONNECTED = "globalThis.ringlightCall?.people.some(({ name, path }) => name === '%s' && path === 'connected')"
_SEEN = """const stats = await ringlightCall.people.find(({ camera }) => camera === null)?.getStats();
  const found = {};
  for (const one of stats?.values() ?? []) {
    if (one.type !== "inbound-rtp") continue;   // of two places for pictures one is the screen's, and empty
    found[one.kind] = Math.max(found[one.kind] ?? 0, one.framesDecoded ?? one.packetsReceived);
  }
  return found;"""


@pytest.fixture
def chromium_page(chromium: Browser) -> Iterator[Page]:
    with chromium.browser_type.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM_FLAGS, *DEVICES]) as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        yield page


@pytest.mark.long
def test_firefox_and_chromium_see_hear_and_read_each_other(house: str, chromium_page: Page) -> None:
    """Names, pictures and sound both ways, a mute that is told, words, and the one leaving."""
    page = chromium_page
    page.goto(f"{house}rooms/two-kinds")
    page.fill("#name", "Dr Example")
    page.select_option("#role", "clinician")
    page.click("#enter")
    page.wait_for_selector('body[data-screen="call"]')
    with firefox() as fox:
        _enter(fox, f"{house}rooms/two-kinds", "Ada")
        page.click("#admit-next")
        page.wait_for_function(f"() => {_CONNECTED % 'Ada'}")
        fox.wait_for(_CONNECTED % "Dr Example", within=60)
        page.wait_for_function(f"async () => {{ const found = await (async () => {{ {_SEEN} }})(); "
                               "return found.video > 10 && found.audio > 20; }")  # fmt: skip
        fox.wait_for(
            f"((found) => found.video > 10 && found.audio > 20)(await (async () => {{ {_SEEN} }})())", within=60
        )
        numbers = page.evaluate(_NUMBER), fox.run(f"return {_NUMBER}")
        assert numbers[0] == numbers[1] is not None
        fox.run("await ringlightCall.setAudio(false)")
        page.wait_for_selector('.tile[data-person]:has-text("Ada") .tile-muted:not([hidden])')
        page.evaluate("ringlightCall.say('from Chromium')")
        fox.wait_for("ringlightCall.chat.some(({ text, way }) => text === 'from Chromium' && way === 'direct')")
        fox.run("await ringlightCall.say('from Firefox')")
        page.wait_for_function(
            "() => ringlightCall.chat.some(({ text, way }) => text === 'from Firefox' && way === 'direct')"
        )
        fox.run("ringlightCall.leave()")
        page.wait_for_function("() => ringlightCall.people.length === 0")
        fox.open("about:blank")


_NUMBER = "ringlightCall.people[0].safetyNumber"


def _enter(fox: Firefox, address: str, name: str) -> None:
    fox.open(address)
    fox.wait_for('document.querySelector("#enter")')
    fox.run(f'document.querySelector("#name").value = "{name}"; document.querySelector("#enter").click()')
    fox.wait_for('document.body.dataset.screen === "lobby"', within=60)
