"""Keeps the tokens of one linked account good for the tasks of an event loop; see `keeping`."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from ringlight.errors import RingError
from ringlight.partner.call import Call
from ringlight.partner.keeping import Clock, do_in_store, moment, tell, too_long
from ringlight.partner.link import Bearer, Link, Moment, Need, Steps
from ringlight.partner.token_calls import Grant
from ringlight.secrets import Secret
from ringlight.store.pairs import PairStore

__all__ = ["AsyncLinkKeeper"]

T = TypeVar("T")


class AsyncLinkKeeper:
    """Hands out the tokens of one account to the tasks of an event loop.

    Args:
        link: The account. It belongs to this keeper from now on.
        store: Where its tokens are; it is used in threads.
        send: Makes a call and returns its result.
        clock: Says what time it is; tests pass their own.
    """

    def __init__(
        self, link: Link, store: PairStore, send: Callable[[Call[Grant]], Awaitable[Grant]], *, clock: Clock = moment
    ) -> None:
        self._link = link
        self._store = store
        self._send = send
        self._clock = clock
        self._flight: asyncio.Task[Bearer] | None = None
        self._later: asyncio.TimerHandle | None = None  # when an unsaved pair is tried to be saved again

    async def bearer(self, refused: Secret | None = None, *, within: float | None = None) -> Bearer:
        """Return a token that is good, renewed if need be. See `Link.renewal` for what it raises.

        Args:
            refused: A token that Ring has just answered with 401; one that was replaced since changes nothing.
            within: Seconds to wait for a renewal, which goes on after that; `None` waits until it ends.
        """
        while True:
            need, known = self._link.need(self._clock(), refused), self._link.bearer
            joined = self._flight is not None
            if need is not Need.NONE:
                self._begin(refused)
            if known is not None and need is not Need.NOW:
                return known
            if self._flight is None:
                raise RuntimeError("a renewal is due and none was begun")
            flight = self._flight
            await asyncio.wait({flight}, timeout=within)  # which cancels nothing
            if not flight.done():
                raise too_long(within)
            bearer = flight.result()
            if not joined or bearer.token != refused:
                return bearer

    async def adopt(self, grant: Grant, sent: Moment) -> Bearer:
        """Keep the first pair of an account; see `Link.adopt`."""
        task = asyncio.create_task(self._run(self._link.adopt(grant, sent)))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Wait for a renewal that is under way, and try once more to save what is not saved."""
        if self._flight is not None:
            await asyncio.wait({self._flight})
        if self._later is not None:
            self._later.cancel()
        if self._link.is_unsaved:
            await asyncio.wait({self._begin(None)})
            if self._later is not None:
                self._later.cancel()

    def _begin(self, refused: Secret | None) -> asyncio.Task[Bearer]:
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly(refused))
            self._flight.add_done_callback(_look_at)
        return self._flight

    async def _fly(self, refused: Secret | None) -> Bearer:
        bearer: Bearer | None = None
        failed: BaseException | None = None
        try:
            bearer = await self._run(self._link.renewal(refused))
        except RingError as error:
            failed = error
            raise
        else:
            return bearer
        finally:
            tell(self._link, bearer, failed)
            self._flight = None
            if self._link.is_unsaved:  # also if nobody asks for a token meanwhile
                self._later = asyncio.get_running_loop().call_later(self._link.pause, self._begin, None)

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


def _look_at(task: "asyncio.Task[Bearer]") -> None:
    if not task.cancelled():
        task.exception()  # so that asyncio does not complain where every caller was cancelled
