"""What other people's clients ask of Ring, and how they leave: the simulator takes what Ring takes."""

import asyncio
import json
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect

from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request
from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport
from ringlight.secrets import Secret
from ringlight.simulator.account_api import DEVICE_GROUPS
from ringlight.simulator.footage_api import RECORDING_LIFE
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

DIALOG = "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968"
GOODBYE = {"method": "close", "reason": {"code": 0, "text": ""}}  # as ring-client-api and ring-mqtt write it


async def _ask(ring: SimulatedRing, method: str, path: str, body: object = None) -> tuple[int, Any]:
    bearer = Secret(ring.world.tokens.grant()["access_token"])
    async with AsyncDriver(base_url=ring.url) as driver:
        answer = await driver.send(Request(method, f"https://api.ring.com{path}", json=body, bearer=bearer))
        return answer.status, answer.json() if answer.body else None


async def _said(ring: SimulatedRing, *messages: object) -> int | None:
    """Send messages on one socket; return the code with which the simulator closed it, `None` if it did not."""
    address = f"{ring.url.replace('http', 'ws')}/ws?auth_type=ring_solutions&token={ring.world.tokens.make_ticket()}"
    async with connect(address, proxy=None) as web:
        for message in messages:
            await web.send(json.dumps(message))
        async with asyncio.timeout(5):
            while True:
                last = ring.world.dialogs[-1].messages if ring.world.dialogs else []
                if web.close_code is not None or [message["method"] for message in last][-1:] == ["close"]:
                    break
                await asyncio.sleep(0.01)
        await (await web.ping()) if web.close_code is None else None
        return web.close_code


def _offer() -> dict[str, Any]:
    text = sdp.write(negotiate.camera_offer(Transport("u", "p" * 22, "AB:CD", "actpass"), audio=False))
    return {"method": "live_view", "dialog_id": DIALOG, "body": {"doorbot_id": 1002, "sdp": text, "stream_options": {}}}


async def test_a_goodbye_at_the_top_level_is_noted_and_let_pass() -> None:
    """It has neither body nor dialog_id; its sender hangs up right after, so Ring never minded."""
    async with simulator() as ring:
        assert await _said(ring, _offer(), GOODBYE) is None
        (dialog,) = ring.world.dialogs
    assert (dialog.dialog_id, dialog.ended) == (DIALOG, "closed by the client")
    assert [(message["method"], message["code"]) for message in dialog.messages] == [
        ("live_view", None),
        ("close", "SIG-DIALOG-ID"),
    ]


async def test_what_else_comes_without_a_dialog_id_is_refused() -> None:
    async with simulator() as ring:
        assert await _said(ring, _offer(), {"method": "ping", "body": {"doorbot_id": 1002}}, GOODBYE) == 4002


async def test_every_group_of_devices_is_listed_even_if_it_is_empty() -> None:
    async with simulator() as ring:
        status, listed = await _ask(ring, "GET", "/clients_api/ring_devices")
    assert status == 200
    assert set(listed) == set(DEVICE_GROUPS)


async def test_places_groups_and_rings_have_the_shapes_that_clients_read() -> None:
    async with simulator() as ring:
        (place,) = (await _ask(ring, "GET", "/devices/v1/locations"))[1]["user_locations"]
        path = f"/groups/v1/locations/{place['location_id']}/groups"
        assert (await _ask(ring, "GET", path))[1] == {"device_groups": []}
        assert (await _ask(ring, "GET", "/clients_api/dings/active"))[1] == []
        assert (await _ask(ring, "PATCH", "/clients_api/device", {"device": {}}))[0] == 204
        path = f"/clients_api/locations/{place['location_id']}/devices/1001/events"
        assert [event["kind"] for event in (await _ask(ring, "GET", path))[1]["events"]] == [
            "ding",
            "motion",
            "on_demand",
        ]
        assert (await _ask(ring, "GET", path.replace(place["location_id"], "loc-other")))[0] == 404


async def test_motion_detection_is_switched_in_the_settings_and_seen_in_the_list() -> None:
    async with simulator() as ring:
        path, off = "/devices/v1/devices/1003/settings", {"motion_settings": {"motion_detection_enabled": False}}
        assert await _ask(ring, "PATCH", path, off) == (200, off)
        assert await _ask(ring, "GET", path) == (200, off)
        listed = (await _ask(ring, "GET", "/clients_api/ring_devices"))[1]["stickup_cams"]
        assert {one["id"]: one["settings"]["motion_detection_enabled"] for one in listed} == {1002: True, 1003: False}
        assert (await _ask(ring, "PATCH", path, {"volume": 3}))[0] == 422
        assert (await _ask(ring, "PATCH", path.replace("1003", "9"), off))[0] == 404


async def test_wishes_for_push_messages_are_taken_for_cameras_that_there_are() -> None:
    async with simulator() as ring:
        for wish in ("subscribe", "unsubscribe", "motions_subscribe", "motions_unsubscribe"):
            assert (await _ask(ring, "POST", f"/clients_api/doorbots/1001/{wish}"))[0] == 204
        assert (await _ask(ring, "POST", "/clients_api/doorbots/1001/live_view"))[0] == 404
        assert (await _ask(ring, "POST", "/clients_api/doorbots/9/subscribe"))[0] == 404


async def test_the_older_still_is_asked_for_and_then_fetched() -> None:
    async with simulator() as ring:
        asked = {"doorbot_ids": [1002, 9]}
        ((taken),) = (await _ask(ring, "POST", "/clients_api/snapshots/timestamps", asked))[1]["timestamps"]
        assert taken["doorbot_id"] == 1002
        assert taken["timestamp"] > 1_700_000_000_000, "milliseconds since the epoch"
    async with simulator(World(takes_stills=False)) as ring:
        ((taken),) = (await _ask(ring, "POST", "/clients_api/snapshots/timestamps", asked))[1]["timestamps"]
        assert taken["timestamp"] == 0, "a picture that was never taken is older than any request"


async def test_a_recording_is_redirected_to_unless_its_address_is_asked_for() -> None:
    number = 7_500_000_000_000_000_003
    async with simulator() as ring, AsyncDriver() as driver:
        bearer = Secret(ring.world.tokens.grant()["access_token"])
        path = f"{ring.url}/clients_api/dings/{number}/recording"
        sent = await driver.send(Request("GET", path, bearer=bearer))
        assert sent.status == 302
        assert (await driver.send(Request("GET", sent.headers["location"]))).body[4:8] == b"ftyp"
        address = (await _ask(ring, "GET", f"/clients_api/dings/{number}/recording?disable_redirect=true"))[1]["url"]
        assert (await driver.send(Request("GET", address))).body[4:8] == b"ftyp"
        later = time.monotonic() + RECORDING_LIFE
        ring.world.now = lambda: later
        assert (await driver.send(Request("GET", address))).status == 403, "good for a while"
