"""Cells of a person's own cameras: each trouble of `causes.py` and each switch, met by client, page, command, API."""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from cells import Cell, Lab, Met, Outcome, Run
from playwright.async_api import Page

from causes import TROUBLES, Trouble
from dialing import FRONT_DOOR, Notes, account_at, ended_or_tried_again
from ringlight import Account
from ringlight.account import AccountClient, Credentials
from ringlight.cli.servers import DEMO_DEADLINES, DEMO_LINGER
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.liveview import Note, Trying
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import load_settings
from ringlight.simulator import signaling
from ringlight.simulator.switchboard import SWITCHES
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing, simulator

RINGLIGHT = Path(sys.executable).with_name("ringlight")
ONCE = {"ready_retries": 2, "retries": 0, "reopen_retries": 0}
CODE = re.compile(r"\b[A-Z]{3,}(?:-[A-Z0-9]+)+\b")
BY_TITLE = {fault.title: fault.code for fault in FAULTS.values()}
ITSELF = 12.0  # seconds that a page or a program is given to come back by itself


def named_in(text: str) -> str | None:
    """Return the first fault that a text names, by its code or its title."""
    found = [(match.start(), match[0]) for match in CODE.finditer(text) if match[0] in FAULTS]
    found += [(text.index(title), code) for title, code in BY_TITLE.items() if title in text]
    return min(found)[1] if found else None


def sentence(error: RingError) -> str:
    """Return what an exception says."""
    return str(error)


# ---- the live-view client ----


@dataclass
class Meeting:
    """What `meet` brought: the fault, what was noted, and the seconds of each."""

    error: RingError | None
    notes: Notes
    told: list[tuple[float, str, str]] = field(default_factory=list)
    flowing_after: float | None = None


@contextlib.asynccontextmanager
async def troubled(trouble: Trouble) -> AsyncIterator[tuple[SimulatedRing, Account]]:
    """A simulated Ring, and an account at it that knows its cameras, at the moment when the trouble begins."""
    world = World()
    async with simulator(world) as ring, account_at(ring, **{**ONCE, **trouble.deadlines}) as account:
        await account.cameras()
        account.settings = account.settings.model_copy(update=dict(trouble.settings))
        world.switch(list(trouble.on))
        yield ring, account


async def meet(account: Account, trouble: Trouble, ring: SimulatedRing, within: float = 15.0) -> Meeting:
    """Watch as a program would, until the trouble is told of or, where there is none, until video flows."""
    notes = Notes()
    met = Meeting(None, notes)
    account.trace = notes
    began = time.monotonic()

    def heard(event: Any) -> None:
        notes.events.append(event)
        if isinstance(event, Note | Trying) and event.code is not None:
            said = fault_error(event.code, getattr(event, "detail", None) or "")
            met.told.append((time.monotonic() - began, event.code, sentence(said)))

    view = account._dial(FRONT_DOOR)(
        on_packet=notes.packet, on_agreed=lambda _: None, on_event=heard,
        is_watched=lambda: True, may_renew=lambda: False,
    )  # fmt: skip
    try:
        async with asyncio.timeout(within):
            await view.open()
            if trouble.code is None or trouble.during is not None:
                await notes.flowing.wait()
                met.flowing_after = time.monotonic() - began
            if trouble.during is not None:
                trouble.during(ring)
            if trouble.code is not None:
                met.error = await ended_or_tried_again(view, notes)
    except RingError as error:
        met.error = error
    finally:
        await view.close()
    if met.error is not None:
        met.told.append((time.monotonic() - began, met.error.code, sentence(met.error)))
    return met


