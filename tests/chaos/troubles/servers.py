"""What can be wrong with a server of ours that runs, and what mends each."""

import asyncio
import contextlib
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from cells import Lab
from cells.live_view import own_server

from own_mosquitto import OwnMosquitto
from ringlight.errors import RingError
from ringlight.rooms.audit import AuditKey
from ringlight.server import program
from ringlight.server.clock_watch import ClockWatch
from ringlight.server.retention import Retention
from ringlight.settings import Settings, load_settings
from ringlight.simulator.world import World
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.own_key import own_key
from ringlight.store.room_rows import RoomRows
from ringlight.store.rooms import NewAuditRow
from ringlight.testing import simulator

Mend = Callable[[], object]


@dataclass
class Ill:
    """A server with which something is wrong: its address, and what mends it; `None` where that takes hours."""

    url: str
    mend: Mend | None


Setting = Callable[[Lab], contextlib.AbstractAsyncContextManager[Ill]]


@contextlib.asynccontextmanager
async def broker_away(lab: Lab) -> AsyncIterator[Ill]:
    with closing(OwnMosquitto()) as broker:
        broker.kill()
        async with own_server(lab, mqtt={"url": broker.url, "every": 1}) as (_, url):
            yield Ill(url, broker.start)


@contextlib.asynccontextmanager
async def broker_refuses(lab: Lab) -> AsyncIterator[Ill]:
    """Whoever runs the broker has given the name another password."""
    with closing(OwnMosquitto()) as broker:
        broker.kill()
        broker.let_in("another")
        broker.start()

        def mend() -> None:
            broker.kill()
            broker.let_in("let+me/in")
            broker.start()

        async with own_server(lab, mqtt={"url": broker.url, "every": 1}) as (_, url):
            yield Ill(url, mend)


@contextlib.asynccontextmanager
async def broker_without_its_package(lab: Lab) -> AsyncIterator[Ill]:
    lab.patch.setitem(sys.modules, "aiomqtt", None)  # as Python has it where it is not installed
    with closing(OwnMosquitto()) as broker:
        async with own_server(lab, mqtt={"url": broker.url, "every": 1}) as (_, url):
            yield Ill(url, lambda: lab.patch.delitem(sys.modules, "aiomqtt"))


@contextlib.asynccontextmanager
async def clock_ahead(lab: Lab) -> AsyncIterator[Ill]:
    """Somebody sets the clock an hour ahead, while the server runs."""
    ahead = [0.0]
    lab.patch.setattr(program, "ClockWatch", lambda: ClockWatch(wall=lambda: time.time() + ahead[0]))
    async with own_server(lab) as (_, url):
        ahead[0] = 3600.0

        def mend() -> None:
            ahead[0] = 0.0

        yield Ill(url, mend)


@contextlib.asynccontextmanager
async def clock_years_ahead(lab: Lab) -> AsyncIterator[Ill]:
    """A clock by which all that is kept would be old enough to go."""
    ahead = [0.0]
    lab.patch.setattr(program, "Retention", partial(Retention, wall=lambda: time.time() + ahead[0]))
    async with own_server(lab, retention={"every": 0.5, "recordings_days": 30}) as (_, url):
        await asyncio.sleep(1.0)  # once it is believed
        ahead[0] = 400 * 86_400.0
        yield Ill(url, None)  # also once it is put right, it is believed after twelve hours


def audited(folder: Path) -> Path:
    """A state directory with a record of rooms; returns its database."""
    folder.mkdir()
    path = folder / "ringlight.db"
    key = AuditKey(own_key(folder))
    with closing(Database(f"sqlite:///{path}")) as database:
        rows = RoomRows(database, AuditRows(database, key.hashed, key.seal, key.cut))
        for _ in range(11):
            rows.record([NewAuditRow(1e9, "person.entered", role="patient") for _ in range(100)])
    return path


def write_role(path: Path, role: str) -> None:
    """Change a row as somebody who covers something up."""
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute("UPDATE room_audit SET role = ? WHERE number = 2", [role]).rowcount == 1


@contextlib.asynccontextmanager
async def audit_changed(lab: Lab) -> AsyncIterator[Ill]:
    path = audited(lab.folder / "state")
    write_role(path, "doctor")
    async with own_server(lab, retention={"every": 0.5, "audit_days": 30}) as (_, url):
        yield Ill(url, lambda: write_role(path, "patient"))


@contextlib.asynccontextmanager
async def _reading(lab: Lab, before: str, after: str) -> AsyncIterator[Ill]:
    """A server that is told to read its settings anew, once somebody has changed them."""
    file = lab.folder / "ringlight.toml"
    file.write_text(before)
    async with simulator(World()) as ring:
        kept = {"ring_url": ring.url, "state_dir": lab.folder / "state", "server": {"port": 0}}

        def load() -> Settings:
            return load_settings(file, **kept)

        async with program.run_server(load(), load=load) as running:

            def put(text: str) -> None:
                file.write_text(text)
                with contextlib.suppress(httpx2.HTTPStatusError):
                    httpx2.post(f"{running.url}api/config/reload", timeout=30).raise_for_status()

            await asyncio.to_thread(put, after)
            yield Ill(running.url, lambda: put(before))


def needs_restart(lab: Lab) -> contextlib.AbstractAsyncContextManager[Ill]:
    return _reading(lab, "[media]\ntcp = true\n", "[media]\ntcp = false\n")


def has_no_sense(lab: Lab) -> contextlib.AbstractAsyncContextManager[Ill]:
    return _reading(lab, "[rooms]\ncapacity = 3\n", "[rooms]\ncapacity = 'many'\n")


class Broken:
    """Cameras of a program that has a mistake in it."""

    problems: tuple[RingError, ...] = ()
    is_mended = False

    async def cameras(self) -> list[Any]:
        return [] if self.is_mended else [dict[str, Any]()["camera"]]

    async def camera(self, name: str) -> Any:
        return (await self.cameras())[0]


@contextlib.asynccontextmanager
async def mistaken(lab: Lab) -> AsyncIterator[Ill]:
    cameras = Broken()
    async with program.run_server(Settings(state_dir=lab.folder / "state", server={"port": 0}), cameras) as running:
        yield Ill(running.url, partial(setattr, cameras, "is_mended", True))


STATUS, CAMERAS = "api/status", "api/cameras"


@dataclass(frozen=True)
class Illness:
    """What is wrong with a server, and where it tells of that; `is_shown`: on its page too."""

    code: str
    what: str
    setting: Setting
    paths: tuple[str, ...] = (STATUS,)
    is_shown: bool = False


ILLNESSES = (
    Illness("MQTT-BROKER", "the broker of the home is away", broker_away, (STATUS, CAMERAS), is_shown=True),
    Illness("MQTT-LOGIN", "the broker of the home has another password", broker_refuses, (CAMERAS,), is_shown=True),
    Illness("CFG-DEPENDENCY", "a broker without the package for it", broker_without_its_package),
    Illness("CLOCK-JUMP", "the clock is set an hour ahead", clock_ahead, (STATUS, CAMERAS), is_shown=True),
    Illness("STORE-CLOCK", "the clock is set a year ahead", clock_years_ahead),
    Illness("AUDIT-BROKEN", "a row of the audit was changed", audit_changed),
    Illness("CFG-RESTART", "a setting that is read at the start only", needs_restart),
    Illness("CFG-INVALID", "settings that are wrong when they are read anew", has_no_sense),
    Illness("SERVER-ERROR", "a program of somebody's that has a mistake", mistaken, (CAMERAS,), is_shown=True),
)
