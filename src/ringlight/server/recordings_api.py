"""The addresses of recordings: begin, list, look, fetch, end."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from ringlight.cameras import Cameras
from ringlight.errors import RingError, fault_error
from ringlight.server.elsewhere import Here
from ringlight.server.recordings import Recordings
from ringlight.server.watches import Watches, seer_of
from ringlight.store.shelf import Item

MP4 = "video/mp4"
CHUNK = 64 * 1024  # bytes
_FILE = re.compile(r"(\d{8}-\d{6}-[0-9a-f]{8})(?:-(\d{1,4}))?")


class WantedRecording(BaseModel):
    """What to record."""

    seconds: Annotated[float, Field(ge=1, le=86_400)] | None = Field(
        None, description="How much; nothing goes on until DELETE, at most `recordings.longest`."
    )
    before: float = Field(
        0.0, ge=0, le=600, description="Seconds of what was shown before, as far as `media.past` keeps them."
    )


def recordings_router(house: Cameras, recordings: Recordings, here: Here, watches: Watches) -> APIRouter:
    """Return `/api/cameras/{id}/recordings…`; what is not here may be where the camera is (`here`)."""
    router = APIRouter(prefix="/api/cameras/{identifier}/recordings", tags=["recordings"])

    async def kept(identifier: str, name: str) -> Item:
        """Find one by the id of its camera; Ring is only asked which camera is meant where that leads to none."""
        with contextlib.suppress(RingError):
            return await recordings.find(identifier, name)
        camera = await house.camera(identifier)
        try:
            return await recordings.find(camera.id, name)
        except RingError:
            await here(camera)
            raise

    @router.post("", status_code=201)
    async def record(identifier: str, wanted: WantedRecording | None = None) -> JSONResponse:
        """Begin to record the shared view, opening it if nobody watches; answers once the camera has."""
        wanted = wanted or WantedRecording(seconds=None)
        found = await house.camera(identifier)
        item = await recordings.start(found, wanted.seconds, wanted.before)
        location = f"/api/cameras/{item.camera}/recordings/{item.id}"
        return JSONResponse(await recordings.as_dict(item), 201, {"Location": location})

    @router.get("")
    async def listed(identifier: str) -> dict[str, Any]:
        """List the recordings of a camera, newest first."""
        listed = await recordings.listed(identifier)
        return {"recordings": listed or await recordings.listed((await house.camera(identifier)).id)}

    @router.get("/{name}.mp4", response_class=FileResponse)
    @router.head("/{name}.mp4", response_class=FileResponse, include_in_schema=False)
    async def fetch(identifier: str, name: str, request: Request) -> Response:
        """Fetch a file, whole or in ranges; one that is still being recorded as far as it is."""
        read = _FILE.fullmatch(name)
        if read is None:
            raise fault_error("FILE-GONE", name[:60])
        camera = (await kept(identifier, read[1])).camera
        path, grows = await recordings.file(camera, read[1], int(read[2] or 1))
        if request.method == "GET":
            watches.looked(seer_of(request), camera, "recording")
        headers = {"Content-Disposition": f'inline; filename="{camera}-{name}.mp4"'}
        if not grows:
            return FileResponse(path, media_type=MP4, headers={**headers, "Cache-Control": "private, no-cache"})
        size = (await asyncio.to_thread(path.stat)).st_size
        headers |= {"Content-Length": str(size), "Accept-Ranges": "none", "Cache-Control": "no-store"}
        body = _first(path, 0 if request.method == "HEAD" else size)
        return StreamingResponse(body, media_type=MP4, headers=headers)

    @router.get("/{name}")
    async def look(identifier: str, name: str) -> dict[str, Any]:
        """Show one recording: whether it runs, its seconds and bytes."""
        return await recordings.as_dict(await kept(identifier, name))

    @router.delete("/{name}")
    async def end(identifier: str, name: str) -> Response:
        """End one that runs, and answer with what it has become; remove one that has ended."""
        item = await kept(identifier, name)
        if recordings.runs(item):
            return JSONResponse(await recordings.as_dict(await recordings.stop(item)))
        await recordings.remove(item)
        return Response(status_code=204)

    return router


def _first(path: Path, size: int) -> Iterator[bytes]:
    """Yield the first bytes of a file that grows: as many as its length was told to be."""
    with path.open("rb") as file:
        while size > 0 and (chunk := file.read(min(size, CHUNK))):
            size -= len(chunk)
            yield chunk
