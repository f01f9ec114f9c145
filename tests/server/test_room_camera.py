"""The reception desk: somebody rings at the door, and who is in the room sees and answers them."""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from test_server import GOOD_OFFER, SDP
from test_server_talk import speaking, until
from websockets.asyncio.client import ClientConnection, connect

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.partner.webhooks import signature_of
from ringlight.secrets import Secret
from ringlight.server import program
from ringlight.settings import CameraSettings, OneCamera, PartnerSettings, RoomSettings, ServerSettings, Settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator
from room_house import hear
from whep_viewer import viewer

pytestmark = pytest.mark.anyio
KEY = "k" * 32


@dataclass
class Desk:
    http: httpx2.AsyncClient
    ring: httpx2.AsyncClient
    world: World
    base: str

    async def make(self, *people: dict[str, Any]) -> list[str]:
        """Make the room `desk` with a camera; return the tokens of its people."""
        wanted = {"id": "desk", "lobby": False, "cameras": ["Front Door"], "people": people}
        made = await self.http.post("api/rooms", json=wanted)
        assert (made.status_code, made.json()["cameras"]) == (201, ["front-door"]), made.text
        return [person["token"] for person in made.json()["people"]]

    @contextlib.asynccontextmanager
    async def page(self, token: str) -> AsyncIterator[ClientConnection]:
        async with connect(f"{self.base.replace('http', 'ws', 1)}ws/v2", proxy=None) as web:
            await web.send(json.dumps({"t": "hello", "v": 2, "token": token}))
            yield web

    def guest(self, token: str) -> httpx2.AsyncClient:
        """A browser that has the room's token, and not the server's key."""
        return httpx2.AsyncClient(base_url=self.base, headers={"Authorization": f"Bearer {token}"}, timeout=20)


@contextlib.asynccontextmanager
async def desk(bell_every: float = 0.1, **more: Any) -> AsyncIterator[Desk]:
    with tempfile.TemporaryDirectory() as state:
        async with _desk(bell_every, **{"state_dir": Path(state), **more}) as at:
            yield at


@contextlib.asynccontextmanager
async def _desk(bell_every: float, **more: Any) -> AsyncIterator[Desk]:
    async with simulator() as ring:
        door = {"front-door": OneCamera(partner_device="ava1.ring.device.DOOR")}
        settings = Settings(
            ring_url=ring.url, secret_key=Secret(KEY),
            server=ServerSettings(host="0.0.0.0", port=0),
            cameras=CameraSettings(linger=0.2, **door), rooms=RoomSettings(bell_every=bell_every), **more,
        )  # fmt: skip
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            program.run_server(settings, account) as running,
            httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{running.port}/", headers={"Authorization": f"Bearer {KEY}"}, timeout=20
            ) as http,
            httpx2.AsyncClient(base_url=ring.url) as outside,
        ):
            yield Desk(http, outside, ring.world, f"http://127.0.0.1:{running.port}/")


async def told(web: ClientConnection, kind: str) -> dict[str, Any]:
    while (frame := await hear(web))["t"] != kind:
        pass
    return frame


async def test_the_bell_rings_in_the_room_and_the_desk_answers_with_sound_both_ways() -> None:
    async with desk() as at:
        (token,) = await at.make({"role": "receptionist", "name": "Desk"})
        async with at.page(token) as web, at.guest(token) as http:
            door = (await told(web, "roster"))["people"][0]
            assert (door["role"], door["camera"], door["name"]) == ("camera", "front-door", "Front Door")
            pressed = await at.ring.post("_sim/cameras/1001/bell")
            assert pressed.status_code == 201
            assert (await told(web, "ring"))["id"] == door["id"]
            async with viewer(at.base, door["camera"], http, talk=True) as playing, speaking(playing):
                await playing.receive(20)
                assert (await http.post(f"{playing.location}/talk")).status_code == 204
                await until(lambda: at.world.heard[1001].heard > 0.2)
                assert (await http.delete(f"{playing.location}/talk")).status_code == 204


async def test_a_webhook_rings_without_any_reading_of_histories() -> None:
    key = Secret("c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ=")
    async with desk(bell_every=0, partner=PartnerSettings(hmac_keys=[key])) as at:
        (token,) = await at.make({"role": "receptionist"})
        async with at.page(token) as web:
            await told(web, "roster")
            press = {
                "meta": {"version": "1.1", "time": datetime.now(UTC).isoformat(), "request_id": "r-1"},
                "data": {
                    "id": "e-1", "type": "button_press",
                    "attributes": {"source": "ava1.ring.device.DOOR", "source_type": "devices"},
                },
            }  # fmt: skip
            body = json.dumps(press).encode()
            headers = {"X-Signature": signature_of(body, key), "Content-Type": "application/json"}
            sent = await at.http.post("ring/webhook", content=body, headers=headers)
            assert sent.status_code < 300, sent.text
            assert (await told(web, "ring"))["id"] == "c_front-door"


