"""Faults as HTTP answers: problem bodies (RFC 9457) with code, cause and fix."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from ringlight.errors import ElsewhereError, RingError, fault_error
from ringlight.faults import Retry
from ringlight.rooms.address import is_of_rooms
from ringlight.rooms.registry import RoomTaken
from ringlight.server.elsewhere import follows, way_to

log = logging.getLogger("ringlight.server")
MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Seconds after which who was told that something is away (503) may ask again, where nothing better is known.
ASK_AGAIN = {Retry.NOW: 1.0, Retry.BACKOFF: 5.0}


def problem(error: RingError, status: int | None = None) -> JSONResponse:
    """Return the problem body of a fault, with this status; `None` is the one that its row names."""
    fault = error.fault
    status = status or fault.http
    body = {
        "type": f"/api/faults/{fault.code}",
        "status": status,
        **fault.as_dict(error.detail),
    }
    after = error.retry_after
    if after is None and fault.http == 503:
        after = ASK_AGAIN.get(fault.retry)
    headers = {} if after is None else {"Retry-After": str(int(after + 0.999))}
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def _without_upgrade(path: str) -> JSONResponse:
    answer = problem(fault_error("REACH-PROXY", f"{path} is for WebSockets, and the request asked for none"), 426)
    answer.headers.update({"Upgrade": "websocket", "Connection": "Upgrade"})  # RFC 9110 section 15.5.22
    return answer


def _taken(app: FastAPI, request: Request) -> list[str]:
    """Return the methods of an address. The router itself names those of the first route there alone."""
    if any(isinstance(route, Mount) and route.matches(request.scope)[0] is Match.FULL for route in app.routes):
        return []
    scopes = ((method, {**request.scope, "method": method}) for method in METHODS)
    return [method for method, scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in app.routes)]


def install(app: FastAPI) -> None:
    """Let every error of an application become a problem body."""

    @app.exception_handler(RingError)
    async def known(_: Request, error: RingError) -> JSONResponse:
        return problem(error)

    @app.exception_handler(RoomTaken)
    async def taken(_: Request, error: RoomTaken) -> JSONResponse:
        return problem(error, 409)

    @app.exception_handler(ElsewhereError)
    async def elsewhere(request: Request, error: ElsewhereError) -> Response:
        return way_to(request, error) if follows(request, error.url) else problem(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(fault_error("REQUEST-INVALID", f"{where}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404 and is_of_rooms(request.url.path):
            return _without_upgrade(request.url.path)
        code = "REQUEST-METHOD" if error.status_code == 405 else "REQUEST-INVALID"
        answer = problem(fault_error(code, f"{request.method} {request.url.path}: {error.detail}"), error.status_code)
        answer.headers.update(error.headers or {})
        if code == "REQUEST-METHOD" and (taken := _taken(app, request)):
            answer.headers["Allow"] = ", ".join(taken)
        return answer

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        route = request.scope.get("route")  # its pattern: in the path itself may be a link that lets somebody in
        log.exception("%s %s failed", request.method, getattr(route, "path", "?"), exc_info=error)
        return problem(fault_error("SERVER-ERROR", type(error).__name__))
