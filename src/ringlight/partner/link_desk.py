"""Links accounts: takes what comes from Ring, from browsers and from webhooks; no step under way is cut off."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from ringlight.errors import RingError, fault_error
from ringlight.http.address import rebase
from ringlight.http.driver import AsyncDriver
from ringlight.http.ports import AsyncTransport
from ringlight.partner.link_calls import LinkCalls
from ringlight.partner.link_steps import LinkSteps
from ringlight.partner.linking import (
    Limits,
    Person,
    authorize_address,
    check_time,
    match,
    name_of_code,
)
from ringlight.partner.token_calls import App, verifier_of
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings
from ringlight.store.database import Database
from ringlight.store.link_rows import LinkRows
from ringlight.store.links import AccountLink, Beginning, LinkState
from ringlight.store.pair_database import DatabasePairStore

__all__ = ["LinkDesk"]

T = TypeVar("T")
USER_AGENT = "ringlight"
TEND_EVERY = 15.0  # seconds between two looks for what was left in the middle
_log = logging.getLogger("ringlight.partner")


class LinkDesk:
    """Takes codes and nonces, and brings every link as far as it can go.

    Several processes may do so with one database. Close it with `aclose`.

    Args:
        client_id: The app's, from Ring's developer console.
        client_secret: The same.
        hmac_keys: The app's HMAC key as the console shows it; several while it is being changed.
        database: Where links and tokens are: `sqlite:///path` or `postgresql://…`, or one that is open.
        driver: The way to Ring, which stays open; `None` opens connections of ours.
        base_url: One address that stands for every host of Ring; `None` is Ring itself.
        limits: How long things may take.
        settings: How calls survive.
        wall: This machine's clock, in seconds since the epoch.

    Raises:
        SetupError: STORE-ADDRESS; CFG-INVALID, there is no key.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: Secret | str,
        hmac_keys: Sequence[Secret | str],
        database: Database | str,
        driver: AsyncTransport | None = None,
        base_url: str | None = None,
        limits: Limits | None = None,
        settings: ResilienceSettings | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.use_keys(hmac_keys)
        self._app = App(client_id, _secret(client_secret))
        self._limits = limits or Limits()
        self._base_url = base_url
        self._wall = wall
        self._opened: list[Database] = []
        if not isinstance(database, Database):
            database = Database(database)
            self._opened.append(database)
        self._rows = LinkRows(database)
        pairs = DatabasePairStore(database)
        self._drivers: list[AsyncDriver] = []
        if driver is None:
            driver = AsyncDriver(base_url=base_url, user_agent=USER_AGENT)
            self._drivers.append(driver)
        calls = LinkCalls(self._app, driver, pairs, settings or ResilienceSettings(), wall)
        self._steps = LinkSteps(self._rows, pairs, calls, self._limits, wall)
        self._work: set[asyncio.Task[Any]] = set()
        self._stop = asyncio.Event()

    def use_keys(self, hmac_keys: Sequence[Secret | str]) -> None:
        """Use these HMAC keys from now on.

        Raises:
            SetupError: CFG-INVALID.
        """
        found = tuple(map(_secret, hmac_keys))
        if isinstance(hmac_keys, str) or not all(found) or not found:
            raise fault_error("CFG-INVALID", "hmac_keys: expected a list with the app's key")
        self._keys = found

    async def aclose(self) -> None:
        """Wait for the steps that are under way."""
        self._stop.set()
        while self._work:
            await asyncio.wait(self._work)
        self._steps.close()
        for driver in self._drivers:
            await driver.aclose()
        for database in self._opened:
            await asyncio.to_thread(database.close)

    async def take_code(self, code: Secret) -> None:
        """Take a code from Ring. It is written down, then exchanged; whose it is, is asked for aside.

        Raises:
            AuthError: LINK-CODE-EXPIRED, LINK-REFUSED; TokenEndpointUnavailable: it is tried again while it is good.
        """
        name = name_of_code(code)
        new = Beginning(name, self._wall(), code=code)
        await self._finish_anyway(self._steps.taken(new))
        self._aside(self._steps.settled(name))

    async def claim(self, nonce: str, at: str, person: Person) -> AccountLink:
        """Link the account that a nonce was made for to somebody who has signed in.

        Args:
            nonce: As it came in the query.
            at: The `time` that came with it.
            person: Who has signed in.

        Raises:
            AuthError: LINK-QUERY, LINK-STALE, LINK-NONCE; LINK-LOST, Ring has forgotten the link.
            RingError: A step failed; it is tried again without anybody's doing.
        """
        self.check(nonce, at)
        await self._finish_anyway(self._steps.settle_all())
        waiting = await asyncio.to_thread(self._rows.links, LinkState.UNCLAIMED, LinkState.AWAITING)
        own = await asyncio.to_thread(self._rows.links_of, person.id)  # who comes again sees what there is
        account = match(nonce, at, dict.fromkeys(link.account for link in [*waiting, *own]), self._keys)
        if account is None:
            raise fault_error("LINK-NONCE", f"{len(waiting)} accounts wait")
        return await self._finish_anyway(self._steps.claimed(account, person, Secret(nonce)))

    def check(self, nonce: str, at: str) -> None:
        """Judge what came with a browser before anybody signs in.

        Raises:
            AuthError: LINK-QUERY or LINK-STALE.
        """
        if not 1 <= len(nonce) <= 200:
            raise fault_error("LINK-QUERY", "nonce is missing or far too long")
        check_time(at, self._wall(), self._limits)

    async def start(self, person: Person, redirect: str) -> tuple[str, str]:
        """Begin a link from the app's side.

        Args:
            person: Who has signed in.
            redirect: The address of ours to which Ring sends the browser back, as the developer console has it.

        Returns:
            Where the browser goes, and the state, which the browser must bring back.
        """
        verifier, state = verifier_of(os.urandom(32)), os.urandom(24).hex()
        new = Beginning(state, self._wall(), None, verifier, person.id, person.identifier)
        await asyncio.to_thread(self._rows.begin, new)
        return rebase(authorize_address(self._app.client_id, redirect, state, verifier), self._base_url), state

    async def finish(self, state: str, code: Secret) -> AccountLink:
        """Take the code with which the browser came back, and complete the link.

        Raises:
            AuthError: LINK-STATE, nothing waits for it; LINK-CODE-EXPIRED.
            RingError: A step failed; it is tried again without anybody's doing.
        """
        return await self._finish_anyway(self._steps.finished(state, code))

    async def heard(self, kind: str, account: str, device: str | None = None) -> None:
        """Take note of a webhook whose signature is good; of other kinds than those about links, nothing.

        `device_added` may come before the link is claimed, and before it is known whose it is; it is kept.
        """
        now = self._wall()
        if kind == "device_added" and device:
            await asyncio.to_thread(self._rows.add_device, account, device, now)
        elif kind == "device_removed" and device:
            await asyncio.to_thread(self._rows.remove_device, account, device)
        elif kind == "app_integration_removed":
            await asyncio.to_thread(self._rows.lose, account, now)
            _log.info("link_removed account=%s", account[-6:])

    async def links(self) -> list[AccountLink]:
        """Return all links."""
        return await asyncio.to_thread(self._rows.links)

    async def links_of(self, person: str) -> list[AccountLink]:
        """Return the links of one of the app's people, by the app's id."""
        return await asyncio.to_thread(self._rows.links_of, person)

    async def devices(self, account: str) -> list[str]:
        """Return the devices of an account, as webhooks have told of them."""
        return await asyncio.to_thread(self._rows.devices, account)

    async def resume(self) -> None:
        """Go on with everything that was left in the middle. What fails is logged and stays for the next time."""
        await self._finish_anyway(self._steps.resumed())

    async def tend(self) -> None:
        """Resume now, and again every few seconds until `aclose`."""
        while not self._stop.is_set():
            await self.resume()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), TEND_EVERY)

    async def _finish_anyway(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for work that goes on if whoever waits is cancelled: cut off after Ring's answer it would lose that."""
        return await asyncio.shield(self._aside(work))

    def _aside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, RingError):
            _log.error("linking_broke error=%s", type(error).__name__)


def _secret(text: Secret | str) -> Secret:
    return text if isinstance(text, Secret) else Secret(text)
