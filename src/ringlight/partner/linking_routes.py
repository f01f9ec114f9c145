"""The addresses of linking that an app must host: `/ring/token`, `/ring/link`, `/ring/home`; and the second way."""

import asyncio
import hmac
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from ringlight.errors import RingError, fault_error
from ringlight.partner.link_desk import LinkDesk
from ringlight.partner.link_pages import confirm_page, fault_page, home_page, linked_page, sign_in_page
from ringlight.partner.linking import Person
from ringlight.resilience.tries import Tries
from ringlight.secrets import Secret

__all__ = ["SignIn", "linking_router"]

MAX_BODY = 16 * 1024  # bytes; a code and a form take a few hundred
COOKIE = "ringlight_link"
WRONG_CODES = (10, 60.0)  # so many from one address, in so many seconds
_WRONG = frozenset({"LINK-CODE-EXPIRED", "REQUEST-INVALID"})  # what of a code is its sender's fault
OWN_CODE = 600  # seconds that the browser may stay at Ring
_log = logging.getLogger("ringlight.partner")


@dataclass(frozen=True, slots=True)
class SignIn:
    """How people sign in to the app.

    Attributes:
        check: Judges name and password of our small form, and how often it is asked; returns who it is, or `None`.
        current: Returns who is signed in with this browser already, or `None`; without it everybody gets the form.
        page: Answers a browser that is not signed in, in place of our form: with the app's own page, or by leading to
            it. It has to come back to the address of the request, query included.
    """

    check: Callable[[str, Secret], Awaitable[Person | None]] | None = None
    current: Callable[[Request], Awaitable[Person | None]] | None = None
    page: Callable[[Request], Awaitable[Response]] | None = None


def linking_router(
    desk: LinkDesk, sign_in: SignIn, *, name: str = "this app", public_url: str | None = None
) -> APIRouter:
    """Return the routes, to be mounted below `/ring`; meanwhile what was left in the middle is gone on with.

    Args:
        desk: Does the work.
        sign_in: How people sign in; there is no link without.
        name: The app's, for the pages.
        public_url: The address under which browsers know this server; `None` takes it from the request.

    Raises:
        SetupError: CFG-INVALID, there is no way to sign in.
    """
    if sign_in.check is None and (sign_in.current is None or sign_in.page is None):
        raise fault_error("CFG-INVALID", "sign_in: give `check`, or `current` and `page`")

    @asynccontextmanager
    async def tending(_: FastAPI) -> AsyncIterator[None]:
        work = asyncio.create_task(desk.tend(), name="links")
        try:
            yield
        finally:
            await desk.aclose()
            await work

    router = APIRouter(lifespan=tending)
    _add_token(router, desk)
    _Pages(desk, sign_in, name, public_url).add_to(router)
    return router


def _add_token(router: APIRouter, desk: LinkDesk) -> None:
    tries = Tries(*WRONG_CODES)

    @router.post("/token")
    async def token(request: Request) -> Response:
        """Take an authorization code from Ring: in a form, in JSON or in the query."""
        peer, now = request.client.host if request.client else "", time.monotonic()
        try:
            if (wait := tries.wait(peer, now)) > 0:  # each code costs a call to Ring, out of the app's own limit
                raise fault_error("LINK-TRIES", f"{wait:.0f} s to wait", retry_after=wait)
            code = await _code_of(request)
            await desk.take_code(code)
        except RingError as error:
            if error.code in _WRONG:
                tries.failed(peer, now)
            _log.warning("code_not_taken error=%s", error)
            headers = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
            told = {"status": "error", "code": error.code, "title": error.fault.title}
            return JSONResponse(told, error.fault.http, headers)
        return JSONResponse({"status": "ok"})


