"""Signing in as a browser does: OAuth's authorisation code with PKCE, through Ring's own pages. Pure.

Only one other client is built this way, so each step is checked and a surprise is named
(observed-protocol.md#a-second-way-to-sign-in).
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import msgspec

from ringlight.account import endpoints
from ringlight.account.answers import object_of, refusal
from ringlight.account.flows import Grant, ask, grant_of, is_plain, plain_code
from ringlight.errors import RingError, fault_error
from ringlight.http.cookies import Cookies
from ringlight.http.flow import Flow, Request, Response
from ringlight.secrets import Secret

__all__ = ["PageSignIn"]

Form: TypeAlias = dict[str, str | Secret]

_REDIRECTS = 5  # two were seen
_CSRF_NAMES = ("csrf-token", "csrfToken", "csrf_token")
# Step by step, since one expression would go over a page full of `<script` again from each of them.
_SCRIPT = re.compile(r"<script\b([^<>]*+)>", re.IGNORECASE)
_CSRF_ID = re.compile(r"\bid=[\"'](?:oauth-args|__NEXT_DATA__)[\"']", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script>", re.IGNORECASE)


@dataclass(slots=True)
class PageSignIn:
    """One sign-in, from the first page to the tokens; it lives on while the person looks for the code.

    Starting over makes a code that was sent worthless, so keep the object between `begin` and `verify`.

    Attributes:
        email: The account.
        hardware_id: This installation's id.
        verifier: Random text of 43 to 128 letters and digits (RFC 7636 section 4.1), new for each sign-in.
        state: Random text that must come back with the code (RFC 6749 section 10.12).
    """

    email: str
    hardware_id: str
    verifier: Secret
    state: Secret
    _cookies: Cookies = field(default_factory=Cookies, init=False, repr=False)
    _csrf: Secret | None = field(default=None, init=False, repr=False)

    def begin(self, password: Secret) -> Flow[Grant]:
        """Open the page and send e-mail and password.

        The pair that comes back may be refused by Ring's other services until it has been renewed once.

        Raises:
            AuthError: AUTH-CODE-NEEDED: go on with `verify`. AUTH-PASSWORD, AUTH-ANSWER, or AUTH-PAGES: the
                pages are not as expected.
            RateLimited: AUTH-CODE-LIMIT, AUTH-RATE or AUTH-EDGE-BLOCK.
        """
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.reveal().encode()).digest())
        page = yield from self._follow(
            f"{endpoints.AUTHORIZE}?{urlencode(self._query(challenge.decode().rstrip('=')))}"
        )
        if isinstance(page, _Landed):
            raise fault_error("AUTH-PAGES", "the first page leads away without asking for a password")
        self._csrf = _csrf_of(page) or next(filter(None, map(self._cookies.get, _CSRF_NAMES)), None)
        if self._csrf is None:
            raise fault_error("AUTH-PAGES", "the sign-in page has no csrf token")
        form: Form = {"username": self.email, "password": password, "csrf-token": self._csrf}
        request, response = yield from self._post(endpoints.SIGN_IN, form)
        if response.status < 400:
            if _wants_code(response):
                raise fault_error("AUTH-CODE-NEEDED", f"HTTP {response.status}")
            return (yield from self._redeem())
        raise _judged(request, response)

    def verify(self, code: str) -> Flow[Grant]:
        """Send the verification code. After AUTH-CODE-WRONG call again with another.

        Raises:
            RingError: AUTH-CODE-WRONG, and what `begin` raises.
        """
        plain = plain_code(code)
        if self._csrf is None:
            raise fault_error("AUTH-PAGES", "no code was asked for")
        form: Form = {"2fa_code": Secret(plain), "csrf-token": self._csrf, "remember_me": "false"}
        request, response = yield from self._post(endpoints.VERIFY, form)
        if response.status in (400, 401):
            error = _judged(request, response)
            known = error.code in ("AUTH-CODE-WRONG", "AUTH-CODE-LIMIT")
            raise error if known else fault_error("AUTH-CODE-WRONG", error.detail)
        if response.status >= 400:
            raise _judged(request, response)
        return (yield from self._redeem())

    def _redeem(self) -> Flow[Grant]:
        """Fetch the authorisation code and buy the tokens with it."""
        landed = yield from self._follow(endpoints.AUTHORIZE)
        if not isinstance(landed, _Landed):
            raise fault_error("AUTH-PAGES", "signed in, but no redirect with a code came")
        if landed.state != self.state:
            raise fault_error("AUTH-PAGES", "the redirect has another state than ours: somebody else's answer")
        if landed.code is None or not is_plain(landed.code):
            raise fault_error("AUTH-PAGES", "the redirect has no code")
        form: Form = {
            "grant_type": "authorization_code",
            "client_id": endpoints.CLIENT_ID,
            "code": landed.code,
            "code_verifier": self.verifier,
            "redirect_uri": endpoints.REDIRECT,
        }
        request = self._request("POST", endpoints.TOKEN, form)
        try:
            response = yield from ask(request)
        except RingError as error:
            if error.code != "AUTH-LINK-LOST":  # `invalid_grant` means the code here: nothing was stored yet
                raise
            refused = fault_error("AUTH-PAGES", f"the token service refuses the code ({error.detail})")
        else:
            return grant_of(request, response, None)
        raise refused

    def _follow(self, url: str) -> "Flow[Response | _Landed]":
        """Fetch a page, following redirects on Ring's own host; stop where the browser would leave it."""
        for _ in range(_REDIRECTS):
            request = self._request("GET", url)
            response = yield request
            self._cookies.take(response)
            if not 300 <= response.status < 400:
                if response.status >= 400:
                    raise _judged(request, response)
                return response
            try:
                url = urljoin(url, response.headers.get("location", ""))
            except ValueError:  # such as `http://[`
                raise fault_error("AUTH-PAGES", "a redirect leads to something that is no address") from None
            if url.partition("?")[0] == endpoints.REDIRECT:
                return _landed(url)
            if not _is_ours(url):
                raise fault_error("AUTH-PAGES", "a redirect leads away from Ring's sign-in host")
        raise fault_error("AUTH-PAGES", f"more than {_REDIRECTS} redirects")

    def _post(self, url: str, form: Form) -> Flow[tuple[Request, Response]]:
        request = self._request("POST", url, form)
        response = yield request
        self._cookies.take(response)
        return request, response

    def _request(self, method: str, url: str, form: Form | None = None) -> Request:
        headers: Form = {"hardware_id": self.hardware_id, **self._cookies.headers()}
        return Request(method, url, headers=headers, form=form, at="token")

    def _query(self, challenge: str) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": endpoints.CLIENT_ID,
            "scope": endpoints.SCOPE,
            "redirect_uri": endpoints.REDIRECT,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "state": self.state.reveal(),
            "prompt": "login",
            "hardware_id": self.hardware_id,
            "app_brand": "ring",
            "device_model": "ringlight",
        }


