"""What a test or a person does to webhooks: `/_sim/partner/webhooks…`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.partner.premises import devices_of
from ringlight.simulator.world import World

__all__ = ["add_webhooks"]


def add_webhooks(router: APIRouter, world: World) -> None:
    """Add the controls."""
    estate = world.partner
    deliveries = estate.deliveries

    def shown() -> dict[str, Any]:
        return {
            "url": deliveries.url, "disabled": deliveries.disabled, "clock": estate.clock(),
            "dead": [one.number for one in deliveries.dead(estate.clock())],
            "deliveries": [one.as_dict() for one in deliveries.all],
        }  # fmt: skip

    @router.get("/webhooks")
    async def webhooks() -> dict[str, Any]:
        """Show what was sent, with a verdict on each answer, and what is a dead letter."""
        return shown()

    @router.put("/webhooks")
    async def configure(url: Annotated[str | None, Body(embed=True)]) -> Response:
        """Set the webhook's address, as the developer portal does; `null` sends nothing. It enables the address."""
        if url is not None and not url.startswith(("http://", "https://")):
            return JSONResponse({"detail": f"{url!r} is no address"}, 400)
        deliveries.url = url
        deliveries.enable()
        return JSONResponse(shown())

    @router.post("/webhooks/send", status_code=202)
    async def send(
        kind: Annotated[str, Body(alias="type")],
        device: Annotated[str, Body()] = "1001",
        subtype: Annotated[str, Body()] = "",
    ) -> Response:
        """Send any event of a device, by its key."""
        known = {one.key: one for one in devices_of(world.cameras, early_access=True)}
        if device not in known:
            return JSONResponse({"detail": f"no device {device!r}"}, 404)
        estate.tell(kind, known[device], subtype=subtype, always=True)
        return JSONResponse(shown(), 202)

    @router.post("/webhooks/replay")
    async def replay() -> dict[str, int]:
        """Send the dead letters anew."""
        return {"replayed": deliveries.replay(estate.clock())}