def client_meets(trouble: Trouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        lab.patch.setattr(signaling, "PING_LOST_AFTER", 0.3)
        async with troubled(trouble) as (ring, account):
            met = await meet(account, trouble, ring)
            wanted = trouble.code or trouble.note
            at, code, said = next((one for one in met.told if one[1] == wanted), (met.told or [(0.0, "", "")])[0])
            if trouble.code is None:
                return Outcome(code or None, said, at, "by itself", met.flowing_after)
            ring.world.switch([])
            account.settings = account.settings.model_copy(update=dict.fromkeys(trouble.settings))
            began = time.monotonic()
            again = await meet(account, Trouble("afterwards", None), ring)
            back = again.flowing_after is not None
            return Outcome(code, said, at, "when asked again" if back else "not yet", time.monotonic() - began)

    return run


def client_cells() -> Iterator[Cell]:
    for row, rows in TROUBLES.items():
        for trouble in rows:
            code = trouble.code or trouble.note
            if code is not None:
                how = f"{row}: {trouble.what}"
                yield Cell(code, Met.VIEW, how, client_meets(trouble), is_quick=how == "stale ticket: at the upgrade")


# ---- the page ----


@contextlib.asynccontextmanager
async def own_server(lab: Lab, **given: Any) -> AsyncIterator[tuple[SimulatedRing, str]]:
    """The server before a simulated Ring, and its address; with the deadlines of `ringlight demo`."""
    async with simulator(World()) as ring:
        settings = load_settings(
            ring_url=ring.url,
            state_dir=lab.folder / "state",
            server={"port": 0},
            live_view=DEMO_DEADLINES,
            cameras={"linger": DEMO_LINGER},
            **given,
        )
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account, demo=True) as running,
        ):
            yield ring, running.url


LOOK = """() => {
  const view = document.querySelector("camera-view");
  const card = document.querySelector("[data-fault-code]");
  return { state: view?.getAttribute("state") ?? "", code: card?.dataset.faultCode ?? null,
           card: card?.innerText ?? "", text: view?.innerText ?? "" };
}"""


async def lines_of(page: Page) -> Counter[str]:
    """Return what is read beside the picture: a view tells for as long as it runs what befell its opening."""
    return Counter((await page.evaluate(LOOK))["text"].splitlines())


async def until_told(page: Page, *, within: float, known: Counter[str] | None = None) -> tuple[str | None, str, str]:
    """Wait until the page names a fault; return its code, what is read, and the state of the view.

    Args:
        page: The page.
        within: Seconds.
        known: Lines that stood there before; what they name is told of something else.
    """
    deadline = time.monotonic() + within
    while True:
        seen = await page.evaluate(LOOK)
        if seen["code"]:
            return seen["code"], seen["card"], seen["state"]
        for line in (Counter(seen["text"].splitlines()) - (known or Counter())).elements():
            if (code := named_in(line)) is not None:
                return code, line, seen["state"]
        if time.monotonic() > deadline:
            return None, "", seen["state"]
        await asyncio.sleep(0.05)


async def until_playing(page: Page, *, within: float) -> bool:
    """Wait for a picture that is newer than now."""
    from playwright.async_api import TimeoutError as Late

    try:
        await page.wait_for_selector(
            'camera-view[state="playing"], camera-view[state="failed"], camera-view[state="stopped"]',
            timeout=within * 1000,
        )
        if await page.locator("camera-view").get_attribute("state") != "playing":
            return False
        await page.evaluate(
            """(within) => new Promise((resolve, reject) => {
                 document.querySelector("camera-view video").requestVideoFrameCallback(resolve);
                 setTimeout(() => reject(new Error("late")), within);
               })""",
            within * 1000,
        )
    except Late:
        return False
    except Exception as error:
        if "late" in str(error) or "null" in str(error):
            return False
        raise
    return True


