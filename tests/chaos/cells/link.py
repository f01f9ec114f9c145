"""Cells of linking: the pages and addresses that an app hosts, for programs and in a browser."""

import contextlib
import html
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from playwright.async_api import Page
from scenes.linked_house import linked_house
from troubles.crossed import Crossed, crossed

from cells import Cell, Lab, Met, Outcome, Run
from cells.live_view import named_in
from cells.renewal import REFUSED
from linking_app import PASSWORD, app_with_form
from patients import PARTNER, foreign, refusal

Send = Callable[["Linking"], Awaitable[httpx2.Response]]


@dataclass
class Linking:
    """An app, Ring, and somebody with a browser."""

    between: Crossed
    base: str  # of the app, such as `http://127.0.0.1:5000/ring`
    http: httpx2.AsyncClient

    async def press(self, button: str, **body: Any) -> Any:
        """Press one of the simulator's buttons."""
        answer = await self.http.post(f"{self.between.ring.url}/_sim/partner/{button}", json=body)
        return answer.json() if answer.content else None

    async def install(self, *, one_way: bool = True) -> str:
        """Tell Ring where the app is and let somebody add it; return where the browser is sent."""
        await self.http.put(f"{self.between.ring.url}/_sim/partner/app", json={"base": self.base, "one_way": one_way})
        return str((await self.press("install"))["redirect"]) if one_way else ""

    async def claim(self, address: str, **given: str) -> httpx2.Response:
        """Open a page, and send its form."""
        page = await self.http.get(address)
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
        fields = {name: html.unescape(value) for name, value in hidden}
        return await self.http.post(address, data={**fields, "name": "ada", "password": PASSWORD, **given})

    async def code(self, code: str = "guess") -> httpx2.Response:
        """Send a code to the Token Exchange URL."""
        return await self.http.post(f"{self.base}/token", data={"code": code})


def _page(path: str) -> Send:
    return lambda here: here.http.get(f"{here.base}{path}")


def _nonce_at(seconds: float) -> str:
    """Return the link page with a nonce that nobody signed, of so many seconds from now."""
    return f"/link?nonce={'f' * 43}&time={int((time.time() + seconds) * 1000)}"


def _page_at(seconds: float) -> Send:
    return lambda here: here.http.get(f"{here.base}{_nonce_at(seconds)}")


async def _denied(here: Linking) -> httpx2.Response:
    await here.install(one_way=False)
    asked = await here.claim(f"{here.base}/start")  # leads to Ring's page
    return await here.http.post(str(asked.url), data={"account": ""})


async def _eleven_codes(here: Linking) -> httpx2.Response:
    for number in range(10):
        await here.code(f"guess-{number}")
    return await here.code()


async def _code_of_ring(here: Linking) -> httpx2.Response:
    return await here.code(here.between.ring.world.partner.install())


async def _claimed(here: Linking) -> httpx2.Response:
    return await here.claim(str((await here.press("redirect"))["redirect"]))


@dataclass(frozen=True)
class Mistake:
    """What an app refuses.

    Attributes:
        code: The fault.
        what: In words.
        send: Does it.
        on: Switches, once the app is installed.
        answers: What answers in Ring's place then.
        again: What works once the cause is gone; `None` where only another request helps.
        with_form: Whether it is an app whose people sign in with our form; else it is our own server.
    """

    code: str
    what: str
    send: Send
    on: tuple[str, ...] = ()
    answers: dict[str, Any] = field(default_factory=dict)
    again: Send | None = None
    with_form: bool = False


