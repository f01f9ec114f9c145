"""The conversations with Ring's account services, as flows: they ask for requests and send none. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ringlight.account import endpoints
from ringlight.account.answers import read, refusal
from ringlight.account.devices import Devices, parse_devices
from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Flow, Request, Response, unreadable
from ringlight.secrets import Secret
from ringlight.store.tokens import Tokens

__all__ = ["Grant", "Profile", "ask", "refresh", "register_session", "ring_devices", "sign_in", "ticket"]

# Ring names the lifetime (one to four hours were seen). Should it ever leave that out, the pair must not be
# thrown away: the old one is spent already. One hour is the shortest seen, and a 401 renews sooner.
LIFETIME_UNNAMED = 3600.0
LIFETIME_LONGEST = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token service gives: a pair of tokens, and for how many seconds from now the access token lives."""

    access: Secret
    refresh: Secret
    expires_in: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose account it is, as far as the registration says."""

    account_id: int | None
    email: str | None


class _TokenAnswer(msgspec.Struct):
    access_token: Secret
    refresh_token: Secret | None = None
    expires_in: object = None


class _ProfileAnswer(msgspec.Struct):
    id: object = None
    email: object = None


class _SessionAnswer(msgspec.Struct):
    profile: _ProfileAnswer | None = None


class _TicketAnswer(msgspec.Struct):
    ticket: Secret


def ask(request: Request) -> Flow[Response]:
    """Send one request and return its answer if it is a success.

    Raises:
        RingError: The fault that the catalogue names for this step, status and text.
        TokenRefused: HTTP 401 to a request with an access token.
    """
    response = yield request
    error = refusal(request, response)
    if error is not None:
        raise error
    return response


def sign_in(email: str, password: Secret, code: str | None, hardware_id: str) -> Flow[Grant]:
    """Buy the first pair of tokens with e-mail and password.

    Args:
        email: The account.
        password: Its password.
        code: The verification code if Ring has sent one, else `None`; asking without one makes Ring send it.
        hardware_id: This installation's id, the same at every call.

    Raises:
        AuthError: AUTH-CODE-NEEDED (the detail says where the code went), AUTH-CODE-WRONG, AUTH-PASSWORD.
        RateLimited: AUTH-CODE-LIMIT, AUTH-RATE or AUTH-EDGE-BLOCK.
    """
    code = "".join(code.split()) if code else ""
    if code and not (code.isascii() and code.isalnum()):
        raise fault_error("AUTH-CODE-WRONG", "a code has only letters and digits")
    request = _token_request(
        hardware_id,
        {"grant_type": "password", "username": email, "password": password},
        {"2fa-support": "true", "2fa-code": Secret(code)},
    )
    response = yield from ask(request)
    return _grant(request, response, None)


def refresh(tokens: Tokens) -> Flow[Grant]:
    """Buy the next pair with the refresh token, which is spent by that.

    Raises:
        AuthError: AUTH-LINK-LOST, and only where Ring says `invalid_grant`: whatever else comes,
            the token may still be good.
    """
    request = _token_request(tokens.hardware_id, {"grant_type": "refresh_token", "refresh_token": tokens.refresh}, {})
    try:
        response = yield from ask(request)
    except RingError as error:
        if error.code == "AUTH-PASSWORD":  # none was sent, so a bare 401 says nothing about one
            raise unreadable(request.at, error.detail or "") from None
        raise
    return _grant(request, response, tokens.refresh)


def register_session(access: Secret, hardware_id: str) -> Flow[Profile]:
    """Register this installation with Ring, as its other services want it before they answer."""
    device = {
        "hardware_id": hardware_id,
        "metadata": {"api_version": 11, "device_model": "ringlight"},
        "os": "android",
    }
    request = _api_request("POST", endpoints.SESSION, access, hardware_id, at="session", json={"device": device})
    response = yield from ask(request)
    profile = read(request, response, _SessionAnswer).profile or _ProfileAnswer()
    number = profile.id if isinstance(profile.id, int) and not isinstance(profile.id, bool) else None
    return Profile(number, profile.email if isinstance(profile.email, str) else None)


def ring_devices(access: Secret, hardware_id: str) -> Flow[Devices]:
    """List the devices of the account."""
    request = _api_request("GET", endpoints.DEVICES, access, hardware_id)
    try:
        response = yield from ask(request)
    except RingError as error:
        if error.code == "CAM-GONE":  # a 404 to the list itself is about no camera
            raise unreadable(request.at, error.detail or "") from None
        raise
    return parse_devices(read(request, response, dict))


def ticket(access: Secret, hardware_id: str) -> Flow[Secret]:
    """Fetch a ticket for one connection to the signaling socket.

    Raises:
        AuthError: TICKET-REFUSED or TICKET-ANSWER.
    """
    request = _api_request("POST", endpoints.TICKET, access, hardware_id, at="ticket")
    response = yield from ask(request)
    answer = read(request, response, _TicketAnswer)
    if not _is_plain(answer.ticket):
        raise unreadable(request.at, "the ticket is empty or has characters that no ticket has")
    return answer.ticket


def _token_request(hardware_id: str, fields: Mapping[str, object], headers: Mapping[str, str | Secret]) -> Request:
    return Request(
        "POST",
        endpoints.TOKEN,
        headers={"hardware_id": hardware_id, **headers},
        json={"client_id": endpoints.CLIENT_ID, "scope": endpoints.SCOPE, **fields},
        at="token",
    )


def _api_request(
    method: str, url: str, access: Secret, hardware_id: str, *, at: str = "clients_api", json: object = None
) -> Request:
    return Request(method, url, headers={"hardware_id": hardware_id}, json=json, at=at, bearer=access)


def _grant(request: Request, response: Response, former: Secret | None) -> Grant:
    answer = read(request, response, _TokenAnswer)
    # RFC 6749 section 6: without a new refresh token the former one stays good.
    following = answer.refresh_token or former
    if following is None:
        raise unreadable(request.at, "no refresh_token in the answer")
    if not (_is_plain(answer.access_token) and _is_plain(following)):
        raise unreadable(request.at, "a token is empty or has characters that no token has")
    return Grant(answer.access_token, following, _lifetime(answer.expires_in))


def _is_plain(secret: Secret) -> bool:
    """Whether it can go into a header field or an address as it is."""
    return re.fullmatch(r"[!-~]+", secret.reveal()) is not None


def _lifetime(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        return LIFETIME_UNNAMED
    return float(min(seconds, LIFETIME_LONGEST))