class _Pages:
    """What browsers come to."""

    def __init__(self, desk: LinkDesk, sign_in: SignIn, name: str, public_url: str | None) -> None:
        self._desk = desk
        self._sign_in = sign_in
        self._name = name
        self._public_url = public_url

    def add_to(self, router: APIRouter) -> None:
        pages = (("GET", "/link", self.link), ("POST", "/link", self.claim), ("GET", "/home", self.home),
                 ("GET", "/start", self.begin), ("POST", "/start", self.start),
                 ("GET", "/callback", self.callback))  # fmt: skip
        for method, path, answer in pages:
            router.add_api_route(path, _told(answer), methods=[method], name=answer.__name__, response_model=None)

    async def link(self, request: Request) -> Response:
        """Show the sign-in to whoever comes from Ring's app with a fresh nonce."""
        nonce, at = request.query_params.get("nonce", ""), request.query_params.get("time", "")
        self._desk.check(nonce, at)
        return await self._ask(request, (("nonce", nonce), ("time", at)))

    async def claim(self, request: Request) -> Response:
        """Link the account to whoever has signed in."""
        fields = await self._form(request)
        nonce, at = fields.get("nonce", ""), fields.get("time", "")
        self._desk.check(nonce, at)
        person = await self._person(request, fields)
        if person is None:
            return self._again((("nonce", nonce), ("time", at)))
        link = await self._desk.claim(nonce, at, person)
        return linked_page(self._name, link, str(request.url_for("home").path))

    async def home(self, request: Request) -> Response:
        """Show how the link of whoever is signed in stands."""
        person = await self._current(request)
        links = [] if person is None else await self._desk.links_of(person.id)
        return home_page(self._name, links)

    async def begin(self, request: Request) -> Response:
        """Show the sign-in to whoever wants to link from the app's side."""
        return await self._ask(request, ())

    async def start(self, request: Request) -> Response:
        """Lead the browser of somebody who has signed in to Ring."""
        person = await self._person(request, await self._form(request))
        if person is None:
            return self._again(())
        address, state = await self._desk.start(person, self._address(request, "callback"))
        leading = RedirectResponse(address, 303)
        secure = self._address(request, "callback").startswith("https:")
        leading.set_cookie(
            COOKIE, state, max_age=OWN_CODE, path=request.url_for("callback").path, secure=secure, httponly=True,
            samesite="lax",
        )  # fmt: skip
        return leading

    async def callback(self, request: Request) -> Response:
        """Take a browser that comes back from Ring."""
        state, kept = request.query_params.get("state", ""), request.cookies.get(COOKIE, "")
        if not state or not hmac.compare_digest(state.encode(), kept.encode()):
            raise fault_error("LINK-STATE")
        if "error" in request.query_params:
            raise fault_error("LINK-DENIED")
        link = await self._desk.finish(state, _code(request.query_params.get("code")))
        shown = linked_page(self._name, link, str(request.url_for("home").path))
        shown.delete_cookie(COOKIE, path=request.url_for("callback").path)
        return shown

    async def _ask(self, request: Request, hidden: tuple[tuple[str, str], ...]) -> Response:
        person = await self._current(request)
        if person is not None:
            return confirm_page(self._name, person.identifier, hidden)
        return await self._sign_in.page(request) if self._sign_in.page else sign_in_page(self._name, hidden)

    async def _current(self, request: Request) -> Person | None:
        return await self._sign_in.current(request) if self._sign_in.current else None

    async def _person(self, request: Request, fields: dict[str, str]) -> Person | None:
        """Return who signs in with the form, or who is signed in already."""
        if self._sign_in.check is not None and "password" in fields:
            return await self._sign_in.check(fields.get("name", ""), Secret(fields["password"]))
        return await self._current(request)

    def _again(self, hidden: tuple[tuple[str, str], ...]) -> Response:
        wrong = fault_error("LINK-PERSON")
        if self._sign_in.check is None:
            raise wrong
        return sign_in_page(self._name, hidden, wrong, status=wrong.fault.http)

    async def _form(self, request: Request) -> dict[str, str]:
        """Read a form that a page of this server has sent; another site must not click for its visitors."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        own = urlsplit(self._address(request, "home"))
        foreign = site not in (None, "same-origin", "none") or (
            site is None and origin is not None and origin != f"{own.scheme}://{own.netloc}"
        )
        if foreign:
            raise fault_error("ORIGIN-REFUSED")
        return dict(parse_qsl((await _body(request)).decode(errors="replace"), keep_blank_values=True))

    def _address(self, request: Request, name: str) -> str:
        found = request.url_for(name)
        return f"{self._public_url.rstrip('/')}{found.path}" if self._public_url else str(found)


def _told(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Let a fault become a page that says it."""

    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except RingError as error:
            _log.warning("link_page path=%s error=%s", request.url.path, error)
            return fault_page(error)

    told.__doc__ = answer.__doc__
    return told


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise fault_error("REQUEST-INVALID", f"more than {MAX_BODY} bytes")
    return bytes(body)


async def _code_of(request: Request) -> Secret:
    """Find the code. That it comes in a form is known at second hand only, so JSON and the query are read as well."""
    body = await _body(request)
    found: Any = request.query_params.get("code")
    if body.lstrip().startswith(b"{"):
        try:
            fields: Any = msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            fields = {}
    else:
        fields = dict(parse_qsl(body.decode(errors="replace")))
    return _code(fields.get("code", found))


def _code(found: object) -> Secret:
    if not isinstance(found, str) or not (1 <= len(found) <= 4096 and found.isascii() and found.isprintable()):
        raise fault_error("REQUEST-INVALID", "there is no code")
    return Secret(found)
