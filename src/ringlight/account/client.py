"""The shell around one Ring account: registers, renews, repeats, and answers in types."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self, TypeVar

from ringlight.account import control, flows
from ringlight.account.answers import TokenRefused
from ringlight.account.devices import Device
from ringlight.account.events import CameraEvent
from ringlight.account.importing import Imported
from ringlight.account.keeper import Credentials, SignInFlow, TokenKeeper
from ringlight.account.registration import Registration
from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Driver, Flow, Streamed
from ringlight.http.opening import Session, open_driver
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings
from ringlight.store import TokenStore
from ringlight.store.sign_in import sign_in_store

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
        self._store = store
        self._clock = clock
        self._keeper = TokenKeeper(store, driver, clock=clock, credentials=credentials)
        self._registration = Registration(lambda: self._ask(flows.register_session), clock=clock)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings | None = None,
        *,
        store: TokenStore | None = None,
        clock: Callable[[], float] = time.time,
        credentials: Credentials | None = None,
        session: "Session | None" = None,
    ) -> AsyncIterator[Self]:
        """Open the account that the settings name, and close it at the end.

        Args:
            settings: The settings in force; `None` reads them.
            store: Where the tokens are kept; `None` is what `sign_in` of the settings says.
            clock: The time in seconds since the epoch.
            credentials: As for the class.
            session: An `aiohttp.ClientSession` that the program has already, for requests to Ring; it is not
                closed here. `None` opens connections of our own.

        Raises:
            SetupError: CFG-INVALID, a setting cannot be used.
            UsageError: REQUEST-INVALID, the session is closed.
        """
        settings = settings or load_settings()
        timeout = settings.live_view.http_timeout
        async with AsyncExitStack() as stack:
            store = store or stack.enter_context(sign_in_store(settings))
            driver = await stack.enter_async_context(open_driver(session, timeout=timeout, base_url=settings.ring_url))
            client = cls(settings, store, driver, clock=clock, credentials=credentials)
            try:
                yield client
            finally:
                await client.aclose()

    async def aclose(self) -> None:
        """Wait until a renewal that is under way has been saved."""
        await self._keeper.aclose()

    async def sign_in(
        self, email: str, password: Secret, code: str | None = None, *, flow: SignInFlow = "password"
    ) -> None:
        """Sign in and keep the tokens.

        Args:
            email: The account.
            password: Its password.
            code: The verification code; `None` at first. After AUTH-CODE-NEEDED call again with it.
            flow: `password` sends both in one request, as most clients do. `code` goes through Ring's pages as
                a browser does; it may pass where the edge blocks the other. Call the same object with the code.

        Raises:
            AuthError: AUTH-CODE-NEEDED, AUTH-CODE-WRONG, AUTH-PASSWORD, AUTH-ANSWER or AUTH-PAGES.
            RateLimited: AUTH-CODE-LIMIT, AUTH-RATE or AUTH-EDGE-BLOCK: wait before the next try.
        """
        await self._keeper.sign_in(email, password, code, flow)
        self._registration.forget()

    async def adopt(self, found: Imported) -> None:
        """Take over the sign-in of another program, as `parse_token_file` has read it.

        Its refresh token is spent by that: the other program must sign in anew, or it will put nobody out
        but itself. Its hardware id becomes ours, so that Ring's list of authorised devices stays as it is.

        Raises:
            AuthError: AUTH-LINK-LOST, the token was spent or revoked already; what was kept here stays.
            RingError: The renewal failed otherwise.
        """
        await self._keeper.adopt(found)
        self._registration.forget()

    async def sign_out(self) -> None:
        """Forget the tokens, here and on disk. The installation's hardware id stays."""
        await self._keeper.sign_out()
        self._registration.forget()

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
        known, profile = self._registration.known, await self.profile()
        if profile.account_id is None and profile is known:  # of some time ago; a sign-in since may have brought one
            profile = await self._registration.profile(lost=known)
        if profile.account_id is None:
            raise fault_error("ACCOUNT-ID")
        return profile.account_id

    async def profile(self) -> flows.Profile:
        """Return whose account it is, as the registration of this process said."""
        return await self._registration.profile()

    async def devices(self) -> list[Device]:
        """List the cameras of the account, those shared with it included."""
        found = await self.call(flows.device_list)
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

    async def set_light(self, device: Device, on: bool) -> None:
        """Switch a camera's light.

        Raises:
            CameraError: CAM-UNABLE, it has none; CAM-GONE.
        """
        await self.call(lambda access, own: control.set_light(access, own, device, on=on))

    async def set_siren(self, device: Device, on: bool, *, seconds: int = 30) -> None:
        """Sound a camera's siren for some seconds, at most 120, or silence it.

        Raises:
            CameraError: CAM-UNABLE, it has none; CAM-GONE.
            UsageError: REQUEST-INVALID, `seconds` is out of range.
        """
        await self.call(lambda access, own: control.set_siren(access, own, device, on=on, seconds=seconds))

    async def fresh_snapshot(self, device: Device, *, within: float = 10.0, streaming: bool = False) -> bytes:
        """Have a camera take a picture now, without a live view; return it as JPEG.

        Args:
            device: The camera.
            within: Seconds that Ring may wait for it.
            streaming: Whether a live view of it is open: a camera on battery then takes none.

        Raises:
            CameraError: CAM-SNAPSHOT, CAM-OFFLINE or CAM-PRIVACY.
        """
        after = self._clock()
        return await self.call(
            lambda access, own: control.fresh_snapshot(
                access, own, device, after=after, within=within, streaming=streaming
            )
        )

    async def events(self, device: Device, limit: int = 20, before: str | None = None) -> list[CameraEvent]:
        """List what a camera has seen, newest first; at most 100.

        Args:
            device: The camera.
            limit: How many at most.
            before: The id of an event: only what came before it. `None` begins with the newest.

        Raises:
            CameraError: CAM-GONE.
        """
        return await self.call(lambda access, own: control.events(access, own, device, limit=limit, before=before))

    async def recording_url(self, event: CameraEvent) -> Secret:
        """Return the address of an event's recording; who has it can watch for about 15 minutes.

        Raises:
            CameraError: CAM-RECORDING, there is none.
        """
        return await self.call(lambda access, own: control.recording_url(access, own, event))

    async def recording(self, event: CameraEvent) -> bytes:
        """Fetch an event's recording, an MP4 file of some megabytes.

        Raises:
            CameraError: CAM-RECORDING, there is none.
        """
        return await self.call(lambda access, own: control.fetch_recording(access, own, event))

    @asynccontextmanager
    async def stream_recording(self, url: Secret, headers: Mapping[str, str] | None = None) -> AsyncIterator[Streamed]:
        """Read a recording piece by piece. The storage gets neither the access token nor the hardware id.

        Args:
            url: As `recording_url` has just returned it; it expires.
            headers: Further header fields, such as `Range`.

        Raises:
            NetworkError: NET-TIMEOUT where the storage fell silent, and the others; the answer's status is not judged.
        """
        request = control.recording_request(url, timeout=self.settings.live_view.http_timeout, headers=headers)
        async with self._driver.stream(request) as answer:
            yield answer

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
        profile = await self._registration.profile()
        try:
            return await self._ask(flow)
        except RingError as error:
            if error.code != "ACCOUNT-SESSION":
                raise
        await self._registration.profile(lost=profile)
        return await self._ask(flow)

    async def _ask(self, flow: Callable[[Secret, str], Flow[T]]) -> T:
        tokens = await self._keeper.tokens()
        try:
            return await self._driver.run(flow(tokens.access, tokens.hardware_id))
        except TokenRefused:
            pass  # repeated below, where a second refusal has no first one in its context
        tokens = await self._keeper.tokens(refused=tokens.access)
        return await self._driver.run(flow(tokens.access, tokens.hardware_id))
