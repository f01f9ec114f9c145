"""The conversations with Ring's account services, as flows: they ask for requests and send none. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ringlight.account import endpoints
from ringlight.account.answers import read, refusal
from ringlight.account.devices import Devices, parse_devices
from ringlight.errors import NetworkError, RingError, fault_error
from ringlight.http.flow import Flow, Request, Response, unreadable
from ringlight.secrets import Secret
from ringlight.store.tokens import Tokens

__all__ = [
    "Grant",
    "Profile",
    "api_request",
    "ask",
    "device_list",
    "grant_of",
    "is_plain",
    "plain_code",
    "refresh",
    "register_session",
    "sign_in",
    "ticket",
]

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
    plain = plain_code(code) if code else ""
    request = _token_request(
        hardware_id,
        {"grant_type": "password", "username": email, "password": password},
        {"2fa-support": "true", "2fa-code": Secret(plain)},
    )
    response = yield from ask(request)
    return grant_of(request, response, None)


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
    return grant_of(request, response, tokens.refresh)


def register_session(access: Secret, hardware_id: str) -> Flow[Profile]:
    """Register this installation with Ring, as its other services want it before they answer."""
    device = {
        "hardware_id": hardware_id,
        "metadata": {"api_version": 11, "device_model": "ringlight"},
        "os": "android",
    }
    request = api_request("POST", endpoints.SESSION, access, hardware_id, at="session", json={"device": device})
    response = yield from ask(request)
    profile = read(request, response, _SessionAnswer).profile or _ProfileAnswer()
    number = profile.id if isinstance(profile.id, int) and not isinstance(profile.id, bool) else None
    return Profile(number, profile.email if isinstance(profile.email, str) else None)


def device_list(access: Secret, hardware_id: str) -> Flow[Devices]:
    """List the devices of the account, from the newer flat list where the older one is no longer to be had."""
    try:
        return (yield from _devices(endpoints.DEVICES, access, hardware_id))
    except RingError as error:
        if error.code != "ACCOUNT-ANSWER":
            raise
        first = error
    try:
        return (yield from _devices(endpoints.DEVICES_V3, access, hardware_id))
    except RingError as error:
        if error.code != "ACCOUNT-ANSWER":
            raise
    raise first


def _devices(url: str, access: Secret, hardware_id: str) -> Flow[Devices]:
    request = api_request("GET", url, access, hardware_id)
    try:
        response = yield from ask(request)
    except RingError as error:
        if error.code == "CAM-GONE":  # a 404 to the list itself is about no camera
            raise unreadable(request.at, error.detail or "") from None
        raise
    return parse_devices(read(request, response, dict))


def ticket(access: Secret, hardware_id: str) -> Flow[Secret]:
    """Fetch a ticket for one connection to the signaling socket.

    Where the service's name does not resolve, or there is nothing behind it, the older name is tried
    (observed-protocol.md#hosts); any other answer stands.

    Raises:
        AuthError: TICKET-REFUSED or TICKET-ANSWER.
    """
    try:
        return (yield from _ticket(endpoints.TICKET, access, hardware_id))
    except _NothingThere as error:
        first = error.why
    try:
        return (yield from _ticket(endpoints.TICKET_ALIAS, access, hardware_id))
    except _NothingThere:
        pass
    raise first


class _NothingThere(Exception):  # noqa: N818 - it says what was found at an address
    def __init__(self, why: RingError) -> None:
        super().__init__(why.code)
        self.why = why


def _ticket(url: str, access: Secret, hardware_id: str) -> Flow[Secret]:
    request = api_request("POST", url, access, hardware_id, at="ticket")
    try:
        response = yield request
    except NetworkError as error:
        if error.code == "NET-DNS":
            raise _NothingThere(error) from None
        raise
    refused = refusal(request, response)
    if refused is not None:
        if response.status == 404 and refused.code != "ACCOUNT-SESSION":
            raise _NothingThere(refused)
        raise refused
    answer = read(request, response, _TicketAnswer)
    if not is_plain(answer.ticket):
        raise unreadable(request.at, "the ticket is empty or has characters that no ticket has")
    return answer.ticket


def plain_code(code: str) -> str:
    """Return a verification code without the blanks that people type.

    Raises:
        AuthError: AUTH-CODE-WRONG, no header or form could carry it.
    """
    plain = "".join(code.split())
    if plain and not (plain.isascii() and plain.isalnum()):
        raise fault_error("AUTH-CODE-WRONG", "a code has only letters and digits")
    return plain


def _token_request(hardware_id: str, fields: Mapping[str, object], headers: Mapping[str, str | Secret]) -> Request:
    return Request(
        "POST",
        endpoints.TOKEN,
        headers={"hardware_id": hardware_id, **headers},
        json={"client_id": endpoints.CLIENT_ID, "scope": endpoints.SCOPE, **fields},
        at="token",
    )


def api_request(
    method: str, url: str, access: Secret, hardware_id: str, *, at: str = "clients_api", json: object = None
) -> Request:
    """Make a request as every service but the token's wants it: with access token and hardware id."""
    return Request(method, url, headers={"hardware_id": hardware_id}, json=json, at=at, bearer=access)


def grant_of(request: Request, response: Response, former: Secret | None) -> Grant:
    """Read the pair of tokens from a successful answer.

    Args:
        request: What was asked.
        response: The answer.
        former: The refresh token that was spent; it stays good where the answer names no other.

    Raises:
        AuthError: AUTH-ANSWER.
    """
    answer = read(request, response, _TokenAnswer)
    # RFC 6749 section 6: without a new refresh token the former one stays good.
    following = answer.refresh_token or former
    if following is None:
        raise unreadable(request.at, "no refresh_token in the answer")
    if not (is_plain(answer.access_token) and is_plain(following)):
        raise unreadable(request.at, "a token is empty or has characters that no token has")
    return Grant(answer.access_token, following, _lifetime(answer.expires_in))


def is_plain(secret: Secret) -> bool:
    """Whether it can go into a header field or an address as it is."""
    return re.fullmatch(r"[!-~]+", secret.reveal()) is not None


def _lifetime(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        return LIFETIME_UNNAMED
    return float(min(seconds, LIFETIME_LONGEST))
