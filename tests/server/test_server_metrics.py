"""What the server counts."""

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect

from room_house import hear, house

pytestmark = pytest.mark.anyio


async def counted(http: Any) -> dict[str, float]:
    answer = await http.get("metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {f"{one.name}{sorted(one.labels.values()) if one.labels else ''}": one.value for one in samples}


async def test_what_happens_in_rooms_is_counted(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, sockets):
        people = [{"role": "doctor"}, {"role": "patient"}]
        made = (await http.post("api/rooms", json={"people": people, "consent": []})).json()
        await http.post("api/rooms", json={"id": "empty"})
        doctor_token, patient_token = (one["token"] for one in made["people"])
        async with (
            connect(f"{sockets}/ws/v2", proxy=None) as doctor,
            connect(f"{sockets}/ws/v2", proxy=None) as patient,
            connect(f"{sockets}/ws/v2", proxy=None) as forger,
        ):
            await forger.send(json.dumps({"t": "hello", "v": 2, "token": "forged"}))
            await hear(forger)
            await doctor.send(json.dumps({"t": "hello", "v": 2, "token": doctor_token}))
            assert [(await hear(doctor))["t"] for _ in range(2)] == ["welcome", "roster"]
            await patient.send(json.dumps({"t": "hello", "v": 2, "token": patient_token}))
            await doctor.send(json.dumps({"t": "admit"}))
            while (await hear(doctor))["t"] != "knock":
                pass
            await doctor.send(json.dumps({"t": "admit"}))
            while (await hear(patient))["t"] != "roster":
                pass
            report = {"t": "quality", "rid": 1, "words": "poor", "loss": 0.1, "connected_ms": 700}
            await patient.send(json.dumps(report))
            while (await hear(patient))["t"] != "ok":
                pass
            for number in range(70):
                await patient.send(json.dumps({"t": "ping", "rid": number + 2}))
            while (await hear(patient)).get("rid") != 71:
                pass
            now = await counted(http)
        assert now["ringlight_room_joins_total['ok']"] == 2
        assert now["ringlight_room_joins_total['ROOM-TOKEN']"] == 1
        assert now["ringlight_room_lobby_wait_seconds_count"] == 1
        assert now["ringlight_room_connect_seconds_sum"] == 0.7
        assert now["ringlight_room_quality_total['poor']"] == 1
        assert now["ringlight_room_relay_seconds_count"] >= 1
        assert (now["ringlight_rooms['active']"], now["ringlight_rooms['waiting']"]) == (1, 1)
        assert (now["ringlight_room_people['inside']"], now["ringlight_room_sockets"]) == (2, 2)
        assert (now["ringlight_viewers"], now["ringlight_room_record_behind"]) == (0, 0)
        async with connect(f"{sockets}/ws/v2", proxy=None) as again:
            await again.send(
                json.dumps({"t": "hello", "v": 2, "session": "p", "resume": "none", "token": doctor_token})
            )
            await hear(again)
            now = await counted(http)
        assert now["ringlight_room_resumes_total['failed']"] == 1
        assert now["ringlight_room_joins_total['again']"] == 1
        assert now["ringlight_room_drops_total['network']"] >= 1


async def test_what_is_counted_is_behind_the_key(tmp_path: Path) -> None:
    async with house(tmp_path, key="k" * 32) as (http, _):
        assert (await http.get("metrics")).status_code == 200
        assert (await http.get("metrics", headers={"Authorization": ""})).json()["code"] == "KEY-NEEDED"
