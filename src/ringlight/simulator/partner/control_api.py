"""What a test or a person does to the Partner API's side: `/_sim/partner…`."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.partner.installing import Addresses, Style, install_app, link_address
from ringlight.simulator.partner.installing import shown as verdicts_of
from ringlight.simulator.partner.openapi import document
from ringlight.simulator.partner.premises import OWNERS, account_id, devices_of
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
            "verdicts": verdicts_of(world),
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

    @router.put("/app")
    async def enter(
        base: Annotated[str | None, Body(embed=True)] = None,
        token: Annotated[str | None, Body(embed=True)] = None,
        link: Annotated[str | None, Body(embed=True)] = None,
        redirect: Annotated[str | None, Body(embed=True)] = None,
        one_way: Annotated[bool, Body(embed=True)] = True,
    ) -> Response:
        """Enter the app's addresses in the developer portal; `base` stands for all that our router has."""
        known = Addresses.below(base) if base else Addresses()
        estate.addresses = Addresses(token or known.token, link or known.link, redirect or known.redirect)
        estate.app.one_way = one_way
        told = {name: getattr(estate.addresses, name) for name in ("token", "link", "redirect")}
        if not all(value is None or value.startswith(("http://", "https://")) for value in told.values()):
            estate.addresses = Addresses()
            return JSONResponse({"detail": "an address begins with http:// or https://"}, 422)
        return JSONResponse({**told, "one_way": one_way})

    @router.post("/install")
    async def install(
        challenge: Annotated[str | None, Body(embed=True)] = None,
        account: Annotated[str, Body(embed=True)] = "ada",
        style: Annotated[Style, Body(embed=True)] = "form",
    ) -> Response:
        """Let somebody take the app anew. With a Token Exchange URL, Ring's side of linking takes its course.

        Without one the authorisation code is returned: good for a minute, with a PKCE challenge for ten.
        """
        if account not in OWNERS:
            return JSONResponse({"detail": f"no account {account!r}"}, 404)
        if challenge is not None or estate.addresses.token is None:
            return JSONResponse({"code": estate.install(account, challenge=challenge)})
        return JSONResponse(await install_app(world, account, style))

    @router.post("/redirect")
    async def redirect(account: Annotated[str, Body(embed=True)] = "ada") -> Response:
        """Send somebody's browser to the app, once more if need be: the query of the Account Link URL, a new nonce."""
        if account not in estate.links:
            return JSONResponse({"detail": "the app is not installed"}, 404)
        if estate.addresses.link is not None:
            return JSONResponse({"redirect": link_address(world, account)})
        return JSONResponse(estate.send_person(account))

    @router.post("/remove", status_code=204)
    async def remove(account: Annotated[str, Body(embed=True)] = "ada") -> None:
        """Let somebody remove the app: all its tokens end."""
        estate.remove(account)

    @router.post("/playground")
    async def playground() -> dict[str, str]:
        """Make a token of the sandbox: half an hour, one device."""
        return {"access_token": estate.grants.make_playground("ada", estate.app.client_id)}

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
