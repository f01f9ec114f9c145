"""The addresses that a Ring app hosts, as a router for its own FastAPI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from ringlight.errors import fault_error
from ringlight.faults import FAULTS
from ringlight.partner.link_desk import LinkDesk
from ringlight.partner.linking_routes import SignIn, linking_router
from ringlight.partner.webhooks.decision import MAX_BODY, Answer, Arrival, answer_to
from ringlight.partner.webhooks.receiving import Webhooks

__all__ = ["SignIn", "router"]


def router(
    *,
    webhooks: Webhooks | None = None,
    links: LinkDesk | None = None,
    sign_in: SignIn | None = None,
    name: str = "this app",
    public_url: str | None = None,
) -> APIRouter:
    """Return `/ring/…`. It opens and closes what it is given with the application.

    Args:
        webhooks: Answers `POST /ring/webhook`.
        links: Links accounts, at `/ring/token`, `/ring/link`, `/ring/home`, `/ring/start` and `/ring/callback`.
        sign_in: How people sign in who link theirs; `links` needs it.
        name: The app's, for the pages of linking.
        public_url: The address under which browsers know this server; `None` takes it from the request.

    Raises:
        SetupError: CFG-INVALID, `links` comes without a way to sign in.
    """
    made = APIRouter(prefix="/ring", tags=["ring"]) if webhooks is None else _with_webhooks(webhooks)
    if links is not None:
        made.include_router(linking_router(links, sign_in or SignIn(), name=name, public_url=public_url))
    return made


def _with_webhooks(webhooks: Webhooks) -> APIRouter:

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with webhooks:
            yield

    made = APIRouter(prefix="/ring", tags=["ring"], lifespan=lifespan)
    _add_webhook(made, webhooks)
    return made


def _add_webhook(made: APIRouter, webhooks: Webhooks) -> None:
    @made.post("/webhook", response_class=Response)
    async def webhook(request: Request) -> Response:
        """Take a delivery from Ring: 200 once it is stored; 4xx for what is not Ring's; 5xx, and Ring comes again."""
        try:
            async with asyncio.timeout(webhooks.answer_within):
                body = await _body_of(request)
        except (TimeoutError, ClientDisconnect):
            late = fault_error("HOOK-BUSY", "the body did not come in time")
            webhooks.refused(late)
            return _response(answer_to(late))
        fields = request.headers
        return _response(await webhooks.receive(Arrival(body, fields.get("content-type"), fields.get("x-signature"))))


async def _body_of(request: Request) -> bytes:
    """Read the body, at most one byte more than is allowed."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BODY:
        return b" " * (MAX_BODY + 1)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body[: MAX_BODY + 1])


def _response(answer: Answer) -> Response:
    if answer.code is None:
        return Response(status_code=answer.status)
    row = FAULTS[answer.code]
    body = {"type": f"/api/faults/{row.code}", "status": answer.status, "code": row.code, "title": row.title}
    return JSONResponse(body, answer.status, media_type="application/problem+json")
