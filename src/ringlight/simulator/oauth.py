"""`oauth.ring.com`: tokens for a password, a refresh token or a code, and the pages that give the code."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from ringlight.simulator.bodies import fields_of
from ringlight.simulator.obstacles import obstacle
from ringlight.simulator.partner.token_api import is_of_a_partner, partner_token
from ringlight.simulator.world import World

__all__ = ["oauth_router"]

COOKIE = "ring_session"
KEPT = 100  # sign-ins that were begun and not ended


@dataclass(slots=True)
class _Visit:
    """One browser on its way through the pages."""

    query: dict[str, str]
    csrf: str
    password_given: bool = False
    signed_in: bool = False


def oauth_router(world: World) -> APIRouter:
    """Return `/oauth/token` and the pages under `/oauth/v2/`."""
    router = APIRouter()
    router.include_router(_Pages(world).router())

    @router.post("/oauth/token")
    async def token(request: Request) -> Response:
        instead = obstacle(world, "token")
        if instead is not None:
            return instead
        fields = await fields_of(request)
        if fields is None:
            return JSONResponse({"error": "invalid_request"}, 400)
        if is_of_a_partner(world, fields):
            return partner_token(world, request, fields)
        grant_type = fields.get("grant_type")
        if grant_type == "refresh_token":
            granted = world.tokens.rotate(str(fields.get("refresh_token", "")))
            return JSONResponse(granted) if granted else _invalid_grant("refresh token is invalid or expired", 401)
        if grant_type == "authorization_code":
            return _code_grant(world, fields)
        return _password_grant(world, fields, request)

    return router


class _Pages:
    """The sign-in as a browser sees it (observed-protocol.md#a-second-way-to-sign-in)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._visits: dict[str, _Visit] = {}

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/oauth/v2")
        router.get("/authorize")(self.authorize)
        router.get("/signin")(self.page)
        router.post("/signin")(self.sign_in)
        router.post("/2fa/verify")(self.verify)
        return router

    async def authorize(self, request: Request) -> Response:
        """Begin a visit, or end one that has signed in by the redirect with the code."""
        instead = obstacle(self._world, "token")
        if instead is not None:
            return instead
        visit = self._visit(request)
        if visit is not None and visit.signed_in:
            return self._sent_back(request, visit)
        query = dict(request.query_params)
        wanted = {"response_type": "code", "code_challenge_method": "S256", "client_id": "ring_official_android"}
        missing = {"redirect_uri", "code_challenge", "state"} - {name for name, value in query.items() if value}
        if missing or any(query.get(name) != value for name, value in wanted.items()):
            return JSONResponse({"error": "invalid_request"}, 400)
        name = self._world.hexadecimal(16)
        self._visits[name] = _Visit(query, self._world.hexadecimal(16))
        while len(self._visits) > KEPT:
            del self._visits[next(iter(self._visits))]
        answer = RedirectResponse("/oauth/v2/signin", 302)
        answer.set_cookie(COOKIE, name, path="/oauth", httponly=True)
        return answer

    async def page(self, request: Request) -> Response:
        """Show the form, with the csrf token where the app's own page has it."""
        visit = self._visit(request)
        if visit is None:
            return RedirectResponse("/oauth/v2/authorize", 302)
        hidden = {} if self._world.sign_in_pages == "no-csrf" else {"csrf-token": visit.csrf}
        args = msgspec.json.encode({"brand": "ring", **hidden}).decode()
        body = f'<form method="post"></form><script id="oauth-args" type="application/json">{args}</script>'
        return HTMLResponse(f"<!DOCTYPE html><html><head><title>Sign in</title></head><body>{body}</body></html>")

    async def sign_in(self, request: Request) -> Response:
        """Take e-mail and password."""
        visit, fields, refused = await self._form(request)
        if visit is None or fields is None:
            return refused
        if not _is_ada(self._world, fields):
            return _wrong_password()
        if self._world.asks_code:
            visit.password_given = True
            return _code_wanted()
        visit.signed_in = True
        return Response(status_code=204)

    async def verify(self, request: Request) -> Response:
        """Take the verification code."""
        visit, fields, refused = await self._form(request)
        if visit is None or fields is None:
            return refused
        if not visit.password_given or fields.get("2fa_code") != self._world.code:
            return _wrong_code()
        visit.signed_in = True
        return JSONResponse({"redirect_url": "/oauth/v2/authorize", "status": "auth-completed", "user_id": 4711}, 201)

    async def _form(self, request: Request) -> tuple[_Visit | None, dict[str, Any] | None, Response]:
        instead, visit, fields = obstacle(self._world, "token"), self._visit(request), await fields_of(request)
        if instead is not None:
            return None, None, instead
        if visit is None or fields is None or fields.get("csrf-token") != visit.csrf:
            return None, None, JSONResponse({"error": "Invalid CSRF token"}, 403)
        return visit, fields, Response()

    def _visit(self, request: Request) -> _Visit | None:
        return self._visits.get(request.cookies.get(COOKIE, ""))

    def _sent_back(self, request: Request, visit: _Visit) -> Response:
        self._visits.pop(request.cookies.get(COOKIE, ""), None)
        code = self._world.tokens.make_code(visit.query["code_challenge"], visit.query["redirect_uri"])
        state = "somebody-elses" if self._world.sign_in_pages == "other-state" else visit.query["state"]
        return RedirectResponse(f"{visit.query['redirect_uri']}?{urlencode({'code': code, 'state': state})}", 302)


def _code_grant(world: World, fields: dict[str, Any]) -> Response:
    digest = hashlib.sha256(str(fields.get("code_verifier", "")).encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    good = world.tokens.use_code(str(fields.get("code", "")), challenge, str(fields.get("redirect_uri", "")))
    if not good or world.sign_in_pages == "bad-code":
        return _invalid_grant("PKCE verification failed", 400)
    # Other services refuse this access token, as they were seen to do; the next one is good everywhere.
    return JSONResponse(world.tokens.grant(usable=False))


def _password_grant(world: World, fields: dict[str, Any], request: Request) -> Response:
    if not _is_ada(world, fields):
        return _wrong_password()
    code = request.headers.get("2fa-code", "")
    if world.asks_code and not code:
        return _code_wanted()
    return _wrong_code() if world.asks_code and code != world.code else JSONResponse(world.tokens.grant())


def _is_ada(world: World, fields: dict[str, Any]) -> bool:
    given = (fields.get("username"), fields.get("password"))
    return "wrong-password" not in world.on and given == (world.email, world.password)


def _wrong_password() -> Response:
    return JSONResponse({"error": "access_denied", "error_description": "invalid user credentials"}, 401)


def _code_wanted() -> Response:
    return JSONResponse({"next_time_in_secs": 60, "phone": "+1xxxxxxxx12", "tsv_state": "sms"}, 412)


def _wrong_code() -> Response:
    wrong = {"err_msg": "bad request response from dependency service",
             "error": "Verification Code is invalid or expired"}  # fmt: skip
    return JSONResponse(wrong, 400)


def _invalid_grant(said: str, status: int) -> Response:
    return JSONResponse({"error": "invalid_grant", "error_description": said}, status)
