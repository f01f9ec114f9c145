"""Links to one camera for a time: who has one needs no key."""

import secrets
import time

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from ringlight.cameras import Cameras
from ringlight.server.passes import Pass, Passes

__all__ = ["links_router"]


class NewCameraLink(BaseModel):
    """A link to be made."""

    model_config = ConfigDict(extra="forbid")

    camera: str = Field(max_length=200, description="The camera's name or its id in addresses.")
    seconds: float = Field(3600.0, ge=1, le=31 * 86_400, description="For how long it is good.")
    talk: bool = Field(False, description="Whether it lets people talk through the camera as well.")


class MadeCameraLink(BaseModel):
    """A link. Whoever has its address may watch; there is no way to take it back but another secret key."""

    url: str = Field(description="Without `public_url` in the settings, to be put behind this server's address.")
    camera: str
    expires: float = Field(description="In seconds since 1970.")


def links_router(cameras: Cameras, passes: Passes, public_url: str | None) -> APIRouter:
    """Return `/api/links`; what is behind a link, `login_router` serves."""
    router = APIRouter(prefix="/api/links", tags=["cameras"])

    @router.post("", status_code=201)
    async def make(wanted: NewCameraLink, response: Response) -> MadeCameraLink:
        """Make a signed link to one camera, to watch it and nothing else until the link ends."""
        found = await cameras.camera(wanted.camera)
        said = Pass(secrets.token_hex(8), float(int(time.time() + wanted.seconds)), found.id, wanted.talk)
        response.headers["Cache-Control"] = "no-store"
        address = f"{(public_url or '').rstrip('/')}/s/{passes.sign('link', said).reveal()}"
        return MadeCameraLink(url=address, camera=found.id, expires=said.ends)

    return router
