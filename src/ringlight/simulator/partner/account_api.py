"""The account: who it is, the link between it and the app, its subscriptions."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.partner.gate import Caller, body_of, enter
from ringlight.simulator.partner.history import iso
from ringlight.simulator.partner.parties import Link, Subscription
from ringlight.simulator.partner.premises import OWNERS, account_id
from ringlight.simulator.world import World

__all__ = ["add_account"]

PAGE_SIZE = 25
INTEGRATIONS = "/v1/accounts/me/app-integrations"


def add_account(router: APIRouter, world: World) -> None:
    """Add `/v1/users/me` and `/v1/accounts/me/…`."""
    _add_integrations(router, world)

    @router.get("/v1/users/me")
    async def user(request: Request) -> Response:
        caller = enter(world, request, about_user=True, linked=False)
        if isinstance(caller, Response):
            return caller
        owner = OWNERS[caller.access.account]
        email = world.email if caller.access.account == "ada" else owner.email
        attributes: dict[str, Any] = {"first_name": owner.first_name, "last_name": "Sim", "email": email}
        if caller.access.playground:
            attributes |= {"first_name": "Playground", "last_name": "User"}
        if world.partner.how.odd:
            attributes |= {"last_name": None, "phone_number": None, "mood": "teal"}
        return JSONResponse(
            {"data": {"type": "users", "id": account_id(caller.access.account), "attributes": attributes}}
        )

    @router.get("/v1/accounts/me/subscriptions")
    async def subscriptions(request: Request) -> Response:
        caller = enter(world, request)
        if isinstance(caller, Response):
            return caller
        if "partner-no-subscriptions" in caller.on or caller.access.playground:
            return caller.refuse(422, "The request cannot be processed for this user.")
        cursor = request.query_params.get("page[cursor]", "0")
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9):
            return caller.refuse(400, "page[cursor] is not valid")
        begin, listed = int(cursor), world.partner.subscriptions
        documents = [_subscription(world, caller, one) for one in listed[begin : begin + PAGE_SIZE]]
        answer: dict[str, Any] = {"data": documents, "meta": {"time": iso(world.partner.now())}}
        if begin + PAGE_SIZE < len(listed):
            answer["links"] = {"next": f"/v1/accounts/me/subscriptions?page[cursor]={begin + PAGE_SIZE}"}
        return JSONResponse(answer)


def _subscription(world: World, caller: Caller, one: Subscription) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "sub_type": one.kind,
        "status": "active" if one.active else "inactive",
        "expires_at": iso(one.expires),
        "created_at": iso(one.created),
    }
    if one.kind == "paid":
        attributes["plan_id"] = "3b9d1f0a-1111-4222-8333-444455556666"
    elif world.partner.how.nulls:
        attributes["plan_id"] = None
    if world.partner.how.odd and not one.active:
        attributes |= {"status": "hibernating", "sub_type": "gift"}
    devices = world.partner.devices(caller.access, caller.on)
    data = [{"type": "devices", "id": device.id(odd=world.partner.how.odd)} for device in devices]
    return {
        "type": "subscriptions",
        "id": one.id,
        "attributes": attributes,
        "relationships": {"devices": {"data": data}},
    }


def _add_integrations(router: APIRouter, world: World) -> None:
    def judged(request: Request) -> tuple[Caller, Link] | Response:
        caller = enter(world, request, linked=False)
        if isinstance(caller, Response):
            return caller
        if caller.access.playground:
            return caller.refuse(403, "The token does not have access to the requested resource.")
        link = world.partner.links.get(caller.access.account)
        return (caller, link) if link is not None else caller.refuse(404, "There is no integration for this token.")

    @router.post(INTEGRATIONS)
    async def confirm(request: Request) -> Response:
        found, fields = judged(request), await body_of(request)
        if isinstance(found, Response):
            return found
        caller, link = found
        nonce, identifier = _text(fields, "nonce"), _text(fields, "account_identifier")
        if not isinstance(fields, dict) or identifier is _WRONG:
            return caller.refuse(400, "account_identifier must be a string")
        if not isinstance(nonce, str) or not nonce:
            world.partner.judge(link.account, "confirm", False, "POST without a nonce: 400")
            return caller.refuse(400, "nonce is required", title="Missing Required Fields")
        if not world.partner.confirms(nonce, link.account):
            world.partner.judge(link.account, "confirm", False, "POST with a nonce that is not good: 400")
            return caller.refuse(400, "The nonce is invalid, expired or used.", title="Invalid Nonce")
        world.partner.judge(link.account, "confirm", True, "nonce confirmed")
        link.status, link.updated = "awaiting", world.partner.now()
        link.identifier = identifier if isinstance(identifier, str) else link.identifier
        return JSONResponse({"status": link.status})

    @router.patch(INTEGRATIONS)
    async def change(request: Request) -> Response:
        found, fields = judged(request), await body_of(request)
        if isinstance(found, Response):
            return found
        caller, link = found
        status, identifier = _text(fields, "status"), _text(fields, "account_identifier")
        if status is None and identifier is None:
            return caller.refuse(400, "status or account_identifier is required", title="Missing Required Fields")
        if status not in (None, "awaiting", "completed") or identifier is _WRONG:
            return caller.refuse(400, "status must be awaiting or completed, account_identifier a string")
        if link.status == "unclaimed" and world.partner.app.one_way:
            world.partner.judge(link.account, "complete", False, "PATCH before the nonce was confirmed: 400")
            return caller.refuse(400, "Confirm the nonce first.", title="Invalid Status Transition")
        finished = status == "completed" and link.status != "completed"
        if status == "awaiting" or status == "completed":  # noqa: PLR1714 - so the type checker sees which
            link.status = status
        if finished:
            world.partner.completed(link.account)
            world.partner.judge(link.account, "complete", status == "completed", f"status set to {status}")
        link.identifier = identifier if isinstance(identifier, str) else link.identifier
        link.updated = world.partner.now()
        told = {"account_identifier": link.identifier, "status": link.status, "updated_at": iso(link.updated)}
        return JSONResponse({name: value for name, value in told.items() if value is not None})

    @router.delete(INTEGRATIONS)
    async def unlink(request: Request) -> Response:
        found = judged(request)
        if isinstance(found, Response):
            return found
        caller, link = found
        if world.partner.app.one_way:
            return caller.refuse(403, "Apps with one-way linking cannot remove the integration.")
        world.partner.remove(link.account)
        return Response(status_code=204)


_WRONG = object()


def _text(fields: object, name: str) -> object:
    """Return a text of a body; `None` where there is none, `_WRONG` where it is something else."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if value is None or isinstance(value, str) else _WRONG
