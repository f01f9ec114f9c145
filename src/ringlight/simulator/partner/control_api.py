"""What a test or a person does to the Partner API's side: `/_sim/partner…`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.partner.openapi import document
from ringlight.simulator.partner.premises import account_id, devices_of
from ringlight.simulator.partner.switches import ALL_SWITCHES
from ringlight.simulator.partner.webhook_api import add_webhooks
from ringlight.simulator.world import World

__all__ = ["partner_control_router"]


def partner_control_router(world: World) -> APIRouter:
    """Return the controls."""
    router = APIRouter(prefix="/_sim/partner", tags=["simulator"])
    estate = world.partner

    @router.get("")
    async def shown() -> dict[str, Any]:
        """Show the app, the links, the devices and the last calls."""
        links = {
            key: {"account_id": account_id(key), "status": link.status, "account_identifier": link.identifier,
                  "consents": link.consents}
            for key, link in estate.links.items()
        }  # fmt: skip
        known = [
            {"key": device.key, "id": device.id(odd=estate.how.odd), "name": device.name, "family": device.family,
             "online": estate.state(device, world.on).online}
            for device in devices_of(world.cameras, early_access=True)
        ]  # fmt: skip
        return {
            "client_id": estate.app.client_id, "profile": world.profile, "links": links, "devices": known,
            "refused_by_limit": estate.limit.refused, "calls": list(estate.calls),
        }  # fmt: skip

    @router.get("/openapi.json")
    async def openapi() -> dict[str, Any]:
        """Describe the Partner API as it is here."""
        return document()

    @router.put("/next")
    async def set_next(calls: Annotated[list[list[str]], Body(embed=True)]) -> Response:
        """Say which switches are on for each of the next calls, beside those that are on for all."""
        unknown = sorted({name for names in calls for name in names} - set(ALL_SWITCHES))
        if unknown:
            return JSONResponse({"detail": f"no switch {unknown[0]!r}"}, 404)
        estate.next_calls.clear()
        estate.next_calls.extend(tuple(names) for names in calls)
        return JSONResponse({"calls": calls})

    @router.post("/install")
    async def install(challenge: Annotated[str | None, Body(embed=True)] = None) -> dict[str, str]:
        """Let Ada take the app anew: an authorisation code, for a minute; with a PKCE challenge for ten."""
        return {"code": estate.install(challenge=challenge)}

    @router.post("/redirect")
    async def redirect() -> Response:
        """Send Ada's browser to the app: the query of the Account Link URL."""
        if "ada" not in estate.links:
            return JSONResponse({"detail": "the app is not installed"}, 404)
        return JSONResponse(estate.send_person())

    @router.post("/remove", status_code=204)
    async def remove() -> None:
        """Let Ada remove the app: all its tokens end."""
        estate.remove()

    @router.post("/playground")
    async def playground() -> dict[str, str]:
        """Make a token of the sandbox: half an hour, one device."""
        return {"access_token": estate.grants.make_playground("ada", estate.app.client_id, world.now())}

    @router.put("/devices/{key}")
    async def change(
        key: str,
        online: Annotated[bool | None, Body(embed=True)] = None,
        shared: Annotated[bool | None, Body(embed=True)] = None,
        flooded: Annotated[bool | None, Body(embed=True)] = None,
    ) -> Response:
        """Take a device off line, stop sharing it, or set a sensor under water; and back."""
        if key not in {device.key for device in devices_of(world.cameras, early_access=True)}:
            return JSONResponse({"detail": f"no device {key!r}"}, 404)
        estate.went(key, online=online, flooded=flooded)
        if shared is not None:
            estate.share(key, shared)
        link = estate.links.get("ada")
        return JSONResponse({"online": key not in estate.offline, "shared": link is not None and key in link.consents,
                             "flooded": key in estate.flooded})  # fmt: skip

    add_webhooks(router, world)
    return router
