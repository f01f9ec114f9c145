"""Cells of the gate that many processes share: its Redis goes, calls go on, and people are told of it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator

from scenes.linked_house import LinkedHouse, linked_house
from troubles.crossed import crossed

from both_clients import either
from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from cells.live_view import named_in
from cells.partner import environment
from own_redis import OwnRedis
from patients import PARTNER
from ringlight.faults import FAULTS
from ringlight.partner import Notice
from ringlight.settings import load_settings


@contextlib.contextmanager
def _redis() -> Iterator[OwnRedis]:
    redis = OwnRedis()
    try:
        yield redis
    finally:
        redis.close()


def client_is_told(kind: str) -> Run:
    """The Redis of the gate is killed, and started again: calls go on, and people are told of either."""

    def ask(lab: Lab, url: str) -> Outcome:
        with _redis() as redis:
            settings = load_settings(
                ring_url=url, state_dir=lab.folder / "state", partner=PARTNER, redis_url=redis.url.reveal()
            )
            with either(kind, settings=settings, tokens="sim-token") as one:
                told: list[Notice] = []
                one.client.on_notice(told.append)
                one.do(lambda c: c.users.me())
                redis.kill()
                began = time.monotonic()
                while not told:
                    one.do(lambda c: c.users.me())
                first, named = told[0], time.monotonic() - began
                redis.start()
                began = time.monotonic()
                while not told[-1].over and time.monotonic() < began + 20:
                    one.do(lambda c: c.users.me())
                    time.sleep(0.1)
                said = f"{FAULTS[first.code].title}: {first.subject}"  # as docs tell programs to say it
                return Outcome(first.code, said, named, "by itself" if told[-1].over else "not yet",
                               time.monotonic() - began)  # fmt: skip

    async def run(lab: Lab) -> Outcome:
        async with crossed() as between:
            return await asyncio.to_thread(ask, lab, between.ring.url)

    return run


@contextlib.asynccontextmanager
async def _without_redis(lab: Lab) -> AsyncIterator[LinkedHouse]:
    """Our server, whose Redis has gone since it began."""
    with _redis() as redis:
        async with linked_house(lab, redis_url=redis.url.reveal()) as house:
            await house.learn()
            await asyncio.to_thread(redis.kill)
            await house.http.get(f"api/cameras/{house.door}/history")
            yield house


async def _api_is_told(lab: Lab) -> Outcome:
    async with _without_redis(lab) as house:
        began = time.monotonic()
        (notice, *_) = (await house.http.get("api/ring")).json()["notices"]
        return Outcome(notice["code"], f"{notice['title']}. {notice['cause']}", time.monotonic() - began)


async def _command_is_told(lab: Lab) -> Outcome:
    async with _without_redis(lab) as house:
        env = environment(lab, house.between.ring)
        status = await command("status", "--once", "--server", house.url, env=env, cwd=lab.folder)
    said = "\n".join(line for line in status.out.splitlines() if "CALL-GATE" in line)  # others tell of Redis too
    return Outcome(named_in(said), said, status.seconds)


async def _page_is_told(lab: Lab) -> Outcome:
    assert lab.chromium is not None
    async with _without_redis(lab) as house:
        page = await lab.chromium.new_page()
        try:
            began = time.monotonic()
            await page.goto(house.url)
            notice = page.locator("#ring-app .ring-notices [data-code]").first
            await notice.wait_for()
            said = await notice.inner_text()
            return Outcome(named_in(said), said, time.monotonic() - began)
        finally:
            await page.close()


def gate_cells() -> Iterator[Cell]:
    gone = "the gate's Redis is gone"
    yield Cell("CALL-GATE-ALONE", Met.SYNC, gone, client_is_told("sync"))
    yield Cell("CALL-GATE-ALONE", Met.ASYNC, gone, client_is_told("async"))
    yield Cell("CALL-GATE-ALONE", Met.API, gone, _api_is_told)
    yield Cell("CALL-GATE-ALONE", Met.COMMAND, f"`status`: {gone}", _command_is_told)
    yield Cell("CALL-GATE-ALONE", Met.PAGE, gone, _page_is_told)
