"""The page of a room: at the room's own address, and behind a one-time link."""

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from ringlight.web import ROOMS_PAGE

__all__ = ["rooms_page", "rooms_page_router"]


def rooms_page() -> FileResponse:
    """Return the page; which room it is for, it reads from its own address."""
    # The address behind a link is a secret until it is used: no cache keeps it.
    return FileResponse(ROOMS_PAGE / "index.html", headers={"Cache-Control": "no-store"})


def rooms_page_router() -> APIRouter:
    """Return `/rooms/{id}`, and what is left of an address that was cut off or has too much at its end.

    What is behind a link, `room_links_router` shows; it comes before this one.
    """
    router = APIRouter()
    for path in ("/rooms/{rest:path}", "/rooms", "/j/{rest:path}", "/j"):

        @router.api_route(path, methods=["GET", "HEAD"], include_in_schema=False)
        async def page() -> Response:
            """Show a room's page, whether there is such a room or not: the page says what it meets."""
            return rooms_page()

    return router
