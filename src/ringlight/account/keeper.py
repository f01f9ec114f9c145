"""Keeps one account signed in: one renewal at a time, saved before it is used, never lost with its caller."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from ringlight.account import flows
from ringlight.account.importing import Imported
from ringlight.account.pause import Pause, passes
from ringlight.account.sign_in_pages import PageSignIn
from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Driver, Flow
from ringlight.secrets import Secret
from ringlight.store.tokens import Tokens, TokenStore

__all__ = ["Credentials", "SignInFlow", "TokenKeeper"]

T = TypeVar("T")
SignInFlow = Literal["password", "code"]

RENEW_BEFORE = 60.0  # seconds before the end of an access token, as the working clients do

_log = logging.getLogger("ringlight.account")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs in without asking anybody: for the demo and for tests.

    Attributes:
        email: The account.
        password: Its password.
        code: A verification code that is always right, as the simulator has; `None` without.
    """

    email: str
    password: Secret
    code: str | None = field(default=None, repr=False)


class TokenKeeper:
    """Hands out tokens that are good, and renews them when they are not.

    A refresh token works once. So each renewal is a task of its own, which no cancelled caller takes with
    it; it holds the store's lock, looks first whether another process was quicker, and saves the new pair
    before anybody gets to use it.
    """

    def __init__(
        self, store: TokenStore, driver: Driver, *, clock: Callable[[], float], credentials: Credentials | None
    ) -> None:
        self._store = store
        self._driver = driver
        self._clock = clock
        self._credentials = credentials
        self._tokens: Tokens | None = None
        # A pair that Ring gave but the disk refused, with the refresh token that was spent on it.
        self._unsaved: tuple[Secret | None, Tokens] | None = None
        self._pause = Pause()
        self._pages: PageSignIn | None = None  # a sign-in in steps that waits for its code
        self._renewal: asyncio.Task[Tokens] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def tokens(self, refused: Secret | None = None) -> Tokens:
        """Return tokens that are good for now, renewed if need be.

        Args:
            refused: An access token that Ring has just answered with 401; any other will do.

        Raises:
            AuthError: AUTH-SIGNED-OUT, AUTH-LINK-LOST; the file is kept in either case.
            SetupError: CFG-STATE-DIR, the store failed. A pair that could not be saved is kept in memory, and
                saving is tried again at the next call.
            RingError: Renewing failed otherwise, and the former access token is no longer good either.
        """
        known = self._tokens
        if known is not None and self._is_good(known, refused):
            return known
        try:
            return await self._renewed(refused)
        except RingError as error:
            # Ring's token service may be down while the last minute of the token still serves.
            lives = known is not None and refused is None and self._clock() < known.expires_at
            if known is None or not lives or not passes(error):
                raise
            return known

    async def sign_in(self, email: str, password: Secret, code: str | None, flow: SignInFlow = "password") -> None:
        """Sign in and keep the tokens. See `flows.sign_in` and `PageSignIn` for what it raises."""
        work = self._sign_in(email, password, code) if flow == "password" else self._by_pages(email, password, code)
        await asyncio.shield(self._start(work))

    async def adopt(self, found: Imported) -> None:
        """Renew another program's refresh token, which spends it, and keep the pair and its hardware id.

        Raises:
            AuthError: AUTH-LINK-LOST, it was spent or revoked already; what is kept here stays.
        """
        await asyncio.shield(self._start(self._adopt(found)))

    async def sign_out(self) -> None:
        """Forget the tokens here and in the store; the hardware id stays."""
        await asyncio.shield(self._start(self._sign_out()))

    async def aclose(self) -> None:
        """Wait for what is under way: a renewal cut off now would lose the account."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _is_good(self, tokens: Tokens, refused: Secret | None) -> bool:
        return tokens.access != refused and self._clock() < tokens.expires_at - RENEW_BEFORE

    async def _renewed(self, refused: Secret | None) -> Tokens:
        while True:
            task, joined = self._renewal, True
            if task is None or task.done():
                task, joined = self._start(self._renew(refused)), False
                self._renewal = task
            tokens = await asyncio.shield(task)
            # One that began before the refusal may end with the very token that was refused.
            if not joined or tokens.access != refused:
                return tokens

    async def _renew(self, refused: Secret | None) -> Tokens:
        async with self._store.lock():
            stored = await self._settled(await asyncio.to_thread(self._store.load))
            if stored is not None and self._is_good(stored, refused):
                self._tokens = stored
                return stored
            try:
                if stored is None:
                    raise fault_error("AUTH-SIGNED-OUT")
                grant = await self._unasked(flows.refresh(stored))
            except RingError as error:
                if self._credentials is None or error.code not in {"AUTH-SIGNED-OUT", "AUTH-LINK-LOST"}:
                    raise
            else:
                tokens = await self._keep(grant, stored.hardware_id, stored.email, spent=stored.refresh)
                _log.info("refreshed expires_in=%.0f", grant.expires_in)
                return tokens
            return await self._sign_in_again(self._credentials)

    async def _sign_in_again(self, known: Credentials) -> Tokens:
        hardware_id = await asyncio.to_thread(self._store.hardware_id)
        try:
            grant = await self._unasked(flows.sign_in(known.email, known.password, None, hardware_id))
        except RingError as error:
            if error.code != "AUTH-CODE-NEEDED" or known.code is None:
                raise
        else:
            return await self._entered(grant, hardware_id, known.email)
        grant = await self._unasked(flows.sign_in(known.email, known.password, known.code, hardware_id))
        return await self._entered(grant, hardware_id, known.email)

    async def _unasked(self, flow: Flow[flows.Grant]) -> flows.Grant:
        """Run a flow that no person asked for: not while Ring wants to be left alone."""
        self._pause.check(self._clock())
        try:
            return await self._driver.run(flow)
        except RingError as error:
            self._pause.note(error, self._clock())
            raise

    async def _sign_in(self, email: str, password: Secret, code: str | None) -> None:
        async with self._store.lock():
            hardware_id = await asyncio.to_thread(self._store.hardware_id)
            grant = await self._driver.run(flows.sign_in(email, password, code, hardware_id))
            await self._entered(grant, hardware_id, email)

    async def _by_pages(self, email: str, password: Secret, code: str | None) -> None:
        async with self._store.lock():
            hardware_id = await asyncio.to_thread(self._store.hardware_id)
            pages = self._pages
            try:
                if code is None or pages is None or (pages.email, pages.hardware_id) != (email, hardware_id):
                    verifier, state = Secret(secrets.token_urlsafe(48)), Secret(secrets.token_urlsafe(24))
                    pages = PageSignIn(email, hardware_id, verifier, state)
                    grant = await self._driver.run(pages.begin(password))
                else:
                    grant = await self._driver.run(pages.verify(code))
            except RingError as error:
                waits = error.code in {"AUTH-CODE-NEEDED", "AUTH-CODE-WRONG"}
                self._pages = pages if waits else None
                raise
            self._pages = None
            # The first access token may be refused by Ring's other services; renewed once it is good everywhere
            # (observed-protocol.md#a-second-way-to-sign-in). Kept first, as that spends the refresh token.
            first = await self._entered(grant, hardware_id, email)
            await self._keep(await self._driver.run(flows.refresh(first)), hardware_id, email, spent=first.refresh)

    async def _adopt(self, found: Imported) -> None:
        async with self._store.lock():
            own = await asyncio.to_thread(self._store.hardware_id)
            hardware_id = found.hardware_id or own
            stored = await asyncio.to_thread(self._store.load)
            borrowed = Tokens(Secret(""), found.refresh, 0.0, hardware_id)
            grant = await self._driver.run(flows.refresh(borrowed))
            await self._keep(grant, hardware_id, None, spent=stored.refresh if stored else None)
            _log.info("imported expires_in=%.0f", grant.expires_in)

    async def _sign_out(self) -> None:
        async with self._store.lock():
            await asyncio.to_thread(self._store.clear)
            self._tokens = self._unsaved = None
            _log.info("signed_out")

    async def _entered(self, grant: flows.Grant, hardware_id: str, email: str) -> Tokens:
        tokens = await self._keep(grant, hardware_id, email, spent=None)
        _log.info("signed_in expires_in=%.0f", grant.expires_in)
        return tokens

    async def _keep(self, grant: flows.Grant, hardware_id: str, email: str | None, *, spent: Secret | None) -> Tokens:
        expires_at = self._clock() + grant.expires_in
        tokens = Tokens(grant.access, grant.refresh, expires_at, hardware_id, email)
        self._pause.end()
        self._unsaved = (spent, tokens)
        return await self._save(tokens)

    async def _save(self, tokens: Tokens) -> Tokens:
        await asyncio.to_thread(self._store.save, tokens)
        self._unsaved = None
        self._tokens = tokens
        return tokens

    async def _settled(self, stored: Tokens | None) -> Tokens | None:
        """Save what could not be saved before, unless the store has changed hands since."""
        if self._unsaved is None:
            return stored
        spent, tokens = self._unsaved
        if (stored.refresh if stored else None) == spent:
            return await self._save(tokens)
        self._unsaved = None
        return stored

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain when every caller was cancelled
