"""The client against each description of Ring: the seen one, the written one, and the worst that is legal."""

import asyncio
from typing import Any

import pytest

from dialing import Notes, account_at, client_of
from ringlight.simulator.behaviour import PROFILES
from ringlight.simulator.world import World
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio


async def _opened(world: World, notes: Notes) -> list[str]:
    """Watch until video flows and the camera says so; return the methods of what the server sent."""
    async with simulator(world) as ring, account_at(ring) as account:
        await account.cameras()
        async with client_of(account, notes), asyncio.timeout(15):
            await notes.flowing.wait()
            while _methods(notes, "in").count("camera_started") < 1:
                await asyncio.sleep(0.01)
    verdicts = [message["code"] for dialog in world.dialogs for message in dialog.messages]
    assert verdicts == [None] * len(verdicts)
    assert set(notes.steps) == {"token", "ticket", "socket", "offer", "session", "answer", "camera", "media"}
    return _methods(notes, "in")


def _methods(notes: Notes, direction: str) -> list[str]:
    return [str(message["method"]) for way, message in notes.messages if way == direction]


def _bodies(notes: Notes, method: str) -> list[dict[str, Any]]:
    return [dict(message["body"]) for way, message in notes.messages if way == "in" and message["method"] == method]


@pytest.mark.parametrize("profile", PROFILES)
async def test_video_flows_and_every_message_of_ours_is_right(profile: str) -> None:
    notes = Notes()
    await _opened(World(profile=profile, seed=1), notes)
    assert len(notes.tries) == 1, "nothing had to be tried again"
    assert _methods(notes, "out")[:4] == ["live_view", "activate_session", "mic_enable", "stream_options"]


async def test_observed_is_the_order_of_the_recording_with_tcp_candidates_in_the_answer() -> None:
    notes = Notes()
    methods = await _opened(World(profile="observed"), notes)
    assert methods[:2] == ["session_created", "sdp"]
    assert "ice" not in methods
    (answer,) = _bodies(notes, "sdp")
    assert "tcptype passive" in answer["sdp"]
    assert answer["session_info"]["ping_interval"] == 10


async def test_documented_answers_first_and_trickles() -> None:
    notes = Notes()
    methods = await _opened(World(profile="documented"), notes)
    assert methods[:2] == ["sdp", "session_created"]
    assert "ice" in methods
    (answer,) = _bodies(notes, "sdp")
    assert "candidate:" not in answer["sdp"]
    assert "session_info" not in answer


async def test_hostile_is_survived_with_a_note_for_each_oddity() -> None:
    notes = Notes()
    methods = await _opened(World(profile="hostile", seed=3), notes)
    assert methods[:2] == ["ice", "live_view"], "an address, and an answer by another name, before any session"
    assert "session_started" in methods
    assert {"SIG-NOTICE", "SDP-DIRECTION"} <= set(notes.notes)
    told = [getattr(event, "text", "") for event in notes.events]
    for part in ("second answer", "second session_created", "another dialog", "another session", "for camera 1002"):
        assert any(part in text for text in told), part
