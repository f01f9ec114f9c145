"""Codes, access tokens and refresh tokens of the partner apps. Pure: names and the time come from outside."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ACCESS_LIFE", "REFRESH_LIFE", "SCOPE", "Access", "Grants"]

ACCESS_LIFE = 14_400.0  # seconds
REFRESH_LIFE = 30 * 86_400.0
CODE_LIFE = 60.0
PARTNER_CODE_LIFE = 600.0  # where the app began the link itself, with PKCE
PLAYGROUND_LIFE = 1800.0
ROTATION_GRACE = 60.0  # where there is one
SCOPE = "ava.v1:read"
KEPT = 1000  # refresh tokens, spent ones among them; beyond it those that have ended are dropped


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token opens.

    Attributes:
        account: Whose devices.
        client_id: Which app's, for its limit.
        until: When it ends, by the world's clock; `None` never.
        family: All tokens that came from one code; they end together.
        playground: Whether it is the sandbox's, without a link.
    """

    account: str
    client_id: str
    until: float | None
    family: str
    playground: bool = False


@dataclass(frozen=True, slots=True)
class _Code:
    account: str
    client_id: str
    until: float
    challenge: str | None


@dataclass(frozen=True, slots=True)
class _Refresh:
    account: str
    client_id: str
    until: float
    family: str
    spent: float | None = None


@dataclass(slots=True)
class Grants:
    """All tokens of one Ring.

    Attributes:
        invent: Makes a name that nobody guesses.
        access_life: Seconds of an access token.
        refresh_life: Seconds of a refresh token; each use begins anew with the next one.
        grace: Seconds that a spent refresh token still works. With 0 its second use revokes all that came of it.
        reuses: How often a spent refresh token came again.
    """

    invent: Callable[[], str]
    access_life: float = ACCESS_LIFE
    refresh_life: float = REFRESH_LIFE
    grace: float = 0.0
    reuses: int = 0
    _codes: dict[str, _Code] = field(default_factory=dict)
    _access: dict[str, Access] = field(default_factory=dict)
    _refresh: dict[str, _Refresh] = field(default_factory=dict)

    def add(self, token: str, access: Access) -> None:
        """Make an access token of this very name good."""
        self._access[token] = access

    def access(self, token: str, now: float) -> Access | None:
        """Return what a token opens; `None` for one that is not good."""
        found = self._access.get(token)
        return found if found is not None and (found.until is None or now < found.until) else None

    def make_code(self, account: str, client_id: str, now: float, challenge: str | None = None) -> str:
        """Make an authorisation code, good once: for a minute, or for ten with a PKCE challenge."""
        code = f"sim-code-{self.invent()}"
        life = CODE_LIFE if challenge is None else PARTNER_CODE_LIFE
        self._codes = {name: one for name, one in self._codes.items() if now < one.until}
        self._codes[code] = _Code(account, client_id, now + life, challenge)
        return code

    def make_playground(self, account: str, client_id: str, now: float) -> str:
        """Make an access token of the sandbox: half an hour, nothing to renew it with."""
        token = f"sim-playground-{self.invent()}"
        self.add(token, Access(account, client_id, now + PLAYGROUND_LIFE, token, playground=True))
        return token

    def exchange(self, code: str, client_id: str, verifier: str, now: float) -> dict[str, Any] | None:
        """Take a code and return the first pair; `None` for one that is not good, or whose verifier is wrong."""
        found = self._codes.pop(code, None)
        if found is None or found.client_id != client_id or now >= found.until:
            return None
        if found.challenge is not None and found.challenge != _challenge(verifier):
            return None
        return self._pair(found.account, client_id, self.invent(), now)

    def refresh(self, token: str, client_id: str, now: float) -> dict[str, Any] | None:
        """Spend a refresh token and return the next pair; `None` for one that is not good."""
        found = self._refresh.get(token)
        if found is None or found.client_id != client_id or now >= found.until:
            return None
        if found.spent is not None:
            self.reuses += 1
            if now >= found.spent + self.grace:
                if not self.grace:
                    self._end(lambda family, _: family == found.family)
                return None
        spent = now if found.spent is None else found.spent
        self._refresh[token] = _Refresh(found.account, client_id, found.until, found.family, spent)
        return self._pair(found.account, client_id, found.family, now)

    def is_refresh(self, token: str) -> bool:
        """Whether it is a refresh token, good or not."""
        return token in self._refresh

    def end_access(self) -> None:
        """End all access tokens but those that never end."""
        self._access = {token: access for token, access in self._access.items() if access.until is None}

    def revoke(self, account: str) -> None:
        """End all tokens of an account: it has removed the app."""
        self._end(lambda _, whose: whose == account)

    def revoke_all(self) -> None:
        """End all tokens of everybody."""
        self._end(lambda _family, _whose: True)

    def _end(self, ends: Callable[[str, str], bool]) -> None:
        self._access = {name: one for name, one in self._access.items() if not ends(one.family, one.account)}
        self._refresh = {name: one for name, one in self._refresh.items() if not ends(one.family, one.account)}

    def _forget(self, now: float) -> None:
        """Drop what has ended by its time."""
        self._access = {name: one for name, one in self._access.items() if one.until is None or now < one.until}
        self._refresh = {name: one for name, one in self._refresh.items() if now < one.until}

    def _pair(self, account: str, client_id: str, family: str, now: float) -> dict[str, Any]:
        if len(self._refresh) > KEPT:
            self._forget(now)
        access, refresh = f"sim-partner-access-{self.invent()}", f"sim-partner-refresh-{self.invent()}"
        self._access[access] = Access(account, client_id, now + self.access_life, family)
        self._refresh[refresh] = _Refresh(account, client_id, now + self.refresh_life, family)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "scope": SCOPE,
            "expires_in": int(self.access_life),
            "token_type": "Bearer",
        }


def _challenge(verifier: str) -> str:
    """RFC 7636 section 4.2, S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
