"""What is asked of Ring's token service, and how its answers are read. Pure."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Flow, Request, Response
from ringlight.partner.call import Call
from ringlight.resilience.operation import Family, Lane, Operation, Repeat
from ringlight.resilience.retry_after import http_date, retry_after
from ringlight.secrets import Secret

__all__ = ["TOKEN", "App", "Grant", "ask", "challenge_of", "code_exchange", "refresh", "verifier_of"]

T = TypeVar("T")

TOKEN = "https://oauth.ring.com/oauth/token"  # noqa: S105 - an address

# Ring documents 4 hours; the Playground's tokens live 30 minutes, the shortest known. Where an answer names no
# lifetime that one is taken: a 401 renews sooner, and the pair must not be thrown away, as the old one is spent.
LIFETIME_UNNAMED = 1800.0
LIFETIME_LONGEST = 30 * 86_400.0
# RFC 6749 section 5.2: errors that are about the request or the app, not about the token that was sent.
_ABOUT_THE_APP = frozenset(
    {"invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"}
)


@dataclass(frozen=True, slots=True)
class App:
    """The app's own credentials at Ring.

    Attributes:
        client_id: Its name.
        client_secret: Its password.
    """

    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token service gives.

    Attributes:
        access: Goes with every call.
        refresh: Buys the next pair, once.
        expires_in: Seconds that `access` lives, counted from when the request was sent.
        scope: What it allows; empty where the answer does not say.
        date: Ring's clock when it answered, in seconds since the epoch; `None` where the answer names none.
    """

    access: Secret
    refresh: Secret
    expires_in: float
    scope: tuple[str, ...] = ()
    date: float | None = None


def code_exchange(app: App, code: Secret, verifier: Secret | None = None) -> Call[Grant]:
    """Exchange an authorization code for the first pair. A code works once, and not for long.

    Args:
        app: Whose code it is.
        code: What Ring sent.
        verifier: That of PKCE, where the app began the linking; `None` where Ring did.

    Raises:
        AuthError: From the call: LINK-CODE-EXPIRED or LINK-REFUSED.
        TokenEndpointUnavailable: From the call: LINK-UNAVAILABLE or LINK-ANSWER.
    """
    fields: dict[str, str | Secret] = {"grant_type": "authorization_code", "code": code}
    if verifier is not None:
        fields["code_verifier"] = verifier
    operation = Operation("tokens.exchange", Repeat.ONCE, Lane.LIVE, Family.OAUTH)
    return Call(operation, _request(app, fields), lambda answer: _grant(answer, None), bearer=False, refuse=_code_fault)


def refresh(app: App, token: Secret) -> Call[Grant]:
    """Buy the next pair. The refresh token is spent by that, also where the answer is lost on its way.

    A repetition does no further harm: either Ring did not see the first, or the token is spent anyway.

    Raises:
        LinkLost: From the call: LINK-LOST, and only where Ring says `invalid_grant`.
        AuthError: From the call: LINK-REFUSED.
        TokenEndpointUnavailable: From the call: LINK-UNAVAILABLE or LINK-ANSWER.
    """
    fields: dict[str, str | Secret] = {"grant_type": "refresh_token", "refresh_token": token}
    operation = Operation("tokens.refresh", Repeat.IDEMPOTENT, Lane.LIVE, Family.OAUTH)
    return Call(
        operation, _request(app, fields), lambda answer: _grant(answer, token), bearer=False, refuse=_link_fault
    )


def ask(call: Call[T]) -> Flow[T]:
    """Make the call once, as a flow: for whoever has a driver and no client.

    Raises:
        RingError: What the call says, or what the driver does.
    """
    response = yield call.request
    if call.refuse is not None and (error := call.refuse(response)) is not None:
        raise error
    return call.decode(response)


def verifier_of(dice: bytes) -> Secret:
    """Return the code verifier of PKCE (RFC 7636 section 4.1) that is made of these random bytes.

    Args:
        dice: 32 to 96 bytes from the system's source of randomness.

    Raises:
        UsageError: REQUEST-INVALID, too few bytes or too many.
    """
    return _checked(Secret(_base64url(dice)))


def challenge_of(verifier: Secret) -> str:
    """Return the code challenge for a verifier, by the method S256 (RFC 7636 section 4.2).

    Raises:
        UsageError: REQUEST-INVALID, no verifier has that form.
    """
    return _base64url(hashlib.sha256(_checked(verifier).reveal().encode()).digest())


def _checked(verifier: Secret) -> Secret:
    if re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier.reveal()) is None:
        raise fault_error("REQUEST-INVALID", "a code verifier has 43 to 128 letters, digits, dots, dashes and the like")
    return verifier


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _request(app: App, fields: Mapping[str, str | Secret]) -> Request:
    form = {**fields, "client_id": app.client_id, "client_secret": app.client_secret}
    return Request("POST", TOKEN, form=form, at="partner_token", limit=256 * 1024)


def _link_fault(response: Response) -> RingError | None:
    return _fault(response, spent="LINK-LOST")


def _code_fault(response: Response) -> RingError | None:
    return _fault(response, spent="LINK-CODE-EXPIRED")


def _fault(response: Response, *, spent: str) -> RingError | None:
    """Judge an answer by status and OAuth error alone; its words are never repeated, they may hold what was sent."""
    status = response.status
    if 200 <= status < 300:
        return None
    error = (_object(response) or {}).get("error")
    said = error.strip().casefold() if isinstance(error, str) else ""
    if status in {400, 401} and said == "invalid_grant":
        return fault_error(spent, f"HTTP {status} {said}")
    if status in {400, 401} and said in _ABOUT_THE_APP:
        return fault_error("LINK-REFUSED", f"HTTP {status} {said}")
    code = "LINK-ANSWER" if status < 400 else "LINK-UNAVAILABLE"  # a redirect comes from something in between
    return fault_error(code, f"HTTP {status}, {_kind(response)}", retry_after=retry_after(response.headers))


def _grant(response: Response, former: Secret | None) -> Grant:
    body = _object(response)
    if body is None:
        raise _unreadable(response, "no JSON object")
    access = _token(body.get("access_token"))
    following = _token(body.get("refresh_token")) or former  # RFC 6749 section 6: without a new one the former stays
    if access is None or following is None:
        raise _unreadable(response, f"no usable {'access' if access is None else 'refresh'}_token")
    scope = body.get("scope")
    words = tuple(scope.split()) if isinstance(scope, str) else ()
    return Grant(access, following, _lifetime(body.get("expires_in")), words, http_date(response.headers.get("date")))


def _token(value: object) -> Secret | None:
    """Return a token that can go into a header field as it is."""
    return Secret(value) if isinstance(value, str) and re.fullmatch(r"[!-~]+", value) else None


def _lifetime(value: object) -> float:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}(\.[0-9]*)?\s*", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        return LIFETIME_UNNAMED
    return float(min(value, LIFETIME_LONGEST))


def _object(response: Response) -> dict[str, object] | None:
    try:
        body = msgspec.json.decode(response.body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _unreadable(response: Response, problem: str) -> RingError:
    return fault_error("LINK-ANSWER", f"HTTP {response.status}, {_kind(response)}: {problem}")


def _kind(response: Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().casefold()
    return kind if re.fullmatch(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40}", kind) else "of no type"
