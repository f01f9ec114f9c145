"""The link to one Ring account: when its tokens are renewed, and the steps by which that loses none. Pure.

A refresh token works once, and Ring forgets it when it answers. So a renewal is a conversation of steps, each
done before the next is asked for: lock, read again, note that the token is offered, call, write, hand out.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from ringlight.errors import LinkLost, NetworkError, RingError, fault_error
from ringlight.partner.call import Call
from ringlight.partner.token_calls import App, Grant, refresh
from ringlight.resilience.token_state import TokenState, window
from ringlight.secrets import Secret
from ringlight.store.pairs import TokenPair

__all__ = ["Bearer", "Link", "Moment", "ReadPair", "Step", "Steps", "TakeLock", "WritePair"]

T = TypeVar("T")


class Moment(Struct, frozen=True):
    """Now, by both clocks of this machine.

    Attributes:
        monotonic: Seconds of the clock that nobody sets; all waiting and expiry within this process goes by it.
        wall: Seconds since the epoch, which may be wrong, and may jump.
    """

    monotonic: float
    wall: float


@dataclass(frozen=True, slots=True)
class Bearer:
    """An access token to send.

    Attributes:
        id: The generation of its pair: a later one is newer, so a late refusal of an old one is known for what it is.
        token: The token.
        expires: When it ends, in monotonic seconds.
        begun: When its life began, in monotonic seconds.
        problem: Why this is still the former token although a renewal was due; `None` where all is well.
    """

    id: int
    token: Secret
    expires: float
    begun: float = field(default=0.0, compare=False)
    problem: RingError | None = field(default=None, compare=False)


class ReadPair(Struct, frozen=True):
    """Read the account's pair from the store. Said back: a `TokenPair` or `None`."""


class TakeLock(Struct, frozen=True):
    """Take the store's lock of the account, and free it when the conversation ends, however that is."""


class WritePair(Struct, frozen=True):
    """Write the pair for good. Said back: whether the store had what it is to replace.

    Attributes:
        pair: The pair.
        over: The refresh token to replace; `None` for an account that is new to the store.
    """

    pair: TokenPair
    over: Secret | None


Step: TypeAlias = ReadPair | TakeLock | WritePair | Call[Grant]
# Yields steps, is sent the moment after each with what came of it: its result, or the `RingError` in its place.
Steps: TypeAlias = Generator[Step, tuple[Moment, Any], T]


class _Unsaved(Struct, frozen=True):
    pair: TokenPair
    over: Secret | None  # the refresh token that was spent on it
    expires: float  # in monotonic seconds


