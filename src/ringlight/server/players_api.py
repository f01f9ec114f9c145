"""The addresses for players without WebRTC: an endless MP4 file, and HLS."""

import asyncio
import re

from fastapi import APIRouter, Response

from ringlight.cameras import Cameras
from ringlight.errors import fault_error
from ringlight.server.elsewhere import Here
from ringlight.server.film_stream import film_stream
from ringlight.server.hls import Showings
from ringlight.server.places import Places

PLAYLIST = "application/vnd.apple.mpegurl"
_FILE = re.compile(r"[0-9a-f]{8}-\d{1,9}\.(mp4|m4s)")
_NO_STORE = {"Cache-Control": "no-store"}


def players_router(
    house: Cameras, showings: Showings, places: Places, stopping: asyncio.Event, here: Here
) -> APIRouter:
    """Return `/api/cameras/{id}/live.mp4` and `/api/cameras/{id}/hls/…`; `here` sends players where the camera is."""
    router = APIRouter(prefix="/api/cameras/{identifier}", tags=["players"])

    @router.get("/live.mp4", response_class=Response)
    async def live(identifier: str, sound: bool = True) -> Response:
        """Send the shared view as an MP4 file without end, from a key frame on; opens it if nobody watches yet.

        Pictures are passed through, sound is Opus. A player that is too slow is let go. It ends where the camera
        changes its pictures, too: ask again.
        """
        found = await house.camera(identifier)
        await here(found)
        return await film_stream(found, places, stopping, sound=sound)

    @router.get("/hls/index.m3u8", response_class=Response)
    async def playlist(identifier: str, sound: bool = True) -> Response:
        """Return the HLS playlist of the shared view; the first request opens it and waits for a segment.

        With `sound=0` it has pictures alone, for players that know no Opus in MP4. It ends some seconds after
        nobody has asked for it any more (`players.idle`).
        """
        found = await house.camera(identifier)
        await here(found)
        return Response(await showings.playlist(found, sound=sound), media_type=PLAYLIST, headers=_NO_STORE)

    @router.get("/hls/{name}", response_class=Response)
    async def file(identifier: str, name: str) -> Response:
        """Return a segment that a playlist lists, or the description before it."""
        read = _FILE.fullmatch(name)
        if read is None:
            raise fault_error("VIEWER-GONE", name[:60])
        found = await house.camera(identifier)
        await here(found)
        kind = "video/mp4" if read[1] == "mp4" else "video/iso.segment"
        return Response(showings.file(found.id, name), media_type=kind, headers=_NO_STORE)

    return router
