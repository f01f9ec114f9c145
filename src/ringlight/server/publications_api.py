"""The address that tells where the cameras are published, and how that goes."""

from typing import Any

from fastapi import APIRouter

from ringlight.publishing import Publications


def publications_router(publications: Publications) -> APIRouter:
    """Return `/api/publications`."""
    router = APIRouter(prefix="/api", tags=["cameras"])

    @router.get("/publications")
    async def listed() -> dict[str, Any]:
        """List the cameras that are published to other media servers, and where each publication stands."""
        return {"publications": publications.as_list()}

    return router
