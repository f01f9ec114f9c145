"""Rooms over HTTP: made, looked at and ended, and tokens for those who may enter."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from ringlight.cameras import Cameras
from ringlight.errors import fault_error
from ringlight.rooms import bell
from ringlight.rooms.events import AddCamera, Finish, RemoveCamera
from ringlight.rooms.room import Room
from ringlight.server.access import holder_of
from ringlight.server.room_server import RoomServer
from ringlight.settings import Consentable

_Name = Annotated[str, Field(max_length=80)]
_Camera = Annotated[str, Field(max_length=60)]


class Guest(BaseModel):
    """Somebody who gets a token."""

    model_config = ConfigDict(extra="forbid")

    role: str = Field(description="`doctor`, `patient`, or another role of the protocol.")
    name: _Name = Field("", description="Shown to the others.")
    may: list[str] | None = Field(None, max_length=20, description="Single permissions; empty: those of the role.")


class NewRoom(BaseModel):
    """A room to be made."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = Field(None, description="Its id; empty: one that nobody guesses.")
    lobby: bool = Field(True, description="Whether people wait until somebody lets them in.")
    opens: float | None = Field(None, description="From when on, in seconds since 1970; empty: at once.")
    closes: float | None = Field(None, description="Until when, in seconds since 1970; empty: until it is ended.")
    capacity: int | None = Field(None, ge=1, le=64, description="How many may be inside; empty: `rooms.capacity`.")
    cameras: list[_Camera] = Field(
        default_factory=list, max_length=bell.CAMERAS, description="Cameras that those with `view` see, by id."
    )
    consent: list[Consentable] | None = Field(
        None, max_length=8, description="What those without `admit` must consent to; empty: `rooms.consent`."
    )
    people: list[Guest] = Field(default_factory=list, max_length=64, description="Who gets a token at once.")


class NewCamera(BaseModel):
    """A camera to be added."""

    model_config = ConfigDict(extra="forbid")

    camera: _Camera = Field(description="Its id in addresses, such as `front-door`.")


class Tried(BaseModel):
    """What came back for a test delivery."""

    delivered: bool
    status: int | None = Field(description="The receiver's HTTP status; null where it could not be reached.")
    seconds: float
    code: str | None = Field(description="The fault's code; null where it was delivered.")
    detail: str | None


def rooms_api_router(rooms: RoomServer, cameras: Cameras) -> APIRouter:
    """Return `/api/rooms…`; `cameras` says which cameras there are."""
    porter, record, webhooks = rooms.porter, rooms.record, rooms.webhooks
    router = APIRouter(prefix="/api/rooms", tags=["rooms"])
    house = porter.house

    @router.post("", status_code=201)
    async def make(request: Request, wanted: NewRoom | None = None) -> dict[str, Any]:
        """Make a room, with tokens for its people; 409 where there is one of this id.

        How to enter: docs/reference/rooms-protocol.md.
        """
        wanted = wanted or NewRoom()
        if wanted.cameras:
            _judge_view(request)
        guests = [house.claims("", guest.role) for guest in wanted.people]  # a wrong role leaves no room behind
        cameras = dict([await _named(name) for name in wanted.cameras])
        room = await porter.make(
            wanted.id, lobby=wanted.lobby, opens=wanted.opens, closes=wanted.closes, capacity=wanted.capacity,
            cameras=cameras,
            consent=house.settings.consent if wanted.consent is None else wanted.consent,
        )  # fmt: skip
        await record.keep(room)
        people = [_token(room, guest) for guest in wanted.people] if guests else []
        return {**_shown(room), "people": people}

    @router.post("/webhook-test")
    async def try_webhook() -> Tried:
        """Send one signed delivery of type `test` to `rooms.webhook_url`, now and once, and say what came back."""
        if webhooks is None:
            raise fault_error("REQUEST-INVALID", "rooms.webhook_url is not set")
        tried = await webhooks.test()
        code, detail = (None, None) if tried.problem is None else (tried.problem.code, tried.problem.detail)
        return Tried(
            delivered=tried.problem is None, status=tried.status, seconds=round(tried.seconds, 3), code=code,
            detail=detail,
        )  # fmt: skip

    @router.get("/{room_id}")
    async def show(room_id: str) -> dict[str, Any]:
        """Show a room: its state, and how many are in it. Who they are is nobody's business here."""
        return _shown(await porter.find(room_id))

    @router.post("/{room_id}/tokens", status_code=201)
    async def invite(room_id: str, guest: Guest) -> dict[str, Any]:
        """Make a token for one more person."""
        return _token(await porter.find(room_id), guest)

    @router.delete("/{room_id}", status_code=204)
    async def end(room_id: str) -> None:
        """End the visit for all."""
        porter.happen(await porter.find(room_id), Finish())
        await record.settled()

    @router.post("/{room_id}/cameras", status_code=204)
    async def add_camera(room_id: str, wanted: NewCamera, request: Request) -> None:
        """Bring a camera into a room: who has `view` there sees it, and hears its bell."""
        _judge_view(request)
        room = await porter.find(room_id)
        camera, name = await _named(wanted.camera)
        if len(room.cameras) >= bell.CAMERAS:
            raise fault_error("REQUEST-INVALID", f"a room has {bell.CAMERAS} cameras at most")
        porter.happen(room, AddCamera(camera, name))
        await asyncio.to_thread(record.rows.set_cameras, room_id, room.cameras)

    @router.delete("/{room_id}/cameras/{camera}", status_code=204)
    async def remove_camera(room_id: str, camera: str) -> None:
        """Take a camera out of a room. It is no error if it is not there."""
        room = await porter.find(room_id)
        porter.happen(room, RemoveCamera(camera))
        await asyncio.to_thread(record.rows.set_cameras, room_id, room.cameras)

    async def _named(name: str) -> tuple[str, str]:
        found = await cameras.camera(name)
        return found.id, found.name

    def _token(room: Room, guest: Guest) -> dict[str, Any]:
        may = frozenset(guest.may) if guest.may is not None else None
        claims = house.claims(room.id, guest.role, name=guest.name, may=may)
        assert house.admission.tokens is not None  # noqa: S101 - `open_rooms` always gives some
        return {
            "role": claims.role, "name": claims.name, "may": sorted(claims.may),
            "token": house.admission.tokens.sign(claims, porter.now).reveal(), "expires_s": house.admission.tokens.life,
        }  # fmt: skip

    return router


def _judge_view(request: Request) -> None:
    """Refuse to show others what one may not see oneself."""
    if "view" not in holder_of(request).scopes:
        raise fault_error("KEY-SCOPE", "to bring a camera into a room needs `view` too")


def _shown(room: Room) -> dict[str, Any]:
    state = "scheduled" if room.opens is not None and time.time() < room.opens and not room.people else room.state
    inside = room.inside_count
    return {
        "id": room.id, "state": state, "lobby": room.lobby, "locked": room.locked, "inside": inside,
        "waiting": len(room.people) - inside, "capacity": room.capacity, "opens": room.opens, "closes": room.closes,
        "cameras": list(room.cameras),
        "consent": sorted(room.consent),
    }  # fmt: skip
