"""Cells of our own server and programs: settings, clock, broker, audit, and mistakes of whoever uses them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
from troubles.servers import ILLNESSES, Ill, Setting, audited, write_role

from both_clients import either
from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command, signed_in
from cells.live_view import named_in
from cells.login import browsing, read_on
from patients import free_port
from ringlight.errors import RingError
from ringlight.partner import AsyncClient
from ringlight.server import program
from ringlight.settings import Settings
from ringlight.simulator.world import World
from ringlight.testing import simulator

WITHIN = 40.0  # seconds for a server to notice


async def _until(looks: Callable[[], Awaitable[tuple[str | None, str]]], wanted: bool) -> tuple[str | None, str]:
    """Look until a fault is told, or none is any more."""
    deadline = time.monotonic() + WITHIN
    while True:
        code, said = await looks()
        if (code is not None) is wanted or time.monotonic() > deadline:
            return code, said
        await asyncio.sleep(0.1)


async def _met(ill: Ill, looks: Callable[[], Awaitable[tuple[str | None, str]]]) -> Outcome:
    began = time.monotonic()
    code, said = await _until(looks, wanted=True)
    named = time.monotonic() - began
    if ill.mend is None:
        return Outcome(code, said, named)
    await asyncio.to_thread(ill.mend)
    began = time.monotonic()
    still, _ = await _until(looks, wanted=False)
    return Outcome(code, said, named, "not yet" if still else "by itself", time.monotonic() - began)


def _first(faults: list[dict[str, Any]]) -> tuple[str | None, str]:
    told = next(iter(faults), None)
    return (None, "") if told is None else (told["code"], f"{told['title']}. {told['cause']} {told['detail'] or ''}")


def api_tells(setting: Setting, path: str) -> Run:
    """The notices of `GET /api/status`, or the faults of `GET /api/cameras`."""

    async def run(lab: Lab) -> Outcome:
        async with setting(lab) as ill, httpx2.AsyncClient(base_url=ill.url, timeout=30) as http:

            async def looks() -> tuple[str | None, str]:
                answer = (await http.get(path)).json()
                return _first([answer] if "code" in answer else answer.get("faults", answer.get("notices")))

            return await _met(ill, looks)

    return run


def command_tells(setting: Setting) -> Run:
    """`ringlight status`, again and again."""

    async def run(lab: Lab) -> Outcome:
        async with setting(lab) as ill:
            port = ill.url.rstrip("/").rpartition(":")[2]
            env = {"NO_COLOR": "1", "COLUMNS": "400", "RINGLIGHT_STATE_DIR": str(lab.folder / "own"),
                   "RINGLIGHT_SERVER__PORT": port}  # fmt: skip

            async def looks() -> tuple[str | None, str]:
                ran = await command("status", "--once", env=env, cwd=lab.folder)
                assert "Traceback" not in ran.err, ran.err
                return ran.code, ran.said

            return await _met(ill, looks)

    return run


def page_tells(setting: Setting) -> Run:
    """The page beside, or in place of, the list of cameras."""

    async def run(lab: Lab) -> Outcome:
        async with setting(lab) as ill, browsing(lab) as page:
            await page.goto(ill.url)
            await page.wait_for_selector("#camera-place > *")

            async def looks() -> tuple[str | None, str]:
                await page.click("#refresh")
                await asyncio.sleep(0.3)
                said = " ".join(await page.locator("[data-fault-code]").all_inner_texts())
                return named_in(said), said

            return await _met(ill, looks)

    return run


async def page_outlives_its_server(lab: Lab) -> Outcome:
    """The server stops, and is started again at the same place."""
    known = Settings(state_dir=lab.folder / "state", server={"port": free_port()})
    async with browsing(lab) as page:
        async with program.run_server(known) as running:
            await page.goto(running.url)
            await page.wait_for_selector(".empty")
        began = time.monotonic()
        await page.click("#refresh")
        code, said = await read_on(page)
        named = time.monotonic() - began
        began = time.monotonic()
        async with program.run_server(known):
            await page.wait_for_selector(".empty", timeout=WITHIN * 1000)
        return Outcome(code, said, named, "by itself", time.monotonic() - began)


# ---- programs ----


def client_is_given(kind: str) -> Run:
    """An address that is none, in place of Ring's."""

    def calls(ring_url: str) -> str:
        with either(kind, tokens="sim-token", ring_url=ring_url) as one:
            return str(one.do(lambda c: c.users.me()).id)

    async def run(lab: Lab) -> Outcome:
        async with simulator(World()) as ring:
            began = time.monotonic()
            try:
                return Outcome(None, await asyncio.to_thread(calls, "ring"))
            except RingError as error:
                named = time.monotonic() - began
                began = time.monotonic()
                await asyncio.to_thread(calls, ring.url)
                return Outcome(error.code, str(error), named, "when asked again", time.monotonic() - began)

    return run


