"""What befalls a whole room: its copy in Redis is damaged, or more is said than a line takes."""

import json
from typing import Any

from cells.room import House

from ringlight.rooms import shared_keys

SMALL_QUEUE = {"message_bytes": 2**20, "queue_bytes": 2**16, "capacity": 12}


async def spoil(house: House) -> dict[str, Any]:
    """Write over what is kept of the room."""
    assert house.redis is not None
    with house.redis.client() as client:
        client.set(f"{shared_keys.name_of('visit')}:head", "hello")
    return {}


async def clear(house: House) -> dict[str, Any]:
    """Delete it, as the fix says."""
    assert house.redis is not None
    with house.redis.client() as client:
        client.delete(*shared_keys.keys_of("visit"))
    return {}


async def flood(house: House) -> None:
    """Three people send as much as they may, and more than a system keeps for one who does not read."""
    others = [await house.enter("interpreter") for _ in range(3)]
    words = json.dumps({"t": "signal", "description": {"type": "offer", "sdp": "x" * 900_000}})
    for web in others * 4:
        await web.send(words)
