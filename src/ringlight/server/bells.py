"""Bells: what Ring tells of a press, as early as it does, brought into the rooms that have the camera."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ringlight.beside import beside
from ringlight.cameras import Cameras
from ringlight.cameras.news import News
from ringlight.errors import RingError
from ringlight.rooms.bell import APART
from ringlight.rooms.events import Pressed
from ringlight.rooms.porter import Porter

__all__ = ["Bells"]

log = logging.getLogger("ringlight.server")
ASKED = 5  # events of a camera's history that are looked at
KEPT = 256  # presses remembered by name, so that each rings once


class Bells:
    """Rings in rooms.

    There are two ways to hear of a press. Webhooks of a Ring app tell it at once (`press`). Without one, the history
    of the camera is read every few seconds, and only while somebody who may see it is in one of its rooms: that costs
    the camera itself nothing, since Ring's servers keep the history. What both tell of rings once.

    Args:
        rooms: All rooms.
        every: Seconds between two readings; 0 reads nothing.
    """

    def __init__(self, rooms: Porter, every: float) -> None:
        self._rooms = rooms
        self._every = every
        self._rung: deque[tuple[str, str]] = deque(maxlen=KEPT)
        self._told: dict[str, float] = {}  # when a webhook last told of a press, by the loop's clock

    @asynccontextmanager
    async def reading(self, cameras: Cameras) -> AsyncIterator[None]:
        """Read histories of cameras inside of the `async with`."""
        async with beside(self._read(cameras) if self._every else None, "bells"):
            yield

    def press(self, camera: str, press: str) -> None:
        """Take a press that a webhook tells of; each name rings once, in all rooms of the camera."""
        if self._ring(camera, press):
            self._told[camera] = asyncio.get_running_loop().time()

    def _ring(self, camera: str, press: str) -> bool:
        """Ring, unless that was done for a press of this name; return whether it rang."""
        if (camera, press) in self._rung:
            return False
        self._rung.append((camera, press))
        for room in list(self._rooms.house.rooms.values()):
            if camera in room.cameras:
                self._rooms.happen(room, Pressed(camera, press))
        return True

    def _is_told(self, camera: str, ago: float | None, now: float) -> bool:
        """Whether a press so long ago is the one of which a webhook has told, under another name."""
        told = self._told.get(camera)
        return told is not None and ago is not None and abs(now - ago - told) < APART

    def _awaited(self) -> set[str]:
        """Return the cameras for whose bell somebody is there."""
        return {
            camera
            for room in self._rooms.house.rooms.values()
            if room.cameras
            and any(one.inside and one.socket is not None and one.may("view") for one in room.people.values())
            for camera in room.cameras
        }

    async def _read(self, cameras: Cameras) -> None:
        since: dict[str, float] = {}  # when somebody began to wait for each
        failing: set[str] = set()
        news, clock = News(), asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._every)
            now, awaited = clock(), self._awaited()
            since = {camera: since.get(camera, now - self._every) for camera in awaited}
            news.forget(awaited)
            for camera in awaited:
                try:
                    found = await cameras.camera(camera)
                    seen = [event async for event in found.history(limit=ASKED)]
                    for event in news.read(camera, seen, clock() - since[camera]):
                        if event.kind == "ding" and not self._is_told(found.id, event.ago, clock()):
                            self._ring(found.id, event.name)
                    failing.discard(camera)
                except RingError as error:  # said once: the page of the camera tells it too
                    if camera not in failing:
                        log.warning("the history of %s cannot be read, so its bell is not heard: %s", camera, error)
                    failing.add(camera)
