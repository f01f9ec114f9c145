"""What several servers share of rooms: each event is written down and told once, whoever dies; rooms outlive Redis."""

import asyncio
import contextlib
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from websockets.asyncio.client import ClientConnection, connect

from conftest import Program
from own_redis import PROGRAM, OwnRedis
from ringlight.http.serving import listen, serving
from ringlight.rooms.fast import FastRooms
from ringlight.secrets import Secret
from ringlight.server.database_watch import open_database
from ringlight.server.room_links import RoomLinks
from ringlight.server.room_server import RoomServer, room_server
from ringlight.settings import RoomSettings, Settings
from room_house import hear

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")]
SECRET = "a secret for tests, and for nothing else"


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


async def enter(web: ClientConnection, token: str) -> None:
    await web.send(json.dumps({"t": "hello", "v": 2, "token": token}))
    await hear(web)


async def until(web: ClientConnection, kind: str) -> dict[str, Any]:
    while (frame := await hear(web))["t"] != kind:
        pass
    return frame


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    """The owner's program: gives its address, and id and type of what came."""
    heard, app = list[tuple[str, str]](), FastAPI()

    @app.post("/hook")
    async def hook(request: Request) -> None:
        heard.append((request.headers["webhook-id"], (await request.json())["type"]))

    async with serving(app, listen("127.0.0.1", 0)) as running:
        yield f"{running.url}hook", heard


