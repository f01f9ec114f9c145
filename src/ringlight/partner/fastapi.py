"""The addresses that a Ring app hosts, as a router for its own FastAPI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from ringlight.errors import fault_error
from ringlight.faults import FAULTS
from ringlight.partner.webhooks.decision import MAX_BODY, Answer, Arrival, answer_to
from ringlight.partner.webhooks.receiving import Webhooks

__all__ = ["router"]


def router(*, webhooks: Webhooks) -> APIRouter:
    """Return `/ring/…`. It opens and closes what it is given with the application.

    Args:
        webhooks: Answers `POST /ring/webhook`.
    """

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
