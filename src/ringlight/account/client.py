"""The shell around one Ring account: registers, renews, repeats, and answers in types."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self, TypeVar

from ringlight.account import flows
from ringlight.account.answers import TokenRefused
from ringlight.account.devices import Device
from ringlight.account.keeper import Credentials, TokenKeeper
from ringlight.errors import RingError, fault_error
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Driver, Flow
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings
from ringlight.store import FileTokenStore, TokenStore

__all__ = ["AccountClient"]

T = TypeVar("T")

_log = logging.getLogger("ringlight.account")


class AccountClient:
    """One person's Ring account. Safe to use from many tasks of one event loop.

    Args:
        settings: The settings in force.
        store: Where the tokens are kept.
        driver: What sends the requests. Whoever made it closes it.
        clock: The time in seconds since the epoch.
        credentials: Sign in with these whenever nobody is signed in or the sign-in is lost; `None` never does.
    """

    def __init__(
        self,
        settings: Settings,
        store: TokenStore,
        driver: Driver,
        *,
        clock: Callable[[], float] = time.time,
        credentials: Credentials | None = None,
    ) -> None:
        self.settings = settings
        self._driver = driver
        self._keeper = TokenKeeper(store, driver, clock=clock, credentials=credentials)
        self._profile: flows.Profile | None = None
        self._registering = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings | None = None,
        *,
        store: TokenStore | None = None,
        clock: Callable[[], float] = time.time,
        credentials: Credentials | None = None,
    ) -> AsyncIterator[Self]:
        """Open the account that the settings name, and close it at the end.

        Args:
            settings: The settings in force; `None` reads them.
            store: Where the tokens are kept; `None` is `tokens.json` in the state directory.
            clock: The time in seconds since the epoch.
            credentials: As for the class.

        Raises:
            SetupError: CFG-INVALID, a setting cannot be used.
        """
        settings = settings or load_settings()
        store = store or FileTokenStore(settings.state_dir / "tokens.json")
        async with AsyncDriver(timeout=settings.live_view.http_timeout, base_url=settings.ring_url) as driver:
            client = cls(settings, store, driver, clock=clock, credentials=credentials)
            try:
                yield client
            finally:
                await client.aclose()

    async def aclose(self) -> None:
        """Wait until a renewal that is under way has been saved."""
        await self._keeper.aclose()

    async def sign_in(self, email: str, password: Secret, code: str | None = None) -> None:
        """Sign in and keep the tokens.

        Args:
            email: The account.
            password: Its password.
            code: The verification code; `None` at first. After AUTH-CODE-NEEDED call again with it.

        Raises:
            AuthError: AUTH-CODE-NEEDED, AUTH-CODE-WRONG, AUTH-PASSWORD or AUTH-ANSWER.
            RateLimited: AUTH-CODE-LIMIT, AUTH-RATE or AUTH-EDGE-BLOCK: wait before the next try.
        """
        await self._keeper.sign_in(email, password, code)
        self._profile = None

    async def sign_out(self) -> None:
        """Forget the tokens, here and on disk. The installation's hardware id stays."""
        await self._keeper.sign_out()
        self._profile = None

    async def access_token(self) -> Secret:
        """Return an access token that is good for now.

        Raises:
            AuthError: AUTH-SIGNED-OUT or AUTH-LINK-LOST: only a person can sign in again.
            RingError: Renewing failed for another reason; the sign-in is kept.
        """
        return (await self._keeper.tokens()).access

    async def renewed_token(self) -> Secret:
        """Return an access token newer than the one in use: Ring refused that one elsewhere than over HTTP.

        Raises:
            RingError: As `access_token` does.
        """
        tokens = await self._keeper.tokens()
        return (await self._keeper.tokens(refused=tokens.access)).access

    async def account_id(self) -> int:
        """Return Ring's number for this account. Live view does not need it.

        Raises:
            AuthError: ACCOUNT-ID, Ring's registration names none.
        """
        number = (await self.profile()).account_id
        if number is None:
            raise fault_error("ACCOUNT-ID")
        return number

    async def profile(self) -> flows.Profile:
        """Return whose account it is, as the registration of this process said."""
        return await self._registered(lost=None)

    async def devices(self) -> list[Device]:
        """List the cameras of the account, those shared with it included."""
        found = await self.call(flows.ring_devices)
        for note in found.notes:
            _log.debug("device_skipped %s", note)
        return found.cameras

    async def device(self, name_or_id: str | int) -> Device:
        """Return one camera, by its name without regard to case, or by its id.

        Raises:
            CameraError: CAM-UNKNOWN, naming the cameras that there are.
        """
        cameras = await self.devices()
        wanted = str(name_or_id).strip().casefold()
        for camera in cameras:
            if camera.name.casefold() == wanted:
                return camera
        for camera in cameras:
            if str(camera.id) == wanted:
                return camera
        known = ", ".join(camera.name for camera in cameras) or "none"
        raise fault_error("CAM-UNKNOWN", f"asked for {str(name_or_id)[:80]!r}; known: {known}")

    async def ticket(self) -> Secret:
        """Fetch a ticket for one connection to the signaling socket; take a new one for each."""
        return await self.call(flows.ticket)

    async def call(self, flow: Callable[[Secret, str], Flow[T]]) -> T:
        """Run a flow with the account's access token and hardware id.

        Ring's 401 renews the token once, its 404 that names the hardware id registers this installation
        once; the flow is then begun anew.

        Args:
            flow: Makes the flow; called again for each repetition.

        Raises:
            RingError: What the flow raises, and what `access_token` does.
        """
        profile = await self._registered(lost=None)
        try:
            return await self._ask(flow)
        except RingError as error:
            if error.code != "ACCOUNT-SESSION":
                raise
        await self._registered(lost=profile)
        return await self._ask(flow)

    async def _ask(self, flow: Callable[[Secret, str], Flow[T]]) -> T:
        tokens = await self._keeper.tokens()
        try:
            return await self._driver.run(flow(tokens.access, tokens.hardware_id))
        except TokenRefused:
            pass  # repeated below, where a second refusal has no first one in its context
        tokens = await self._keeper.tokens(refused=tokens.access)
        return await self._driver.run(flow(tokens.access, tokens.hardware_id))

    async def _registered(self, *, lost: flows.Profile | None) -> flows.Profile:
        """Return the profile from the registration, registering first where there is none but the lost one."""
        async with self._registering:
            if self._profile is None or self._profile is lost:
                self._profile = await self._ask(flows.register_session)
                _log.info("registered account_id=%s", self._profile.account_id)
            return self._profile
