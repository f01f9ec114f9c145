"""A viewer's turn to talk by itself: whatever comes while it begins or ends, the next one is a turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from ringlight.cameras import View
from ringlight.cameras.talking import Talker
from ringlight.errors import RingError
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.server.turn import Turn

pytestmark = pytest.mark.anyio
OPUS, PCMU = Codec(111, "opus", 48_000, 2), Codec(0, "PCMU", 8_000)


class Room:
    """A view whose speaker opens at once."""

    hears = True

    def __init__(self, hears_in: Codec = OPUS) -> None:
        self.hears_in = hears_in
        self.sound: list[Packet] = []

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[Talker]:
        yield Talker(self.hears_in, lambda _, packet: self.sound.append(packet))


async def test_a_turn_that_is_taken_back_before_it_began_stands_in_no_way() -> None:
    """A page that is pressed and released at once sends both requests in one go."""
    room = Room()
    turn = Turn(cast(View, room), OPUS)
    beginning = asyncio.create_task(turn.begin())
    await asyncio.sleep(0)
    await turn.end()
    await beginning
    async with asyncio.timeout(2):
        await turn.begin()
    turn.hear(Packet(111, False, 1, 960, 9, b"sound"))
    assert [packet.payload for packet in room.sound] == [b"sound"]
    await turn.end()


async def test_a_viewer_whose_sound_the_camera_no_longer_understands_gets_no_turn() -> None:
    """A renewed view may hear in another codec than the one that the viewer was answered."""
    room = Room(hears_in=PCMU)
    turn = Turn(cast(View, room), OPUS)
    with pytest.raises(RingError, match=r"REQUEST-INVALID.*sends opus; PCMU is heard"):
        await turn.begin()
    turn.hear(Packet(111, False, 1, 960, 9, b"noise"))
    assert room.sound == []
