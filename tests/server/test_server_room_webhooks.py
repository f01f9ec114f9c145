"""Webhooks of rooms: signed, in order, until somebody takes them; and a test of the receiver."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from websockets.asyncio.client import connect

from ringlight.errors import RingError
from ringlight.http.serving import listen, serving
from ringlight.rooms.events import Note
from ringlight.rooms.telling import EVENTS, WebhookKey, delivery, delivery_of
from ringlight.secrets import Secret
from ringlight.server.room_webhooks import PACE, RoomWebhooks
from ringlight.settings import RoomSettings
from ringlight.store.database import Database
from ringlight.store.room_rows import room_outbox
from room_house import hear, house

pytestmark = pytest.mark.anyio
KEY = b"a key for tests, and for nothing else"
SECRET = Secret("whsec_" + base64.b64encode(KEY).decode())


@dataclass
class Receiver:
    """The owner's program."""

    url: str = ""
    status: int = 204
    heard: list[dict[str, Any]] = field(default_factory=list)
    tried: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, count: int) -> list[str]:
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self.came.clear()
                await self.came.wait()
        return [one["type"] for one in self.heard]


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver, app = Receiver(), FastAPI()

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        body, fields = await request.body(), request.headers
        signed = b".".join((fields["webhook-id"].encode(), fields["webhook-timestamp"].encode(), body))
        expected = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
        assert fields["webhook-signature"] == f"v1,{expected}"
        receiver.tried += 1
        if receiver.status < 300:
            receiver.heard.append(json.loads(body))
        receiver.came.set()
        return Response(status_code=receiver.status, headers={"Location": "/elsewhere"})

    async with serving(app, listen("127.0.0.1", 0)) as running:
        receiver.url = f"{running.url}hook"
        yield receiver


def rooms(receiver: Receiver) -> RoomSettings:
    return RoomSettings(webhook_url=Secret(receiver.url), webhook_secret=SECRET)


async def test_a_visit_is_told_in_its_order(tmp_path: Path) -> None:
    async with receiving() as receiver, house(tmp_path, rooms=rooms(receiver)) as (http, sockets):
        people = [{"role": "doctor", "name": "Dr A"}, {"role": "patient", "name": "B"}]
        made = (await http.post("api/rooms", json={"id": "visit", "people": people})).json()
        doctor_token, patient_token = (one["token"] for one in made["people"])
        async with connect(f"{sockets}/ws/v2", proxy=None) as doctor, connect(f"{sockets}/ws/v2", proxy=None) as other:
            await doctor.send(json.dumps({"t": "hello", "v": 2, "token": doctor_token}))
            await hear(doctor)
            await hear(doctor)
            await other.send(json.dumps({"t": "hello", "v": 2, "token": patient_token}))
            assert (await hear(doctor))["t"] == "knock"
            await other.send(json.dumps({"t": "consent", "what": ["video"], "given": True}))
            assert (await hear(doctor))["t"] == "consent"
            await doctor.send(json.dumps({"t": "admit"}))
            while (await hear(other))["t"] != "roster":
                pass
            await other.send(json.dumps({"t": "quality", "words": "poor", "loss": 0.2, "rtt_ms": 900}))
            await other.send(json.dumps({"t": "bye"}))
            while (await hear(doctor))["t"] != "left":
                pass
            await doctor.send(json.dumps({"t": "end"}))
            assert await receiver.hear(9) == [
                "participant.joined", "room.started", "participant.waiting", "consent.changed", "participant.admitted",
                "participant.joined", "quality.poor", "participant.left", "room.ended",
            ]  # fmt: skip
    told = {one["type"]: one["data"] for one in receiver.heard}
    assert {data["room"] for data in told.values()} == {"visit"}
    assert (told["consent.changed"]["what"], told["consent.changed"]["given"]) == ("video", True)
    assert (told["quality.poor"]["loss"], told["quality.poor"]["rtt_ms"]) == (0.2, 900)
    assert told["participant.admitted"]["waited_s"] >= 0
    assert "Dr A" not in json.dumps(receiver.heard)


