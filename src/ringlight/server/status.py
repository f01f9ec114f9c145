"""What the running server says of itself to its owner: cameras, viewers, rooms, accounts, notices, queues."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter

import ringlight
from ringlight.cameras import Camera, Cameras
from ringlight.errors import RingError
from ringlight.publishing import Publications
from ringlight.server.places import Places
from ringlight.server.playback import Playbacks
from ringlight.server.recordings import Recordings
from ringlight.server.room_server import RoomServer

__all__ = ["RingStatus", "Status", "status_router"]

RingStatus = Callable[[], Awaitable[dict[str, Any]]]
LIST_EVERY = 60.0  # seconds between two questions for the list of cameras: who only looks on must not keep Ring busy
LIST_WITHIN = 5.0  # seconds that the list may take; what was known before is shown then
ROOMS_SHOWN = 100


class Status:
    """Reads it together when it is asked.

    Args:
        house: The cameras.
        playbacks: Viewers over WebRTC.
        places: Of players by RTSP and over HTTP.
        rooms: Where people call each other.
        recordings: Those that run.
        publications: Cameras that go to other media servers.
        settings_problem: Returns what is wrong with settings that were read anew; `None` where nothing is.
        of_server: What is wrong with the server itself, and what it needs.
        ring: Tells of linked accounts, notices and webhooks; `None` where there is no Ring app.
        clock: Seconds, from any beginning.
    """

    def __init__(
        self, house: Cameras, playbacks: Playbacks, places: Places, rooms: RoomServer, recordings: Recordings,
        publications: Publications, settings_problem: Callable[[], RingError | None], ring: RingStatus | None = None,
        of_server: Callable[[], Sequence[RingError]] = tuple, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._house, self._playbacks, self._places, self._rooms = house, playbacks, places, rooms
        self._recordings, self._publications, self._ring, self._clock = recordings, publications, ring, clock
        self._settings_problem, self._of_server = settings_problem, of_server
        self._began = clock()
        self._listed: Sequence[Camera] = ()
        self._listed_at = float("-inf")
        self._problems: Sequence[RingError] = ()

    async def snapshot(self) -> dict[str, Any]:
        """Return all of it as JSON. It opens no view, and asks Ring for the list of cameras once a minute at most."""
        await self._list()
        rooms, record = self._rooms, self._rooms.record
        ring = await self._ring() if self._ring is not None else {"accounts": [], "notices": [], "webhooks": None}
        return {
            "version": ringlight.__version__,
            "state": "draining" if rooms.is_leaving else "ready",
            "seconds": round(self._clock() - self._began, 1),
            "process": process(),
            "cameras": [_camera(camera) for camera in self._listed],
            "viewers": {
                "webrtc": len(self._playbacks), "players": self._places.taken, "recordings": self._recordings.running,
            },
            "rooms": self._count_rooms(),
            "accounts": ring["accounts"],
            "notices": [*self._notices(), *ring["notices"]],
            "queues": {
                "room_record": record.waiting, "room_record_lost": record.lost, "webhooks": ring["webhooks"],
            },
        }  # fmt: skip

    async def _list(self) -> None:
        if self._clock() - self._listed_at < LIST_EVERY:
            return
        try:
            async with asyncio.timeout(LIST_WITHIN):
                self._listed = await self._house.cameras()
            self._problems = tuple(self._house.problems)
        except RingError as error:
            self._problems = (error,)
        except TimeoutError:
            return
        self._listed_at = self._clock()

    def _count_rooms(self) -> dict[str, Any]:
        house = self._rooms.porter.house
        states = {"waiting": 0, "active": 0, "ended": 0}
        shown, inside, everybody = list[dict[str, Any]](), 0, 0
        for room in list(house.rooms.values()):
            states[room.state] += 1
            inside, everybody = inside + room.inside_count, everybody + len(room.people)
            if room.people and len(shown) < ROOMS_SHOWN:
                waiting = len(room.people) - room.inside_count
                shown.append({"id": room.id, "state": room.state, "inside": room.inside_count, "waiting": waiting})
        return {
            "states": states, "inside": inside, "waiting": everybody - inside,
            "sockets": self._rooms.porter.open_sockets, "shown": shown,
        }  # fmt: skip

    def _notices(self) -> list[dict[str, Any]]:
        notices = [_notice(error, "server") for error in self._of_server()]
        notices += [_notice(error, "cameras") for error in self._problems]
        if (problem := self._settings_problem()) is not None:
            notices.append(_notice(problem, "settings"))
        notices += [
            {**one["fault"], "subject": f"publication of {one['camera']}"}
            for one in self._publications.as_list()
            if one["fault"]
        ]
        failed = ((camera.name, camera.view.progress.error) for camera in self._listed)
        return [*notices, *(_notice(error, name) for name, error in failed if error is not None)]


def status_router(status: Status) -> APIRouter:
    """Return `/api/status`."""
    router = APIRouter(prefix="/api", tags=["about"])

    @router.get("/status")
    async def shown() -> dict[str, Any]:
        """Show how the server does: cameras, viewers, rooms, accounts, notices, and what waits to be done."""
        return await status.snapshot()

    return router


def process() -> dict[str, float | int | None]:
    """Return what this process takes: seconds of the processor so far, bytes of memory (`None` beside Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        memory = pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        memory = None
    return {"pid": os.getpid(), "cpu_seconds": round(time.process_time(), 2), "memory_bytes": memory}


def _camera(camera: Camera) -> dict[str, Any]:
    progress, device = camera.view.progress, camera.device
    return {
        "id": camera.id, "name": camera.name, "state": device.state.value, "refusal": device.refusal,
        "view": progress.state, "viewers": progress.viewers, "recordings": progress.recordings,
        "attempt": progress.attempt, "battery_percent": device.battery_percent,
    }  # fmt: skip


def _notice(error: RingError, subject: str) -> dict[str, Any]:
    return {**error.fault.as_dict(error.detail), "subject": subject}
