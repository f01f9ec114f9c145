"""The cameras of all accounts that are linked with an app, as its store has them now."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from ringlight import spans
from ringlight.cameras.house import House
from ringlight.cameras.partner import PartnerCamera, PartnerCameras
from ringlight.errors import RingError, StoreError
from ringlight.http.telemetry import Telemetry
from ringlight.partner import AsyncClient, Notice, Stored
from ringlight.partner.setup import Tokens, store_of
from ringlight.settings import Settings
from ringlight.store.database import Database
from ringlight.store.link_rows import LinkRows
from ringlight.store.links import LinkState
from ringlight.store.pair_database import DatabasePairStore
from ringlight.store.pairs import PairStore

__all__ = ["LinkedCameras"]

ALONE = ""  # stands for the account of an access token alone


class LinkedCameras(House):
    """Cameras of every linked account: those whose link is completed, and those in the store of tokens.

    An account that is linked while this is open is there at the next list; one that is lost goes. Open it with
    `async with`.

    Args:
        settings: The app's.
        database: Where links are; whoever opened it closes it. `None` where none has been made.
        on_notice: Called with the account and what people should be told of it.
    """

    def __init__(
        self, settings: Settings, database: Database | None, on_notice: Callable[[str, Notice], None] = lambda *_: None
    ) -> None:
        super().__init__()
        self._settings, self._on_notice = settings, on_notice
        self._links = (LinkRows(database), DatabasePairStore(database)) if database is not None else None
        self._store: PairStore | None = None  # of accounts that were linked elsewhere
        self._open: dict[str, tuple[AsyncClient, PartnerCameras]] = {}
        self._looking = asyncio.Lock()
        self._away: StoreError | None = None  # why it is not known who is linked now

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for account in tuple(self._open):
            await self._close(account)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)

    async def sources(self) -> Sequence[PartnerCameras]:
        """Return the cameras of each account that is linked now; of those known before, while the database is away.

        Raises:
            StoreError: It is away, and no account is known yet.
        """
        async with self._looking:
            try:
                await self._look()
                self._away = None
            except StoreError as error:
                if not self._open:
                    raise
                self._away = error
        return [cameras for _, cameras in self._open.values()]

    @property
    def problems(self) -> Sequence[RingError]:
        """Why cameras of some account are missing, or may be, in what `cameras` returned last."""
        return (*((self._away,) if self._away is not None else ()), *super().problems)

    def listed(self) -> list[PartnerCamera]:
        """Return the cameras that were listed last, without asking anybody."""
        return [camera for _, cameras in self._open.values() for camera in cameras.listed()]

    async def _look(self) -> None:
        wanted = await asyncio.to_thread(self._accounts)
        for account in self._open.keys() - wanted.keys():
            await self._close(account)
        for account in wanted.keys() - self._open.keys():
            telemetry = Telemetry(spans.provider()) if spans.is_on() else None
            client = AsyncClient(tokens=wanted[account], settings=self._settings, telemetry=telemetry)
            client.on_notice(lambda notice, account=account: self._on_notice(account, notice))  # type: ignore[misc]
            self._open[account] = (client, PartnerCameras(client, self._settings))

    def _accounts(self) -> dict[str, Tokens]:
        """Return the accounts, and where each one's tokens are; in a thread, since it reads files."""
        partner = self._settings.partner
        if partner.access_token is not None:
            return {ALONE: partner.access_token}
        self._store = self._store or store_of(self._settings)
        states, linked = dict[str, LinkState](), dict[str, Tokens]()
        if self._links is not None:
            rows, pairs = self._links
            states = {link.account: link.state for link in rows.links()}
            linked = {name: Stored(pairs, name) for name, state in states.items() if state is LinkState.COMPLETED}
        return {name: Stored(self._store, name) for name in self._store.accounts() if name not in states} | linked

    async def _close(self, account: str) -> None:
        client, cameras = self._open.pop(account)
        await cameras.aclose()
        await client.aclose()
