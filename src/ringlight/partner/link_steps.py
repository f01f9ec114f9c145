"""The steps of linking, one after the other, each written down before the next and each in one process alone."""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

from ringlight.errors import RingError, fault_error
from ringlight.partner import linking
from ringlight.partner.link_calls import LinkCalls
from ringlight.partner.linking import Limits, Person, Step, after, before, due, due_at_the_beginning
from ringlight.secrets import Secret
from ringlight.store.link_rows import LinkRows
from ringlight.store.links import AccountLink, Beginning, LinkState
from ringlight.store.pair_database import DatabasePairStore

__all__ = ["LinkSteps"]

STRIPES = 4  # locks on which the links are spread; each may hold a connection of PostgreSQL's
_FINAL = frozenset({"LINK-CODE-EXPIRED", "LINK-LOST"})  # nothing comes of these tokens any more
_log = logging.getLogger("ringlight.partner")


class LinkSteps:
    """Does what `linking` asks for. None of it may be cancelled; `LinkDesk` sees to that. Close it in the end.

    Args:
        rows: Where links are.
        pairs: Where their tokens are, and the locks of all processes.
        calls: Asks Ring.
        limits: How long things may take.
        wall: This machine's clock, in seconds since the epoch.
    """

    def __init__(
        self, rows: LinkRows, pairs: DatabasePairStore, calls: LinkCalls, limits: Limits, wall: Callable[[], float]
    ) -> None:
        self._rows, self._pairs, self._calls, self._limits, self._wall = rows, pairs, calls, limits, wall
        self._turns = [asyncio.Lock() for _ in range(STRIPES)]
        # Threads of their own: those that wait for a lock must not take the last one from whoever holds it.
        self._waiting = ThreadPoolExecutor(STRIPES, "ringlight-linking")

    def close(self) -> None:
        """Let the threads go."""
        self._waiting.shutdown(wait=False)

    async def taken(self, new: Beginning) -> None:
        """Keep a code, and exchange it."""
        await asyncio.to_thread(self._rows.begin, new)
        await self._advance_beginning(new.id, stop_at=Step.ASK_WHO)

    async def claimed(self, account: str, person: Person, nonce: Secret) -> AccountLink:
        """Note whose an account is, and go on with its link."""
        changed: AccountLink | None = None
        while changed is None:
            link = await asyncio.to_thread(self._rows.link, account)
            if link is None:
                raise fault_error("LINK-NONCE", "the account was removed")
            new = linking.claimed(link, person, nonce)
            changed = link if new == link else await asyncio.to_thread(self._rows.change, new)
        return await self._advance(account)

    async def finished(self, state: str, code: Secret) -> AccountLink:
        """Keep the code of a link that began at our side, and complete it."""
        async with self._alone(state):
            one = await asyncio.to_thread(self._rows.beginning, state)
            late = one is None or self._wall() - one.began_at > self._limits.own_code
            if one is None or late or one.verifier is None or one.code is not None or one.pair is not None:
                raise fault_error("LINK-STATE")
            await asyncio.to_thread(self._rows.keep, replace(one, code=code))
        account = await self._advance_beginning(state)
        if account is None:
            raise fault_error("LINK-STATE")
        return await self._advance(account)

    async def settled(self, name: str) -> None:
        """Find out whose a beginning is, and go on with that link; an error is logged."""
        try:
            account = await self._advance_beginning(name)
            if account is not None:
                await self._advance(account)
        except RingError as error:
            _log.warning("link_not_begun error=%s", error)

    async def settle_all(self) -> None:
        """Find out whose every beginning is, as far as that is due."""
        for one in await asyncio.to_thread(self._rows.beginnings):
            if due_at_the_beginning(one, self._wall(), self._limits) is not None:
                await self.settled(one.id)

    async def resumed(self) -> None:
        """Go on with everything that was left in the middle; what fails is logged."""
        try:
            await self.settle_all()
            for link in await asyncio.to_thread(self._rows.links, LinkState.UNCLAIMED, LinkState.AWAITING):
                if due(link, self._wall(), self._limits) is not None:
                    await self._logged(self._advance(link.account), link.account)
        except RingError as error:
            _log.warning("links_not_resumed error=%s", error)

    async def _logged(self, work: Awaitable[object], account: str) -> None:
        try:
            await work
        except RingError as error:
            _log.warning("link_not_completed account=%s error=%s", account[-6:], error)

    async def _advance_beginning(self, name: str, *, stop_at: Step | None = None) -> str | None:
        """Do every step of a beginning that is due; return whose it is, if that is known then."""
        async with self._alone(name):
            while True:
                one = await asyncio.to_thread(self._rows.beginning, name)
                step = None if one is None else due_at_the_beginning(one, self._wall(), self._limits)
                if one is None or step is None or step is stop_at:
                    return None if one is None else one.account
                try:
                    await self._do_beginning(one, step)
                except RingError as error:
                    if error.code in _FINAL:
                        await asyncio.to_thread(self._rows.drop, name)
                    raise

    async def _do_beginning(self, one: Beginning, step: Step) -> None:
        if step is Step.FORGET:
            await asyncio.to_thread(self._rows.drop, one.id)
            if one.code is not None:
                raise fault_error("LINK-CODE-EXPIRED", "it could not be exchanged in its time")
        elif step is Step.EXCHANGE and one.code is not None:
            pair = await self._calls.exchange(one.code, one.verifier)
            await asyncio.to_thread(self._rows.keep, replace(one, code=None, pair=pair))
        elif step is Step.RENEW and one.pair is not None:
            pair = await self._calls.renew(one.pair)
            await asyncio.to_thread(self._rows.keep, replace(one, pair=pair))
        elif one.pair is not None:
            account = await self._calls.whose(one.pair)
            state = LinkState.UNCLAIMED if one.person is None else LinkState.AWAITING
            link = AccountLink(account, state, self._wall(), one.person, one.identifier)
            await asyncio.to_thread(self._rows.adopt, one.id, one.pair, link)
            _log.info("link_begun account=%s", account[-6:])

    async def _advance(self, account: str) -> AccountLink:
        """Do every step of a link that is due."""
        async with self._alone(account):
            while True:
                link = await asyncio.to_thread(self._rows.link, account)
                if link is None:
                    raise fault_error("LINK-NONE")
                step = due(link, self._wall(), self._limits)
                if step is None:
                    return link
                if step is Step.FORGET:
                    await asyncio.to_thread(self._rows.forget, account)
                    continue
                noted = before(link, step)
                kept = link if noted == link else await asyncio.to_thread(self._rows.change, noted)
                if kept is not None:
                    await self._do(kept, step)

    async def _do(self, link: AccountLink, step: Step) -> None:
        failed: RingError | None = None
        try:
            if step is Step.CONFIRM and link.nonce is not None:
                await self._calls.confirm(link.account, link.nonce, link.identifier)
            else:
                await self._calls.complete(link.account, link.identifier)
        except RingError as error:
            failed = error
        new = after(link, step, failed, self._wall())
        if new.state is LinkState.LOST:
            await asyncio.to_thread(self._rows.lose, link.account, self._wall())
        elif new != link:
            await asyncio.to_thread(self._rows.change, new)
        if new.state is not link.state:
            _log.info("link_%s account=%s", new.state.value, link.account[-6:])
        doubtful = link.state is LinkState.UNCLAIMED and new.state is LinkState.AWAITING  # completing it will tell
        if failed is not None and not doubtful:
            raise failed

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[None]:
        """Exclude everybody else who works on this link, in other processes too."""
        stripe = zlib.crc32(name.encode(errors="surrogatepass")) % STRIPES
        loop = asyncio.get_running_loop()
        async with self._turns[stripe]:
            lock = self._pairs.lock(f"linking {stripe}")
            await loop.run_in_executor(self._waiting, lock.__enter__)
            try:
                yield
            finally:
                await loop.run_in_executor(self._waiting, lock.__exit__, None, None, None)