class Link:
    """What one process knows of one account's tokens. Whoever uses it sees to it that one renewal runs at a time.

    Args:
        account: Ring's id of the account.
        app: The app's credentials.
        advisory: Seconds before the end from which a renewal is due beside.
        mandatory: Seconds before the end from which calls wait for it. Both are at most half of a token's life.
        pause: Seconds after a renewal that failed until the next one.
    """

    def __init__(
        self, account: str, app: App, *, advisory: float = 300.0, mandatory: float = 30.0, pause: float = 5.0
    ) -> None:
        self.account = account
        self._app = app
        self._advisory = advisory
        self._mandatory = mandatory
        self.pause = pause
        self._pair: TokenPair | None = None
        self._expires = 0.0  # of that pair, in monotonic seconds
        # What Ring gave and the store has not taken yet.
        self._unsaved: _Unsaved | None = None
        self._lost: Secret | None = None  # a refresh token of which Ring has said `invalid_grant`
        self._now = Moment(0.0, 0.0)  # after the last step
        self._skew = 0.0  # seconds by which Ring's clock is ahead of this machine's, as far as is known

    @property
    def bearer(self) -> Bearer | None:
        """The newest token that is known here and safely stored, good or not."""
        pair = self._pair
        return None if pair is None else self._token_of(pair)

    def state(self) -> TokenState:
        """Return what decides when its tokens are renewed."""
        return TokenState(advisory=self._advisory, mandatory=self._mandatory, pause=self.pause)

    @property
    def is_unsaved(self) -> bool:
        """Whether Ring has given a pair that is in memory only: it is lost if the process ends now."""
        return self._unsaved is not None

    def renewal(self, refused: Secret | None = None) -> Steps[Bearer]:
        """Get a token that is good: that of somebody who was quicker, or a new one.

        Args:
            refused: An access token that Ring has answered with 401; one that was replaced since changes nothing.

        Returns:
            The token; the former one with its `problem` where renewing failed and it still lives.

        Raises:
            LinkLost: LINK-LOST, and only if Ring said `invalid_grant` and the store has nothing newer.
            TokenEndpointUnavailable: LINK-UNAVAILABLE or LINK-ANSWER; the link is as it was.
            AuthError: LINK-NONE, nothing is stored; LINK-REFUSED, the app's credentials are wrong.
            StoreError: The store cannot be used. A pair that was not written is kept in memory and written with the
                next renewal.
        """
        try:
            return (yield from self._renewal(refused))
        except LinkLost:
            self._pair = None
            raise
        except RingError as error:
            failed = error
        former = self.bearer
        if former is None or former.token == refused or self._now.monotonic >= former.expires:
            raise failed
        return replace(former, problem=failed)

    def adopt(self, grant: Grant, sent: Moment) -> Steps[Bearer]:
        """Keep the first pair of an account that has just been linked, or linked anew.

        Args:
            grant: What the code was exchanged for.
            sent: When the exchange was sent.

        Raises:
            StoreError: It could not be written; it is kept in memory and written with the next renewal.
        """
        yield from self._do(TakeLock())
        stored = yield from self._read()
        self._gained(grant, sent, over=stored)
        yield from self._save()
        return self._known()

    def _renewal(self, refused: Secret | None) -> Steps[Bearer]:
        before = yield from self._read()
        if before is not None and before.access != refused:
            known = self._take(before)  # good or not, it is the one that serves should all else fail
            if self._unsaved is None and self._serves(before, refused):
                return known
        yield from self._do(TakeLock())
        stored = yield from self._read()
        if self._unsaved is not None:
            if (stored.refresh if stored else None) == self._unsaved.over:
                yield from self._save()
                before = stored = self._pair
            self._unsaved = None  # or the store has changed hands: whoever did that had a newer one
        if stored is None:
            raise fault_error("LINK-NONE")
        # Whoever wrote while we waited for the lock had it from Ring just now: no clock need confirm that.
        quicker = stored.refresh != (before.refresh if before else None) and stored.access != refused
        if quicker or self._serves(stored, refused):
            return self._take(stored)
        if stored.refresh == self._lost:
            raise fault_error("LINK-LOST", "as Ring has said before")
        return (yield from self._exchange(stored))

    def _exchange(self, stored: TokenPair) -> Steps[Bearer]:
        # Written first: a store that takes nothing is found before the token is spent, and whoever finds this note
        # after a crash can say what happened.
        offered = replace(stored, offered_at=self._ring_time())
        if not (yield from self._do(WritePair(offered, stored.refresh))):
            return (yield from self._taken_over())
        sent = self._now
        try:
            grant = yield from self._do(refresh(self._app, stored.refresh))
        except RingError as error:
            failed = error
        else:
            self._gained(grant, sent, over=stored)
            yield from self._save()
            return self._known()
        newer = yield from self._read()  # somebody without the lock may have been quicker
        if newer is not None and newer.refresh != stored.refresh:
            return self._take(newer)
        raise self._why(failed, stored)

    def _why(self, failed: RingError, stored: TokenPair) -> RingError:
        if isinstance(failed, LinkLost):
            self._lost = stored.refresh
            cut = "" if stored.offered_at is None else "; an earlier renewal was cut off before its pair was stored"
            return fault_error("LINK-LOST", f"{failed.detail}{cut}")
        if isinstance(failed, NetworkError):
            seen = f"{failed.code}: {failed.detail}" if failed.detail else failed.code
            return fault_error("LINK-UNAVAILABLE", seen, retry_after=failed.retry_after)
        return failed

    def _gained(self, grant: Grant, sent: Moment, *, over: TokenPair | None) -> None:
        obtained = self._now.wall if grant.date is None else grant.date
        if grant.date is not None:
            self._skew = grant.date - self._now.wall
        generation = over.generation + 1 if over else 1
        pair = TokenPair(grant.access, grant.refresh, obtained, obtained + grant.expires_in, generation)
        # Counted from when it was sent: Ring's own count began at the latest when it answered.
        self._unsaved = _Unsaved(pair, over.refresh if over else None, sent.monotonic + grant.expires_in)

    def _save(self) -> Steps[None]:
        new = self._unsaved
        if new is None:
            return
        kept = yield from self._do(WritePair(new.pair, new.over))
        self._unsaved = None
        if kept:
            self._pair, self._expires = new.pair, new.expires
        else:
            yield from self._taken_over()

    def _taken_over(self) -> Steps[Bearer]:
        """Take what somebody has put into the store without the lock, as a new link is."""
        newer = yield from self._read()
        if newer is None:
            raise fault_error("LINK-NONE", "the account was removed meanwhile")
        return self._take(newer)

    def _read(self) -> Steps[TokenPair | None]:
        found: TokenPair | None = yield from self._do(ReadPair())
        return found

    def _do(self, step: Step) -> Steps[Any]:
        self._now, said = yield step
        if isinstance(said, RingError):
            raise said
        return said

    def _known(self) -> Bearer:
        known = self.bearer
        if known is None:
            raise fault_error("LINK-NONE")
        return known

    def _serves(self, pair: TokenPair, refused: Secret | None) -> bool:
        left = self._ends(pair) - self._now.monotonic
        good = pair.access != refused and pair.refresh != self._lost
        return good and left > window(self._advisory, pair.expires_at - pair.obtained_at)

    def _take(self, pair: TokenPair) -> Bearer:
        self._pair, self._expires = pair, self._ends(pair)
        return self._token_of(pair)

    def _token_of(self, pair: TokenPair) -> Bearer:
        begun = self._expires - (pair.expires_at - pair.obtained_at)
        return Bearer(pair.generation, pair.access, self._expires, begun)

    def _ends(self, pair: TokenPair) -> float:
        """Return when a stored token ends, in monotonic seconds: judged by the wall clock once, when first seen."""
        if self._pair is not None and self._pair.access == pair.access:
            return self._expires
        left = min(pair.expires_at - self._ring_time(), pair.expires_at - pair.obtained_at)
        return self._now.monotonic + left

    def _ring_time(self) -> float:
        return self._now.wall + self._skew
