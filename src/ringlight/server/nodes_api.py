"""The address of the nodes: who is there, and who holds what."""

from typing import Any

from fastapi import APIRouter

from ringlight.nodes.keeper import CameraLeases

__all__ = ["nodes_router"]


def nodes_router(leases: CameraLeases | None) -> APIRouter:
    """Return `/api/nodes`."""
    router = APIRouter(prefix="/api", tags=["about"])

    @router.get("/nodes")
    async def nodes() -> dict[str, Any]:
        """Say which servers are there, and which of them holds which camera, under which token (it only rises).

        `mqtt` is held by the one that tells home automation.

        As far as this one knows: `alone` says that it does not reach Redis. Without other servers all is empty.
        """
        return leases.as_dict() if leases else {"node": None, "alone": False, "nodes": [], "held": {}}

    return router