async def test_what_is_not_taken_is_sent_again_and_in_order(tmp_path: Path) -> None:
    """Also after a restart; and a redirect leads nowhere."""
    database = Database(f"sqlite:///{tmp_path / 'rooms.db'}")
    quick = replace(PACE, first_pause=0.01, longest_pause=0.05)
    async with receiving() as receiver:
        receiver.status = 307
        puts = [delivery("room.started", {"room": "r", "n": number}, 1e9, str(number).strip) for number in (1, 2)]
        room_outbox(database).write(puts)
        key = WebhookKey(SECRET)
        patient = replace(quick, give_up_after=None)
        async with RoomWebhooks(Secret(receiver.url), key, database, pace=patient), asyncio.timeout(20):
            while receiver.tried < 3:
                await asyncio.sleep(0.01)
        assert receiver.heard == []
        receiver.status = 200
        async with RoomWebhooks(Secret(receiver.url), key, database, pace=patient):
            await receiver.hear(2)
        assert [one["data"]["n"] for one in receiver.heard] == [1, 2]
    assert room_outbox(database).counts() == {"done": 2}
    database.close()


async def test_after_72_hours_a_delivery_is_dead(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rooms.db'}")
    outbox = room_outbox(database)
    outbox.write([delivery("room.started", {"room": "r"}, 1.0, lambda: "x")])  # of long ago
    async with receiving() as receiver:
        receiver.status = 500
        async with RoomWebhooks(Secret(receiver.url), WebhookKey(SECRET), database), asyncio.timeout(20):
            while not (dead := await asyncio.to_thread(outbox.dead)):
                await asyncio.sleep(0.01)
    assert dead[0].problem == "HOOK-UNDELIVERED: HTTP 500"
    assert receiver.tried == 1
    database.close()


async def test_the_test_says_what_came_back(tmp_path: Path) -> None:
    async with receiving() as receiver, house(tmp_path, rooms=rooms(receiver)) as (http, _):
        well = (await http.post("api/rooms/webhook-test")).json()
        assert (well["delivered"], well["status"], well["code"]) == (True, 204, None)
        assert receiver.heard[0]["type"] == "test"
        receiver.status = 404
        wrong = (await http.post("api/rooms/webhook-test")).json()
        assert (wrong["delivered"], wrong["status"], wrong["code"]) == (False, 404, "HOOK-UNDELIVERED")
    nobody = Receiver("http://127.0.0.1:9/hook")
    async with house(tmp_path, rooms=rooms(nobody)) as (http, _):
        wrong = (await http.post("api/rooms/webhook-test")).json()
        assert (wrong["status"], "NET-UNREACHABLE" in wrong["detail"]) == (None, True)
    async with house(tmp_path) as (http, _):
        assert (await http.post("api/rooms/webhook-test")).json()["code"] == "REQUEST-INVALID"


def test_a_secret_that_protects_nothing_is_refused(tmp_path: Path) -> None:
    for text in ("short", "whsec_!!!!", "whsec_YWJj"):
        with pytest.raises(RingError, match=r"rooms\.webhook_secret"):
            WebhookKey(Secret(text))
    with pytest.raises(RingError, match=r"rooms\.webhook_secret"):
        RoomWebhooks.of(RoomSettings(webhook_url=Secret("https://a.example")), Database(f"sqlite:///{tmp_path}/x.db"))


def test_what_is_told_names_nobody_and_only_what_is_news() -> None:
    note = Note("waiting", "patient", room="visit", person="p_1", identity="u_1")
    put = delivery_of(note, 1.5, lambda: "x")
    assert put is not None
    assert (put.request_id, put.subject, put.type) == ("msg_x", "visit", "participant.waiting")
    assert json.loads(put.body) == {
        "type": "participant.waiting", "timestamp": "1970-01-01T00:00:01.500Z",
        "data": {"room": "visit", "participant": "p_1", "role": "patient"},
    }  # fmt: skip
    assert delivery_of(Note("quality", detail="good", room="r", person="p_1"), 1.0, lambda: "x") is None
    assert delivery_of(Note("resumed", room="r", person="p_1"), 1.0, lambda: "x") is None
    assert set(EVENTS.values()) == {
        "room.started", "room.ended", "participant.waiting", "participant.admitted", "participant.denied",
        "participant.joined", "participant.left", "consent.changed", "quality.poor",
    }  # fmt: skip
