"""`account.ring.com`: the page on which somebody allows an app what it asks for, where the app began the link."""

import re
from html import escape
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ringlight.simulator.obstacles import web_page
from ringlight.simulator.partner.grants import SCOPE
from ringlight.simulator.partner.premises import OWNERS
from ringlight.simulator.world import World

__all__ = ["AUTHORIZE", "authorize_router"]

AUTHORIZE = "/account/integrations/partner-link/authorize"


def authorize_router(world: World) -> APIRouter:
    """Return the page."""
    router = APIRouter()

    def refused(asked: dict[str, str]) -> Response | None:
        estate = world.partner
        if asked.get("client_id") != estate.app.client_id or estate.app.one_way:
            return web_page("Something went wrong", 200)  # without a redirect, and without a word why
        if asked.get("redirect_uri") != estate.addresses.redirect:
            return web_page("redirect_uri is not registered", 400)
        if re.fullmatch(r"[A-Za-z0-9_-]{43}", asked.get("code_challenge", "")) is None:
            return web_page("code_challenge is not valid", 400)
        fixed = {"response_type": "code", "scope": SCOPE, "code_challenge_method": "S256"}
        wrong = [name for name, value in fixed.items() if asked.get(name) != value]
        return web_page(f"{wrong[0]} is not valid", 400) if wrong else None

    @router.get(AUTHORIZE)
    async def ask(request: Request) -> Response:
        no = refused(dict(request.query_params))
        if no is not None:
            return no
        choices = "".join(
            f'<button name="account" value="{key}">Allow as {escape(owner.first_name)}</button>'
            for key, owner in OWNERS.items()
        )
        body = f'<form method="post">{choices}<button name="account" value="">Decline</button></form>'
        page = f"<!doctype html><title>Ring</title><h1>Allow {escape(world.partner.app.client_id)}?</h1>{body}"
        return Response(page, media_type="text/html")

    @router.post(AUTHORIZE)
    async def decide(request: Request) -> Response:
        asked = dict(request.query_params)
        no = refused(asked)
        if no is not None:
            return no
        account = dict(parse_qsl((await request.body()).decode("utf-8", "replace"))).get("account", "")
        answer = {"error": "access_denied"}
        if account in OWNERS:
            answer = {"code": world.partner.install(account, challenge=asked["code_challenge"])}
        state = {"state": asked["state"]} if "state" in asked else {}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer | state)}", 303)

    return router
