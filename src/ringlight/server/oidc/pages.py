"""`/login/oidc` leads a browser to the provider, `/login/oidc/callback` takes it back."""

import time
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from ringlight.errors import RingError, fault_error
from ringlight.resilience.tries import Tries
from ringlight.server.login_pages import NO_STORE, Sessions, fault_words
from ringlight.server.oidc.desk import STATE_LIFE, OidcDesk
from ringlight.server.plain_page import onward_page, plain_page

__all__ = ["CALLBACK", "oidc_router"]

CALLBACK = "/login/oidc/callback"
COOKIE = "ringlight_oidc"
FAILED = (20, 60.0)  # log-ins that fail from one address, in so many seconds; each costs a call to the provider


def oidc_router(desk: OidcDesk, sessions: Sessions, *, clock: Callable[[], float] = time.monotonic) -> APIRouter:
    """Return the addresses.

    Args:
        desk: Speaks with the provider.
        sessions: Of browsers.
        clock: Seconds.
    """
    router = APIRouter(include_in_schema=False)
    tries = Tries(*FAILED)

    @router.get("/login/oidc")
    async def begin(request: Request) -> Response:
        try:
            _wait(tries, request, clock())
            address, state = await desk.begin(sessions.address(request, CALLBACK))
        except RingError as error:
            return _told(error)
        answer = RedirectResponse(address, 303, NO_STORE)
        # Lax, since the provider sends the browser back from another site.
        answer.set_cookie(
            COOKIE, state, max_age=int(STATE_LIFE), path=CALLBACK, secure=sessions.is_secure(request), httponly=True,
            samesite="lax",
        )  # fmt: skip
        return answer

    @router.get(CALLBACK)
    async def come_back(request: Request) -> Response:
        now = clock()
        try:
            _wait(tries, request, now)
            kept = request.cookies.get(COOKIE, "")
            said = await desk.finish(request.query_params, kept, sessions.address(request, CALLBACK))
        except RingError as error:
            tries.failed(_peer(request), now)
            answer: Response = _told(error)
        else:
            answer = sessions.give(onward_page("/"), request, said)
        answer.delete_cookie(COOKIE, path=CALLBACK, httponly=True, samesite="lax")
        return answer

    return router


def _wait(tries: Tries, request: Request, now: float) -> None:
    if (wait := tries.wait(_peer(request), now)) > 0:
        raise fault_error("KEY-TRIES", f"{wait:.0f} s to wait", retry_after=wait)


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _told(error: RingError) -> Response:
    body = f"{fault_words(error)}<p><a href='/login'>Log in again</a></p>"
    headers = dict(NO_STORE)
    if error.retry_after is not None:
        headers["Retry-After"] = str(int(error.retry_after + 0.999))
    return HTMLResponse(plain_page(error.fault.title, body), error.fault.http, headers)
