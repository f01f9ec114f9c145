"""Keeps this installation registered with Ring: once at the start, every twelve hours, and when Ring forgot it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ringlight.account.flows import Profile
from ringlight.account.pause import Pause, passes
from ringlight.errors import RingError

__all__ = ["REPEAT_EVERY", "Registration"]

# Ring forgets a registration after about a day in some regions (observed-protocol.md#client-registration).
REPEAT_EVERY = 12 * 3600.0  # seconds
REPEAT_LATER = 600.0  # seconds until a repetition that failed is tried again

_log = logging.getLogger("ringlight.account")


class Registration:
    """Says whose account it is, registering first where that is due.

    Args:
        register: Sends one registration.
        clock: The time in seconds.
    """

    def __init__(self, register: Callable[[], Awaitable[Profile]], *, clock: Callable[[], float]) -> None:
        self._register = register
        self._clock = clock
        self._profile: Profile | None = None
        self._due = float("-inf")
        self._pause = Pause()
        self._one_at_a_time = asyncio.Lock()

    @property
    def known(self) -> Profile | None:
        """The profile that the last registration gave; `None` where nothing was registered, or it is forgotten."""
        return self._profile

    def forget(self) -> None:
        """Register anew at the next use: somebody else has signed in, or nobody is."""
        self._profile = None
        self._pause.end()

    async def profile(self, *, lost: Profile | None = None) -> Profile:
        """Return the profile that the registration in force gave.

        Args:
            lost: A profile whose registration Ring has just denied; any later one will do.

        Raises:
            RingError: Registering failed. A repetition that fails for a while is put off instead, since the
                former registration is probably still good.
        """
        async with self._one_at_a_time:
            known = None if self._profile is lost else self._profile
            if known is not None and self._clock() < self._due:
                return known
            try:
                return await self._renewed()
            except RingError as error:
                if known is None or not passes(error):
                    raise
                self._due = self._clock() + (error.retry_after or REPEAT_LATER)
                _log.info("registration_put_off code=%s", error.code)
                return known

    async def _renewed(self) -> Profile:
        self._pause.check(self._clock())
        try:
            profile = await self._register()
        except RingError as error:
            self._pause.note(error, self._clock())
            raise
        self._profile, self._due = profile, self._clock() + REPEAT_EVERY
        _log.info("registered account_id=%s", profile.account_id)
        return profile
