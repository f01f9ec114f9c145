"""The motor of a simulated camera: it answers when it has turned; the picture follows when the machine has drawn it."""

import asyncio
import threading
from typing import Any

import pytest

from ringlight.liveview import ptz
from ringlight.simulator.clip import Clip
from ringlight.simulator.motor import Motor
from ringlight.simulator.premises import SimCamera
from ringlight.simulator.turning import Facing
from ringlight.simulator.world import World

pytestmark = pytest.mark.anyio
WITHIN = 60.0  # seconds
CAMERA = next(camera for camera in World().cameras if camera.pan_and_tilt)


def _step(direction: ptz.Direction) -> dict[str, Any]:
    method, params = ptz.step(direction)
    return {"jsonrpc": "2.0", "id": "c-1", "method": method, "params": params}


async def test_it_answers_before_its_picture_is_drawn_and_shows_at_last_where_it_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine with much to do needs seconds for a picture, and a client waits five for the answer."""
    may_draw, said, shown = threading.Event(), list[dict[str, Any]](), list[str]()

    def draw(_: SimCamera, facing: Facing) -> Clip:
        assert may_draw.wait(WITHIN)
        return Clip((), f"{facing.pan}")

    async def say(command: dict[str, Any]) -> None:
        said.append(command)

    monkeypatch.setattr(SimCamera, "clip_facing", draw)
    facing: dict[int, Facing] = {}
    motor = Motor(CAMERA, facing, show=lambda clip: shown.append(clip.profile_level_id), say=say)
    try:
        async with asyncio.timeout(WITHIN / 2):
            for _ in range(2):
                await motor.carry_out(_step("right"))
            assert ([one["id"] for one in said], facing, shown) == (["c-1", "c-1"], {CAMERA.id: Facing(2)}, [])
            may_draw.set()
            while "2" not in shown:
                await asyncio.sleep(0.01)
        assert shown[-1] == "2"
    finally:
        may_draw.set()
        await motor.close()