def page_meets(trouble: Trouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        given: dict[str, Any] = dict(trouble.settings)
        async with own_server(lab, **given) as (ring, url):
            page = await lab.chromium.new_page()
            try:
                await page.goto(url)
                await page.wait_for_selector("[data-camera]")
                ring.world.switch(list(trouble.on))
                began, known = time.monotonic(), None
                await page.locator("[data-camera]").first.click()
                if trouble.during is not None:
                    assert await until_playing(page, within=20), "no picture before the trouble"
                    began, known = time.monotonic(), await lines_of(page)
                    trouble.during(ring)
                code, said, state = await until_told(page, within=45, known=known)
                named = time.monotonic() - began
                if trouble.code is None or (trouble.during is not None and state != "failed"):
                    back = await until_playing(page, within=30)
                    return Outcome(code, said, named, "by itself" if back else "not yet", time.monotonic() - began)
                ring.world.switch([])
                began = time.monotonic()
                if state != "failed" and await until_playing(page, within=ITSELF):
                    return Outcome(code, said, named, "by itself", time.monotonic() - began)
                return await _asked_again(page, code, said, named)
            finally:
                await page.close()

    return run


async def _asked_again(page: Page, code: str | None, said: str, named: float) -> Outcome:
    """Press the button of the card; without one press the camera again."""
    began = time.monotonic()
    button = page.locator("#try-again, #watch-again").locator("visible=true")
    if not await button.count():
        return Outcome(code, said, named, "not yet")
    await button.first.click()
    back = await until_playing(page, within=30)
    return Outcome(code, said, named, "when asked again" if back else "not yet", time.monotonic() - began)


def of_switches() -> Iterator[Trouble]:
    """Each switch of the simulator that names a fault."""
    for switch in SWITCHES.values():
        if switch.code is not None:
            yield Trouble(
                switch.name, None if switch.overcome else switch.code, (switch.name,),
                note=switch.code if switch.overcome else None,
            )  # fmt: skip


def during_troubles() -> Iterator[Trouble]:
    """What befalls a view that runs."""
    for row, rows in TROUBLES.items():
        for trouble in rows:
            if trouble.during is not None:
                yield Trouble(f"{row}: {trouble.what}", trouble.code, during=trouble.during)


def page_cells() -> Iterator[Cell]:
    for trouble in (*of_switches(), *during_troubles()):
        code = trouble.code or trouble.note
        assert code is not None
        if trouble.what in UNSEEN or code in NO_FAULTS:
            continue
        yield Cell(code, Met.PAGE, trouble.what, page_meets(trouble), is_quick=trouble.what == "expired-ticket")


# Switches of which a viewer is told nothing at once: the page shows them as a note of the story, or not at all.
UNSEEN: Mapping[str, str] = {
    "session-lapsed": "it is registered anew before anybody sees a thing",
    "short-view": "another view takes over before the limit, and nobody need know",
}


# Ends in good order: the page says so, and shows no fault.
NO_FAULTS = {"SIG-CLOSED"}


# ---- the command line ----


@contextlib.asynccontextmanager
async def signed_in(lab: Lab) -> AsyncIterator[tuple[SimulatedRing, dict[str, str]]]:
    """A simulated Ring, and the environment of somebody who has signed in to it."""
    async with simulator(World()) as ring:
        state = lab.folder / "state"
        settings = load_settings(ring_url=ring.url, state_dir=state)
        ring.world.asks_code = False
        async with AccountClient.open(settings) as account:
            await account.sign_in(ring.world.email, Secret(ring.world.password))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
        deadlines = {f"RINGLIGHT_LIVE_VIEW__{name.upper()}": str(value) for name, value in DEMO_DEADLINES.items()}
        yield ring, {**kept, **deadlines, "RINGLIGHT_STATE_DIR": str(state), "RINGLIGHT_RING_URL": ring.url,
                     "NO_COLOR": "1", "COLUMNS": "400"}  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A command that has ended; `read_after` is when the first fault stood on stderr."""

    status: int
    out: str
    err: str
    seconds: float
    read_after: float

    @property
    def code(self) -> str | None:
        return named_in(self.err) or named_in(self.out)

    @property
    def said(self) -> str:
        lines = [line.strip() for line in (*self.err.splitlines(), *self.out.splitlines())]
        first = next((number for number, line in enumerate(lines) if named_in(line)), None)
        return "" if first is None else " ".join(lines[first : first + 3])


async def command(*args: str, env: Mapping[str, str], cwd: Path, text: str = "") -> Finished:
    """Run one of our commands to its end."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        str(RINGLIGHT), *args, env=dict(env), cwd=cwd, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(text.encode())
    process.stdin.close()
    read_after, lines = 0.0, []
    try:
        out = asyncio.create_task(process.stdout.read())
        async for line in process.stderr:
            lines.append(line.decode())
            if not read_after and named_in(lines[-1]):
                read_after = time.monotonic() - began
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    seconds = time.monotonic() - began
    return Finished(status, (await out).decode(), "".join(lines), seconds, read_after or seconds)


def command_meets(trouble: Trouble) -> Run:
    """`ringlight snapshot` of a camera; it is asked for again once the cause is gone."""

    async def run(lab: Lab) -> Outcome:
        async with signed_in(lab) as (ring, env):
            ring.world.switch(list(trouble.on))
            wanted = ("snapshot", "Front Door", "door.jpg")
            first = await command(*wanted, env=env, cwd=lab.folder)
            assert "Traceback" not in first.err, first.err
            if first.status != 1:
                return Outcome(first.code, f"ended with {first.status}: {first.said}", first.read_after)
            ring.world.switch([])
            again = await command(*wanted, env=env, cwd=lab.folder)
            if again.status and trouble.code in NEEDS_SIGN_IN:
                await command(
                    "login", "--email", ring.world.email, env=env, cwd=lab.folder, text=f"{ring.world.password}\n"
                )
                again = await command(*wanted, env=env, cwd=lab.folder)
            back = again.status == 0
            return Outcome(
                first.code, first.said, first.read_after, "when asked again" if back else "not yet", again.seconds
            )

    return run


NEEDS_SIGN_IN = {"AUTH-LINK-LOST"}
# What a command is told where the page is told something else: it has stored tokens and no password, and its first
# question to Ring is to be known, which has a limit of its own.
COMMAND_IS_TOLD = {"wrong-password": "AUTH-LINK-LOST", "rate-429": "AUTH-RATE", "rate-429-date": "AUTH-RATE"}


def command_cells() -> Iterator[Cell]:
    for trouble in of_switches():
        code = COMMAND_IS_TOLD.get(trouble.what, trouble.code)
        if code is None or trouble.what in ENDS_LATER:
            continue  # what is got over by itself is told on stderr while it records, and not by every switch
        told = Trouble(trouble.what, code, trouble.on)
        yield Cell(code, Met.COMMAND, trouble.what, command_meets(told), is_quick=trouble.what == "expired-ticket")


# ---- the server's API ----


def api_meets(trouble: Trouble) -> Run:
    """A picture asked for by `GET /api/cameras/…/snapshot.jpg`, and again once the cause is gone."""

    async def run(lab: Lab) -> Outcome:
        async with own_server(lab) as (ring, url), httpx2.AsyncClient(base_url=url, timeout=60) as http:
            camera = (await http.get("api/cameras")).json()["cameras"][0]["id"]
            ring.world.switch(list(trouble.on))
            began = time.monotonic()
            first = await http.get(f"api/cameras/{camera}/snapshot.jpg")
            named = time.monotonic() - began
            if first.status_code == 200:
                return Outcome(None, "", named)
            problem = first.json()
            ring.world.switch([])
            began, back = time.monotonic(), False
            while not back and time.monotonic() - began < ITSELF:  # an attempt of before may still have to end
                back = (await http.get(f"api/cameras/{camera}/snapshot.jpg")).status_code == 200
            return Outcome(
                problem["code"],
                f"{problem['title']}. {problem.get('cause', '')}",
                named,
                "when asked again" if back else "not yet",
                time.monotonic() - began,
            )

    return run


def api_cells() -> Iterator[Cell]:
    for trouble in of_switches():
        if trouble.code is not None and trouble.what not in ENDS_LATER:
            yield Cell(
                trouble.code, Met.API, trouble.what, api_meets(trouble), is_quick=trouble.what == "expired-ticket"
            )


# A picture is there before these end the view.
ENDS_LATER = {
    "ping-lost", "not-activated", "unknown-reason", "socket-1000", "socket-1001", "socket-1006", "socket-4002",
    "socket-4400",
}  # fmt: skip


def live_view_cells() -> Iterator[Cell]:
    yield from client_cells()
    yield from page_cells()
    yield from command_cells()
    yield from api_cells()