async def wait_for(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


def events(database: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as reading:
        return [event for (event,) in reading.execute("SELECT event FROM room_audit ORDER BY number")]


@pytest.mark.program
async def test_a_server_is_killed_between_the_change_and_its_row(
    redis: OwnRedis, start: Callable[..., Program], tmp_path: Path
) -> None:
    """The other one writes the row, once, and tells the receiver, once."""
    database = tmp_path / "rooms.db"
    async with receiving() as (hook, told):
        shared = {
            "RINGLIGHT_REDIS_URL": redis.url.reveal(), "RINGLIGHT_SECRET_KEY": "k" * 32,
            "RINGLIGHT_DATABASE_URL": f"sqlite:///{database}", "RINGLIGHT_ROOMS__WEBHOOK_URL": hook,
            "RINGLIGHT_ROOMS__WEBHOOK_SECRET": SECRET,
        }  # fmt: skip
        one, two = (
            start("serve", "--port", "0", RINGLIGHT_STATE_DIR=str(tmp_path / str(number)), **shared)
            for number in range(2)
        )
        people = [{"role": "doctor"}, {"role": "patient"}]
        headers = {"Authorization": "Bearer " + "k" * 32}
        async with httpx2.AsyncClient(base_url=one.url, headers=headers, timeout=30, trust_env=False) as http:
            made = (await http.post("api/rooms", json={"id": "visit", "people": people, "consent": []})).json()
        tokens = [person["token"] for person in made["people"]]
        async with (
            connect(one.url.replace("http", "ws") + "ws/v2", proxy=None) as doctor,
            connect(two.url.replace("http", "ws") + "ws/v2", proxy=None) as patient,
        ):
            await enter(doctor, tokens[0])
            await until(doctor, "roster")
            await enter(patient, tokens[1])
            await until(patient, "waiting")
            await until(doctor, "knock")
            before = ["room.made", "person.entered", "person.waiting"]
            assert events(database) == before
            with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as lock:
                lock.execute("BEGIN IMMEDIATE")  # nobody writes
                await doctor.send(json.dumps({"t": "admit", "rid": 1}))
                await until(patient, "roster")
                one.process.send_signal(signal.SIGKILL)
                one.process.wait()
                lock.execute("ROLLBACK")
            await wait_for(lambda: len(events(database)) >= len(before) + 2)
            await patient.send(json.dumps({"t": "bye", "rid": 2}))
            await until(patient, "bye")
            expected = ["participant.admitted", "participant.joined", "participant.left"]
            await wait_for(lambda: list(dict(told).values())[-3:] == expected)
        assert events(database) == [*before, "person.admitted", "person.entered", "person.left"]
        assert len(set(told)) == 6, "one that was on its way when its sender died may come twice, under the same id"


@contextlib.asynccontextmanager
async def node(redis: OwnRedis, database: Path, state: Path) -> AsyncIterator[tuple[str, RoomServer]]:
    settings = Settings(
        redis_url=redis.url, secret_key=Secret("k" * 32), database_url=Secret(f"sqlite:///{database}"), state_dir=state,
        rooms=RoomSettings(grace=60),
    )  # fmt: skip
    async with (
        open_database(settings) as shared,
        room_server(settings, shared, local=True, any_loopback_origin=True) as rooms,
        serving(FastAPI(), listen("127.0.0.1", 0), sockets=FastRooms(rooms.porter)) as running,
    ):
        yield f"ws://127.0.0.1:{running.port}/ws/v2", rooms


@contextlib.asynccontextmanager
async def page(url: str, rooms: RoomServer, role: str) -> AsyncIterator[ClientConnection]:
    house = rooms.porter.house
    assert house.admission.tokens is not None
    token = house.admission.tokens.sign(house.claims("visit", role), rooms.porter.now).reveal()
    async with connect(url, proxy=None) as web:
        await web.send(json.dumps({"t": "hello", "v": 2, "token": token}))
        yield web


async def test_a_link_is_made_by_any_server_and_used_at_any_other(redis: OwnRedis, tmp_path: Path) -> None:
    """Also by one that has not had the room yet: a proxy sends each request to whichever it likes."""
    database = tmp_path / "rooms.db"
    async with node(redis, database, tmp_path / "one") as (_, one), node(redis, database, tmp_path / "two") as (_, two):
        await one.record.keep(await one.porter.make("visit"))
        assert "visit" not in two.porter.house.rooms
        token, _ = await RoomLinks(two.porter, two.record).make(
            "visit", "patient", name="Ada", may=None, opens=None, expires=None
        )
        claims, _ = await RoomLinks(one.porter, one.record).use(token.reveal(), "192.0.2.7")
        assert (claims.room, claims.role, claims.name) == ("visit", "patient", "Ada")


@pytest.mark.parametrize("loss", ["forgotten", "killed", "away"])
async def test_a_kept_room_is_found_in_the_database_when_redis_has_lost_all(
    redis: OwnRedis, tmp_path: Path, loss: str
) -> None:
    """By a server that has never had it, after the one that made it has gone, with its lock and its end."""
    database = tmp_path / "rooms.db"
    async with node(redis, database, tmp_path / "two") as (url, two):
        async with node(redis, database, tmp_path / "one") as (first, one):
            room = await one.porter.make("visit", consent=["video"], lobby=True)
            await one.record.keep(room)
            async with page(first, one, "doctor") as doctor:
                await until(doctor, "roster")
                await doctor.send(json.dumps({"t": "lock", "rid": 1, "on": True}))
                await until(doctor, "ok")
        assert "visit" not in two.porter.house.rooms
        if loss == "forgotten":
            with redis.client() as client:
                client.flushall()
        else:
            redis.kill()
            await wait_for(lambda: bool(two.porter.house.alone))  # type: ignore[attr-defined]
        if loss == "killed":
            redis.start()
            await wait_for(lambda: not two.porter.house.alone)  # type: ignore[attr-defined]
        async with page(url, two, "patient") as patient:
            assert (await until(patient, "error"))["code"] == "ROOM-LOCKED"
        found = await two.porter.find("visit")
        assert (found.kept, found.locked, found.consent) == (True, True, frozenset({"video"}))
        async with page(url, two, "doctor") as doctor:
            await until(doctor, "roster")
            await doctor.send(json.dumps({"t": "end", "rid": 1}))
            await until(doctor, "bye")
        await two.record.settled()
    async with node(redis, database, tmp_path / "three") as (url, three), page(url, three, "doctor") as late:
        assert (await until(late, "error"))["code"] == "ROOM-ENDED"
    assert events(database)[:3] == ["room.made", "person.entered", "room.locked"]
