"""A simulated dialog that is ended from two sides at once, or half way, still frees its sockets."""

import asyncio
import random
from typing import Any

import pytest

from ringlight.liveview import messages
from ringlight.liveview.messages import Message
from ringlight.media import negotiate
from ringlight.media.peer import Peer
from ringlight.media.sdp import Transport
from ringlight.simulator.behaviour import Behaviour
from ringlight.simulator.clip import Clip
from ringlight.simulator.sender import CameraSender
from ringlight.simulator.signaling import SimDialog
from ringlight.simulator.world import World

pytestmark = pytest.mark.anyio

TRANSPORT = Transport("u", "p" * 22, "AB:CD", "actpass")


class SlowSender:
    """Takes its time to close, as sockets do."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.calls = self.closed = 0

    async def close(self) -> None:
        self.calls += 1
        self.begun.set()
        await self.may_end.wait()
        self.closed += 1


async def test_whoever_ends_a_dialog_second_waits_for_the_first_and_finishes_its_work() -> None:
    world, sender = World(), SlowSender()
    offer = Message(method="live_view", dialog_id="D", body=messages.LiveView(doorbot_id=1001, sdp=""))
    channel: Any = None  # nothing is sent here
    dialog = SimDialog(world, channel, offer, world.record("D", 1001))
    dialog._sender = sender  # type: ignore[assignment]
    first = asyncio.create_task(dialog.close())
    await sender.begun.wait()
    second = asyncio.create_task(dialog.close())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    sender.may_end.set()
    async with asyncio.timeout(2):
        await second
    assert (sender.calls, sender.closed) == (1, 1)


async def test_gathering_that_was_begun_is_finished_before_the_sockets_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[str] = []
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def gather(_: Peer) -> Transport:
        begun.set()
        await may_end.wait()
        happened.append("gathered")
        return TRANSPORT

    async def close(_: Peer) -> None:
        happened.append("closed")

    monkeypatch.setattr(Peer, "gather", gather)
    monkeypatch.setattr(Peer, "close", close)
    offer = negotiate.camera_offer(TRANSPORT, audio=False)
    sender = CameraSender(Clip((), "42e029"), offer, Behaviour(), random.Random(1))
    answering = asyncio.create_task(sender.answer())
    await begun.wait()
    answering.cancel()
    await asyncio.wait({answering})
    closing = asyncio.create_task(sender.close())
    await asyncio.sleep(0.01)
    may_end.set()
    async with asyncio.timeout(2):
        await closing
    assert happened == ["gathered", "closed"]
