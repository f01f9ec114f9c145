"""The signaling socket beyond one view: several dialogs, events, and each way in which Ring ends it."""

import asyncio
import json
import uuid
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from raw_client import raw_client
from ringlight.simulator.behaviour import PROFILES
from ringlight.simulator.switchboard import SWITCHES
from ringlight.simulator.world import World
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio


# Several dialogs on one socket


async def test_closing_one_dialog_leaves_the_others() -> None:
    async with simulator() as ring, raw_client(ring) as client:
        first = await client.live()
        first_id, first_session = first.dialog_id, first.session_id
        client.dialog_id = str(uuid.uuid4())
        await client.live()
        assert client.session_id != first_session
        await client.send(client.in_session("close", reason={"code": 0, "text": "client_closed"}))
        client.dialog_id, client.session_id = first_id, first_session
        await client.send(client.in_session("ping"))
        assert (await client.hear("pong", first_id))["body"]["session_id"] == first_session
        assert [dialog.ended for dialog in ring.world.dialogs] == [None, "closed by the client"]
    assert [message["code"] for dialog in ring.world.dialogs for message in dialog.messages] == [None] * 6


async def test_a_wrong_session_id_ends_its_dialog_alone() -> None:
    async with simulator() as ring, raw_client(ring) as client:
        await client.live()
        first_id, first_session = client.dialog_id, client.session_id
        client.dialog_id = str(uuid.uuid4())
        await client.live()
        await client.send(client.in_session("ping", session_id=first_session))
        closed = await client.hear("close")
        assert (closed["dialog_id"], closed["body"]["reason"]["code"]) == (client.dialog_id, 5)
        client.dialog_id, client.session_id = first_id, first_session
        await client.send(client.in_session("ping"))
        await client.hear("pong", first_id)


async def test_what_breaks_the_protocol_ends_all_of_them() -> None:
    async with simulator() as ring, raw_client(ring) as client:
        await client.live()
        client.dialog_id = str(uuid.uuid4())
        await client.send(client.envelope("ping"))
        assert (await client.end())[0] == 4002
    assert [dialog.ended for dialog in ring.world.dialogs] == ["socket 4002", "SIG-ORDER"]


# The end of the socket


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4002, 4400])
async def test_the_world_can_close_every_socket(code: int) -> None:
    async with simulator() as ring, raw_client(ring) as client:
        await client.live()
        ring.world.end_sockets(code, "because")
        assert await client.end() == (code, "because")
    assert ring.world.dialogs[0].ended == f"socket {code}"


async def test_1006_is_a_connection_without_a_close_frame_and_1005_a_frame_without_a_code() -> None:
    async with simulator() as ring:
        async with raw_client(ring) as client:
            await client.live()
            ring.world.end_sockets(None, "")
            assert (await client.end())[0] == 1006
            assert client.web.protocol.close_rcvd is None
        async with raw_client(ring) as client:
            await client.live()
            ring.world.end_sockets(1005, "")
            assert (await client.end())[0] == 1005
            assert client.web.protocol.close_rcvd is not None


async def test_the_world_can_close_every_view_with_a_reason_and_text() -> None:
    async with simulator() as ring, raw_client(ring) as client:
        await client.live()
        ring.world.end_views(31, "nobody knows")
        assert (await client.hear("close"))["body"]["reason"] == {"code": 31, "text": "nobody knows"}
        await client.send(client.offer() | {"dialog_id": str(uuid.uuid4())})  # the socket is still good
        await client.hear("session_created")


@pytest.mark.parametrize("status", [401, 403])
async def test_an_upgrade_is_refused_by_its_status(status: int) -> None:
    async with simulator() as ring:
        ring.world.switch([f"upgrade-{status}"])
        with pytest.raises(InvalidStatus) as caught:
            async with raw_client(ring):
                pass
    assert caught.value.response.status_code == status


async def test_an_upgrade_that_is_never_answered_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async with simulator() as ring:
        ring.world.switch(["upgrade-silent"])
        with pytest.raises(TimeoutError):
            async with raw_client(ring, open_timeout=0.2):
                pass
    assert caplog.records == []


# Events over the socket


