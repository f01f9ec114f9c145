"""Sockets that are cut at random under load: whatever was said is heard once, in order, under the same names."""

import asyncio
import random

import pytest

from coming_back import ComingBack
from ringlight.settings import RoomSettings
from room_adapters import OverAsgi, rooms

pytestmark = pytest.mark.anyio
ROOMS, WORDS = 12, 120
DROPPED = 0.02  # of all messages are followed by a cut


@pytest.mark.parametrize("adapter", ["asgi", "fast"])
async def test_nothing_is_lost_or_doubled_with_sockets_cut_at_random(adapter: str) -> None:
    settings = RoomSettings(rate=10_000, burst=100_000)
    dice = random.Random(adapter)
    drops = 0
    async with rooms(adapter, settings) as server:
        assert isinstance(server, OverAsgi)
        url = f"{server.url}/ws/v2"

        async def visit(number: int) -> None:
            """Two people of a room talk; either connection may be cut after any message."""
            nonlocal drops
            async with (
                ComingBack(lambda: [url], room=f"r{number}", role="doctor") as one,
                ComingBack(lambda: [url], room=f"r{number}", role="doctor") as other,
            ):
                await one.until(lambda: bool(one.others))
                for word in range(WORDS):
                    for page, name in ((one, "one"), (other, "other")):
                        await page.say(f"{name} {word}")
                        if dice.random() < DROPPED:
                            drops += 1
                            dice.choice((one, other)).drop()
                    await asyncio.sleep(0)
                await one.answered()
                await other.answered()
                await one.until(lambda: len(one.heard) >= WORDS)
                await other.until(lambda: len(other.heard) >= WORDS)
                assert one.heard == [f"other {word}" for word in range(WORDS)]
                assert other.heard == [f"one {word}" for word in range(WORDS)]
                assert len(set(one.names)) == len(set(other.names)) == 1

        async with asyncio.TaskGroup() as visits:
            for number in range(ROOMS):
                visits.create_task(visit(number))
    assert drops > ROOMS
