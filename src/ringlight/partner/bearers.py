"""The account's tokens as the shells ask for them: a linked account's, or one token that nobody renews."""

import time
from collections.abc import Callable

from ringlight.errors import RingError, StatusError, fault_error
from ringlight.partner import link
from ringlight.partner.async_keeping import AsyncLinkKeeper
from ringlight.partner.keeping import LinkKeeper
from ringlight.resilience.actions import Bearer
from ringlight.resilience.events import Event, TokenRefreshed
from ringlight.secrets import Secret

__all__ = ["AsyncLinked", "AsyncOneToken", "Linked", "OneToken", "Tell"]

Tell = Callable[[Event], object]


class _Given:
    """What was handed out last, by which a refusal is known for that of this token or of a former one."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last: Bearer | None = None
        self._told: tuple[int, str | None] | None = None
        self._refused: Secret | None = None

    def rejected(self, number: int) -> None:
        """Take note that the server refused the token with this id; if it was replaced since, that says nothing."""
        last = self._last
        if last is not None and last.id == number:
            self._refused = last.token

    def _give(self, held: link.Bearer) -> Bearer:
        given = Bearer(held.id, held.token, held.expires)
        self._last = given
        self._note(given.id, None if held.problem is None else held.problem.code)
        return given

    def _fail(self, error: RingError) -> RingError:
        self._note(0 if self._last is None else self._last.id, error.code)
        return error

    def _note(self, number: int, code: str | None) -> None:
        told, self._told = self._told, (number, code)
        if self._told != told and (told is not None or code is not None):  # the first token is none that was renewed
            self._tell(TokenRefreshed(time.monotonic(), number, code))


class Linked(_Given):
    """The tokens of a linked account, for threads."""

    def __init__(self, keeper: LinkKeeper, tell: Tell) -> None:
        super().__init__(tell)
        self._keeper = keeper

    def bearer(self, within: float) -> Bearer | RingError:
        """Return the token, renewed if need be, or why there is none within so many seconds."""
        try:
            return self._give(self._keeper.bearer(self._refused, within=within))
        except RingError as error:
            return self._fail(error)


class AsyncLinked(_Given):
    """As `Linked`, for the tasks of an event loop."""

    def __init__(self, keeper: AsyncLinkKeeper, tell: Tell) -> None:
        super().__init__(tell)
        self._keeper = keeper

    async def bearer(self, within: float) -> Bearer | RingError:
        """Do as `Linked.bearer` does."""
        try:
            return self._give(await self._keeper.bearer(self._refused, within=within))
        except RingError as error:
            return self._fail(error)


class OneToken:
    """An access token alone, as the Playground gives: it serves until Ring refuses it."""

    def __init__(self, token: Secret) -> None:
        self._bearer = Bearer(1, token)
        self._good = True

    def bearer(self, within: float) -> Bearer | RingError:
        """Return the token, or that it was refused."""
        del within
        return self._bearer if self._good else _over()

    def rejected(self, number: int) -> None:
        """Take note that it is over."""
        del number
        self._good = False


class AsyncOneToken:
    """As `OneToken`, for an event loop."""

    def __init__(self, token: Secret) -> None:
        self._one = OneToken(token)

    async def bearer(self, within: float) -> Bearer | RingError:
        """Do as `OneToken.bearer` does."""
        return self._one.bearer(within)

    def rejected(self, number: int) -> None:
        """Do as `OneToken.rejected` does."""
        self._one.rejected(number)


def _over() -> RingError:
    error = fault_error("PARTNER-AUTH", "it is an access token alone, and Ring refuses it: nothing can renew it")
    if isinstance(error, StatusError):
        error.status = 401
    return error
