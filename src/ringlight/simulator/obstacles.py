"""What stands between a client and Ring's services: the edge, limits, revoked tokens, a lost registration."""

import html
import time
from email.utils import formatdate

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from ringlight.simulator.world import World

__all__ = ["obstacle", "stopped", "web_page"]

RETRY_AFTER = 3  # seconds


def web_page(title: str, status: int) -> Response:
    """Return a page such as the edge of a network makes."""
    said = html.escape(title)
    return HTMLResponse(f"<html><head><title>{said}</title></head><body><h1>{said}</h1></body></html>", status)


def obstacle(world: World, at: str) -> Response | None:
    """Return what comes instead of an answer, or `None`.

    Args:
        world: Its switches say.
        at: The step of the dialog: `token`, `session`, `clients_api`, `device` or `ticket`.
    """
    on = world.on
    if "edge-406" in on or (at == "ticket" and "ticket-406" in on):
        return web_page("406 Not Acceptable", 406)
    if "rate-429" in on:
        return JSONResponse({"error": "too many requests"}, 429, {"Retry-After": str(RETRY_AFTER)})
    if "rate-429-date" in on:
        until = formatdate(time.time() + RETRY_AFTER, usegmt=True)
        return JSONResponse({"error": "too many requests"}, 429, {"Retry-After": until})
    if at == "token" and "token-not-json" in on:
        return web_page("Welcome to the hotel network", 200)
    return _of_the_ticket(on) if at == "ticket" else None


def _of_the_ticket(on: set[str]) -> Response | None:
    if "ticket-not-json" in on:
        return web_page("Welcome to the hotel network", 200)
    for status in (401, 403, 500):
        if f"ticket-{status}" in on:
            return JSONResponse({"error": "no ticket"}, status)
    return None


def stopped(world: World, request: Request, at: str) -> Response | None:
    """Return the refusal of a request to one of the services behind the sign-in, or `None`."""
    instead = obstacle(world, at)
    if instead is not None:
        return instead
    if not world.tokens.knows(request.headers.get("authorization", "")):
        return Response(status_code=401)
    hardware_id = request.headers.get("hardware_id", "")
    if at not in ("session", "ticket") and not world.is_registered(hardware_id):
        # Ring's own way to say so (observed-protocol.md#client-registration).
        return JSONResponse({"error": f"Session not found for hardware id {hardware_id}"}, 404)
    return None