INTEGRATION = "/app-integrations"
MISTAKES = (
    Mistake("LINK-QUERY", "the link page without a nonce", _page("/link")),
    Mistake("LINK-STALE", "a nonce of eleven minutes ago", _page_at(-660)),
    Mistake("LINK-STALE", "a nonce from the future", _page_at(660)),
    Mistake("LINK-NONCE", "a nonce that nobody signed", lambda here: here.claim(f"{here.base}{_nonce_at(0)}")),
    Mistake("LINK-STATE", "an answer to nothing", _page("/callback?state=x&code=y")),
    Mistake("LINK-DENIED", "the person declines", _denied),
    Mistake("LINK-PERSON", "a wrong password",
            lambda here: here.claim(f"{here.base}{_nonce_at(0)}", password="no"), with_form=True),
    Mistake("LINK-CODE-EXPIRED", "a code that is none", lambda here: here.code(), again=_code_of_ring),
    Mistake("LINK-TRIES", "eleven codes that are none", _eleven_codes),
    Mistake("LINK-REFUSED", "a code, and another secret", _code_of_ring, answers=REFUSED, again=_code_of_ring),
    Mistake("LINK-UNAVAILABLE", "a code, and no token service", _code_of_ring, ("partner-token-503",),
            again=_code_of_ring),
    Mistake("LINK-ANSWER", "a code, and a hotel's page", _code_of_ring, ("partner-token-html",), again=_code_of_ring),
    Mistake("PARTNER-NONCE", "Ring does not take the nonce", _claimed,
            answers={INTEGRATION: refusal(400, "Invalid Nonce")}, again=_claimed),
    Mistake("PARTNER-NOT-LINKED", "Ring has no integration", _claimed,
            answers={INTEGRATION: refusal(404, "There is no integration for this token.")}),
    Mistake("PARTNER-TRANSITION", "Ring does not let it be completed", _claimed,
            answers={INTEGRATION: refusal(400, "Invalid Status Transition")}, again=_claimed),
)  # fmt: skip


@contextlib.asynccontextmanager
async def linking(lab: Lab, *, with_form: bool = False) -> AsyncIterator[Linking]:
    """An app at a simulated Ring: our server, or one of somebody else with our router."""
    async with contextlib.AsyncExitStack() as stack:
        between = await stack.enter_async_context(crossed())
        if with_form:
            app = app_with_form(between.ring, lab.folder / "app.db")
            base = f"http://{await stack.enter_async_context(foreign(app))}/ring"
        else:
            base = f"{(await stack.enter_async_context(linked_house(lab, between, partner=PARTNER))).url}ring"
        http = httpx2.AsyncClient(timeout=30, follow_redirects=True)
        yield Linking(between, base, await stack.enter_async_context(http))


def api_refuses(mistake: Mistake) -> Run:
    """What the app answers, as a page or as JSON."""

    async def run(lab: Lab) -> Outcome:
        async with linking(lab, with_form=mistake.with_form) as here:
            if mistake.send is _claimed:
                await here.install()
            here.between.trouble(mistake.on, mistake.answers)
            began = time.monotonic()
            code, said = _read(await mistake.send(here))
            named = time.monotonic() - began
            here.between.mend()
            if mistake.again is None:
                return Outcome(code, said, named)
            began = time.monotonic()
            answer = await mistake.again(here)
            back = answer.status_code == 200 and _read(answer)[0] is None
            return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


def _read(answer: httpx2.Response) -> tuple[str | None, str]:
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        return body.get("code"), f"{body.get('code')}: {body.get('title', '')}"
    words = html.unescape(re.sub(r"<[^>]*>", " ", answer.text))
    return named_in(words), " ".join(words.split())


# ---- the same in a browser ----

Visit = Callable[[Linking, Page], Awaitable[None]]


async def _sign_in(page: Page, password: str = PASSWORD) -> None:
    if await page.locator("[name=password]").count():
        await page.fill("[name=name]", "ada")
        await page.fill("[name=password]", password)
    await page.click("button")


def _goes_to(path: str) -> Visit:
    async def visit(here: Linking, page: Page) -> None:
        await page.goto(f"{here.base}{path}")

    return visit


async def _comes_too_late(here: Linking, page: Page) -> None:
    await page.goto(f"{here.base}{_nonce_at(-660)}")


