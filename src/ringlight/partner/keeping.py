"""Keeps the tokens of one linked account good for threads: runs the steps of its `Link`.

One renewal runs at a time and ends with nobody who waits for it: cut off after Ring has answered it would lose
the link.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, TypeAlias, TypeVar

from ringlight.errors import RingError, fault_error
from ringlight.partner.call import Call
from ringlight.partner.link import Bearer, Link, Moment, Need, ReadPair, Step, Steps, TakeLock, WritePair
from ringlight.partner.token_calls import Grant
from ringlight.secrets import Secret
from ringlight.store.pairs import PairStore

__all__ = ["Clock", "LinkKeeper", "do_in_store", "moment", "tell", "too_long"]

T = TypeVar("T")
Clock: TypeAlias = Callable[[], Moment]
_log = logging.getLogger("ringlight.partner")


def moment() -> Moment:
    """Ask this machine's clocks."""
    return Moment(time.monotonic(), time.time())


class LinkKeeper:
    """Hands out the tokens of one account to threads.

    Args:
        link: The account. It belongs to this keeper from now on.
        store: Where its tokens are.
        send: Makes a call and returns its result.
        clock: Says what time it is; tests pass their own.
    """

    def __init__(
        self, link: Link, store: PairStore, send: Callable[[Call[Grant]], Grant], *, clock: Clock = moment
    ) -> None:
        self._link = link
        self._store = store
        self._send = send
        self._clock = clock
        self._guard = threading.Lock()
        self._flight: Future[Bearer] | None = None
        self._threads: set[threading.Thread] = set()
        self._later: threading.Timer | None = None  # when an unsaved pair is tried to be saved again

    def bearer(self, refused: Secret | None = None, *, within: float | None = None) -> Bearer:
        """Return a token that is good, renewed if need be. See `Link.renewal` for what it raises.

        Args:
            refused: A token that Ring has just answered with 401; one that was replaced since changes nothing.
            within: Seconds to wait for a renewal, which goes on after that; `None` waits until it ends.
        """
        while True:
            with self._guard:
                need, known = self._link.need(self._clock(), refused), self._link.bearer
                joined = self._flight is not None
                flight = self._flight if need is Need.NONE else self._begin(refused)
            if known is not None and need is not Need.NOW:
                return known
            if flight is None:
                raise RuntimeError("a renewal is due and none was begun")
            try:
                bearer = flight.result(within)
            except TimeoutError:
                if flight.done():  # it ended with an error of that kind
                    raise
                raise too_long(within) from None
            # A renewal that began before the refusal may end with the very token that was refused.
            if not joined or bearer.token != refused:
                return bearer

    def adopt(self, grant: Grant, sent: Moment) -> Bearer:
        """Keep the first pair of an account; see `Link.adopt`."""
        return self._run(self._link.adopt(grant, sent))

    def close(self) -> None:
        """Wait for a renewal that is under way, and try once more to save what is not saved."""
        self._land()
        if self._link.is_unsaved:
            self._save_again()
            self._land()

    def _land(self) -> None:
        for thread in list(self._threads):
            thread.join()
        if self._later is not None:
            self._later.cancel()

    def _save_again(self) -> None:
        with self._guard:
            self._begin(None)

    def _begin(self, refused: Secret | None) -> Future[Bearer]:
        if self._flight is not None:
            return self._flight
        flight: Future[Bearer] = Future()
        # No daemon: the interpreter waits for it before it exits.
        thread = threading.Thread(target=self._fly, args=(flight, refused), name="ringlight-renewal")
        self._flight = flight
        self._threads.add(thread)
        thread.start()
        return flight

    def _fly(self, flight: "Future[Bearer]", refused: Secret | None) -> None:
        bearer: Bearer | None = None
        failed: BaseException | None = None
        try:
            bearer = self._run(self._link.renewal(refused))
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            failed = error
        tell(self._link, bearer, failed)
        with self._guard:
            self._flight = None
            if self._link.is_unsaved:  # also if nobody asks for a token meanwhile
                self._later = threading.Timer(self._link.pause, self._save_again)
                self._later.daemon = True
                self._later.start()
            self._threads.discard(threading.current_thread())
        if bearer is not None:
            flight.set_result(bearer)
        else:
            flight.set_exception(failed)

    def _run(self, steps: Steps[T]) -> T:
        try:
            with ExitStack() as held:
                step = next(steps)
                while True:
                    said: Any
                    try:
                        said = (
                            self._send(step)
                            if isinstance(step, Call)
                            else do_in_store(step, self._link, self._store, held)
                        )
                    except RingError as error:
                        said = error
                    step = steps.send((self._clock(), said))
        except StopIteration as end:
            result: T = end.value
            return result


def do_in_store(step: Step, link: Link, store: PairStore, held: ExitStack) -> object:
    """Do a step that is no call; a lock is held by `held`."""
    if isinstance(step, ReadPair):
        return store.read(link.account)
    if isinstance(step, WritePair):
        return store.write(link.account, step.pair, over=step.over)
    if isinstance(step, TakeLock):
        return held.enter_context(store.lock(link.account))
    raise TypeError(f"{type(step).__name__} is no step of the store")


def tell(link: Link, bearer: Bearer | None, failed: BaseException | None) -> None:
    """Log what came of a renewal, by the last letters of the account."""
    account = link.account[-6:]
    problem = failed if bearer is None else bearer.problem
    if link.is_unsaved:
        _log.error("pair_not_saved account=%s error=%s", account, problem)
    elif problem is not None:
        _log.warning("not_renewed account=%s error=%s", account, problem)
    elif bearer is not None:
        _log.info("renewed account=%s generation=%d", account, bearer.id)


def too_long(within: float | None) -> RingError:
    """Make the error for somebody who does not wait any longer."""
    return fault_error("LINK-UNAVAILABLE", f"a renewal has not ended within {within or 0.0:g} s; it goes on")
