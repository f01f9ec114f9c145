"""The rooms' page in a browser, as cells use it: a person enters, something goes wrong, and what they read is read."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cells import Back, Lab, Outcome, Run
from cells.live_view import named_in
from cells.room import House, RoomTrouble, opened
from playwright.async_api import Page
from playwright.async_api import TimeoutError as Late
from troubles.between import Between

from ringlight.faults import FAULTS

# A page whose script is wrong: it hears nothing of some kinds of messages, or says something before all else.
WRONG = """(() => {
  const Real = WebSocket;
  Object.assign(globalThis, { lines: [], deaf: [], first: [] });
  globalThis.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      lines.push(this);
      this.addEventListener("open", () => first.forEach((text) => this.send(text)));
    }
    set onmessage(hear) {
      super.onmessage = (event) => deaf.some((kind) => event.data.includes(`"t":"${kind}"`)) || hear(event);
    }
  };
})()"""
READ = """([where, words]) => {
  const read = [...document.querySelectorAll(where)].filter((one) => one.checkVisibility()).map((one) => one.innerText);
  return read.find((text) => words.some((word) => text.includes(word))) ?? false;
}"""
WORDS = [word for row in FAULTS.values() for word in (row.code, row.title)]
CALL = 'body[data-screen="call"]:not(:has(#away:not([hidden])))'
DOOR = 'body[data-screen="door"]'


@dataclass
class Scene:
    """A server, a browser, and what else there is."""

    there: House
    page: Page
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return str(self.there.http.base_url)

    async def enter(self, role: str = "clinician", until: str = CALL, base: str | None = None) -> None:
        """Enter the room by name, as a person does."""
        await self.page.goto(f"{base or self.base}rooms/visit")
        await self.page.fill("#name", "Ada")
        await self.enter_as(role, until)

    async def enter_as(self, role: str, until: str = CALL) -> None:
        await self.page.select_option("#role", role)
        await self.enter_now(until)

    async def enter_now(self, until: str = CALL) -> None:
        await self.page.click("#enter")
        if until:
            await self.page.wait_for_selector(until)

    async def run(self, script: str) -> None:
        """Let the page's own script do something."""
        await self.page.evaluate(script)

    async def link(self, **wanted: Any) -> str:
        """Make a link to the room."""
        made = await self.there.http.post("api/rooms/visit/links", json={"role": "doctor", **wanted})
        return str(made.json()["url"])[1:]

    async def write(self, text: str) -> None:
        """Write words to the others."""
        if not await self.page.locator("#chat-text").is_visible():
            await self.page.click("#open-chat")
        await self.page.fill("#chat-text", text)
        await self.page.click("#chat-send")


Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Sight:
    """Something that goes wrong in a visit, and where on the page it is read.

    Attributes:
        what: In words.
        code: The fault.
        read: Where it is read, as a selector.
        act: Brings it about.
        given: The server's.
        mend: What ends the cause; where there is one, the call must come about again.
        again: What the person does then; `None` is nothing.
        back: What is seen where all is well again.
    """

    what: str
    code: str
    read: str
    act: Act
    given: dict[str, Any] = field(default_factory=dict)
    mend: Act | None = None
    again: Act | None = None
    back: str = CALL


def page_reads(sight: Sight) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        async with opened(lab, RoomTrouble("", "", **sight.given)) as there:
            context = await lab.chromium.new_context(locale="en", viewport={"width": 1280, "height": 860})
            try:
                context.set_default_timeout(30_000)
                await context.add_init_script(WRONG)
                scene = Scene(there, await context.new_page())
                async with asyncio.timeout(120):
                    return await _look(scene, sight)
            finally:
                await context.close()

    return run


async def _look(scene: Scene, sight: Sight) -> Outcome:
    try:
        began = time.monotonic()
        await sight.act(scene)
        try:
            found = await scene.page.wait_for_function(READ, arg=[sight.read, WORDS], timeout=20_000)
        except Late:
            return Outcome(None, "", time.monotonic() - began)
        said = str(await found.json_value())
        named = time.monotonic() - began
        if sight.mend is None:
            return Outcome(named_in(said), said, named)
        await sight.mend(scene)
        began = time.monotonic()
        if sight.again is not None:
            await sight.again(scene)
        back: Back = "by itself" if sight.again is None else "when asked again"
        try:
            await scene.page.wait_for_selector(sight.back, timeout=30_000)
        except Late:
            back = "not yet"
        return Outcome(named_in(said), said, named, back, time.monotonic() - began)
    finally:
        for stop in scene.kept.values():
            if isinstance(stop, Between):
                await stop.close()