async def _forges(here: Linking, page: Page) -> None:
    """Come with a nonce that nobody signed; where there is a form, with a wrong password too."""
    await page.goto(f"{here.base}{_nonce_at(0)}")
    await _sign_in(page, "no")


async def _declines(here: Linking, page: Page) -> None:
    await here.install(one_way=False)
    await page.goto(f"{here.base}/start")
    await _sign_in(page)
    await page.click("text=Decline")  # on Ring's page


async def _code_is_spent(here: Linking, page: Page) -> None:
    """Ring sends the browser back with a code that it does not take any more."""
    await here.install(one_way=False)
    await page.goto(f"{here.base}/start")
    await _sign_in(page)
    await page.wait_for_url("**state=*")  # Ring's page
    state = page.url.partition("state=")[2].partition("&")[0]
    await page.goto(f"{here.base}/callback?code=spent&state={state}")


async def _confirms(here: Linking, page: Page) -> None:
    await page.goto(str((await here.press("redirect"))["redirect"]))
    await _sign_in(page)


@dataclass(frozen=True)
class Visited:
    """What somebody does in a browser; the attributes are those of `Mistake`."""

    code: str
    what: str
    visit: Visit
    answers: dict[str, Any] = field(default_factory=dict)
    again: Visit | None = None
    with_form: bool = False


VISITS = (
    Visited("LINK-QUERY", "the link page without a nonce", _goes_to("/link"), again=_confirms),
    Visited("LINK-STALE", "a nonce of eleven minutes ago", _comes_too_late,
            again=_confirms),
    Visited("LINK-NONCE", "a nonce that nobody signed",
            _forges, again=_confirms),
    Visited("LINK-STATE", "an answer to nothing", _goes_to("/callback?state=x&code=y"), again=_confirms),
    Visited("LINK-DENIED", "the person declines", _declines),
    Visited("LINK-CODE-EXPIRED", "a code that is spent", _code_is_spent),
    Visited("LINK-PERSON", "a wrong password", _forges,
            again=_confirms, with_form=True),
    Visited("PARTNER-NONCE", "Ring does not take the nonce", _confirms,
            {INTEGRATION: refusal(400, "Invalid Nonce")}, _confirms),
    Visited("PARTNER-NOT-LINKED", "Ring has no integration", _confirms,
            {INTEGRATION: refusal(404, "There is no integration for this token.")}),
    Visited("PARTNER-TRANSITION", "Ring does not let it be completed", _confirms,
            {INTEGRATION: refusal(400, "Invalid Status Transition")}, _confirms),
)  # fmt: skip


def page_shows(visited: Visited) -> Run:
    """What is read on the app's page, and whether the link is completed once the cause is gone."""

    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        async with linking(lab, with_form=visited.with_form) as here:
            page = await lab.chromium.new_page()
            try:
                if visited.visit is not _declines and visited.visit is not _code_is_spent:
                    await here.install()
                here.between.trouble(answers=visited.answers)
                began = time.monotonic()
                await visited.visit(here, page)
                await page.wait_for_selector("[data-code], [role=alert]")
                said = await page.inner_text("body")
                named = time.monotonic() - began
                here.between.mend()
                if visited.again is None:
                    return Outcome(named_in(said), said, named)
                began = time.monotonic()
                await visited.again(here, page)
                back = await page.locator('[data-state="completed"]').count() == 1
                return Outcome(named_in(said), said, named, "when asked again" if back else "not yet",
                               time.monotonic() - began)  # fmt: skip
            finally:
                await page.close()

    return run


def link_cells() -> Iterator[Cell]:
    for mistake in MISTAKES:
        yield Cell(mistake.code, Met.API, mistake.what, api_refuses(mistake))
    for visited in VISITS:
        yield Cell(visited.code, Met.PAGE, f"linking: {visited.what}", page_shows(visited))
