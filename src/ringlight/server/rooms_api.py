"""Rooms over HTTP: made, looked at and ended, and tokens for those who may enter."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ringlight.errors import fault_error
from ringlight.rooms.events import Note
from ringlight.rooms.porter import Porter
from ringlight.rooms.room import Room
from ringlight.server.room_record import RoomRecord
from ringlight.settings import Consentable
from ringlight.store.rooms import KeptRoom

if TYPE_CHECKING:
    from ringlight.server.room_webhooks import RoomWebhooks

_Name = Annotated[str, Field(max_length=80)]


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
    consent: list[Consentable] | None = Field(
        None, max_length=8, description="What those without `admit` must consent to; empty: `rooms.consent`."
    )
    people: list[Guest] = Field(default_factory=list, max_length=64, description="Who gets a token at once.")


class Tried(BaseModel):
    """What came back for a test delivery."""

    delivered: bool
    status: int | None = Field(description="The receiver's HTTP status; null where it could not be reached.")
    seconds: float
    code: str | None = Field(description="The fault's code; null where it was delivered.")
    detail: str | None


def rooms_api_router(porter: Porter, record: RoomRecord, webhooks: "RoomWebhooks | None") -> APIRouter:
    """Return `/api/rooms…`."""
    router = APIRouter(prefix="/api/rooms", tags=["rooms"])
    house = porter.house

    @router.post("", status_code=201)
    async def make(wanted: NewRoom) -> dict[str, Any]:
        """Make a room, with tokens for its people. How to enter: docs/reference/rooms-protocol.md."""
        guests = [house.claims("", guest.role) for guest in wanted.people]  # a wrong role leaves no room behind
        room = house.make(
            wanted.id, lobby=wanted.lobby, opens=wanted.opens, closes=wanted.closes, capacity=wanted.capacity,
            consent=house.settings.consent if wanted.consent is None else wanted.consent,
        )  # fmt: skip
        try:
            await _keep(room)
        except BaseException:
            house.rooms.pop(room.id, None)  # who comes back to it after a restart would find another
            raise
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
        return _shown(house.room(room_id))

    @router.post("/{room_id}/tokens", status_code=201)
    async def invite(room_id: str, guest: Guest) -> dict[str, Any]:
        """Make a token for one more person."""
        return _token(house.room(room_id), guest)

    @router.delete("/{room_id}", status_code=204)
    async def end(room_id: str) -> None:
        """End the visit for all."""
        porter.end(house.room(room_id))
        await record.settled()

    async def _keep(room: Room) -> None:
        now = porter.now
        kept = KeptRoom(
            room.id, room.lobby, room.opens, room.closes, room.capacity, tuple(sorted(room.consent)), made_at=now
        )
        made = record.clerk.changes(Note("made", room=room.id), now)
        if not await asyncio.to_thread(record.rows.make, kept, made):
            raise fault_error("REQUEST-INVALID", "there is a room of this id already")

    def _token(room: Room, guest: Guest) -> dict[str, Any]:
        may = frozenset(guest.may) if guest.may is not None else None
        claims = house.claims(room.id, guest.role, name=guest.name, may=may)
        assert house.tokens is not None  # noqa: S101 - `open_rooms` always gives some
        return {
            "role": claims.role, "name": claims.name, "may": sorted(claims.may),
            "token": house.tokens.sign(claims, porter.now).reveal(), "expires_s": house.tokens.life,
        }  # fmt: skip

    return router


def _shown(room: Room) -> dict[str, Any]:
    state = "scheduled" if room.opens is not None and time.time() < room.opens and not room.people else room.state
    inside = room.inside_count
    return {
        "id": room.id, "state": state, "lobby": room.lobby, "locked": room.locked, "inside": inside,
        "waiting": len(room.people) - inside, "capacity": room.capacity, "opens": room.opens, "closes": room.closes,
        "consent": sorted(room.consent),
    }  # fmt: skip
