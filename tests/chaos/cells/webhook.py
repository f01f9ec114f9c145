"""Cells of webhooks: what a receiver refuses, what it gives up, and where people read of either."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from scenes.linked_house import linked_house

from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from cells.live_view import named_in
from cells.partner import environment
from cells.server import Send, signed, told, webhook
from patients import KEY, PARTNER, foreign
from ringlight.partner.fastapi import router
from ringlight.partner.webhooks import Event, Handlers, Pace, Verifier, Webhooks
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing

NOT_HURRIED = 30.0  # seconds within which a page or a handler of these cells comes to its end

# ---- what is refused ----


async def _half_a_body(http: httpx2.AsyncClient) -> httpx2.Response:
    """Send a delivery whose body does not come to its end; by hand, since clients send all before they listen."""
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    head = (
        "POST /ring/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    )
    writer.write(head.encode())
    said = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.partition(b":")[2]) for line in said.lower().split(b"\r\n") if b"content-length" in line)
    body = await reader.readexactly(length)
    writer.close()
    return httpx2.Response(int(said.split()[1]), content=body)


@contextlib.contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Another program writes into the database, and does not come to its end."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@dataclass(frozen=True)
class Delivery:
    """A delivery that is not taken.

    Attributes:
        code: The fault.
        what: In words.
        send: Sends it.
        partner: Settings of the app.
        locked: Whether another program has locked the database meanwhile.
        again: What is taken once the cause is gone; `None` where only another delivery helps.
        api: Whether who sent it is told by an answer in this group; else that is in another one.
    """

    code: str
    what: str
    send: Send
    partner: dict[str, Any] = field(default_factory=dict)
    locked: bool = False
    again: Send | None = None
    api: bool = False


DELIVERIES = (
    Delivery("HOOK-UNSIGNED", "no signature", webhook()),
    Delivery("HOOK-SIGNATURE", "a wrong signature", webhook(X_Signature="sha256=" + "0" * 64)),
    Delivery("HOOK-TYPE", "no JSON", webhook(Content_Type="text/plain", X_Signature="sha256=00")),
    Delivery("HOOK-OLD", "of last week", told(-7 * 86_400)),
    Delivery("HOOK-FUTURE", "of tomorrow", told(86_400)),
    Delivery("HOOK-FORM", "it says nothing", signed(b"{}")),
    Delivery("HOOK-SIZE", "300 kB", signed(b"[" + b" " * 300_000 + b"]")),
    Delivery("HOOK-ACCOUNT", "of an account that is not ours", told(0.0), {"accounts": ["ava1.ring.account.ADA"]},
             again=told(0.0, "ava1.ring.account.ADA"), api=True),
    Delivery("HOOK-BUSY", "another program locks the database", told(0.0), locked=True, again=told(0.0), api=True),
    Delivery("HOOK-BUSY", "half a body", _half_a_body, again=told(0.0), api=True),
)  # fmt: skip


@contextlib.asynccontextmanager
async def _delivered(lab: Lab, delivery: Delivery) -> AsyncIterator[tuple[str, httpx2.Response, float]]:
    """Our server, what it has answered to a delivery, and after how many seconds; what locked the database is gone."""
    async with linked_house(lab, partner={**PARTNER, **delivery.partner}) as house:
        await told(-1.0, "ava1.ring.account.ADA")(house.http)  # a good one, so that the database is there
        with _locked(lab.folder / "state" / "ringlight.db") if delivery.locked else contextlib.nullcontext():
            began = time.monotonic()
            answer = await delivery.send(house.http)
            took = time.monotonic() - began
        yield house.url, answer, took


def api_refuses(delivery: Delivery) -> Run:
    """What who sent it is answered."""

    async def run(lab: Lab) -> Outcome:
        async with _delivered(lab, delivery) as (url, answer, named), httpx2.AsyncClient(base_url=url) as http:
            if answer.status_code < 400:
                return Outcome(None, answer.text, named)
            problem = answer.json()
            assert delivery.again is not None
            began, back = time.monotonic(), False
            while not back and time.monotonic() < began + 10:
                back = (await delivery.again(http)).status_code == 200
            return Outcome(problem["code"], problem["title"], named, "when asked again" if back else "not yet",
                           time.monotonic() - began)  # fmt: skip

    return run


def command_tells(delivery: Delivery) -> Run:
    """What whoever runs the server reads of it in `ringlight status`."""

    async def run(lab: Lab) -> Outcome:
        async with _delivered(lab, delivery) as (url, _, _):
            env = environment(lab, SimulatedRing("http://127.0.0.1:9", World()))
            status = await command("status", "--once", "--server", url, env=env, cwd=lab.folder)
        assert "Traceback" not in status.err, status.err
        return Outcome(status.code, status.said, status.read_after)

    return run


def page_tells(delivery: Delivery) -> Run:
    """What whoever runs the server reads of it on the page."""

    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        async with _delivered(lab, delivery) as (url, _, _):
            page = await lab.chromium.new_page()
            try:
                began = time.monotonic()
                await page.goto(url)
                notice = page.locator("#ring-app .ring-notices [data-code]").first
                await notice.wait_for(timeout=NOT_HURRIED * 1000)
                said = await notice.inner_text()
                return Outcome(named_in(said), said, time.monotonic() - began)
            finally:
                await page.close()

    return run


# ---- what is given up ----

Handler = Callable[[Event], Awaitable[None]]


async def _fails(_: Event) -> None:
    raise LookupError("the app's own mistake")


async def _never_ends(_: Event) -> None:
    await asyncio.Event().wait()


GIVEN_UP: tuple[tuple[str, str, Handler], ...] = (
    ("HOOK-HANDLER", "a handler that fails", _fails), ("HOOK-INTERRUPTED", "a handler that is cut off", _never_ends),
)  # fmt: skip


async def _give_up(database: Path, handler: Handler) -> None:
    """Let an app of somebody with our router take a press of a bell, and stop."""
    from fastapi import FastAPI

    begun, handlers = asyncio.Event(), Handlers()

    @handlers.on()
    async def handle(event: Event) -> None:
        begun.set()
        await handler(event)

    pace = Pace(attempts=1, first_pause=0.01, grace=0.1)
    hooks = Webhooks(Verifier(KEY), f"sqlite:///{database}", handlers, pace=pace)
    app = FastAPI()
    app.include_router(router(webhooks=hooks))
    async with foreign(app) as where, httpx2.AsyncClient(base_url=f"http://{where}/") as http:
        assert (await told(0.0)(http)).status_code == 200
        async with asyncio.timeout(NOT_HURRIED):
            await begun.wait()
            while handler is _fails and not hooks.inbox.counts().get("dead"):
                await asyncio.sleep(0.01)


def api_shows(handler: Handler) -> Run:
    """What `GET /api/ring` says, and whether it is handled once it is replayed: our server has a handler that works."""

    async def run(lab: Lab) -> Outcome:
        (lab.folder / "state").mkdir()
        await _give_up(lab.folder / "state" / "ringlight.db", handler)
        async with linked_house(lab, partner=PARTNER) as house:
            began = time.monotonic()
            (dead,) = (await house.http.get("api/ring")).json()["dead"]
            named = time.monotonic() - began
            said = f"{dead['fault']['title']}. {dead['fault']['cause']}"
            began = time.monotonic()
            await house.http.post("api/ring/dead-letters/replay", json={"numbers": [dead["number"]]})
            while (await house.http.get("api/ring")).json()["events"][0]["state"] != "done":
                await asyncio.sleep(0.05)
            return Outcome(dead["fault"]["code"], said, named, "when asked again", time.monotonic() - began)

    return run


def command_lists(handler: Handler) -> Run:
    """What `ringlight partner dead-letters` says, and whether it can be replayed."""

    async def run(lab: Lab) -> Outcome:
        (lab.folder / "state").mkdir()
        await _give_up(lab.folder / "state" / "ringlight.db", handler)
        env = environment(lab, SimulatedRing("http://127.0.0.1:9", World()))
        listed = await command("partner", "dead-letters", env=env, cwd=lab.folder)
        assert "Traceback" not in listed.err, listed.err
        again = await command("partner", "dead-letters", "replay", "--all", env=env, cwd=lab.folder)
        back = again.out.startswith("1 to be handled")
        return Outcome(listed.code, listed.said, listed.read_after, "when asked again" if back else "not yet",
                       again.seconds)  # fmt: skip

    return run


def page_lists(handler: Handler) -> Run:
    """What the page says, and whether it is handled once somebody presses "Again"."""

    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        (lab.folder / "state").mkdir()
        await _give_up(lab.folder / "state" / "ringlight.db", handler)
        async with linked_house(lab, partner=PARTNER) as house:
            page = await lab.chromium.new_page()
            try:
                began = time.monotonic()
                await page.goto(house.url)
                row = page.locator("[data-dead]")
                await row.wait_for()
                said, named = await row.inner_text(), time.monotonic() - began
                began = time.monotonic()
                await row.get_by_role("button", name="again").click()
                await row.wait_for(state="detached")
                return Outcome(named_in(said), said, named, "when asked again", time.monotonic() - began)
            finally:
                await page.close()

    return run


def webhook_cells() -> Iterator[Cell]:
    for delivery in DELIVERIES:
        if delivery.api:
            yield Cell(delivery.code, Met.API, f"a webhook: {delivery.what}", api_refuses(delivery))
        yield Cell(delivery.code, Met.COMMAND, f"`status` after a webhook: {delivery.what}", command_tells(delivery))
        yield Cell(delivery.code, Met.PAGE, f"a webhook: {delivery.what}", page_tells(delivery))
    for code, what, handler in GIVEN_UP:
        yield Cell(code, Met.API, what, api_shows(handler))
        yield Cell(code, Met.COMMAND, f"`partner dead-letters`: {what}", command_lists(handler))
        yield Cell(code, Met.PAGE, what, page_lists(handler))
