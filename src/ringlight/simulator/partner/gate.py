"""What a call passes before it is answered: faults, the limit, its token, the link, and the device that it names."""

from dataclasses import dataclass
from email.utils import formatdate

import msgspec
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.obstacles import web_page
from ringlight.simulator.partner.answers import TITLES, Refusals
from ringlight.simulator.partner.front import call_of
from ringlight.simulator.partner.grants import Access
from ringlight.simulator.partner.premises import PartnerDevice
from ringlight.simulator.world import World

__all__ = ["Caller", "body_of", "enter", "enter_device", "refusals"]

RETRY_AFTER = 1  # seconds, where a switch refuses


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call it is.

    Attributes:
        access: What the token opens.
        on: The switches that are on for this call.
        refuse: Writes refusals.
    """

    access: Access
    on: set[str]
    refuse: Refusals


def refusals(world: World, request: Request) -> Refusals:
    """Return what writes the refusals of a request."""
    return Refusals(world.partner.how, world.partner.now(), call_of(request.scope).name)


def enter(world: World, request: Request, *, about_user: bool = False, linked: bool = True) -> Caller | Response:
    """Judge a call.

    Args:
        world: Its partner side and switches say.
        request: The call.
        about_user: Whether it is about the account itself, where a bad token has a status of its own.
        linked: Whether the link must have been confirmed.
    """
    call, refuse, estate = call_of(request.scope), refusals(world, request), world.partner
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    access = estate.grants.access(token) if scheme.lower() == "bearer" else None
    if access is not None:
        call.limit = estate.limit.take(world.now())
        if not call.limit.taken:
            return _too_many(refuse, call.limit.retry_after)
    instead = _fault(call.on, refuse)
    if instead is not None:
        return instead
    if access is None:
        status = estate.how.user_401 if about_user else 401
        return refuse.unauthorized(status)
    if linked:
        link = estate.links.get(access.account)
        if link is None or link.status == "unclaimed":
            return refuse(403, "The integration has not been confirmed.")
    return Caller(access, call.on, refuse)


def enter_device(
    world: World, request: Request, identity: str, *, media: bool = False
) -> tuple[Caller, PartnerDevice] | Response:
    """Judge a call about a device, and find the device."""
    caller = enter(world, request)
    if isinstance(caller, Response):
        return caller
    device = world.partner.device(caller.access, identity, caller.on)
    if device is not None:
        return caller, device
    if world.partner.is_out_of_scope(caller.access, identity, caller.on):
        return caller.refuse(403, "The app has no scope for this device.")
    if media:
        return caller.refuse.media(404, "DEVICE_NOT_FOUND", "Device not found")
    return caller.refuse(404, "Device not found")


async def body_of(request: Request) -> object:
    """Read a body of JSON; `None` where there is none or it is no JSON."""
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _fault(on: set[str], refuse: Refusals) -> Response | None:
    if "partner-401" in on or "partner-401-empty" in on:
        return refuse.unauthorized(empty="partner-401-empty" in on)
    if "partner-403" in on:
        return refuse(403, "The token does not have access to the requested resource.")
    if "partner-429" in on:
        return _too_many(refuse, RETRY_AFTER)
    if "partner-429-date" in on:
        return _too_many(refuse, RETRY_AFTER, dated=True)
    if "partner-429-bare" in on:
        return _too_many(refuse, None)
    if "partner-500" in on:
        return refuse(500)
    if "partner-502" in on:
        return web_page("502 Bad Gateway", 502)
    if "partner-503" in on:
        return refuse(503, "The server is busy, try again later.", title="Server Busy", code="SERVER_BUSY")
    return None


def _too_many(refuse: Refusals, seconds: int | None, *, dated: bool = False) -> Response:
    headers = {}
    if seconds is not None:
        # A date has whole seconds only: one more, so that it is never too early.
        until = formatdate(refuse.now / 1000 + seconds + 1, usegmt=True)
        headers["Retry-After"] = until if dated or refuse.how.retry_date else str(seconds)
    hint = f"Too many requests, retry after {seconds} seconds" if seconds is not None else "Too many requests"
    error = {"status": "429", "title": TITLES[429], "detail": hint}
    return JSONResponse({"errors": [error]}, 429, headers)
