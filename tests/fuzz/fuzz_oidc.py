"""Readers of what an OpenID provider says: its configuration, its keys, what a code is worth, who somebody is."""

import json
import warnings
from typing import Any, cast
from urllib.parse import parse_qsl

from fuzz_target import CORPUS, Target, answer_of, codes, refusing
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from ringlight.errors import fault_error
from ringlight.http.address import is_loopback
from ringlight.http.flow import drive_waiting
from ringlight.secrets import Secret
from ringlight.server.oidc import claims, provider
from ringlight.server.oidc.desk import OidcDesk
from ringlight.server.oidc.provider import Client, Provider
from ringlight.server.passes import Passes
from ringlight.server.scopes import SCOPES
from ringlight.settings import OidcSettings

ISSUER = "https://id.example/realms/clinic"
SECRET = Secret("secret of the client")
NOW = 1_790_000_000.0
KNOWN = Provider(
    ISSUER, f"{ISSUER}/auth", f"{ISSUER}/token", f"{ISSUER}/keys", f"{ISSUER}/userinfo", None,
    takes_basic=True, names_itself=False,
)  # fmt: skip
FORM = Provider(ISSUER, f"{ISSUER}/auth?p=1", f"{ISSUER}/token", f"{ISSUER}/keys", None, None, False, False)
GRANTED = {"doctors": ("view", "talk"), "*": ()}
_NO_ANSWER = "OIDC-UNREACHABLE OIDC-ANSWER"


def read_configuration(data: bytes) -> None:
    """A configuration names addresses by https, or on this machine; each can stand in a header field."""
    found = drive_waiting(provider.discover(ISSUER), lambda _: answer_of(data))
    for address in (found.authorization, found.token, found.keys, found.user, found.end_session):
        assert address is None or address.lower().startswith("https://") or is_loopback(address)
        assert address is None or (address.isascii() and address.isprintable() and " " not in address)
    told = provider.address_to_log_in(
        found, Client("client", None), redirect="https://h/cb", scope="openid", state="s", nonce="n", verifier="v"
    )
    assert told.startswith(found.authorization)


def read_keys(data: bytes) -> None:
    """Whatever keys a provider has, they open no token that none of them has signed."""
    keys = _keys_of(data)
    for token in _TOKENS:
        with refusing("OIDC-TOKEN OIDC-KEY"):
            _let_in(token, keys)


def _keys_of(data: bytes) -> KeySet:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of keys that are short; whether they serve is the provider's
        return drive_waiting(provider.fetch_keys(KNOWN), lambda _: answer_of(data))


def _let_in(token: str, keys: KeySet) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of a name for Ed25519 that many providers still use
        claims.read_token(token, keys)
    raise AssertionError("somebody got in")


def read_grant(data: bytes) -> None:
    """What a code is worth; an ID token in it that the provider has not signed is worth nothing."""
    for known, client in (
        (KNOWN, Client("client", SECRET)),
        (FORM, Client("client", SECRET)),
        (FORM, Client("c", None)),
    ):
        with refusing(f"OIDC-CLIENT OIDC-REDIRECT OIDC-STATE {_NO_ANSWER}"):
            exchange = provider.exchange(known, client, Secret("code"), redirect="https://h/cb", verifier=Secret("v"))
            grant = drive_waiting(exchange, lambda _: answer_of(data))
            with refusing("OIDC-TOKEN OIDC-KEY"):
                _let_in(grant.id_token.reveal(), _KEYS)


def read_claims(data: bytes) -> None:
    """Claims of a token whose signature is right: JSON, as the library reads them."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(said, dict):
        _scopes(said)
        subject = claims.judge(said, issuer=ISSUER, client_id="client", nonce="n", now=NOW)
        assert 0 < len(subject) <= 255


def read_user(data: bytes) -> None:
    """What a provider says of somebody counts only where it is about them."""
    said = drive_waiting(provider.look_up(KNOWN, Secret("access"), "ada"), lambda _: answer_of(data))
    assert not said or said["sub"] == "ada"
    _scopes(cast(dict[str, Any], said))


def _scopes(said: dict[str, Any]) -> None:
    for name in ("groups", "realm_access.roles", "email", "sub", ""):
        with refusing("OIDC-GROUP"):
            granted = claims.scopes_for(claims.values_of(said, name), cast(Any, GRANTED))
            assert set(granted) <= set(SCOPES)


def read_way_back(data: bytes) -> None:
    """The address at which a browser comes back, with the state that it was given before it, a line each."""
    kept, _, query = data.decode("utf-8", "replace").partition("\n")
    desk = OidcDesk(_SETTINGS, cast(Any, _Away()), _PASSES, clock=lambda: NOW)
    coming = desk.finish(dict(parse_qsl(query, keep_blank_values=True)), kept, "https://h/cb")
    try:
        coming.send(None)
    except StopIteration:
        raise AssertionError("somebody got in") from None
    finally:
        coming.close()


class _Away:
    """Where no provider is."""

    async def run(self, _: object) -> object:
        raise fault_error("OIDC-UNREACHABLE")


_SETTINGS = OidcSettings(issuer=ISSUER, client_id="client", scopes={"doctors": ["view"]})
_PASSES = Passes(Secret("a secret key of the server"))
_KEYS = _keys_of((CORPUS / "oidc-keys" / "three-kinds").read_bytes())
_TOKENS = (CORPUS / "oidc-keys" / "tokens-of-nobody").read_text().split("\n\n")[-1].split()

TARGETS = (
    Target("oidc-configuration", read_configuration, codes(_NO_ANSWER)),
    Target("oidc-keys", read_keys, codes(_NO_ANSWER), short=100),
    Target("oidc-grant", read_grant),
    Target("oidc-claims", read_claims, codes("OIDC-TOKEN OIDC-CLOCK")),
    Target("oidc-user", read_user, codes(_NO_ANSWER)),
    Target("oidc-way-back", read_way_back, codes("OIDC-UNREACHABLE OIDC-REDIRECT OIDC-REFUSED OIDC-STATE OIDC-TOKEN")),
)
