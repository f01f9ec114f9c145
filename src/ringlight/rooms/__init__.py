"""Rooms: the signaling server for calls between people, with a lobby, and with connections that come back.

`from ringlight.rooms import router` and `app.include_router(router)` adds it to any FastAPI app; its settings are read
as those of every program of ours. On a loopback address anybody may enter from any page of this machine, as suits
development; elsewhere a token is needed: `rooms_router(open_rooms(settings))` has its parts.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ringlight.rooms.asgi import rooms_router
    from ringlight.rooms.opening import open_rooms

    router: APIRouter

__all__ = ["open_rooms", "rooms_router", "router"]


def __getattr__(name: str) -> Any:
    # FastAPI and the settings are loaded by those only who mount the router; the pure parts need neither.
    if name == "router":
        from ringlight.rooms.asgi import rooms_router  # noqa: PLC0415
        from ringlight.rooms.opening import open_rooms  # noqa: PLC0415
        from ringlight.settings import load_settings  # noqa: PLC0415

        globals()["router"] = rooms_router(open_rooms(load_settings(), any_loopback_origin=True))
        return globals()["router"]
    if name == "rooms_router":
        from ringlight.rooms.asgi import rooms_router  # noqa: PLC0415

        return rooms_router
    if name == "open_rooms":
        from ringlight.rooms.opening import open_rooms  # noqa: PLC0415

        return open_rooms
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
