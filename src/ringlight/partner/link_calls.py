"""The calls that linking makes: codes for tokens, whose they are, and the link confirmed and completed."""

import asyncio
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ringlight.http.async_calling import AsyncCaller
from ringlight.http.ports import AsyncTransport
from ringlight.partner.api import API, Api
from ringlight.partner.async_keeping import AsyncLinkKeeper
from ringlight.partner.call import Conversation, ask
from ringlight.partner.integrations import Integrations
from ringlight.partner.link import Link
from ringlight.partner.token_calls import App, Grant, code_exchange, refresh
from ringlight.partner.users import Users
from ringlight.resilience.actions import Bearer
from ringlight.resilience.shared import Shared
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings
from ringlight.store.pairs import PairStore, TokenPair

__all__ = ["LinkCalls"]

T = TypeVar("T")


class LinkCalls:
    """Speaks with Ring for the links of one app.

    Args:
        app: The app's credentials.
        driver: The way to Ring; whoever opened it closes it.
        pairs: The tokens of the accounts.
        settings: How calls survive.
        wall: This machine's clock, in seconds since the epoch.
    """

    def __init__(
        self,
        app: App,
        driver: AsyncTransport,
        pairs: PairStore,
        settings: ResilienceSettings,
        wall: Callable[[], float],
    ) -> None:
        self._app = app
        self._driver = driver
        self._pairs = pairs
        self._wall = wall
        dice = random.Random(os.urandom(16))  # noqa: S311 - it spreads pauses
        self._shared = Shared(settings, dice.random)
        self._plain = AsyncCaller(driver, self._shared)
        self._api = Api(API)

    async def exchange(self, code: Secret, verifier: Secret | None) -> TokenPair:
        """Exchange a code. See `code_exchange` for what it raises."""
        return self._pair(await self._plain.run(ask(code_exchange(self._app, code, verifier))))

    async def renew(self, pair: TokenPair) -> TokenPair:
        """Renew tokens that belong to no account yet. See `refresh` for what it raises."""
        return self._pair(await self._plain.run(ask(refresh(self._app, pair.refresh))))

    async def whose(self, pair: TokenPair) -> str:
        """Return the id of the account that the tokens are for."""
        caller = AsyncCaller(self._driver, self._shared, _OnePair(pair))
        return (await caller.run(Users(self._api).me())).id

    async def confirm(self, account: str, nonce: Secret, identifier: str | None) -> None:
        """Confirm the nonce. See `Integrations.confirm` for what it raises, and `Link.renewal`."""
        await self._hold(account, Integrations(self._api).confirm(nonce.reveal(), account_identifier=identifier))

    async def complete(self, account: str, identifier: str | None) -> None:
        """Say that the app is set up. See `Integrations.complete` for what it raises, and `Link.renewal`."""
        await self._hold(account, Integrations(self._api).complete(account_identifier=identifier))

    async def _hold(self, account: str, conversation: Conversation[T]) -> T:
        keeper = AsyncLinkKeeper(Link(account, self._app), self._pairs, lambda call: self._plain.run(ask(call)))
        try:
            return await AsyncCaller(self._driver, self._shared, keeper).run(conversation)
        finally:
            await asyncio.shield(asyncio.ensure_future(keeper.aclose()))

    def _pair(self, grant: Grant) -> TokenPair:
        obtained = self._wall() if grant.date is None else grant.date
        return TokenPair(grant.access, grant.refresh, obtained, obtained + grant.expires_in)


@dataclass(slots=True)
class _OnePair:
    """Tokens as they are: whose they are is not known, so nobody renews them meanwhile."""

    pair: TokenPair

    async def bearer(self, within: float) -> Bearer:
        del within
        return Bearer(1, self.pair.access)

    def rejected(self, number: int) -> None:
        del number
