"""`/login` and `/logout` for browsers, `/s/{token}` for who was sent a link to a camera. They work without scripts."""

from collections.abc import Callable
from html import escape
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from ringlight.errors import RingError, fault_error
from ringlight.secrets import Secret
from ringlight.server.entrance import COOKIE, Doors
from ringlight.server.passes import Pass
from ringlight.server.plain_page import onward_page, plain_page
from ringlight.server.scopes import Holder

__all__ = ["login_router"]

MAX_FORM = 8192  # bytes
# A page that says nothing of where one comes from would make its forms say so little that they are refused.
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
_FORM = """<h1>Log in</h1>
{problem}<form method="post" action="/login" class="login">
  <label for="key">Key</label>
  <input id="key" name="key" type="password" autocomplete="current-password" required autofocus{wrong}>
  <button class="button" type="submit">Log in</button>
</form>
<p class="quiet-text">The key is one of <code>ringlight key add</code>, or the value of
<code>RINGLIGHT_SECRET_KEY</code>.</p>"""
_INSIDE = """<h1>You are logged in</h1>
<p>This browser may use: {scopes}{cameras}.</p>
<p><a href="/">Go to the cameras</a></p>
<form method="post" action="/logout" class="login"><button class="button" type="submit">Log out</button></form>"""


def login_router(doors: Doors, *, life: float, is_secure: bool, clock: Callable[[], float]) -> APIRouter:
    """Return the addresses.

    Args:
        doors: The ways into the server.
        life: Seconds that a session is good for.
        is_secure: Whether browsers reach this server by https, whatever a proxy makes of it.
        clock: Seconds since 1970.
    """
    router = APIRouter(include_in_schema=False)
    entrance, passes = doors.entrance, doors.passes

    def with_session(answer: Response, request: Request, said: Pass) -> Response:
        left = max(0, int(said.ends - clock()))
        secure = is_secure or request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, passes.sign("session", said).reveal(), max_age=left, path="/", secure=secure, httponly=True,
            samesite="strict",
        )  # fmt: skip
        return answer

    async def inside(request: Request) -> Holder | None:
        return None if entrance is None else await entrance.by_cookie(request.headers)

    @router.get("/login")
    async def show(request: Request) -> Response:
        if entrance is None:
            return RedirectResponse("/", 303)
        holder = await inside(request)
        if holder is None:
            return HTMLResponse(_form(None), headers=_HEADERS)
        cameras = "" if holder.cameras is None else f", for {_coded(holder.cameras)}"
        body = _INSIDE.format(scopes=_coded(holder.scopes) or "nothing", cameras=cameras)
        return HTMLResponse(plain_page("Logged in", body), headers=_HEADERS)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        if entrance is None:
            return RedirectResponse("/", 303)
        try:
            given = Secret(await _key_in(request))
            holder = await entrance.by_key(given, request.client.host if request.client else "")
            if holder is None:
                raise fault_error("KEY-NEEDED")
        except RingError as error:
            headers = dict(_HEADERS)
            if error.retry_after is not None:
                headers["Retry-After"] = str(int(error.retry_after + 0.999))
            return HTMLResponse(_form(error), error.fault.http, headers)
        said = Pass(holder.who.removeprefix("key:"), clock() + life)
        return with_session(RedirectResponse("/", 303, _HEADERS), request, said)

    @router.post("/logout")
    async def log_out() -> Response:
        answer = RedirectResponse("/login", 303, _HEADERS)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    @router.get("/s/{token}")
    async def follow(token: str, request: Request) -> Response:
        try:
            # Where nobody has to log in, a link is an address like others, and only has to be one of ours.
            said = passes.check("link", token, clock()) if entrance is None else await entrance.by_link(token)
        except RingError as error:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            return HTMLResponse(plain_page(error.fault.title, _told(error)), error.fault.http, _HEADERS)
        answer = onward_page(f"/#{quote(said.camera or '')}")
        holder = await inside(request)
        # Who may do more already keeps that.
        if entrance is None or (holder is not None and holder.sees(said.camera or "") and said.scopes <= holder.scopes):
            return answer
        return with_session(answer, request, said)

    return router


def _form(error: RingError | None) -> str:
    if error is None:
        return plain_page("Log in", _FORM.format(problem="", wrong=""))
    wrong = ' aria-invalid="true" aria-describedby="problem"'
    return plain_page(
        "Log in", _FORM.format(problem=f"<div id='problem' role='alert'>{_told(error)}</div>\n", wrong=wrong)
    )


def _told(error: RingError) -> str:
    fault = error.fault
    if error.code == "KEY-NEEDED":
        return (
            "<p><strong>This key is not known here.</strong> Look for a letter that is missing, or ask for another.</p>"
        )
    detail = f" ({escape(error.detail)})" if error.detail else ""
    return f"<h1>{escape(fault.title)}</h1><p>{escape(fault.cause)}{detail}</p><p>{escape(fault.fix)}</p>"


def _coded(names: frozenset[str]) -> str:
    return ", ".join(f"<code>{escape(name)}</code>" for name in sorted(names))


async def _key_in(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise fault_error("REQUEST-INVALID", f"the form has more than {MAX_FORM} bytes")
    return parse_qs(body.decode("utf-8", "replace")).get("key", [""])[0].strip()
