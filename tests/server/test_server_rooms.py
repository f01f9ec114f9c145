"""Rooms of the server: made over HTTP, entered by token or in the open, closed to strangers."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

import ringlight.rooms
from ringlight.http.serving import listen, serving
from ringlight.rooms.links import hash_of
from room_house import hear, house

pytestmark = pytest.mark.anyio


async def test_a_room_is_made_with_tokens_and_shows_who_waits_by_number_only(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, sockets):
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


async def test_a_room_that_cannot_be_is_a_problem(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        for body, code in (
            ({"id": "undefined"}, "ROOM-ID"), ({"people": [{"role": "king"}]}, "ROOM-ROLE"),
            ({"colour": "red"}, "REQUEST-INVALID"), ({"capacity": 0}, "REQUEST-INVALID"),
        ):  # fmt: skip
            assert (await http.post("api/rooms", json=body)).json()["code"] == code
        assert (await http.get("api/rooms/none")).json()["code"] == "ROOM-UNKNOWN"
        assert (await http.post("api/rooms", json={"id": "visit"})).status_code == 201
        again = await http.post("api/rooms", json={"id": "visit"})
        assert (again.status_code, again.json()["status"], again.json()["code"]) == (409, 409, "REQUEST-INVALID")


async def test_the_demo_has_an_open_room_for_pages_of_this_machine(tmp_path: Path) -> None:
    async with house(tmp_path, demo=True) as (http, sockets):
        assert (await http.get("api/rooms/demo")).json()["lobby"] is False
        at = f"{sockets}/ws/signaling/demo"
        async with (
            connect(f"{at}/doctor", proxy=None, origin=Origin("http://localhost:3000")) as doctor,
            connect(f"{at}/patient", proxy=None),
        ):
            assert (await hear(doctor))["userType"] == "patient"


async def test_strangers_and_wrong_addresses_are_told_in_a_frame(tmp_path: Path) -> None:
    async with house(tmp_path) as (_, sockets):
        for path, origin, code in (
            ("/ws/signaling/visit/doctor", "https://evil.example", "ROOM-ORIGIN"),
            ("/ws/signaling/visit/doctor", "http://localhost:3000", "ROOM-ORIGIN"),
            ("/api/cameras", None, "ROOM-PATH"),
        ):
            async with connect(sockets + path, proxy=None, origin=Origin(origin) if origin else None) as web:
                assert (await hear(web))["code"] == code


async def test_where_others_reach_the_server_rooms_need_key_and_token(tmp_path: Path) -> None:
    async with house(tmp_path, key="k" * 32) as (http, sockets):
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


async def test_a_guest_sees_the_page_of_a_room_without_a_key(tmp_path: Path) -> None:
    """Also one who comes from a mail program on another site; nothing else is shown to them."""
    async with house(tmp_path, key="k" * 32) as (http, _):
        from_mail = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        async with httpx2.AsyncClient(base_url=str(http.base_url), headers=from_mail) as guest:
            # … and what is left of an address that was cut off, or has a sign too much at its end
            for address in ("rooms/visit", "j/a-token", "rooms/visit/", "j/a-token/", "rooms/", "rooms", "j/", "j"):
                page = await guest.get(address)
                assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
                assert 'src="/rooms-page/main.js"' in page.text
                policy = page.headers["content-security-policy"]
                assert f"connect-src 'self' ws://{guest.base_url.netloc.decode()} wss://" in policy
                assert (await guest.head(address)).status_code == 200
            assert (await guest.get("api/rooms/visit")).json()["code"] == "ORIGIN-REFUSED"
            for address in ("rooms-page/index.html", "api/faults/ROOM-ENDED"):
                assert (await guest.get(address, headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
            denied = await guest.get("api/rooms/visit", headers={"Sec-Fetch-Site": "same-origin"})
            assert denied.json()["code"] == "KEY-NEEDED"


async def test_a_link_lets_one_person_in_once_and_looking_at_it_does_not_use_it(tmp_path: Path) -> None:
    """While it is good it names the TURN server too, for a check of the line before it is used."""
    async with house(tmp_path, key="k" * 32, turn="turn:turn.test:3478") as (http, sockets):
        room = (await http.post("api/rooms", json={"id": "visit"})).json()["id"]
        made = (
            await http.post(f"api/rooms/{room}/links", json={"role": "patient", "name": "B", "invited_by": " Dr A "})
        ).json()
        assert made["url"].startswith("/j/")
        address = made["url"][1:]
        async with httpx2.AsyncClient(base_url=str(http.base_url), headers={"Accept": "application/json"}) as guest:
            for _ in range(3):  # as chat programs, mail scanners and the page itself do
                assert (await guest.head(address)).status_code == 200
                assert "main.js" in (await guest.get(address, headers={"Accept": "text/html"})).text
                looked = await guest.get(address)
            assert looked.headers["cache-control"] == "no-store"
            said = looked.json()
            [relay] = said.pop("ice")
            assert (relay["urls"], relay.keys()) == (["turn:turn.test:3478"], {"urls", "username", "credential"})
            assert said == {
                "state": "good", "room": "visit", "role": "patient", "name": "B", "invited_by": "Dr A",
                "opens": None, "expires": made["expires"],
            }  # fmt: skip
            tried = await asyncio.gather(*(guest.post(address) for _ in range(5)))
            (entrance,) = [answer.json() for answer in tried if answer.status_code == 200]
            assert [answer.json()["code"] for answer in tried if answer.status_code != 200] == ["ROOM-LINK-USED"] * 4
            used = (await guest.get(address)).json()
            assert (used["state"], used["ice"]) == ("used", [])
        assert (entrance["room"], entrance["role"], entrance["name"]) == ("visit", "patient", "B")
        async with connect(f"{sockets}/ws/v2", proxy=None) as web:
            await web.send(json.dumps({"t": "hello", "v": 2, "token": entrance["token"]}))
            assert (await hear(web))["you"]["role"] == "patient"


async def test_neither_a_link_nor_a_token_is_kept(tmp_path: Path) -> None:
    """Whoever reads the disk enters no room: of a link there is its hash, of a token nothing."""
    async with house(tmp_path) as (http, _):
        made = (await http.post("api/rooms", json={"id": "visit", "people": [{"role": "doctor"}]})).json()
        links = [
            (await http.post("api/rooms/visit/links", json={"role": "patient"})).json()["url"][1:] for _ in range(2)
        ]
        used = (await http.post(links[0])).json()["token"]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert hash_of(links[0].removeprefix("j/")).encode() in kept
    for secret in (*(link.removeprefix("j/") for link in links), used, made["people"][0]["token"]):
        assert secret.encode() not in kept


async def test_a_link_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        http.headers["Accept"] = "application/json"
        await http.post("api/rooms", json={"id": "visit"})
        cases: tuple[tuple[dict[str, float], str, str], ...] = (
            ({"opens": 600}, "early", "ROOM-EARLY"), ({"expires": 2}, "expired", "ROOM-LINK-EXPIRED"),
            ({}, "ended", "ROOM-ENDED"),
        )  # fmt: skip
        for seconds, state, code in cases:
            times = {name: time.time() + ahead for name, ahead in seconds.items()}
            made = await http.post("api/rooms/visit/links", json={"role": "doctor", **times})
            address = made.json()["url"][1:]
            if state == "ended":
                await http.delete("api/rooms/visit")
            while (await http.get(address)).json()["state"] == "good":
                await asyncio.sleep(0.05)
            assert (await http.get(address)).json()["state"] == state
            assert (await http.post(address)).json()["code"] == code
        wrong: tuple[tuple[dict[str, Any], str], ...] = (
            ({"role": "king"}, "ROOM-ROLE"), ({"role": "doctor", "expires": 5}, "REQUEST-INVALID"),
            ({"role": "doctor", "may": ["two words"]}, "REQUEST-INVALID"),
        )  # fmt: skip
        for wanted, code in wrong:
            assert (await http.post("api/rooms/visit/links", json=wanted)).json()["code"] == code
        assert (await http.post("api/rooms/none/links", json={"role": "doctor"})).json()["code"] == "ROOM-UNKNOWN"


async def test_whoever_guesses_links_is_slowed_down(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        http.headers["Accept"] = "application/json"
        for number in range(5):
            assert (await http.get(f"j/guess-{number}")).json() == dict.fromkeys(
                ("room", "role", "name", "invited_by", "opens", "expires")
            ) | {"state": "unknown", "ice": []}
            assert (await http.post(f"j/guess-{number}")).json()["code"] == "ROOM-LINK-UNKNOWN"
        refused = await http.post("j/guess-again")
        assert (refused.status_code, refused.json()["code"]) == (429, "ROOM-RATE")
        assert int(refused.headers["retry-after"]) > 30


async def test_rooms_links_and_tokens_outlive_a_restart(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        wanted = {"id": "visit", "capacity": 3, "consent": ["video", "recording"], "people": [{"role": "patient"}]}
        token = (await http.post("api/rooms", json=wanted)).json()["people"][0]["token"]
        before = (await http.get("api/rooms/visit")).json()
        address = (await http.post("api/rooms/visit/links", json={"role": "doctor"})).json()["url"][1:]
        await http.post("api/rooms", json={"id": "over"})
        await http.delete("api/rooms/over")
    async with house(tmp_path) as (http, sockets):
        assert (await http.get("api/rooms/visit")).json() == before
        assert (await http.get("api/rooms/over")).json()["state"] == "ended"
        assert (await http.post("api/rooms", json={"id": "visit"})).json()["code"] == "REQUEST-INVALID"
        doctor = (await http.post(address)).json()["token"]
        async with connect(f"{sockets}/ws/v2", proxy=None) as web, connect(f"{sockets}/ws/v2", proxy=None) as other:
            await web.send(json.dumps({"t": "hello", "v": 2, "token": token}))
            assert (await hear(web))["consent"]["needed"] == ["recording", "video"]
            assert (await hear(web))["t"] == "waiting"
            await other.send(json.dumps({"t": "hello", "v": 2, "token": doctor}))
            assert [(await hear(other))["t"] for _ in range(3)] == ["welcome", "roster", "knock"]


async def test_a_room_with_all_its_defaults_needs_no_body(tmp_path: Path) -> None:
    """`curl -X POST …/api/rooms`, as a recording is begun too."""
    async with house(tmp_path) as (http, _):
        made = await http.post("api/rooms")
        assert made.status_code == 201
        assert (await http.get(f"api/rooms/{made.json()['id']}")).status_code == 200


async def test_what_came_through_a_proxy_is_not_of_this_machine(tmp_path: Path) -> None:
    async with house(tmp_path) as (_, sockets):
        through = {"X-Forwarded-For": "192.0.2.7"}
        async with connect(f"{sockets}/ws/signaling/visit/doctor", proxy=None, additional_headers=through) as web:
            assert (await hear(web))["code"] == "ROOM-TOKEN-NEEDED"


def test_an_app_with_the_router_is_tried_without_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starlette's test client is this machine, though it names no address."""
    monkeypatch.delitem(vars(ringlight.rooms), "router", raising=False)
    app = FastAPI()
    app.include_router(ringlight.rooms.router)
    client = TestClient(app)
    offer = {"type": "offer", "offer": {"type": "offer", "sdp": "v=0"}}
    at = "/ws/signaling/visit"
    with client.websocket_connect(f"{at}/doctor") as doctor, client.websocket_connect(f"{at}/patient") as patient:
        assert doctor.receive_json()["type"] == "user-joined"
        doctor.send_json(offer)
        assert patient.receive_json() == offer
    with client.websocket_connect("/ws/v2") as page:
        page.send_json({"t": "hello", "v": 2, "room": "other", "role": "clinician"})
        assert page.receive_json()["t"] == "welcome"
    with client.websocket_connect(f"{at}/doctor", headers={"X-Forwarded-For": "192.0.2.7"}) as doctor:
        assert doctor.receive_json()["code"] == "ROOM-TOKEN-NEEDED"


async def test_a_request_that_lost_its_upgrade_on_the_way_is_told_so(tmp_path: Path) -> None:
    """As by a proxy that passes requests on without their `Upgrade`; the page sees nothing but a status."""
    async with house(tmp_path) as (http, _):
        for path in ("ws/v2", "ws/signaling/visit/doctor"):
            answer = await http.get(path)
            assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
            assert (answer.json()["code"], answer.json()["status"]) == ("REACH-PROXY", 426)
        assert (await http.get("ws/else")).status_code == 404


async def test_the_router_is_mounted_in_an_app_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """`from ringlight.rooms import router` is all; pages of this machine enter, as in development."""
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
