"""More cells of the network: no connection is free, a camera in a room, and footage that the doctor fetches."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
from playwright.async_api import TimeoutError as Late
from scenes.account_home import Home, home
from scenes.account_page import PageAsk, page_reads
from scenes.account_runs import Befalling, back_by
from troubles.bent_ring import Instead

from both_clients import Either, either
from cells import Back, Cell, Lab, Met, Outcome, Run
from cells.live_view import ITSELF
from cells.network_fault import FOOTAGE, NETWORK_TROUBLES, app_settings
from ringlight.cameras import Account
from ringlight.doctor.checkup import examine
from ringlight.errors import RingError
from ringlight.faults import FAULTS, Retry
from ringlight.server.program import run_server

# ---- no connection is free ----

SILENT = (Instead("/users/me$", 0), Instead("/devices/[^/]*1001[^/]*/", 0))
ONE = {"connections": 1, "pool_timeout": 0.3, "read_timeout": 4.0}


def sdk_meets_pool(kind: str) -> Run:
    """One call gets no answer and has the one connection; another wants it."""

    async def run(lab: Lab) -> Outcome:
        async with home(lab) as at:
            at.bent.instead[:] = SILENT
            return await asyncio.to_thread(_two_calls, kind, at)

    return run


def _two_calls(kind: str, at: Home) -> Outcome:
    with either(kind, settings=app_settings(at, **ONE), tokens="sim-token") as one:
        alone = one.but(retries=0, fallback="never")
        error, named = (_in_threads if kind == "sync" else _in_tasks)(alone)
        if error is None:
            return Outcome(None, "", named)
        began = time.monotonic()
        devices = alone.do(lambda c: c.devices.list())  # the call that had the connection has ended
        return Outcome(error.code, str(error), named, "when asked again" if devices else "not yet",
                       time.monotonic() - began)  # fmt: skip


Refused = tuple[RingError | None, float]  # and after how many seconds


def _in_threads(one: Either) -> Refused:
    def first() -> None:
        with contextlib.suppress(RingError):
            one.do(lambda c: c.users.me())

    has_it = threading.Thread(target=first)
    has_it.start()
    time.sleep(0.5)
    began = time.monotonic()
    try:
        one.do(lambda c: c.devices.list())
    except RingError as error:
        return error, time.monotonic() - began
    finally:
        has_it.join()
    return None, 0.0


def _in_tasks(one: Either) -> Refused:
    async def both(client: Any) -> Refused:
        first = asyncio.create_task(client.users.me())
        await asyncio.sleep(0.5)
        began = time.monotonic()
        try:
            await client.devices.list()
        except RingError as error:
            return error, time.monotonic() - began
        finally:
            await asyncio.wait({first})
            first.exception()
        return None, 0.0

    found: Refused = one.do(both)
    return found


@contextlib.asynccontextmanager
async def _of_an_app(lab: Lab) -> AsyncIterator[tuple[Home, str]]:
    """A server with the cameras of a linked account alone."""
    async with home(lab) as at:
        app = app_settings(at, access_token="sim-token", **ONE)
        async with run_server(app) as running:
            yield at, running.url


def api_meets_pool() -> Run:
    """The history of one camera gets no answer; that of another is asked for."""

    async def run(lab: Lab) -> Outcome:
        async with _of_an_app(lab) as (at, url), httpx2.AsyncClient(base_url=url, timeout=60) as http:
            cameras = [one["id"] for one in (await http.get("api/cameras")).json()["cameras"]]
            at.bent.instead[:] = [Instead("/history|/events", 0)]
            first = asyncio.create_task(http.get(f"api/cameras/{cameras[0]}/history"))
            await asyncio.sleep(0.5)
            began = time.monotonic()
            answer = await http.get(f"api/cameras/{cameras[1]}/history")
            named = time.monotonic() - began
            problem = answer.json()
            at.bent.instead.clear()
            await first

            async def works() -> bool:
                return (await http.get(f"api/cameras/{cameras[1]}/history")).status_code == 200

            return await back_by(problem.get("code"), f"{problem.get('title')}. {problem.get('cause')}", named, works)

    return run


def page_meets_pool() -> Run:
    """What the one camera can do is opened on the page, and its history gets no answer; then that of the other."""

    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        async with _of_an_app(lab) as (at, url), httpx2.AsyncClient(base_url=url, timeout=60) as http:
            one, other = [one["id"] for one in (await http.get("api/cameras")).json()["cameras"]][:2]
            at.bent.instead[:] = [Instead("/history|/events", 0)]
            presses = tuple(f'[data-controls="{name}"] summary' for name in (one, other))
            place = f'[data-controls="{other}"] .controls-history [data-fault-code]'
            page = await lab.chromium.new_page()

            async def mend() -> None:
                at.bent.instead.clear()

            try:
                return await page_reads(page, url, PageAsk(presses, place), mend)
            finally:
                await page.close()

    return run


# ---- a camera in a room ----

VIEW = """async () => {
  const { CameraView } = await import("/rooms-page/client/index.js");
  globalThis.view = new CameraView("front-door");
  void view.open();
}"""


def room_meets(trouble: Befalling) -> Run:
    """A room's client shows a camera, for whose picture the server has to reach Ring."""

    async def run(lab: Lab) -> Outcome:
        assert lab.chromium is not None
        async with trouble.setting(lab) as at:
            await trouble.begin(at)
            async with Account.open(at.settings) as account, run_server(at.settings, account) as running:
                context = await lab.chromium.new_context(bypass_csp=True)
                page = await context.new_page()
                try:
                    await page.goto(f"{running.url}health")
                    began = time.monotonic()
                    await page.evaluate(VIEW)
                    told = await page.wait_for_function("() => view.fault && { ...view.fault }", timeout=30_000)
                    fault, named = await told.json_value(), time.monotonic() - began
                    said = f"{fault['title']}. {fault['cause']}"
                    if trouble.is_lasting:
                        return Outcome(fault["code"], said, named)
                    await trouble.end(at)
                    began = time.monotonic()
                    if FAULTS[fault["code"]].retry is Retry.AFTER_FIX:  # it does not try again by itself
                        await page.evaluate("() => view.open()")
                        back: Back = "when asked again"
                    else:
                        back = "by itself"
                    with contextlib.suppress(Late):
                        await page.wait_for_function('() => view.state === "playing"', timeout=ITSELF * 1000)
                        return Outcome(fault["code"], said, named, back, time.monotonic() - began)
                    return Outcome(fault["code"], said, named, "not yet")
                finally:
                    await context.close()

    return run


