"""What a provider says of somebody, judged, and what they may do for it. Pure (OpenID Connect Core 1.0)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, KeyParameterError
from joserfc.jwk import KeySet

from ringlight.errors import fault_error
from ringlight.server.scopes import SCOPES, Scope

__all__ = ["ALGORITHMS", "SKEW", "judge", "read_token", "scopes_for", "values_of"]

SKEW: Final = 60.0  # seconds by which the clocks of both sides may differ
# With a key that only the provider has. HS256 would take the client secret for one, and `none` anything.
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
EVERYBODY = "*"
_LATEST: Final = 1e11  # seconds since 1970: three thousand years
_SHOWN = 5  # values that a refusal names


def read_token(token: str, keys: KeySet) -> Mapping[str, Any]:
    """Return the claims of an ID token whose signature is right.

    Raises:
        UsageError: OIDC-KEY, no key of the set has signed it; OIDC-TOKEN, it is damaged or signed otherwise.
    """
    try:
        return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except (InvalidKeyIdError, KeyParameterError) as error:
        raise fault_error("OIDC-KEY", type(error).__name__) from None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise fault_error("OIDC-TOKEN", type(error).__name__) from None


def judge(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: float) -> str:
    """Return whom an ID token is about: its `sub` (section 3.1.3.7).

    Args:
        claims: Of a token whose signature is right.
        issuer: Of the settings.
        client_id: Ours.
        nonce: Of the log-in that this browser has begun.
        now: Seconds since 1970.

    Raises:
        UsageError: OIDC-TOKEN or OIDC-CLOCK.
    """
    if claims.get("iss") != issuer:
        raise fault_error("OIDC-TOKEN", f"it is of {str(claims.get('iss'))[:80]!r}, expected {issuer!r}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    if client_id not in audiences or (party is not None and party != client_id) or (len(audiences) > 1 and not party):
        raise fault_error("OIDC-TOKEN", "it is for another application")
    if claims.get("nonce") != nonce:
        raise fault_error("OIDC-TOKEN", "its nonce is of another log-in")
    ends, made = _time(claims, "exp"), _time(claims, "iat")
    if ends <= now - SKEW:
        raise fault_error("OIDC-CLOCK", f"it ended {now - ends:.0f} s ago by our clock")
    if made > now + SKEW:
        raise fault_error("OIDC-CLOCK", f"it was made {made - now:.0f} s in the future by our clock")
    subject = claims.get("sub")
    if not (isinstance(subject, str) and 0 < len(subject) <= 255):
        raise fault_error("OIDC-TOKEN", "it names nobody")
    return subject


def values_of(claims: Mapping[str, Any], claim: str) -> list[str] | None:
    """Return the values of a claim, which may be inside of others; `None` where there is none of that name.

    An address of mail counts only where the provider has verified it: anybody may claim to have one.
    """
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for name in claim.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    if found is None or (claim == "email" and claims.get("email_verified") is not True):
        return None
    return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def scopes_for(values: Sequence[str] | None, granted: Mapping[str, Sequence[Scope]]) -> tuple[Scope, ...]:
    """Return what somebody may do.

    Args:
        values: Of their claim; `None` where they have none.
        granted: By value, with `*` for everybody.

    Raises:
        UsageError: OIDC-GROUP.
    """
    found = {scope for one in (*(values or ()), EVERYBODY) for scope in granted.get(one, ())}
    if not found:
        seen = "the claim is missing" if values is None else ", ".join(one[:60] for one in values[:_SHOWN]) or "none"
        raise fault_error("OIDC-GROUP", f"seen: {seen}")
    return tuple(scope for scope in SCOPES if scope in found)


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    # JSON knows numbers that are no time: `NaN`, which is never over, and more digits than a float has room for.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise fault_error("OIDC-TOKEN", f"it has no time `{name}`")
    return float(value)
