"""A server that is stopped and started again: nothing is lost that was answered, and everybody has their name."""

import asyncio
import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect

from conftest import Program
from room_house import hear, house

pytestmark = [pytest.mark.anyio, pytest.mark.program]


async def enter(web: ClientConnection, token: str) -> dict[str, Any]:
    await web.send(json.dumps({"t": "hello", "v": 2, "token": token}))
    return await hear(web)


async def until(web: ClientConnection, kind: str) -> dict[str, Any]:
    while (frame := await hear(web))["t"] != kind:
        pass
    return frame


async def test_two_people_meet_again_on_the_restarted_server(start: Callable[..., Program], tmp_path: Path) -> None:
    settings = {
        "RINGLIGHT_DATABASE_URL": f"sqlite:///{tmp_path / 'rooms.db'}", "RINGLIGHT_SERVER__DRAIN": "4",
        "RINGLIGHT_RECORDINGS__DIR": str(tmp_path / "recordings"),
    }  # fmt: skip
    first = start("demo", "--port", "0", **settings)
    port, url = first.url.rstrip("/").rpartition(":")[2], first.url
    sockets = f"ws://127.0.0.1:{port}/ws/v2"
    async with httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        well = {"status": "ready", "record": "ok", "redis": "ok", "database": "ok"}
        assert (await http.get("ready")).json() == well
        people = [{"role": "doctor", "name": "Dr A"}, {"role": "patient", "name": "B"}]
        made = (await http.post("api/rooms", json={"id": "visit", "people": people})).json()
        doctor_token, patient_token = (one["token"] for one in made["people"])
        assert (await http.post("api/cameras/front-door/recordings", json={})).status_code == 201
        async with connect(sockets, proxy=None) as doctor, connect(sockets, proxy=None) as patient:
            await enter(doctor, doctor_token)
            await enter(patient, patient_token)
            await patient.send(json.dumps({"t": "consent", "rid": 1, "what": ["video"], "given": True}))
            await until(patient, "ok")
            await until(doctor, "knock")
            await doctor.send(json.dumps({"t": "admit", "rid": 1}))
            await until(doctor, "ok")
            await doctor.send(json.dumps({"t": "lock", "rid": 2, "on": True}))
            await until(doctor, "ok")
            first.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                while (await http.get("ready")).status_code != 503:
                    await asyncio.sleep(0.02)
            byes = [await until(doctor, "bye"), await until(patient, "bye")]
        assert [(bye["reason"], bye["action"]) for bye in byes] == [("restart", "rejoin")] * 2
        assert len({bye.get("delay_s", 0) for bye in byes}) == 2, "not both at the same moment"
    code, said = first.stop()
    assert (code, "room_record_lost" in said) == (0, False), said
    second = start("demo", "--port", port, **settings)
    async with (
        httpx2.AsyncClient(base_url=second.url, timeout=30, trust_env=False) as http,
        connect(sockets, proxy=None) as doctor,
        connect(sockets, proxy=None) as patient,
    ):
        welcome = await enter(patient, patient_token)
        assert welcome["consent"] == {"needed": ["video"], "given": ["video"]}
        await until(patient, "roster")  # inside at once, although the room is locked: they were let in
        await enter(doctor, doctor_token)
        (present,) = (await until(doctor, "roster"))["people"]
        assert (present["name"], present["role"], present["consents"]) == ("B", "patient", ["video"])
        assert (await http.get("api/rooms/visit")).json()["locked"] is True
        (recording,) = (await http.get("api/cameras/front-door/recordings")).json()["recordings"]
        assert recording["status"] == "done", "it was ended in order"
    second.stop()
    with sqlite3.connect(tmp_path / "rooms.db") as database:
        events = [event for (event,) in database.execute("SELECT event FROM room_audit ORDER BY number")]
    database.close()
    assert events == [
        "room.made", "person.entered", "person.waiting", "consent.given", "person.admitted", "person.entered",
        "room.locked", "person.entered", "person.entered",
    ]  # fmt: skip


async def test_what_was_answered_survives_a_kill(start: Callable[..., Program], tmp_path: Path) -> None:
    """The process is killed the moment its answer is read: everything answered is on the disk by then."""
    server = start("demo", "--port", "0", RINGLIGHT_DATABASE_URL=f"sqlite:///{tmp_path / 'rooms.db'}")
    sockets = f"{server.url.replace('http', 'ws')}ws/v2"
    async with httpx2.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http:
        made = (await http.post("api/rooms", json={"id": "visit", "people": [{"role": "doctor"}]})).json()
        async with connect(sockets, proxy=None) as doctor:
            await enter(doctor, made["people"][0]["token"])
            for number in range(1, 21):
                await doctor.send(json.dumps({"t": "lock", "rid": number, "on": bool(number % 2)}))
                await until(doctor, "ok")
            server.process.kill()
    server.process.wait()
    with sqlite3.connect(tmp_path / "rooms.db") as database:
        events = [event for (event,) in database.execute("SELECT event FROM room_audit ORDER BY number")]
        locked = list(database.execute("SELECT locked FROM rooms"))
    database.close()
    assert events == ["room.made", "person.entered", *["room.locked", "room.unlocked"] * 10]
    assert locked == [(0,)]


async def test_a_probe_needs_no_key(tmp_path: Path) -> None:
    async with house(tmp_path, key="k" * 32) as (http, _):
        assert (await http.get("ready", headers={"Authorization": ""})).status_code == 200
