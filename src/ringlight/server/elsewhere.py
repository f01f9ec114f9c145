"""The way to another node: who asks here for a camera that another one holds is sent there (307)."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import Request, Response

from ringlight.cameras import Camera
from ringlight.errors import ElsewhereError, fault_error
from ringlight.nodes.keeper import CameraLeases

__all__ = ["Here", "follows", "here_by", "way_to"]

Here = Callable[[Camera], Awaitable[None]]
"""Raises ElsewhereError where another node holds a camera: what only its holder knows is asked for there."""


def here_by(leases: CameraLeases | None) -> Here:
    """Return what looks whether a camera is held elsewhere; without other nodes none is."""

    async def look(camera: Camera) -> None:
        holder = await leases.holder(str(camera.device.id)) if leases is not None else None
        if holder is not None:
            raise fault_error("CAM-ELSEWHERE", holder.url)

    return look


def follows(request: Request, url: str) -> bool:
    """Whether who asks can follow to the address of a node. Scripts of a page cannot, where it is of another origin."""
    is_script = request.headers.get("sec-fetch-mode", "navigate") != "navigate"
    return bool(url) and not (is_script and urlsplit(url).netloc not in ("", request.headers.get("host")))


def way_to(request: Request, error: ElsewhereError) -> Response:
    """Return the redirect that keeps method and body (RFC 9110 section 15.4.8), to the same address there."""
    query = f"?{request.url.query}" if request.url.query else ""
    path = request.scope.get("raw_path", b"").decode("latin-1") or request.url.path
    return Response(status_code=307, headers={"Location": f"{error.url}{path}{query}", "Cache-Control": "no-store"})
