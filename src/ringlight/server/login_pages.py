"""`/login` and `/logout` for browsers, `/s/{token}` for who was sent a link to a camera. They work without scripts."""

from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from ringlight.errors import RingError, UsageError, fault_error
from ringlight.secrets import Secret
from ringlight.server.entrance import COOKIE, Doors
from ringlight.server.passes import Pass, Passes
from ringlight.server.plain_page import onward_page, plain_page
from ringlight.server.scopes import Holder

__all__ = ["NO_STORE", "Sessions", "fault_words", "login_router"]

MAX_FORM = 8192  # bytes
# A page that says nothing of where one comes from would make its forms say so little that they are refused.
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
NO_STORE = {"Cache-Control": "no-store"}
_ALSO = """<p><a class="button" href="/login/oidc">Log in with {name}</a></p>
"""
_FORM = """<h1>Log in</h1>
{also}{problem}<form method="post" action="/login" class="login">
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


class Sessions:
    """Gives sessions to browsers, and takes them back.

    Args:
        passes: Signs them.
        public_url: The address that browsers use, of the settings; `None` is that of each request.
        clock: Seconds since 1970.
    """

    def __init__(self, passes: Passes, public_url: str | None, clock: Callable[[], float]) -> None:
        self._passes, self._public_url, self._clock = passes, public_url, clock

    def address(self, request: Request, path: str) -> str:
        """Return the whole address of a path, as browsers see it."""
        return (self._public_url or str(request.base_url)).rstrip("/") + path

    def is_secure(self, request: Request) -> bool:
        """Whether browsers come by https, whatever a proxy makes of it."""
        return request.url.scheme == "https" or (self._public_url or "").startswith("https:")

    def give(self, answer: Response, request: Request, said: Pass) -> Response:
        """Let a browser keep a session."""
        left = max(0, int(said.ends - self._clock()))
        answer.set_cookie(
            COOKIE, self._passes.sign("session", said).reveal(), max_age=left, path="/",
            secure=self.is_secure(request), httponly=True, samesite="strict",
        )  # fmt: skip
        return answer


LogOut = Callable[[str], Awaitable[str | None]]
"""Given where to come back to; returns where somebody logs out at the provider too, `None` where there is no place."""


def login_router(
    doors: Doors, sessions: Sessions, *, life: float, clock: Callable[[], float], other: str | None = None,
    log_out_there: LogOut | None = None,
) -> APIRouter:  # fmt: skip
    """Return the addresses.

    Args:
        doors: The ways into the server.
        sessions: Of browsers.
        life: Seconds that a session is good for.
        clock: Seconds since 1970.
        other: What the service is called by which people may log in too; `None` is no other.
        log_out_there: For who has logged in by it.
    """
    router = APIRouter(include_in_schema=False)
    entrance, passes = doors.entrance, doors.passes
    with_session = sessions.give
    also = "" if other is None else _ALSO.format(name=escape(other))

    async def inside(request: Request) -> Holder | None:
        return None if entrance is None else await entrance.by_cookie(request.headers)

    @router.get("/login")
    async def show(request: Request) -> Response:
        if entrance is None:
            return RedirectResponse("/", 303)
        try:
            holder = await entrance.session(request.headers)
        except UsageError as error:  # the browser was led here for that
            return HTMLResponse(_form(error, also), headers=_HEADERS)
        if holder is None:
            return HTMLResponse(_form(None, also), headers=_HEADERS)
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
            return HTMLResponse(_form(error, also), error.fault.http, headers)
        said = Pass(holder.who.removeprefix("key:"), clock() + life)
        return with_session(RedirectResponse("/", 303, _HEADERS), request, said)

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        holder, onward = await inside(request), "/login"
        if holder is not None and holder.who.startswith("oidc:") and log_out_there is not None:
            onward = await log_out_there(sessions.address(request, "/login")) or onward
        answer: Response
        if "application/json" in request.headers.get("accept", ""):  # a script of the page, which goes there itself
            answer = JSONResponse({"next": onward}, headers=_HEADERS)
        elif onward == "/login":
            answer = RedirectResponse(onward, 303, _HEADERS)
        else:  # by its `form-action` a form must not lead to another site
            answer = onward_page(onward)
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


def _form(error: RingError | None, also: str) -> str:
    if error is None:
        return plain_page("Log in", _FORM.format(problem="", wrong="", also=also))
    is_wrong = error.code == "KEY-NEEDED"
    wrong = ' aria-invalid="true" aria-describedby="problem"' if is_wrong else ' aria-describedby="problem"'
    return plain_page(
        "Log in", _FORM.format(problem=f"<div id='problem' role='alert'>{_told(error)}</div>\n", wrong=wrong, also=also)
    )


def _told(error: RingError) -> str:
    if error.code == "KEY-NEEDED":
        return (
            "<p><strong>This key is not known here.</strong> Look for a letter that is missing, or ask for another.</p>"
        )
    return fault_words(error)


def fault_words(error: RingError) -> str:
    """Return a fault as HTML."""
    fault = error.fault
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
