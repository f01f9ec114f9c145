"""Links to one camera for a time: who has one needs no key."""

import asyncio
import secrets
import time

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from ringlight.cameras import Cameras
from ringlight.errors import fault_error
from ringlight.server.entrance import Doors
from ringlight.server.passes import Pass
from ringlight.store.camera_link_rows import KeptCameraLink

__all__ = ["links_router"]


class NewCameraLink(BaseModel):
    """A link to be made."""

    model_config = ConfigDict(extra="forbid")

    camera: str = Field(max_length=200, description="The camera's name or its id in addresses.")
    seconds: float = Field(3600.0, ge=1, le=31 * 86_400, description="For how long it is good.")
    talk: bool = Field(False, description="Whether it lets people talk through the camera as well.")


class CameraLink(BaseModel):
    """A link that is good still. Its address is not kept."""

    id: str = Field(description="By which it can be taken back.")
    camera: str
    talk: bool = Field(description="Whether it lets people talk as well.")
    expires: float = Field(description="In seconds since 1970.")


class MadeCameraLink(CameraLink):
    """A link that was just made. Whoever has its address may watch until it ends or is taken back."""

    url: str = Field(description="Without `public_url` in the settings, to be put behind this server's address.")


class CameraLinks(BaseModel):
    """The links that are good still."""

    links: list[CameraLink]


def links_router(cameras: Cameras, doors: Doors, public_url: str | None) -> APIRouter:
    """Return `/api/links`; what is behind a link, `login_router` serves."""
    router = APIRouter(prefix="/api/links", tags=["cameras"])
    rows = doors.links

    @router.post("", status_code=201)
    async def make(wanted: NewCameraLink, response: Response) -> MadeCameraLink:
        """Make a signed link to one camera, to watch it and nothing else until the link ends."""
        found = await cameras.camera(wanted.camera)
        now = time.time()
        said = Pass(secrets.token_hex(8), float(int(now + wanted.seconds)), found.id, wanted.talk)
        await asyncio.to_thread(rows.add, KeptCameraLink(said.id, found.id, said.talk, round(now, 3), said.ends))
        response.headers["Cache-Control"] = "no-store"
        address = f"{(public_url or '').rstrip('/')}/s/{doors.passes.sign('link', said).reveal()}"
        return MadeCameraLink(id=said.id, camera=found.id, talk=said.talk, expires=said.ends, url=address)

    @router.get("")
    async def listed() -> CameraLinks:
        """List the links that are good still, the one that ends first before the others."""
        found = await asyncio.to_thread(rows.all, time.time())
        return CameraLinks(
            links=[CameraLink(id=one.id, camera=one.camera, talk=one.talk, expires=one.expires) for one in found]
        )

    @router.delete("/{link}", status_code=204)
    async def revoke(link: str) -> Response:
        """Take a link back: who watches by it sees nothing more within seconds."""
        if not await asyncio.to_thread(rows.revoke, link):
            raise fault_error("KEY-LINK-UNKNOWN", link[:40])
        return Response(status_code=204)

    return router
