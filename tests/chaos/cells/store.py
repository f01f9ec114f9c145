"""Cells of what keeps tokens of linked accounts: each trouble of a store, met by whoever needs a token from it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx2
from troubles.stores import TROUBLES, Place, Trouble

from both_clients import either
from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from cells.doctor import doctor_sees, examined
from cells.partner import ACCOUNT, link_into
from patients import Patient
from ringlight.errors import RingError
from ringlight.server.program import run_server
from ringlight.simulator.world import World
from ringlight.store.pairs import MemoryPairStore
from ringlight.testing import simulator
from service_scenarios import SERVICES


@contextlib.asynccontextmanager
async def _place(lab: Lab) -> AsyncIterator[Place]:
    async with simulator(World()) as ring:
        kept = await asyncio.to_thread(link_into, MemoryPairStore(), ring)
        assert not isinstance(kept.store, (str, Path))
        pair = kept.store.read(ACCOUNT)
        assert pair is not None
        yield Place(lab, ring, pair)


def client_meets(trouble: Trouble, kind: str) -> Run:
    """A program that calls, and calls again once it is mended: by the same client where that goes on."""

    def calls(place: Place) -> Outcome:
        with contextlib.ExitStack() as stack:
            mend = stack.enter_context(trouble.befall(place))
            began = time.monotonic()
            try:
                one = stack.enter_context(either(kind, settings=place.settings()))
                one.do(lambda c: c.users.me())
            except RingError as error:
                named = time.monotonic() - began
                mend()
                began = time.monotonic()
                if not trouble.goes_on:
                    one = stack.enter_context(either(kind, settings=place.settings()))
                return _again(lambda: one.do(lambda c: c.users.me()), error, named, began)
            return Outcome(None, "the call went well", time.monotonic() - began)

    async def run(lab: Lab) -> Outcome:
        async with _place(lab) as place:
            return await asyncio.to_thread(calls, place)

    return run


def _again(ask: Callable[[], object], error: RingError, named: float, began: float) -> Outcome:
    while time.monotonic() < began + 10:
        with contextlib.suppress(RingError):
            ask()
            return Outcome(error.code, str(error), named, "when asked again", time.monotonic() - began)
        time.sleep(0.1)
    return Outcome(error.code, str(error), named, "not yet")


def command_meets(trouble: Trouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with _place(lab) as place:
            with trouble.befall(place) as mend:
                first = await command("partner", "devices", env=place.environment(), cwd=lab.folder)
                assert "Traceback" not in first.err, first.err
                mend()
                again = await command("partner", "devices", env=place.environment(), cwd=lab.folder)
                return first.then(again)

    return run


def api_meets(trouble: Trouble) -> Run:
    """The list of cameras of a server whose accounts are in that store."""

    async def run(lab: Lab) -> Outcome:
        async with _place(lab) as place, contextlib.AsyncExitStack() as stack:
            mend = stack.enter_context(trouble.befall(place))
            url = await _serving(stack, place)
            async with httpx2.AsyncClient(timeout=60) as http:
                began = time.monotonic()
                answer = await http.get(f"{url}api/cameras")
                named = time.monotonic() - began
                told = answer.json() if answer.status_code >= 400 else next(iter(answer.json()["faults"]), {})
                await asyncio.to_thread(mend)
                began, back = time.monotonic(), False
                if not trouble.goes_on:
                    url = await _serving(stack, place)
                while not back and time.monotonic() < began + 10:
                    answer = await http.get(f"{url}api/cameras")
                    back = answer.status_code == 200 and bool(answer.json()["cameras"])
                said = f"{told.get('title', answer.text[:80])}. {told.get('cause', '')} {told.get('detail', '')}"
                return Outcome(told.get("code"), said, named, "when asked again" if back else "not yet",
                               time.monotonic() - began)  # fmt: skip

    return run


async def _serving(stack: contextlib.AsyncExitStack, place: Place) -> str:
    return (await stack.enter_async_context(run_server(place.settings()))).url


def doctor_meets(trouble: Trouble) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with _place(lab) as place:
            with trouble.befall(place):
                return await examined(Patient(place.settings(), ("partner",)))

    return run


def store_cells() -> Iterator[Cell]:
    for trouble in TROUBLES:
        runs = {
            Met.SYNC: client_meets(trouble, "sync"), Met.ASYNC: client_meets(trouble, "async"),
            Met.COMMAND: command_meets(trouble), Met.API: api_meets(trouble), Met.DOCTOR: doctor_meets(trouble),
        }  # fmt: skip
        for met, run in runs.items():
            if met in trouble.met:
                yield Cell(trouble.code, met, f"where tokens are kept: {trouble.what}", run)
    for scenario in SERVICES:
        yield Cell(scenario.code, Met.DOCTOR, scenario.cause, doctor_sees(scenario))
