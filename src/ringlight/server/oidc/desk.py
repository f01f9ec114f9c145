"""Leads browsers to the provider and takes those that come back, with its configuration and keys at hand."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import KeySet

from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Driver
from ringlight.secrets import Secret
from ringlight.server.oidc import provider as asked
from ringlight.server.oidc.claims import judge, read_token, scopes_for, values_of
from ringlight.server.oidc.provider import Client, Provider
from ringlight.server.passes import Pass, Passes
from ringlight.settings import OidcSettings

__all__ = ["STATE_LIFE", "OidcDesk"]

STATE_LIFE = 600.0  # seconds that somebody may stay at the provider
CONFIGURATION_LIFE = 3600.0  # seconds after which the provider is asked again what it is
KEYS_AGAIN = 10.0  # seconds between two fetches of its keys: a stranger's token must not make us ask and ask
log = logging.getLogger("ringlight.server")


class OidcDesk:
    """The desk.

    Args:
        settings: The provider's, with an issuer.
        driver: Sends requests.
        passes: Derives what belongs to a log-in from its state, so that nothing of it is kept here and every node can
            end what another has begun.
        clock: Seconds since 1970.
    """

    def __init__(
        self, settings: OidcSettings, driver: Driver, passes: Passes, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self._issuer = settings.issuer or ""
        self._client = Client(settings.client_id or "", settings.client_secret)
        self._driver = driver
        self._passes = passes
        self._clock = clock
        self._provider: tuple[Provider, float] | None = None
        self._keys: tuple[KeySet, float] | None = None
        self._fetching = asyncio.Lock()

    async def begin(self, redirect: str) -> tuple[str, str]:
        """Return where to lead a browser, and the state that it has to bring back.

        Raises:
            UsageError: OIDC-UNREACHABLE or OIDC-ANSWER.
        """
        provider = await self._known()
        state = f"{int(self._clock()):x}.{secrets.token_urlsafe(24)}"
        nonce, verifier = self._belonging(state)
        address = asked.address_to_log_in(
            provider, self._client, redirect=redirect, scope=" ".join(self.settings.ask_for), state=state,
            nonce=nonce.reveal(), verifier=verifier.reveal(),
        )  # fmt: skip
        return address, state

    async def finish(self, query: Mapping[str, str], kept: str, redirect: str) -> Pass:
        """Take a browser that comes back; return its session.

        Args:
            query: Of the address at which it came back.
            kept: The state that it was given; empty where it has none any more.
            redirect: As it was given to `begin`.

        Raises:
            UsageError: One of OIDC.
        """
        if "error" in query:  # before the state, which some providers leave out then; it opens nothing
            is_way = "redirect" in query.get("error_description", "").lower()
            raise fault_error("OIDC-REDIRECT" if is_way else "OIDC-REFUSED", query["error"][:60])
        state = query.get("state", "")
        if not state or not secrets.compare_digest(state.encode(), kept.encode()) or not self._is_young(state):
            raise fault_error("OIDC-STATE")
        named = query.get("iss")
        if named is not None and named != self._issuer:  # RFC 9207: another provider has sent this browser
            raise fault_error("OIDC-TOKEN", "another provider has sent the browser back")
        code = query.get("code", "")
        if not (0 < len(code) <= 4096 and code.isascii() and code.isprintable()):
            raise fault_error("OIDC-STATE", "there is no code")
        provider = await self._known()
        nonce, verifier = self._belonging(state)
        grant = await self._driver.run(
            asked.exchange(provider, self._client, Secret(code), redirect=redirect, verifier=verifier)
        )
        claims = await self._read(provider, grant.id_token)
        now = self._clock()
        subject = judge(claims, issuer=self._issuer, client_id=self._client.id, nonce=nonce.reveal(), now=now)
        values = values_of(claims, self.settings.claim)
        if values is None and grant.access is not None:  # many providers tell of groups only here
            told: Mapping[str, Any] = await self._driver.run(asked.look_up(provider, grant.access, subject))
            values = values_of(told, self.settings.claim)
        scopes = scopes_for(values, self.settings.scopes)
        log.info("oidc: somebody has logged in, for %s", " ".join(scopes))
        return Pass(f"oidc:{subject}", now + self.settings.session_life, granted=scopes)

    async def address_to_log_out(self, back: str) -> str | None:
        """Return where a browser ends its log-in at the provider too; `None` where there is no such place."""
        try:
            provider = await self._known()
        except RingError:
            return None
        if provider.end_session is None:
            return None
        said = urlencode({"client_id": self._client.id, "post_logout_redirect_uri": back})
        return f"{provider.end_session}{'&' if '?' in provider.end_session else '?'}{said}"

    def _belonging(self, state: str) -> tuple[Secret, Secret]:
        return self._passes.derived("oidc nonce", state), self._passes.derived("oidc verifier", state)

    def _is_young(self, state: str) -> bool:
        try:
            return -1 <= self._clock() - int(state.partition(".")[0], 16) <= STATE_LIFE
        except (ValueError, OverflowError):  # anybody may write anything there
            return False

    async def _known(self) -> Provider:
        async with self._fetching:
            known, now = self._provider, self._clock()
            if known is not None and 0 <= now - known[1] < CONFIGURATION_LIFE:
                return known[0]
            try:
                found = await self._driver.run(asked.discover(self._issuer))
            except RingError as error:
                if known is None or error.code != "OIDC-UNREACHABLE":
                    raise
                return known[0]  # what was right an hour ago is better than nothing
            if known is None or known[0].keys != found.keys:
                self._keys = None
            self._provider = found, now
            return found

    async def _read(self, provider: Provider, token: Secret) -> Mapping[str, Any]:
        """Read an ID token; one with a key that is not known yet lets the keys be fetched anew."""
        keys, fresh = await self._key_set(provider, anew=False)
        try:
            return read_token(token.reveal(), keys)
        except RingError as error:
            if fresh or error.code not in ("OIDC-KEY", "OIDC-TOKEN"):
                raise
        keys, fresh = await self._key_set(provider, anew=True)
        return read_token(token.reveal(), keys)

    async def _key_set(self, provider: Provider, *, anew: bool) -> tuple[KeySet, bool]:
        async with self._fetching:
            known, now = self._keys, self._clock()
            if known is not None and (not anew or 0 <= now - known[1] < KEYS_AGAIN):
                return known[0], False
            found = await self._driver.run(asked.fetch_keys(provider))
            self._keys = found, now
            return found, True