@dataclass(frozen=True, slots=True)
class _Landed:
    """The redirect with which Ring ends: where a browser would give the code to the app."""

    code: Secret | None
    state: Secret | None


def _landed(url: str) -> _Landed:
    fields = parse_qs(urlsplit(url).query)
    code, state = (Secret(fields[name][0]) if name in fields else None for name in ("code", "state"))
    return _Landed(code, state)


def _is_ours(url: str) -> bool:
    """Whether a redirect stays on the sign-in host; no cookie and no id goes anywhere else."""
    own, other = urlsplit(endpoints.AUTHORIZE), urlsplit(url)
    return (other.scheme, other.netloc.lower()) == (own.scheme, own.netloc)


def _judged(request: Request, response: Response) -> RingError:
    """Return what a refusal means: as for the token service, but for what only the pages can refuse."""
    error = refusal(request, response)
    if response.status in (403, 404, 405) or error is None:
        return fault_error("AUTH-PAGES", f"HTTP {response.status} from {urlsplit(request.url).path}")
    return error


def _wants_code(response: Response) -> bool:
    """Whether Ring asks for a code without saying so by 412."""
    body = object_of(response)
    return "tsv_state" in body or "next_time_in_secs" in body or "/2fa" in response.headers.get("location", "")


def _csrf_of(page: Response) -> Secret | None:
    for script in _scripts(page.text):
        try:
            content = msgspec.json.decode(script)
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
        for value in _named(content, depth=5):
            if value and is_plain(Secret(value)):
                return Secret(value)
    return None


def _scripts(text: str) -> Iterator[str]:
    """Yield what is in the scripts that may have the token."""
    at = 0
    while tag := _SCRIPT.search(text, at):
        at = tag.end()
        if _CSRF_ID.search(tag[1]):
            end = _SCRIPT_END.search(text, at)
            if end is None:
                return
            yield text[at : end.start()]
            at = end.end()


def _named(value: object, *, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and depth:
        yield from (found for name in _CSRF_NAMES if isinstance(found := value.get(name), str))
        for part in value.values():
            yield from _named(part, depth=depth - 1)
