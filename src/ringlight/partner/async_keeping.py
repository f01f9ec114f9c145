"""Keeps the tokens of one linked account good for the tasks of an event loop; see `keeping`."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from ringlight.errors import RingError
from ringlight.http.async_keeping import AsyncTokenKeeper
from ringlight.partner.call import Call
from ringlight.partner.keeping import Clock, do_in_store, given, moment, tell, telling
from ringlight.partner.link import Bearer, Link, Moment, Steps
from ringlight.partner.token_calls import Grant
from ringlight.resilience import actions
from ringlight.resilience.events import Event
from ringlight.store.pairs import PairStore

__all__ = ["AsyncLinkKeeper"]

T = TypeVar("T")


class AsyncLinkKeeper:
    """Has the tokens of one account, for the tasks of an event loop: an `AsyncKeeper` for the shells.

    Args:
        link: The account. It belongs to this keeper from now on.
        store: Where its tokens are; it is used in threads.
        send: Makes a call and returns its result.
        tell: Takes the event of each renewal.
        clock: Says what time it is; tests pass their own.
    """

    def __init__(
        self,
        link: Link,
        store: PairStore,
        send: Callable[[Call[Grant]], Awaitable[Grant]],
        *,
        tell: Callable[[Event], object] = lambda event: None,
        clock: Clock = moment,
    ) -> None:
        self._link = link
        self._store = store
        self._send = send
        self._clock = clock
        self._later: asyncio.TimerHandle | None = None  # when an unsaved pair is tried to be saved again
        self._keeper = AsyncTokenKeeper(
            self._renew, link.state(), tell=telling(tell), clock=lambda: clock().monotonic, final=frozenset()
        )

    async def bearer(self, within: float) -> actions.Bearer | RingError:
        """Do as `LinkKeeper.bearer` does."""
        return await self._keeper.bearer(within)

    def rejected(self, number: int) -> None:
        """Do as `LinkKeeper.rejected` does."""
        self._keeper.rejected(number)

    async def adopt(self, grant: Grant, sent: Moment) -> Bearer:
        """Keep the first pair of an account; see `Link.adopt`."""
        bearer = await asyncio.shield(asyncio.create_task(self._run(self._link.adopt(grant, sent))))
        self._keeper.adopt(given(bearer))
        return bearer

    def renew_idle(self) -> None:
        """Do as `LinkKeeper.renew_idle` does."""
        self._keeper.renew_idle()

    async def aclose(self) -> None:
        """Wait for a renewal that is under way, and try once more to save what is not saved."""
        await self._land()
        if self._link.is_unsaved:
            self._keeper.renew()
            await self._land()

    async def _land(self) -> None:
        await self._keeper.aclose()
        if self._later is not None:
            self._later.cancel()

    async def _renew(self, refused: actions.Bearer | None) -> actions.Bearer:
        bearer: Bearer | None = None
        failed: BaseException | None = None
        try:
            bearer = await self._run(self._link.renewal(None if refused is None else refused.token))
            return given(bearer, self._keeper.holds(bearer.token))
        except RingError as error:
            failed = error
            raise
        finally:
            tell(self._link, bearer, failed)
            if self._link.is_unsaved:  # also if nobody asks for a token meanwhile
                self._save_later()

    def _save_later(self) -> None:
        self._later = asyncio.get_running_loop().call_later(self._link.pause, self._save)

    def _save(self) -> None:
        if self._link.is_unsaved and not self._keeper.renew():
            self._save_later()

    async def _run(self, steps: Steps[T]) -> T:
        loop = asyncio.get_running_loop()
        # A thread of its own: those that wait for the lock must not take the last one from whoever holds it.
        thread, held = ThreadPoolExecutor(1, "ringlight-renewal"), ExitStack()
        try:
            step = next(steps)
            while True:
                said: Any
                try:
                    if isinstance(step, Call):
                        said = await self._send(step)
                    else:
                        said = await loop.run_in_executor(thread, do_in_store, step, self._link, self._store, held)
                except RingError as error:
                    said = error
                step = steps.send((self._clock(), said))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            # In the same thread, so that also after a cancellation the lock is freed behind what it protects.
            freed = thread.submit(held.close)
            thread.shutdown(wait=False)
            await asyncio.shield(asyncio.wrap_future(freed))
