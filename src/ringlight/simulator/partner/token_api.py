"""`oauth.ring.com` for partner apps: a code or a refresh token for the next pair."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from ringlight.simulator.obstacles import web_page
from ringlight.simulator.partner.front import call_of
from ringlight.simulator.world import World

__all__ = ["is_of_a_partner", "partner_token"]


def is_of_a_partner(world: World, fields: Mapping[str, Any]) -> bool:
    """Whether a request for tokens comes from a partner's app and not from a person's."""
    return "client_secret" in fields or fields.get("client_id") == world.partner.app.client_id


def partner_token(world: World, request: Request, fields: Mapping[str, Any]) -> Response:
    """Answer a request for tokens (RFC 6749 section 5)."""
    call, estate = call_of(request.scope), world.partner
    if "partner-token-503" in call.on:
        return JSONResponse({"error": "temporarily_unavailable"}, 503)
    if "partner-token-html" in call.on:
        return web_page("Welcome to the hotel network", 200)
    if "form" not in request.headers.get("content-type", ""):
        return _refused("invalid_request", "the body must be application/x-www-form-urlencoded", 400)
    text = {name: str(value) for name, value in fields.items()}
    if (text.get("client_id"), text.get("client_secret")) != (estate.app.client_id, estate.app.secret):
        return _refused("invalid_client", "client authentication failed", 401)
    match text.get("grant_type"):
        case "authorization_code":
            granted = estate.grants.exchange(text.get("code", ""), estate.app.client_id, text.get("code_verifier", ""))
        case "refresh_token":
            granted = estate.grants.refresh(text.get("refresh_token", ""), estate.app.client_id)
            call.lost = granted is not None and "partner-token-lost" in call.on
        case None:
            return _refused("invalid_request", "grant_type is missing", 400)
        case _:
            return _refused("unsupported_grant_type", "invalid grant type for client", 401)
    if granted is not None:
        estate.code_used(text.get("code", ""))
    if granted is None:
        return _refused("invalid_grant", "the code or refresh token is invalid or expired", estate.how.bad_grant)
    return JSONResponse(granted, headers={"Cache-Control": "no-store"})


def _refused(error: str, said: str, status: int) -> Response:
    return JSONResponse({"error": error, "error_description": said}, status)
