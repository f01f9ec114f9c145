"""Codes, access tokens and refresh tokens of the partner apps. Pure: names and the time come from outside."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ringlight.simulator.expiring import Expiring

__all__ = ["ACCESS_LIFE", "KEPT", "REFRESH_LIFE", "SCOPE", "Access", "Grants"]

ACCESS_LIFE = 14_400.0  # seconds
REFRESH_LIFE = 30 * 86_400.0
CODE_LIFE = 60.0
PARTNER_CODE_LIFE = 600.0  # where the app began the link itself, with PKCE
PLAYGROUND_LIFE = 1800.0
ROTATION_GRACE = 60.0  # where there is one
SCOPE = "ava.v1:read"
KEPT = 10_000  # tokens that are good: more than one app's links, since one that ended early would be a link lost


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token opens.

    Attributes:
        account: Whose devices.
        client_id: Which app's, for its limit.
        family: All tokens that came from one code; they end together.
        playground: Whether it is the sandbox's, without a link.
    """

    account: str
    client_id: str
    family: str
    playground: bool = False


@dataclass(frozen=True, slots=True)
class _Code:
    account: str
    client_id: str
    challenge: str | None


@dataclass(frozen=True, slots=True)
class _Refresh:
    account: str
    client_id: str
    until: float
    family: str
    spent: float = 0.0


class Grants:
    """All tokens of one Ring.

    A refresh token that was spent is kept apart from those that are good: an app that renews again and again makes
    the simulator forget its own spent ones, and never the link of an account that was silent for weeks.

    Args:
        invent: Makes a name that nobody guesses.
        now: The clock by which they end.

    Attributes:
        access_life: Seconds of an access token.
        refresh_life: Seconds of a refresh token; each use begins anew with the next one.
        grace: Seconds that a spent refresh token still works. With 0 its second use revokes all that came of it.
        reuses: How often a spent refresh token came again.
    """

    def __init__(self, invent: Callable[[], str], now: Callable[[], float]) -> None:
        self._invent, self._now = invent, now
        self.access_life, self.refresh_life = ACCESS_LIFE, REFRESH_LIFE
        self.grace, self.reuses = 0.0, 0
        self._lasting: dict[str, Access] = {}  # one or two, of names that the world gives
        self._codes: Expiring[_Code] = Expiring(now)
        self._access: Expiring[Access] = Expiring(now, KEPT)
        self._refresh: Expiring[_Refresh] = Expiring(now, KEPT)
        self._spent: Expiring[_Refresh] = Expiring(now)

    def add(self, token: str, access: Access) -> None:
        """Make an access token of this very name good for ever."""
        self._lasting[token] = access

    def access(self, token: str) -> Access | None:
        """Return what a token opens; `None` for one that is not good."""
        return self._lasting.get(token) or self._access.get(token)

    def make_code(self, account: str, client_id: str, challenge: str | None = None) -> str:
        """Make an authorisation code, good once: for a minute, or for ten with a PKCE challenge."""
        code = f"sim-code-{self._invent()}"
        life = CODE_LIFE if challenge is None else PARTNER_CODE_LIFE
        self._codes.add(code, life, _Code(account, client_id, challenge))
        return code

    def make_playground(self, account: str, client_id: str) -> str:
        """Make an access token of the sandbox: half an hour, nothing to renew it with."""
        token = f"sim-playground-{self._invent()}"
        self._access.add(token, PLAYGROUND_LIFE, Access(account, client_id, token, playground=True))
        return token

    def exchange(self, code: str, client_id: str, verifier: str) -> dict[str, Any] | None:
        """Take a code and return the first pair; `None` for one that is not good, or whose verifier is wrong."""
        found = self._codes.take(code)
        if found is None or found.client_id != client_id:
            return None
        if found.challenge is not None and found.challenge != _challenge(verifier):
            return None
        return self._pair(found.account, client_id, self._invent())

    def refresh(self, token: str, client_id: str) -> dict[str, Any] | None:
        """Spend a refresh token and return the next pair; `None` for one that is not good."""
        found, spent = self._refresh.get(token), self._spent.get(token)
        if found is not None and found.client_id == client_id:
            now = self._now()
            self._refresh.take(token)
            self._spent.add(token, found.until - now, replace(found, spent=now))
            return self._pair(found.account, client_id, found.family)
        if spent is not None and spent.client_id == client_id:
            self.reuses += 1
            if self._now() < spent.spent + self.grace:
                return self._pair(spent.account, client_id, spent.family)
            if not self.grace:
                self._end(lambda one: one.family == spent.family)
        return None

    def end_access(self) -> None:
        """End all access tokens but those that never end."""
        self._access.clear()

    def revoke(self, account: str) -> None:
        """End all tokens of an account: it has removed the app."""
        self._end(lambda one: one.account == account)

    def revoke_all(self) -> None:
        """End all tokens of everybody."""
        self._end(lambda _: True)

    def _end(self, ends: Callable[[Access | _Refresh], bool]) -> None:
        self._lasting = {name: one for name, one in self._lasting.items() if not ends(one)}
        self._access.end(ends)
        self._refresh.end(ends)
        self._spent.end(ends)

    def _pair(self, account: str, client_id: str, family: str) -> dict[str, Any]:
        access, refresh = f"sim-partner-access-{self._invent()}", f"sim-partner-refresh-{self._invent()}"
        self._access.add(access, self.access_life, Access(account, client_id, family))
        until = self._now() + self.refresh_life
        self._refresh.add(refresh, self.refresh_life, _Refresh(account, client_id, until, family))
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