async def test_nobody_watches_who_is_not_inside_or_may_not() -> None:
    async with desk() as at:
        operator, visitor = await at.make({"role": "receptionist"}, {"role": "patient"})

        async def code(token: str, path: str = "whep/front-door") -> str:
            async with at.guest(token) as http:
                answer = await http.post(path, content=GOOD_OFFER, headers=SDP)
                return str(answer.json()["code"])

        assert await code(operator) == "ROOM-PERSON"
        assert await code("a.b.c") == "KEY-NEEDED"
        async with at.page(operator) as web, at.page(visitor) as other:
            await told(web, "roster")
            assert (await told(other, "roster"))["people"][0]["role"] == "receptionist"
            assert await code(visitor) == "ROOM-FORBIDDEN"
            assert await code(operator, "whep/back-yard") == "ROOM-CAMERA"
            async with at.guest(operator) as http:
                assert (await http.get("api/cameras")).json()["code"] == "KEY-NEEDED", "it opens nothing else"
        assert at.world.live_views == 0


async def test_who_watches_asks_with_the_rooms_token_how_their_playback_fares() -> None:
    """By the rules of the picture itself: for a camera of their own room, inside, and with `view`."""
    async with desk() as at:
        operator, visitor = await at.make({"role": "receptionist"}, {"role": "patient"})
        elsewhere = {"id": "ward", "lobby": False, "cameras": ["Driveway"], "people": [{"role": "receptionist"}]}
        (stranger,) = [one["token"] for one in (await at.http.post("api/rooms", json=elsewhere)).json()["people"]]

        async def asked(token: str, path: str) -> dict[str, Any]:
            async with at.guest(token) as http:
                return dict((await http.get(path)).json())

        async with at.page(operator) as web, at.page(visitor) as other, at.page(stranger) as ward:
            for page in (web, other, ward):
                await told(page, "roster")
            async with at.guest(operator) as http, viewer(at.base, "front-door", http) as playing:
                await playing.receive(5)
                path = f"api/cameras/front-door/audience/{playing.location.rpartition('/')[2]}"
                fares = await asked(operator, path)
                assert (fares["connected"], fares["view"], fares["fault"]) == (True, "live", None)
                assert (await asked(stranger, path))["code"] == "ROOM-CAMERA"
                assert (await asked(visitor, path))["code"] == "ROOM-FORBIDDEN"
                assert (await asked("a.b.c", path))["code"] == "KEY-NEEDED"
                assert (await asked(operator, path.replace("front-door", "driveway")))["code"] == "ROOM-CAMERA"
                assert (await asked(operator, path[:-1]))["code"] == "VIEWER-GONE"
                assert (await asked(operator, "api/cameras/front-door"))["code"] == "KEY-NEEDED", "of all who watch"
                await web.send('{"t":"bye"}')
                async with asyncio.timeout(10):
                    await playing.closed.wait()
            assert (await asked(operator, path))["code"] == "ROOM-PERSON"


async def test_who_leaves_the_room_sees_no_more() -> None:
    async with desk() as at:
        (token,) = await at.make({"role": "receptionist"})
        async with at.page(token) as web, at.guest(token) as http:
            await told(web, "roster")
            async with viewer(at.base, "front-door", http) as playing:
                await playing.receive(5)
                await web.send('{"t":"bye"}')
                async with asyncio.timeout(10):
                    await playing.closed.wait()


async def test_a_camera_is_added_to_a_room_and_taken_out() -> None:
    async with desk() as at:
        (token,) = await at.make({"role": "receptionist"})
        async with at.page(token) as web, at.guest(token) as http:
            await told(web, "roster")
            cameras = "api/rooms/desk/cameras"
            assert (await at.http.post(cameras, json={"camera": "garage"})).json()["code"] == "CAM-UNKNOWN"
            assert (await at.http.post(cameras, json={"camera": "driveway"})).status_code == 204
            assert (await told(web, "joined"))["person"]["camera"] == "driveway"
            async with viewer(at.base, "driveway", http) as playing:
                await playing.receive(5)
                assert (await at.http.delete(f"{cameras}/driveway")).status_code == 204
                assert (await told(web, "left"))["id"] == "c_driveway"
                async with asyncio.timeout(10):
                    await playing.closed.wait()
            assert (await at.http.get("api/rooms/desk")).json()["cameras"] == ["front-door"]