async def client_in_two_loops(lab: Lab) -> Outcome:
    """Made once for a whole program, as with `asyncio.run` for each of its steps."""
    async with simulator(World()) as ring:
        client = AsyncClient(tokens="sim-token", ring_url=ring.url)

        async def me() -> str:
            return (await client.users.me()).id

        async def inside() -> str:
            async with AsyncClient(tokens="sim-token", ring_url=ring.url) as own:
                return (await own.users.me()).id

        await me()
        began = time.monotonic()
        try:
            return Outcome(None, await asyncio.to_thread(asyncio.run, me()))
        except RingError as error:
            named = time.monotonic() - began
            began = time.monotonic()
            await asyncio.to_thread(asyncio.run, inside())
            return Outcome(error.code, str(error), named, "when asked again", time.monotonic() - began)
        finally:
            await client.aclose()


async def audit_verified(lab: Lab) -> Outcome:
    """`ringlight audit verify` after a row was changed; and once it is as it was."""
    async with signed_in(lab) as (_, env):
        state = lab.folder / "audited"
        path = audited(state)
        env["RINGLIGHT_STATE_DIR"] = str(state)
        write_role(path, "doctor")
        first = await command("audit", "verify", env=env, cwd=lab.folder)
        write_role(path, "patient")
        again = await command("audit", "verify", env=env, cwd=lab.folder)
        return first.then(again)


async def restored_over_something(lab: Lab) -> Outcome:
    """`ringlight restore` where there is something; then with `--replace`."""
    async with signed_in(lab) as (_, env):
        made = await command("backup", "copy.zip", env=env, cwd=lab.folder)
        assert made.status == 0, made.err
        first = await command("restore", "copy.zip", env=env, cwd=lab.folder)
        again = await command("restore", "copy.zip", "--replace", env=env, cwd=lab.folder)
        return first.then(again)


async def link_that_is_none(lab: Lab) -> Outcome:
    async with signed_in(lab) as (_, env):
        ran = await command("links", "revoke", "none", env=env, cwd=lab.folder)
        return Outcome(ran.code, ran.said, ran.read_after)


async def package_missing(lab: Lab) -> Outcome:
    """`ringlight serve` with Redis in the settings, where Python finds no such package."""
    hidden = lab.folder / "hidden" / "redis"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError(\"No module named 'redis'\")\n")
    async with signed_in(lab) as (_, env):
        env |= {"RINGLIGHT_REDIS_URL": "unix:///nowhere", "PYTHONPATH": str(hidden.parent)}
        ran = await command("serve", "--port", "0", env=env, cwd=lab.folder)
        return Outcome(ran.code, ran.said, ran.read_after)


def own_cells() -> Iterator[Cell]:
    for one in ILLNESSES:
        for path in one.paths:
            yield Cell(one.code, Met.API, f"`/{path}`: {one.what}", api_tells(one.setting, path))
        yield Cell(one.code, Met.COMMAND, f"`status`: {one.what}", command_tells(one.setting))
        if one.is_shown:
            yield Cell(one.code, Met.PAGE, one.what, page_tells(one.setting))
    yield Cell("SERVER-GONE", Met.PAGE, "the server is stopped and started again", page_outlives_its_server)
    for kind, met in (("sync", Met.SYNC), ("async", Met.ASYNC)):
        yield Cell("CFG-INVALID", met, "an address that is none", client_is_given(kind))
    yield Cell("REQUEST-LOOP", Met.ASYNC, "one client in two event loops", client_in_two_loops)
    yield Cell("AUDIT-BROKEN", Met.COMMAND, "`audit verify`: a row was changed", audit_verified)
    yield Cell("STORE-IN-USE", Met.COMMAND, "`restore`: there is something already", restored_over_something)
    yield Cell("KEY-LINK-UNKNOWN", Met.COMMAND, "`links revoke`: a link that is none", link_that_is_none)
    yield Cell("CFG-DEPENDENCY", Met.COMMAND, "`serve`: Redis without the package for it", package_missing)
