"""What is asked of the provider: its configuration, its keys, and what a code is worth. Flows, without I/O."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ringlight.errors import RingError, fault_error
from ringlight.http.address import is_loopback_host
from ringlight.http.flow import Flow, NotJson, Request, Response
from ringlight.http.target import is_inside_by_name
from ringlight.secrets import Secret

__all__ = [
    "Client",
    "Grant",
    "Provider",
    "address_to_log_in",
    "challenge_of",
    "discover",
    "exchange",
    "fetch_keys",
    "look_up",
]

LIMIT = 512 * 1024  # bytes of an answer; a configuration has some 5 kB


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself (OpenID Connect Discovery 1.0 section 3)."""

    issuer: str
    authorization: str
    token: str
    keys: str
    user: str | None
    end_session: str | None
    takes_basic: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class Client:
    """Ourselves, as the provider knows us."""

    id: str
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was worth."""

    id_token: Secret
    access: Secret | None


def discover(issuer: str) -> Flow[Provider]:
    """Fetch the configuration of the settings' issuer; no other is ever asked.

    Raises:
        UsageError: OIDC-UNREACHABLE or OIDC-ANSWER.
    """
    said = yield from _ask(
        Request("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", at="oidc", limit=LIMIT)
    )
    if said.get("issuer") != issuer:
        raise fault_error("OIDC-ANSWER", f"it names itself {str(said.get('issuer'))[:100]!r}, expected {issuer!r}")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Provider(
        issuer, _address(said, "authorization_endpoint", issuer), _address(said, "token_endpoint", issuer),
        _address(said, "jwks_uri", issuer), _optional(said, "userinfo_endpoint", issuer),
        _optional(said, "end_session_endpoint", issuer),
        takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )  # fmt: skip


def fetch_keys(provider: Provider) -> Flow[KeySet]:
    """Fetch the keys with which it signs.

    Raises:
        UsageError: OIDC-UNREACHABLE or OIDC-ANSWER.
    """
    said = yield from _ask(_request(provider, "GET", provider.keys))
    listed = said.get("keys")
    usable = [
        one for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and one.get("kty") in ("RSA", "EC", "OKP") and one.get("use", "sig") == "sig"
    ]  # fmt: skip
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise fault_error("OIDC-ANSWER", f"its keys cannot be read: {type(error).__name__}") from None


def address_to_log_in(
    provider: Provider, client: Client, *, redirect: str, scope: str, state: str, nonce: str, verifier: str
) -> str:
    """Return where a browser is led to log in (OpenID Connect Core 1.0 section 3.1.2.1; RFC 7636)."""
    asked = {
        "response_type": "code", "client_id": client.id, "redirect_uri": redirect, "scope": scope, "state": state,
        "nonce": nonce, "code_challenge": challenge_of(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{provider.authorization}{'&' if '?' in provider.authorization else '?'}{urlencode(asked)}"


def challenge_of(verifier: str) -> str:
    """Return what a verifier is announced by (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def exchange(provider: Provider, client: Client, code: Secret, *, redirect: str, verifier: Secret) -> Flow[Grant]:
    """Exchange a code.

    Raises:
        UsageError: OIDC-CLIENT, OIDC-REDIRECT, OIDC-STATE, OIDC-UNREACHABLE or OIDC-ANSWER.
    """
    form: dict[str, str | Secret] = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier,
    }  # fmt: skip
    headers: dict[str, str | Secret] = {"Accept": "application/json"}
    if client.secret is not None and provider.takes_basic:
        # Both parts are encoded before they are joined (RFC 6749 section 2.3.1).
        pair = f"{quote(client.id, safe='')}:{quote(client.secret.reveal(), safe='')}"
        headers["Authorization"] = Secret(f"Basic {base64.b64encode(pair.encode()).decode()}")
    else:
        form["client_id"] = client.id
        if client.secret is not None:
            form["client_secret"] = client.secret
    answer = yield from _sent(_request(provider, "POST", provider.token, headers=headers, form=form))
    said = _object(answer)
    if answer.status != 200:
        raise _refused(answer.status, said)
    token, access = said.get("id_token"), said.get("access_token")
    if not isinstance(token, str):
        raise fault_error("OIDC-ANSWER", "there is no ID token in the answer")
    return Grant(Secret(token), Secret(access) if isinstance(access, str) else None)


def look_up(provider: Provider, access: Secret, subject: str) -> Flow[Mapping[str, Any]]:
    """Ask who somebody is; what is not about them is as nothing (section 5.3.2).

    Raises:
        UsageError: OIDC-UNREACHABLE or OIDC-ANSWER.
    """
    if provider.user is None:
        return {}
    said = yield from _ask(_request(provider, "GET", provider.user, bearer=access))
    return said if said.get("sub") == subject else {}


def _refused(status: int, said: Mapping[str, Any]) -> RingError:
    error, why = str(said.get("error", ""))[:60], str(said.get("error_description", ""))[:200]
    detail = f"HTTP {status} {error}"
    if error in ("invalid_client", "unauthorized_client") or status == 401:
        return fault_error("OIDC-CLIENT", detail)
    if "redirect" in why.lower():
        return fault_error("OIDC-REDIRECT", detail)
    return fault_error("OIDC-STATE" if error == "invalid_grant" else "OIDC-UNREACHABLE", detail)


def _request(provider: Provider, method: str, url: str, **what: Any) -> Request:
    """Return a request to an address of the provider's: one outside does not lead into our network by it."""
    here, there = urlsplit(provider.issuer), urlsplit(url)
    same = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    foreign = not (same or is_inside_by_name(here.hostname or ""))
    return Request(method, url, at="oidc", limit=LIMIT, foreign=foreign, **what)


def _ask(request: Request) -> Flow[Mapping[str, Any]]:
    answer = yield from _sent(request)
    if answer.status != 200:
        raise fault_error("OIDC-UNREACHABLE", f"{urlsplit(request.url).hostname}: HTTP {answer.status}")
    return _object(answer)


def _sent(request: Request) -> Flow[Response]:
    try:
        return (yield request)
    except RingError as error:
        if error.code == "OIDC-ANSWER":
            raise
        raise fault_error("OIDC-UNREACHABLE", f"{error.code}: {error.detail}") from None


def _object(answer: Response) -> Mapping[str, Any]:
    try:
        said = answer.json()
    except NotJson:
        said = None
    if not isinstance(said, dict):
        raise fault_error("OIDC-ANSWER", "the answer is no JSON object")
    return cast(Mapping[str, Any], said)


def _optional(said: Mapping[str, Any], name: str, issuer: str) -> str | None:
    return None if said.get(name) is None else _address(said, name, issuer)


def _address(said: Mapping[str, Any], name: str, issuer: str) -> str:
    """Return an address that the provider names; what an issuer by https names has to be https too."""
    found = said.get(name)
    # It goes into a header field, where a line break or a blank would be the end of it.
    if isinstance(found, str) and found.isascii() and found.isprintable() and " " not in found:
        try:
            parts = urlsplit(found)
            host, _ = parts.hostname, parts.port  # either may be none
        except ValueError:
            host = None
        if host and (parts.scheme == "https" or (parts.scheme == "http" and _may_be_plain(host, issuer))):
            return found
    raise fault_error("OIDC-ANSWER", f"{name} is no address by https")


def _may_be_plain(host: str, issuer: str) -> bool:
    return urlsplit(issuer).scheme == "http" or is_loopback_host(host)
