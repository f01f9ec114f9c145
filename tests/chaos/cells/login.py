"""Cells of logging in: keys, sessions and links, over HTTP, in a browser and by a command."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import Page

from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from cells.live_view import named_in
from cells.page import until_playing
from cells.server import KEY, LENT, read_refusal
from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import Settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key
from ringlight.testing import simulator

Ask = Callable[["House"], Awaitable[httpx2.Response]]
Come = Callable[["House", Page], Awaitable[object]]


def lent(*scopes: str, cameras: tuple[str, ...] | None = None, ends: float | None = None) -> KeptKey:
    """A key of somebody else."""
    return KeptKey("a1", "nan", hash_of_key(Secret(LENT)), scopes, cameras, 0.0, ends)


@dataclass
class House:
    """A server that others reach: its address, its owner, and where its database is."""

    url: str
    owner: httpx2.AsyncClient
    state: Path

    def keys(self) -> "contextlib.closing[Database]":
        return closing(Database(f"sqlite:///{self.state / 'ringlight.db'}"))

    async def link(self, seconds: float, *, revoked: bool = False) -> str:
        """Make a link to the front door; return its address once it is good no more."""
        made = (await self.owner.post("api/links", json={"camera": "front-door", "seconds": seconds})).json()
        if revoked:
            await self.owner.delete(f"api/links/{made['id']}")
        else:
            await asyncio.sleep(seconds + 0.5)
        return self.url + str(made["url"]).removeprefix("/")


@contextlib.asynccontextmanager
async def house(
    lab: Lab, key: KeptKey | None = None, server: dict[str, Any] | None = None, **given: Any
) -> AsyncIterator[House]:
    async with simulator(World()) as ring:
        settings = Settings(
            ring_url=ring.url, state_dir=lab.folder / "state", secret_key=Secret(KEY),
            server={"host": "0.0.0.0", "port": 0, **(server or {})}, **given,
        )  # fmt: skip
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account) as running,
            httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{running.port}/", headers={"Authorization": f"Bearer {KEY}"}, timeout=30
            ) as owner,
        ):  # fmt: skip
            there = House(str(owner.base_url), owner, settings.state_dir)
            if key is not None:
                with there.keys() as database:
                    assert KeyRows(database).add(key)
            yield there


# ---- a person with a browser ----


async def log_in(there: House, page: Page, key: str = KEY) -> None:
    await page.goto(f"{there.url}login")
    await page.fill("#key", key)
    await page.click("button[type=submit]")


async def enter(there: House, page: Page, key: str = KEY) -> None:
    """Log in, and wait for the list."""
    await log_in(there, page, key)
    await page.wait_for_selector("[data-camera]")


async def watch(there: House, page: Page, key: str) -> None:
    await enter(there, page, key)
    await page.locator('[data-camera="front-door"]').click()
    assert await until_playing(page, within=20), "no picture before the trouble"


async def watched_when_taken_back(there: House, page: Page) -> None:
    await watch(there, page, LENT)
    with there.keys() as database:
        assert KeyRows(database).revoke("nan")


async def guessed(there: House, page: Page) -> None:
    for number in range(11):
        await log_in(there, page, f"wrong-{number}")


async def without_its_cookie(there: House, page: Page) -> None:
    """Somebody clears what the browser keeps, while the page is open."""
    await enter(there, page)
    await page.context.clear_cookies()
    await page.click("#refresh")


async def seen_elsewhere(there: House, page: Page) -> None:
    await enter(there, page, LENT)
    await page.goto(f"{there.url}#driveway")


async def ended_link(there: House, page: Page) -> None:
    await page.goto(await there.link(1))


async def revoked_link(there: House, page: Page) -> None:
    await page.goto(await there.link(600, revoked=True))


@dataclass(frozen=True)
class Visit:
    """What somebody does with a browser.

    Attributes:
        what: In words.
        code: The fault that is to be read.
        come: Does it.
        key: One of somebody else, which is kept.
        server: Settings of the server itself.
        comes_back: Whether logging in with the owner's key helps.
    """

    what: str
    code: str
    come: Come
    key: KeptKey | None = None
    server: dict[str, Any] = field(default_factory=dict)
    comes_back: bool = True


VISITS = (
    Visit("the cookie is gone", "KEY-NEEDED", without_its_cookie),
    Visit("a key for rooms only", "KEY-SCOPE", lambda there, page: log_in(there, page, LENT), lent("rooms")),
    Visit("a key for another camera", "KEY-CAMERA", seen_elsewhere, lent("view", cameras=("front-door",))),
    Visit("a key that has ended", "KEY-EXPIRED", lambda there, page: log_in(there, page, LENT), lent("view", ends=1e3)),
    Visit("a key that is taken back while somebody watches", "KEY-REVOKED", watched_when_taken_back, lent("view")),
    Visit("a log-in that ends while somebody watches", "KEY-SESSION", lambda there, page: watch(there, page, KEY),
          server={"session_life": 8}),
    Visit("wrong keys, one after another", "KEY-TRIES", guessed, comes_back=False),
    Visit("a link that was changed", "KEY-LINK", lambda there, page: page.goto(f"{there.url}s/xyz")),
    Visit("a link that has ended", "KEY-LINK-EXPIRED", ended_link),
    Visit("a link that was taken back", "KEY-LINK-REVOKED", revoked_link),
    Visit("a fault that is none", "FAULT-UNKNOWN", lambda there, page: page.goto(f"{there.url}faults/NONE-SUCH"),
          comes_back=False),
)  # fmt: skip


async def read_on(page: Page, *, within: float = 30.0) -> tuple[str | None, str]:
    """Wait until a page says a fault; return it and what is read."""
    deadline = time.monotonic() + within
    while True:
        text = await page.evaluate("document.body?.innerText ?? ''")
        code = named_in(text)
        if code is not None or time.monotonic() > deadline:
            return code, text
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def browsing(lab: Lab) -> AsyncIterator[Page]:
    assert lab.chromium is not None
    context = await lab.chromium.new_context()
    try:
        yield await context.new_page()
    finally:
        await context.close()


def page_reads(wanted: Visit) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with house(lab, wanted.key, wanted.server) as there, browsing(lab) as page:
            await wanted.come(there, page)
            began = time.monotonic()
            code, said = await read_on(page)
            named = time.monotonic() - began
            if not wanted.comes_back:
                return Outcome(code, said, named)
            began = time.monotonic()
            await page.context.clear_cookies()
            await enter(there, page)
            return Outcome(code, said, named, "when asked again", time.monotonic() - began)

    return run


# ---- a program, and the command line ----


async def told_of_revocation(lab: Lab) -> Outcome:
    """A session that listens to a view is told by the stream of events when its key is taken back."""
    async with house(lab, lent("view")) as there, httpx2.AsyncClient(base_url=there.url, timeout=60) as browser:
        await browser.post("login", data={"key": LENT}, headers={"Origin": there.url.rstrip("/")})
        async with browser.stream("GET", "api/cameras/front-door/events") as events:
            lines = events.aiter_lines()
            await anext(lines)
            began = time.monotonic()
            with there.keys() as database:
                assert KeyRows(database).revoke("nan")
            told = [line async for line in lines if line]
        fault = told[told.index("event: fault") + 1].removeprefix("data: ")
        code, said = read_refusal(httpx2.Response(401, content=fault))
        return Outcome(code, said, time.monotonic() - began)


def command_is_refused(key: KeptKey | None, shown: str, *, guesses: int = 0) -> Run:
    """`ringlight status`, with what somebody has in place of the owner's key; then with that."""

    async def run(lab: Lab) -> Outcome:
        async with house(lab, key) as there:
            for number in range(guesses):
                await there.owner.get("api/status", headers={"Authorization": f"Bearer wrong-{number}"})
            asked = ("status", "--once", "--server", there.url)
            env = {"NO_COLOR": "1", "COLUMNS": "400", "RINGLIGHT_STATE_DIR": str(lab.folder / "own")}
            first = await command(*asked, env={**env, "RINGLIGHT_SECRET_KEY": shown}, cwd=lab.folder)
            assert "Traceback" not in first.err, first.err
            if guesses:
                return Outcome(first.code, first.said, first.read_after)  # the owner waits a minute too
            again = await command(*asked, env={**env, "RINGLIGHT_SECRET_KEY": KEY}, cwd=lab.folder)
            return first.then(again)

    return run


COMMANDS = (
    ("a key that nobody gave", "KEY-NEEDED", None, "not known there", 0),
    ("a key for watching only", "KEY-SCOPE", lent("view"), LENT, 0),
    ("a key for one camera", "KEY-CAMERA", lent("admin", cameras=("front-door",)), LENT, 0),
    ("a key that has ended", "KEY-EXPIRED", lent("admin", ends=1e3), LENT, 0),
    ("wrong keys before, one after another", "KEY-TRIES", None, KEY, 10),
)


def login_cells() -> Iterator[Cell]:
    for wanted in VISITS:
        yield Cell(wanted.code, Met.PAGE, wanted.what, page_reads(wanted))
    yield Cell("KEY-REVOKED", Met.API, "a key that is taken back while somebody watches", told_of_revocation)
    for what, code, key, shown, guesses in COMMANDS:
        yield Cell(code, Met.COMMAND, f"`status`: {what}", command_is_refused(key, shown, guesses=guesses))
