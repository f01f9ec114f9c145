"""One-time links over HTTP: `/api/rooms/{id}/links` for who invites, `/j/{token}` for who comes."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ringlight.rooms.links import State
from ringlight.server.room_links import RoomLinks
from ringlight.server.rooms_page import rooms_page

__all__ = ["room_links_router"]

_NO_STORE = {"Cache-Control": "no-store"}


class NewLink(BaseModel):
    """A link to be made."""

    model_config = ConfigDict(extra="forbid")

    role: str = Field(description="`doctor`, `patient`, or another role of the protocol.")
    name: str = Field("", max_length=80, description="Shown to the others.")
    invited_by: str = Field(
        "", max_length=80, description="Who invites, such as a person or a practice; the page of the link shows it."
    )
    may: list[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]] | None = Field(
        None, max_length=20, description="Single permissions; empty: those of the role."
    )
    opens: float | None = Field(None, description="From when on it can be used, in seconds since 1970; empty: at once.")
    expires: float | None = Field(
        None, description="Until when, in seconds since 1970; empty: `rooms.link_life` after it opens."
    )


class MadeLink(BaseModel):
    """A link. Its address is shown this once; only its hash is kept."""

    url: str = Field(description="To be put behind this server's public address.")
    expires: float


class LinkState(BaseModel):
    """What a link is. Of one that is unknown nothing else is told."""

    state: State
    room: str | None = None
    role: str | None = None
    name: str | None = None
    invited_by: str | None = None
    opens: float | None = None
    expires: float | None = None
    ice: list[dict[str, Any]] = Field([], description="STUN and TURN servers, for a check before a good link is used.")


class Entrance(BaseModel):
    """What a link was exchanged for."""

    room: str
    token: str
    role: str
    name: str
    may: list[str]
    expires_s: float


def room_links_router(links: RoomLinks) -> APIRouter:
    """Return `/api/rooms/{id}/links` and `/j/{token}`."""
    router = APIRouter(tags=["rooms"])

    @router.post("/api/rooms/{room_id}/links", status_code=201)
    async def make(room_id: str, wanted: NewLink) -> MadeLink:
        """Make a link that lets one person into a room once. Needs the key, where the server has one."""
        token, expires = await links.make(
            room_id, wanted.role, name=wanted.name, may=None if wanted.may is None else tuple(wanted.may),
            opens=wanted.opens, expires=wanted.expires, invited_by=wanted.invited_by.strip(),
        )  # fmt: skip
        return MadeLink(url=f"/j/{token.reveal()}", expires=expires)

    @router.get("/j/{token}", response_model=LinkState)
    @router.head("/j/{token}", include_in_schema=False)
    async def look(token: str, request: Request) -> Response:
        """Say what a link is, as JSON where that is asked for; otherwise show the page. Neither uses the link."""
        if not _wants_json(request):
            return rooms_page()
        found = await links.look(token, _peer(request))
        shown = LinkState(state=found.state)
        if (link := found.link) is not None:
            shown = LinkState(
                state=found.state, room=link.room, role=link.role, name=link.name,
                invited_by=link.invited_by, opens=found.opens, expires=link.expires, ice=msgspec.to_builtins(found.ice),
            )  # fmt: skip
        return JSONResponse(shown.model_dump(), headers=_NO_STORE)

    @router.post("/j/{token}")
    async def use(token: str, request: Request, response: Response) -> Entrance:
        """Exchange a link for a room token. Of all who try, exactly one gets it."""
        claims, signed = await links.use(token, _peer(request))
        response.headers.update(_NO_STORE)
        return Entrance(
            room=claims.room, token=signed.reveal(), role=claims.role, name=claims.name, may=sorted(claims.may),
            expires_s=links.token_life,
        )  # fmt: skip

    return router


def _peer(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _wants_json(request: Request) -> bool:
    """Whether a script of the page asks, rather than a browser that shows somebody what comes."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted
