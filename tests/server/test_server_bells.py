"""A bell that is heard by reading a camera's history, whatever this machine's clock says."""

import asyncio
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Any, cast

import pytest

from jumping_loop import JumpingLoop
from ringlight.account.events import CameraEvent, parse_events
from ringlight.cameras import Camera, Cameras
from ringlight.resilience.retry_after import http_date
from ringlight.rooms.memory import MemoryRooms
from ringlight.server.bells import Bells

RING = 1.8e9  # what Ring's clock said when the loop's began
EVERY = 3.0


class _Ring:
    """One camera's history at Ring, answered as Ring does, with or without the time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, tells_time: bool) -> None:
        self._clock, self._tells_time = loop.time, tells_time
        self._items: list[dict[str, Any]] = []
        self.id = "front-door"

    def press(self, ago: float = 0.0, kind: str = "ding") -> str:
        at = RING + self._clock() - ago
        item = {"id": str(7000 + len(self._items)), "kind": kind, "created_at": _iso(at)}
        self._items.insert(0, item)
        return str(item["id"])

    async def camera(self, name: str) -> Camera:
        assert name == self.id
        return cast(Camera, self)

    async def history(self, *, limit: int) -> AsyncIterator[CameraEvent]:
        date = formatdate(RING + self._clock(), usegmt=True) if self._tells_time else None
        for event in parse_events(self._items, 1001, http_date(date))[:limit]:
            yield event


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


@pytest.mark.parametrize("ahead", [-600.0, 0.0, 600.0])
@pytest.mark.parametrize("tells_time", [True, False])
def test_a_press_rings_whatever_our_clock_says(
    monkeypatch: pytest.MonkeyPatch, ahead: float, *, tells_time: bool
) -> None:
    """Ten minutes wrong in either direction: what was pressed before is history, what is pressed now rings, once."""
    loop = JumpingLoop()
    monkeypatch.setattr(time, "time", lambda: RING + loop.time() + ahead)
    rooms, presses = MemoryRooms(), list[tuple[str, str]]()
    rooms.house.make("visit", lobby=False, cameras={"front-door": "Front Door"})
    ring = _Ring(loop, tells_time=tells_time)

    async def watch() -> None:
        bells = Bells(rooms.porter, EVERY)
        monkeypatch.setattr(rooms.porter, "happen", lambda _, event: presses.append((event.camera, event.press)))
        ring.press(ago=300)
        ring.press(ago=20)
        async with bells.reading(cast(Cameras, ring)):
            await asyncio.sleep(30)
            assert presses == [], "nobody waits for it"
            rooms.connect("/ws/v2").say({"t": "hello", "v": 2, "room": "visit", "role": "doctor"})
            early = ring.press(ago=-0.5) if tells_time else None  # before the first look
            await asyncio.sleep(2 * EVERY)
            assert presses == ([("front-door", early)] if early else [])
            presses.clear()
            ring.press(kind="motion")
            new = ring.press()
            await asyncio.sleep(2 * EVERY)
            assert presses == [("front-door", new)]
            await asyncio.sleep(600)
            assert len(presses) == 1, "each once"

    try:
        loop.run_until_complete(watch())
    finally:
        loop.close()


def test_two_cameras_whose_presses_have_one_name_both_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Partner API names none: it is called after the moment that it began."""
    rooms, rung = MemoryRooms(), list[str]()
    rooms.house.make("visit", lobby=False, cameras={"front-door": "Front Door", "garden-gate": "Garden Gate"})
    monkeypatch.setattr(rooms.porter, "happen", lambda _, event: rung.append(event.camera))
    bells = Bells(rooms.porter, EVERY)

    async def hear() -> None:
        for camera in ("front-door", "garden-gate", "front-door"):
            bells.press(camera, "1796000000000-ding")

    asyncio.run(hear())
    assert rung == ["front-door", "garden-gate"]


def test_what_a_webhook_told_does_not_ring_again_when_the_history_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room lets what comes within five seconds ring once; the history may be read less often."""
    loop = JumpingLoop()
    rooms, presses = MemoryRooms(), list[str]()
    rooms.house.make("visit", lobby=False, cameras={"front-door": "Front Door"})
    ring = _Ring(loop, tells_time=True)

    async def watch() -> None:
        bells = Bells(rooms.porter, 20.0)
        monkeypatch.setattr(rooms.porter, "happen", lambda _, event: presses.append(event.press))
        rooms.connect("/ws/v2").say({"t": "hello", "v": 2, "room": "visit", "role": "doctor"})
        async with bells.reading(cast(Cameras, ring)):
            await asyncio.sleep(30)
            ring.press()
            await asyncio.sleep(1)
            bells.press("front-door", "told by a webhook")
            await asyncio.sleep(7)
            untold = ring.press()
            await asyncio.sleep(40)
        assert presses == ["told by a webhook", untold]

    try:
        loop.run_until_complete(watch())
    finally:
        loop.close()
