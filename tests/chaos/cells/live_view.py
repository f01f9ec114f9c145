"""Cells of a person's own cameras: each trouble of `causes.py` met by the client, each switch by the server's API."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from causes import TROUBLES, Trouble
from cells import Cell, Lab, Met, Outcome, Run
from dialing import FRONT_DOOR, Notes, account_at, ended_or_tried_again
from ringlight import Account
from ringlight.account import Credentials
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


@contextlib.asynccontextmanager
async def own_server(
    lab: Lab,
    live_view: Mapping[str, Any] = DEMO_DEADLINES,
    cameras: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
    **given: Any,
) -> AsyncIterator[tuple[SimulatedRing, str]]:
    """The server before a simulated Ring, and its address; with the deadlines of `ringlight demo`."""
    async with simulator(World()) as ring:
        settings = load_settings(
            ring_url=ring.url,
            state_dir=lab.folder / "state",
            server={"port": 0, **(server or {})},
            live_view=dict(live_view),
            cameras={"linger": DEMO_LINGER, **(cameras or {})},
            **given,
        )
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account, demo=True) as running,
        ):
            yield ring, running.url


def of_switches() -> Iterator[Trouble]:
    """Each switch of the simulator that names a fault."""
    for switch in SWITCHES.values():
        if switch.code is not None:
            yield Trouble(
                switch.name, None if switch.overcome else switch.code, (switch.name,),
                note=switch.code if switch.overcome else None,
            )  # fmt: skip


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
        if trouble.code is not None and trouble.what not in (*ENDS_LATER, "no-key-frame"):  # it keeps its view open
            yield Cell(
                trouble.code, Met.API, trouble.what, api_meets(trouble), is_quick=trouble.what == "expired-ticket"
            )


# A picture is there before these end the view.
ENDS_LATER = {
    "ping-lost", "not-activated", "unknown-reason", "socket-1000", "socket-1001", "socket-1006", "socket-4002",
    "socket-4400", "video-stops",
}  # fmt: skip
