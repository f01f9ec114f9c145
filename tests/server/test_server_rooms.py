"""Rooms of the server: made over HTTP, entered by token or in the open, closed to strangers."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.http.serving import listen, serving
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import ServerSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def house(*, demo: bool = False, key: str | None = None) -> AsyncIterator[tuple[httpx2.AsyncClient, str]]:
    """The server with a client for its addresses, and where its sockets are."""
    async with simulator() as ring:
        settings = Settings(
            ring_url=ring.url,
            secret_key=Secret(key) if key else None,
            server=ServerSettings(host="0.0.0.0" if key else "127.0.0.1", port=0),
        )
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account, demo=demo) as running,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{running.port}/", headers=headers, timeout=20) as http,
        ):
            yield http, f"ws://127.0.0.1:{running.port}"


async def hear(web: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        found: dict[str, Any] = json.loads(await web.recv())
    return found


async def test_a_room_is_made_with_tokens_and_shows_who_waits_by_number_only() -> None:
    async with house() as (http, sockets):
        people = [{"role": "doctor", "name": "Dr A"}, {"role": "patient", "name": "B"}]
        made = await http.post("api/rooms", json={"people": people})
        assert made.status_code == 201
        room = made.json()
        doctor, patient = room["people"]
        assert "admit" in doctor["may"]
        assert "admit" not in patient["may"]
        async with connect(f"{sockets}/ws/v2", proxy=None) as web:
            await web.send(json.dumps({"t": "hello", "v": 2, "token": patient["token"]}))
            assert [(await hear(web))["t"], (await hear(web))["t"]] == ["welcome", "waiting"]
            shown = (await http.get(f"api/rooms/{room['id']}")).json()
            assert (shown["state"], shown["inside"], shown["waiting"]) == ("waiting", 0, 1)
            assert "Dr A" not in json.dumps(shown)
            invited = await http.post(f"api/rooms/{room['id']}/tokens", json={"role": "interpreter", "may": ["signal"]})
            assert invited.json()["may"] == ["signal"]
            assert (await http.delete(f"api/rooms/{room['id']}")).status_code == 204
            assert (await hear(web))["code"] == "ROOM-ENDED"
        assert (await http.get(f"api/rooms/{room['id']}")).json()["state"] == "ended"


async def test_a_room_that_cannot_be_is_a_problem() -> None:
    async with house() as (http, _):
        for body, code in (
            ({"id": "undefined"}, "ROOM-ID"), ({"people": [{"role": "king"}]}, "ROOM-ROLE"),
            ({"colour": "red"}, "REQUEST-INVALID"), ({"capacity": 0}, "REQUEST-INVALID"),
        ):  # fmt: skip
            assert (await http.post("api/rooms", json=body)).json()["code"] == code
        assert (await http.get("api/rooms/none")).json()["code"] == "ROOM-UNKNOWN"
        assert (await http.post("api/rooms", json={"id": "visit"})).status_code == 201
        assert (await http.post("api/rooms", json={"id": "visit"})).json()["code"] == "REQUEST-INVALID"


async def test_the_demo_has_an_open_room_for_pages_of_this_machine() -> None:
    async with house(demo=True) as (http, sockets):
        assert (await http.get("api/rooms/demo")).json()["lobby"] is False
        at = f"{sockets}/ws/signaling/demo"
        async with (
            connect(f"{at}/doctor", proxy=None, origin=Origin("http://localhost:3000")) as doctor,
            connect(f"{at}/patient", proxy=None),
        ):
            assert (await hear(doctor))["userType"] == "patient"


async def test_strangers_and_wrong_addresses_are_told_in_a_frame() -> None:
    async with house() as (_, sockets):
        for path, origin, code in (
            ("/ws/signaling/visit/doctor", "https://evil.example", "ROOM-ORIGIN"),
            ("/ws/signaling/visit/doctor", "http://localhost:3000", "ROOM-ORIGIN"),
            ("/api/cameras", None, "ROOM-PATH"),
        ):
            async with connect(sockets + path, proxy=None, origin=Origin(origin) if origin else None) as web:
                assert (await hear(web))["code"] == code


async def test_where_others_reach_the_server_rooms_need_key_and_token() -> None:
    async with house(key="k" * 32) as (http, sockets):
        async with httpx2.AsyncClient(base_url=str(http.base_url)) as stranger:
            assert (await stranger.post("api/rooms", json={})).json()["code"] == "KEY-NEEDED"
        made = (await http.post("api/rooms", json={"id": "visit", "people": [{"role": "doctor"}]})).json()
        token = made["people"][0]["token"]
        async with connect(f"{sockets}/ws/signaling/visit/doctor", proxy=None) as web:
            assert (await hear(web))["code"] == "ROOM-TOKEN-NEEDED"
        async with connect(
            f"{sockets}/ws/v2", subprotocols=[Subprotocol("ringlight"), Subprotocol(f"token.{token}")], proxy=None
        ) as web:
            assert web.subprotocol == "ringlight"
            await web.send('{"t":"hello","v":2}')
            assert (await hear(web))["t"] == "welcome"


async def test_a_guest_sees_the_page_of_a_room_without_a_key() -> None:
    """Also one who comes from a mail program on another site; nothing else is shown to them."""
    async with house(key="k" * 32) as (http, _):
        from_mail = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        async with httpx2.AsyncClient(base_url=str(http.base_url), headers=from_mail) as guest:
            for address in ("rooms/visit", "j/a-token"):
                page = await guest.get(address)
                assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
                assert 'src="/rooms-page/app.js"' in page.text
                policy = page.headers["content-security-policy"]
                assert f"connect-src 'self' ws://{guest.base_url.netloc.decode()} wss://" in policy
                assert (await guest.head(address)).status_code == 200
            assert (await guest.get("api/rooms/visit")).json()["code"] == "ORIGIN-REFUSED"
            for address in ("rooms-page/index.html", "api/faults/ROOM-ENDED"):
                assert (await guest.get(address, headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
            denied = await guest.get("api/rooms/visit", headers={"Sec-Fetch-Site": "same-origin"})
            assert denied.json()["code"] == "KEY-NEEDED"


async def test_what_came_through_a_proxy_is_not_of_this_machine() -> None:
    async with house() as (_, sockets):
        through = {"X-Forwarded-For": "192.0.2.7"}
        async with connect(f"{sockets}/ws/signaling/visit/doctor", proxy=None, additional_headers=through) as web:
            assert (await hear(web))["code"] == "ROOM-TOKEN-NEEDED"


async def test_the_router_is_mounted_in_an_app_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """`from ringlight.rooms import router` is all; pages of this machine enter, as in development."""
    import ringlight.rooms

    monkeypatch.delitem(vars(ringlight.rooms), "router", raising=False)
    from ringlight.rooms import router

    app = FastAPI()
    app.include_router(router)
    app.include_router(router, prefix="/calls")
    async with serving(app, listen("127.0.0.1", 0)) as running:
        base = f"ws://127.0.0.1:{running.port}"
        async with (
            connect(f"{base}/ws/signaling/visit/doctor", proxy=None) as doctor,
            connect(f"{base}/calls/ws/signaling/visit/patient", proxy=None),
        ):
            assert (await hear(doctor))["totalUsers"] == 2