# ---- footage that the doctor fetches ----


def doctor_meets_footage() -> Run:
    """A picture of the last event of a linked account is said to be in our own network."""

    async def run(lab: Lab) -> Outcome:
        async with FOOTAGE.setting(lab) as at:
            app = app_settings(at, access_token="sim-token")
            await FOOTAGE.begin(at)
            began = time.monotonic()
            report = await examine(app, ("partner",), budget=60.0)
            first, named = report.verdict.first, time.monotonic() - began
            if first is None or first.code is None:
                return Outcome(None, "Nothing is wrong as far as this can be seen from here.", named)
            await FOOTAGE.end(at)

            async def works() -> bool:
                return (await examine(app, ("partner",), budget=60.0)).verdict.first is None

            return await back_by(first.code, f"{first.code}: {FAULTS[first.code].title}", named, works)

    return run


POOL: dict[Met, Callable[[], Run]] = {
    Met.SYNC: lambda: sdk_meets_pool("sync"), Met.ASYNC: lambda: sdk_meets_pool("async"), Met.API: api_meets_pool,
    Met.PAGE: page_meets_pool,
}  # fmt: skip


def connection_cells() -> Iterator[Cell]:
    for met, run in POOL.items():
        yield Cell("NET-POOL", met, "network: another call has the one connection", run())
    for trouble in NETWORK_TROUBLES:
        if trouble.ask == "cameras" and Met.PAGE in trouble.met:
            yield Cell(trouble.code, Met.ROOM_PAGE, f"network, a camera in a room: {trouble.what}", room_meets(trouble))
    yield Cell("NET-INSIDE", Met.DOCTOR, "network: footage that leads into our network", doctor_meets_footage())