def _subscription(*cameras: int) -> dict[str, Any]:
    filters = {"filters": {"doorbot_ids": cameras}} if cameras else {}
    wish = {"notification_type": "shoulder_tap", "notification_scope": "event", "filter_identifier": "f-1", **filters}
    return {"method": "push_subscribe", "dialog_id": str(uuid.uuid4()), "riid": "0" * 32,
            "body": {"requested_notifications": [wish]}}  # fmt: skip


async def test_who_has_subscribed_is_told_of_the_bell() -> None:
    async with simulator() as ring, raw_client(ring) as client:
        wish = _subscription(1001)
        await client.send(wish)
        ack = await client.hear("push_subscription_ack")
        assert (ack["dialog_id"], ack["riid"], ack["body"]["status"]) == (wish["dialog_id"], wish["riid"], "ok")
        ring.world.press(1002, "motion")
        pressed = ring.world.press(1001, "ding")
        told = (await client.hear("push_event"))["body"]
        assert told["subscription_id"] == ack["body"]["subscription_id"]
        assert told["filter_identifiers"] == ["f-1"]
        assert told["payload"]["device_id"] == "1001", "that of the other camera was not asked for"
        assert told["payload"]["event_id"] == str(pressed.id)
        assert isinstance(told["ingestion_time_ms"], int)
        heartbeat = {"method": "push_heartbeat", "dialog_id": wish["dialog_id"], "riid": "1" * 32, "body": {}}
        await client.send(heartbeat)
        await client.send({**heartbeat, "method": "push_unsubscribe"})
        await client.live()  # all that was sent before has been taken
        ring.world.press(1001, "ding")
        await client.send(client.in_session("ping"))
        await client.hear("pong")
        assert [message["method"] for message in client.heard].count("push_event") == 1
    assert all(message["code"] is None for dialog in ring.world.dialogs for message in dialog.messages)


async def test_without_a_filter_every_camera_is_told_of() -> None:
    async with simulator() as ring, raw_client(ring) as client:
        await client.send(_subscription())
        await client.hear("push_subscription_ack")
        for camera in ring.world.cameras:
            ring.world.press(camera.id, "motion")
        devices = [(await client.hear("push_event"))["body"]["payload"]["device_id"] for _ in ring.world.cameras]
    assert devices == ["1001", "1002", "1003"]


# Profiles and switches


def test_every_switch_changes_something_that_a_view_has() -> None:
    known = set(PROFILES["observed"].behaviour.__slots__)
    assert all(set(switch.changes) <= known for switch in SWITCHES.values())


def test_switches_add_up() -> None:
    world = World(profile="documented")
    world.switch(["duplicates", "no-udp", "pcmu-sound"])
    how = world.behaviour
    assert (how.answer_first, how.duplicates, how.reachable, how.sound) == (True, True, False, "pcmu")
    assert (how.ticket_life, how.session_info) == (180.0, False)


async def test_the_same_seed_makes_the_same_ring() -> None:
    """Session ids have the time in them, and ICE its own dice; all else is the same again."""

    async def heard(seed: int | None) -> list[Any]:
        async with simulator(World(seed=seed, profile="hostile")) as ring, raw_client(ring) as client:
            await client.send(client.offer())
            await client.hear("camera_started")
        unlike = {"dialog_id", "riid", "session_id", "sdp", "ice", "requested_at"}
        bodies = [
            {key: value for key, value in message["body"].items() if key not in unlike} for message in client.heard
        ]
        seen = [(message["method"], body) for message, body in zip(client.heard, bodies, strict=True)]
        late = ("ice",)  # trickled beside the rest
        return [ring.world.tokens.make_ticket(), [one for one in seen if one[0] not in late]]

    first, again, other = await heard(7), await heard(7), await heard(8)
    assert json.dumps(first) == json.dumps(again) != json.dumps(other)
    assert len(first[1]) > 12


async def test_a_world_that_is_fast_needs_no_patience() -> None:
    """70 s without activation are 0.1 s at a speed of 700; pings keep to real time."""
    async with simulator(World(speed=700.0)) as ring, raw_client(ring) as client:
        await client.created()
        async with asyncio.timeout(2):
            assert (await client.hear("close"))["body"]["reason"] == {"code": 0, "text": ""}
    assert ring.world.dialogs[0].ended == "SIG-NO-ACTIVATION"
