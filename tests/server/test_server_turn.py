"""A viewer's turn to talk by itself: whatever comes while it begins or ends, the next one is a turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from ringlight.cameras import View
from ringlight.cameras.talking import Talker
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.server.turn import Turn

pytestmark = pytest.mark.anyio


class Room:
    """A view whose speaker opens at once."""

    hears = True

    def __init__(self) -> None:
        self.sound: list[Packet] = []

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[Talker]:
        yield Talker(Codec(111, "opus", 48_000, 2), lambda _, packet: self.sound.append(packet))


async def test_a_turn_that_is_taken_back_before_it_began_stands_in_no_way() -> None:
    """A page that is pressed and released at once sends both requests in one go."""
    room = Room()
    turn = Turn(cast(View, room), sends=True)
    beginning = asyncio.create_task(turn.begin())
    await asyncio.sleep(0)
    await turn.end()
    await beginning
    async with asyncio.timeout(2):
        await turn.begin()
    turn.hear(Packet(111, False, 1, 960, 9, b"sound"))
    assert [packet.payload for packet in room.sound] == [b"sound"]
    await turn.end()
