"""Keeps the tokens of one linked account good for threads: runs the steps of its `Link`.

One renewal runs at a time and ends with nobody who waits for it: cut off after Ring has answered it would lose
the link.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias, TypeVar

from ringlight.errors import RingError
from ringlight.http.keeping import TokenKeeper
from ringlight.partner.call import Call
from ringlight.partner.link import Bearer, Link, Moment, ReadPair, Step, Steps, TakeLock, WritePair
from ringlight.partner.token_calls import Grant
from ringlight.resilience import actions
from ringlight.resilience.events import Event, TokenRefreshed
from ringlight.store.pairs import PairStore

__all__ = ["Clock", "LinkKeeper", "do_in_store", "given", "moment", "tell", "telling"]

T = TypeVar("T")
Clock: TypeAlias = Callable[[], Moment]
LONG = 2.0  # seconds for the lock of an account; a renewal by somebody else mostly takes less
_log = logging.getLogger("ringlight.partner")


def moment() -> Moment:
    """Ask this machine's clocks."""
    return Moment(time.monotonic(), time.time())


class LinkKeeper:
    """Has the tokens of one account, for any number of threads: a `Keeper` for the shells.

    Args:
        link: The account. It belongs to this keeper from now on.
        store: Where its tokens are.
        send: Makes a call and returns its result.
        tell: Takes the event of each renewal.
        clock: Says what time it is; tests pass their own.
    """

    def __init__(
        self,
        link: Link,
        store: PairStore,
        send: Callable[[Call[Grant]], Grant],
        *,
        tell: Callable[[Event], object] = lambda event: None,
        clock: Clock = moment,
    ) -> None:
        self._link = link
        self._store = store
        self._send = send
        self._clock = clock
        self._later: threading.Timer | None = None  # when an unsaved pair is tried to be saved again
        # A lost link is no end: whoever links the account anew, in whatever process, puts a pair into the store.
        self._keeper = TokenKeeper(
            self._renew, link.state(), tell=telling(tell), clock=lambda: clock().monotonic, final=frozenset()
        )

    def bearer(self, within: float) -> actions.Bearer | RingError:
        """Return a token, renewed if need be, or why there is none within so many seconds; see `Link.renewal`."""
        return self._keeper.bearer(within)

    def rejected(self, number: int) -> None:
        """Take note that Ring has answered 401 to the token with this id; one that was replaced since is no matter."""
        self._keeper.rejected(number)

    def adopt(self, grant: Grant, sent: Moment) -> Bearer:
        """Keep the first pair of an account; see `Link.adopt`."""
        bearer = self._run(self._link.adopt(grant, sent))
        self._keeper.adopt(given(bearer))
        return bearer

    def renew_idle(self) -> None:
        """Renew a link that nobody has used for a day; a program that may be idle for weeks calls this now and then."""
        self._keeper.renew_idle()

    def close(self) -> None:
        """Wait for a renewal that is under way, and try once more to save what is not saved."""
        self._land()
        if self._link.is_unsaved:
            self._keeper.renew()
            self._land()

    def _land(self) -> None:
        self._keeper.close()
        if self._later is not None:
            self._later.cancel()

    def _renew(self, refused: actions.Bearer | None) -> actions.Bearer:
        bearer: Bearer | None = None
        failed: BaseException | None = None
        try:
            bearer = self._run(self._link.renewal(None if refused is None else refused.token))
            return given(bearer, self._keeper.holds(bearer.token))
        except BaseException as error:
            failed = error
            raise
        finally:
            tell(self._link, bearer, failed)
            if self._link.is_unsaved:  # also if nobody asks for a token meanwhile
                self._save_later()

    def _save_later(self) -> None:
        self._later = threading.Timer(self._link.pause, self._save)
        self._later.daemon = True
        self._later.start()

    def _save(self) -> None:
        if self._link.is_unsaved and not self._keeper.renew():
            self._save_later()  # the renewal under way may be one that began before

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
        with _told_if_it_lasts(link):
            return held.enter_context(store.lock(link.account))
    raise TypeError(f"{type(step).__name__} is no step of the store")


@contextmanager
def _told_if_it_lasts(link: Link) -> Iterator[None]:
    """Log whom this waits for, so that nobody takes it for a program that hangs."""
    late = threading.Timer(LONG, _log.warning, ("waiting account=%s for=%s", link.account[-6:], "another_program"))
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


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


def given(bearer: Bearer, held: bool = False) -> actions.Bearer:
    """Return a token as the shells have it.

    Args:
        bearer: The token.
        held: It is there already, so that all that came of the renewal is its problem.

    Raises:
        RingError: That problem.
    """
    if held and bearer.problem is not None:
        raise bearer.problem
    return actions.Bearer(bearer.id, bearer.token, bearer.expires, bearer.begun)


def telling(tell: Callable[[Event], object]) -> Callable[[Event], None]:
    """Return what hands events on, all but that of the first token, which was only read."""

    def hand_on(event: Event) -> None:
        if not (isinstance(event, TokenRefreshed) and event.id == 1 and event.code is None):
            tell(event)

    return hand_on
