"""Ring's answers to a person's account: judged by status first, then read into types. Pure."""

import re
from typing import TypeVar

import msgspec

from ringlight.errors import AuthError, RingError, fault_error
from ringlight.faults import find
from ringlight.foreign import one_line
from ringlight.http.flow import NotJson, Request, Response, unreadable
from ringlight.resilience.retry_after import retry_after
from ringlight.secrets import Secret

__all__ = ["TokenRefused", "object_of", "read", "refusal"]

T = TypeVar("T")

# A long word with a digit in it is an id or a token; the known sentences have none.
_LIKE_A_SECRET = re.compile(r"(?<!\S)(?=\S*\d)\S{12,}")
_LONGEST = 120  # characters of Ring's own words in a message; the known sentences have up to 60

# Seconds to wait where the answer names none; the catalogue's fixes say the same in words.
_PATIENCE = {
    ("session", "AUTH-RATE"): 200.0,  # as dgreif/ring waits (observed-protocol.md#the-answers)
    ("token", "AUTH-RATE"): 600.0,
    ("token", "AUTH-CODE-LIMIT"): 600.0,  # ten codes in ten minutes are the limit
    ("token", "AUTH-EDGE-BLOCK"): 3600.0,  # asking on makes it last (observed-protocol.md#edge-406)
}


class TokenRefused(AuthError):  # noqa: N818 - it says what happened
    """HTTP 401: the access token is no longer good. Renew it once and ask again."""


def refusal(request: Request, response: Response) -> RingError | None:
    """Return the error for an answer that is not a success, or `None` for one that is.

    The status decides before the body is looked at: Ring's edge answers 406 with a page of HTML, and
    clients that read the body first call that "code needed" (observed-protocol.md#edge-406).
    """
    if 200 <= response.status < 300:
        return None
    at, status = request.at, response.status
    detail = f"HTTP {status}"
    words = _code_channel(response) if (at, status) == ("token", 412) else _words(request, response)
    if words:
        detail = f"{detail}: {words}"
    code = find(at, status, response.text)
    if code is None and at == "device":  # what the catalogue does not say of one camera, it says of them all
        code = find("clients_api", status, response.text)
    if status == 404 and at in {"clients_api", "device", "ticket"} and _names_hardware_id(request, response):
        code = "ACCOUNT-SESSION"
    wait = retry_after(response.headers)
    if wait is None and code is not None:
        wait = _PATIENCE.get((at, code))
    if code is None:
        error = unreadable(at, detail)
        error.retry_after = wait
        return error
    if status == 401 and at != "token":
        return TokenRefused(code, detail)
    return fault_error(code, detail, retry_after=wait)


def read(request: Request, response: Response, into: type[T]) -> T:
    """Read a successful answer into a struct. A field of type `Secret` never exists as plain text on our side.

    Raises:
        RingError: The unreadable-answer code of the step; the detail says what was missing, not what was there.
    """
    try:
        return msgspec.json.decode(response.body, type=into, dec_hook=_hidden)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        problem = str(error) if isinstance(error, msgspec.ValidationError) else "no JSON"
        kind = response.headers.get("content-type", "no type").partition(";")[0]
        raise unreadable(request.at, f"HTTP {response.status}, {_tidy(kind)}: {problem}") from None


def object_of(response: Response) -> dict[str, object]:
    """Return the body as a JSON object, empty where it is something else."""
    try:
        body = response.json()
    except NotJson:
        return {}
    return body if isinstance(body, dict) else {}


def _names_hardware_id(request: Request, response: Response) -> bool:
    ours = request.headers.get("hardware_id")
    return isinstance(ours, str) and bool(ours) and ours in response.text


def _code_channel(response: Response) -> str:
    """Say where the verification code went, with all but the last two digits of a phone hidden."""
    body = object_of(response)
    channel, phone = body.get("tsv_state"), body.get("phone")
    words = _tidy(channel) if isinstance(channel, str) else ""
    if isinstance(phone, str) and phone:
        hidden = re.sub(r"\d(?=(?:\D*\d){2})", "x", _tidy(phone))
        words = f"{words or 'code'} to {hidden}"
    return words


def _words(request: Request, response: Response) -> str:
    """Return Ring's own words without secrets: neither those of the request nor what looks like one."""
    body = object_of(response)
    for key in ("error_description", "err_msg", "error"):
        said = body.get(key)
        if isinstance(said, str) and said.strip():
            for secret in request.secrets():
                said = said.replace(secret.reveal(), "***") if secret else said
            return _LIKE_A_SECRET.sub("***", _tidy(said))
    return ""


def _tidy(text: str) -> str:
    return one_line(text, _LONGEST, cut="…")


def _hidden(kind: type, value: object) -> object:
    """Make the values of types that msgspec does not know: secrets, and `object`, which takes anything."""
    if kind is not Secret:
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError("Expected text")
