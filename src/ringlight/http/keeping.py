"""One renewal of the token at a time, for all threads; and none is lost because a caller was.

A renewal spends the refresh token. Were it to die with the caller that began it, between Ring's answer and the store,
the link would be lost for good. So it has a thread of its own, and callers wait for its end, or stop waiting.
"""

import copy
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from ringlight.errors import RingError, fault_error
from ringlight.resilience.actions import Bearer
from ringlight.resilience.events import Event, TokenRefreshed
from ringlight.resilience.token_state import LOST, Later, TokenState, Use, Wait
from ringlight.secrets import Secret

__all__ = ["Holding", "TokenKeeper"]


class Holding:
    """The token that is held, what the last renewal came to, and what a call does therefore.

    Args:
        state: Decides when to renew.
        final: Codes after which no renewal is begun until a token is adopted.
    """

    def __init__(self, state: TokenState, final: frozenset[str] = LOST) -> None:
        self._state = state
        self._final = final
        self._bearer: Bearer | None = None
        self._error: RingError | None = None
        self.refused: Bearer | None = None

    def ask(self, now: float) -> tuple[Bearer | RingError | None, bool]:
        """Return what a call gets, `None` if it has to wait, and whether to begin a renewal."""
        step = self._state.ask(now)
        if isinstance(step, Use):
            return self._bearer, step.renew
        if isinstance(step, Wait):
            return None, step.renew
        error = copy.copy(self._error) if self._error is not None else fault_error("CALL-DEADLINE")
        if isinstance(step, Later) and error.retry_after is None and error.is_transient:
            error.retry_after = step.seconds
        return error, False  # a copy for each caller, as each adds its own story

    def rejected(self, number: int, now: float) -> None:
        """Note that the server refused a token; the refusal of one that was replaced since says nothing."""
        self._state.rejected(number, now)
        if self._bearer is not None and self._bearer.id == number:
            self.refused = self._bearer

    def adopt(self, bearer: Bearer, now: float) -> None:
        """Hold a token that is known already: from the store, or of an account that was linked anew."""
        begun = now if bearer.begun is None else bearer.begun
        lifetime = math.inf if bearer.expires is None else bearer.expires - begun
        self._bearer = Bearer(self._state.renewed(lifetime, begun), bearer.token, bearer.expires, begun)
        self.refused = None

    def holds(self, token: Secret) -> bool:
        """Whether it is this token that is held."""
        return self._bearer is not None and self._bearer.token == token

    def urge(self) -> bool:
        """Whether to begin a renewal that somebody asks for."""
        return self._state.urge()

    def idle(self, now: float) -> bool:
        """Whether to begin a renewal because nobody has needed one for so long."""
        return self._state.idle_renewal(now)

    def ended(self, came: Bearer | RingError, began: float, now: float, asked: Bearer | None = None) -> Event:
        """Note what a renewal brought, and say it; `asked` is the refused token with which it was begun."""
        if isinstance(came, RingError):
            self._error = came
            self._state.failed(now, lost=came.code in self._final, wait=came.retry_after)
            return TokenRefreshed(now, self._state.id, came.code)
        if self.holds(came.token) and (self.refused is None or asked is None):
            if self.refused is None:
                self._state.failed(now)  # renewed aside without success: the old one is still good
            else:
                self._state.unchanged()  # begun before the refusal, of which it knew nothing
            return TokenRefreshed(now, self._state.id)
        self.adopt(came, began)
        return TokenRefreshed(now, self._state.id)


class TokenKeeper:
    """Has one account's token, for any number of threads.

    Args:
        refresh: Renews the token for good: it returns only when the new one is stored. It is given the token that the
            server refused, or `None`, and runs on a thread of its own, once at a time.
        state: Decides when to renew, with the windows of the settings; it belongs to this keeper from now on.
        tell: Takes the event of each renewal, after those that waited may go on.
        clock: Monotonic seconds.
        final: Codes after which `refresh` is not called again until a token is adopted.
    """

    def __init__(
        self,
        refresh: Callable[[Bearer | None], Bearer],
        state: TokenState,
        *,
        tell: Callable[[Event], object] = lambda event: None,
        clock: Callable[[], float] = time.monotonic,
        final: frozenset[str] = LOST,
    ) -> None:
        self._refresh = refresh
        self._holding = Holding(state, final)
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._flight: Future[None] | None = None

    def bearer(self, within: float) -> Bearer | RingError:
        """Return the token, renewed if need be, or why there is none within so many seconds."""
        until = self._clock() + within
        while True:
            with self._lock:
                given, renew = self._holding.ask(self._clock())
                if renew:
                    self._begin()
                flight = self._flight
            if given is not None or flight is None:
                return given or late(within)
            try:
                flight.result(max(until - self._clock(), 0.0))
            except TimeoutError:
                return late(within)

    def rejected(self, number: int) -> None:
        """Take note that the server refused the token with this id."""
        with self._lock:
            self._holding.rejected(number, self._clock())

    def adopt(self, bearer: Bearer) -> None:
        """Hold a token that is known already: from the store, or of an account that was linked anew."""
        with self._lock:
            self._holding.adopt(bearer, self._clock())

    def holds(self, token: Secret) -> bool:
        """Whether it is this token that is held."""
        return self._holding.holds(token)

    def renew(self) -> bool:
        """Begin a renewal now and do not wait for it; `False` where one is under way, or the link is lost."""
        with self._lock:
            begun = self._holding.urge()
            if begun:
                self._begin()
            return begun

    def renew_idle(self) -> None:
        """Begin a renewal if the last one is a day ago. A program that may be idle for weeks calls this at times."""
        with self._lock:
            if self._holding.idle(self._clock()):
                self._begin()

    def close(self) -> None:
        """Wait for a renewal that is under way, so that none is cut off."""
        flight = self._flight
        if flight is not None:
            flight.exception()

    def _begin(self) -> None:
        self._flight = Future()
        # Not a daemon: a program that ends waits until the new token is stored.
        work = (self._flight, self._holding.refused, self._clock())
        threading.Thread(target=self._renew, args=work, name="token renewal").start()

    def _renew(self, flight: Future[None], refused: Bearer | None, began: float) -> None:
        came: Bearer | RingError
        mistake: BaseException | None = None
        try:
            came = self._refresh(refused)
        except RingError as error:
            came = error
        except BaseException as error:  # noqa: BLE001 - a mistake in our code; whoever waits shall see it
            came, mistake = fault_error("SERVER-ERROR", type(error).__name__), error
        with self._lock:
            event = self._holding.ended(came, began, self._clock(), refused)
            self._flight = None
        if mistake is None:
            flight.set_result(None)
        else:
            flight.set_exception(mistake)
        self._tell(event)


def late(within: float) -> RingError:
    """Make the error for a caller that could not wait until the renewal ended; the renewal goes on."""
    return fault_error("CALL-DEADLINE", f"the token was not renewed within {within:.3g} s")
