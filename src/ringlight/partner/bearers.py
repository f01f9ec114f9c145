"""An access token alone as the shells ask for it: nobody renews it. `keeping` has the tokens of a linked account."""

from ringlight.errors import RingError, StatusError, fault_error
from ringlight.resilience.actions import Bearer
from ringlight.secrets import Secret

__all__ = ["AsyncOneToken", "OneToken"]


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
