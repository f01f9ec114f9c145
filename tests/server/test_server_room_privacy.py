"""What the log keeps of a visit: that something happened, and nothing of who, what or from where."""

import asyncio
import json
import logging
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from room_house import hear, house

pytestmark = pytest.mark.anyio
# Names, an address and words that stand nowhere else, in each place where a visit has some.
MARKS = ("visit-canary", "Ada Canary", "Dr Canary", "192.0.2.77", "198.51.100.99", "canary-sdp", "words of canary")
OWN = logging.getLogger("tests.of.privacy")


async def test_no_log_of_a_whole_visit_names_anybody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for client in ("httpx2", "httpcore2", "httpx", "httpcore"):  # what this test asks with is no part of the server
        logging.getLogger(client).setLevel(logging.WARNING)
    caplog.set_level(logging.DEBUG)
    for name in [*logging.root.manager.loggerDict]:
        if name.startswith(
            ("ringlight", "ring.live", "uvicorn", "websockets.server", "sqlalchemy", "alembic", "asyncio")
        ):
            caplog.set_level(logging.DEBUG, logger=name)
    secrets = list(MARKS)
    sdp = {"type": "offer", "sdp": "v=0 canary-sdp 192.0.2.77"}
    async with house(tmp_path, trusted=("127.0.0.1",)) as (http, sockets):
        through = {"X-Forwarded-For": "198.51.100.99", "Accept": "application/json"}
        wanted = {"id": "visit-canary", "consent": ["video"], "people": [{"role": "doctor", "name": "Dr Canary"}]}
        doctor_token = (await http.post("api/rooms", json=wanted)).json()["people"][0]["token"]
        link = await http.post("api/rooms/visit-canary/links", json={"role": "patient", "name": "Ada Canary"})
        address = link.json()["url"][1:]
        await http.get(address, headers=through)
        token = (await http.post(address, headers=through)).json()["token"]
        await http.post(address, headers=through)
        await http.get("j/canary-link-that-is-none", headers=through)
        secrets += [doctor_token, token, address.removeprefix("j/"), "canary-link"]
        async with (
            connect(f"{sockets}/ws/v2", proxy=None, logger=OWN, additional_headers=through) as doctor,
            connect(f"{sockets}/ws/v2", proxy=None, logger=OWN) as patient,
            connect(f"{sockets}/ws/v2", proxy=None, logger=OWN) as forger,
            connect(f"{sockets}/ws/signaling/old-canary/doctor", proxy=None, logger=OWN) as old,
            connect(f"{sockets}/ws/signaling/old-canary/patient?token=forged-canary", proxy=None, logger=OWN) as wrong,
        ):
            secrets += ["old-canary", "forged-canary"]
            await forger.send(json.dumps({"t": "hello", "v": 2, "token": "forged-canary"}))
            assert (await hear(forger))["code"] == (await hear(wrong))["code"] == "ROOM-TOKEN"
            await doctor.send(json.dumps({"t": "hello", "v": 2, "token": doctor_token}))
            welcome = await hear(doctor)
            secrets += [welcome["resume"], welcome["you"]["id"]]
            await patient.send(json.dumps({"t": "hello", "v": 2, "token": token}))
            await hear(patient)
            await patient.send(json.dumps({"t": "consent", "what": ["video"], "given": True}))
            assert [(await hear(doctor))["t"] for _ in range(2)] == ["roster", "knock"]
            await doctor.send(json.dumps({"t": "admit", "rid": 1}))
            while (await hear(patient))["t"] != "roster":
                pass
            await patient.send(json.dumps({"t": "signal", "description": sdp}))
            await patient.send(json.dumps({"t": "chat", "text": "words of canary"}))
            await patient.send("no JSON words of canary")
            while (await hear(doctor))["t"] != "chat":
                pass
            await old.send(json.dumps({"type": "offer", "offer": sdp}))
            await old.send("no JSON words of canary")
            assert (await hear(old))["code"] == "ROOM-MESSAGE"
            await doctor.send(json.dumps({"t": "end"}))
            while (await hear(patient))["t"] != "bye":
                pass
        await asyncio.sleep(0)
    told = [f"{record.name}: {record.getMessage()}" for record in caplog.records if record.name != OWN.name]
    assert any("admitted" in line for line in told), "nothing was logged at all"
    for secret in secrets:
        assert [line for line in told if secret in line] == []
    assert [line for line in told if "127.0.0.1" in line] == []


async def test_a_failure_of_ours_names_the_kind_of_address_and_not_the_link(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringlight.store.room_rows import RoomRows

    def broken(*_: object) -> None:
        raise ZeroDivisionError("as the test wants it")

    async with house(tmp_path) as (http, _):
        monkeypatch.setattr(RoomRows, "link", broken)
        assert (await http.post("j/canary-token")).json()["code"] == "SERVER-ERROR"
    assert "ZeroDivisionError" in caplog.text
    assert "canary-token" not in caplog.text
