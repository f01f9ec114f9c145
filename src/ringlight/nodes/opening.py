"""Opens the leases of cameras where the settings name several servers."""

import contextlib
from collections.abc import AsyncIterator

from ringlight.nodes.keeper import CameraLeases
from ringlight.settings import Settings

__all__ = ["camera_leases"]


@contextlib.asynccontextmanager
async def camera_leases(settings: Settings, port: int, *, local: bool) -> AsyncIterator[CameraLeases | None]:
    """Be one of several nodes inside of the `async with`; `None` where there is one, or where it has no address.

    Args:
        settings: Redis, and this node's address.
        port: On which it listens.
        local: Whether on a loopback address, which then is the node's.

    Raises:
        SetupError: CFG-DEPENDENCY or CFG-INVALID.
    """
    host = settings.server.host
    own = f"http://{f'[{host}]' if ':' in host else host}:{port}" if local else None
    address = settings.server.node_url or own
    if settings.redis_url is None or address is None:
        yield None
        return
    leases = CameraLeases(settings.redis_url, address.rstrip("/"), alone_for=settings.server.alone_for)
    async with leases.running():
        yield leases
