"""The client of Ring's official Partner API on an event loop; see `client`, of which this is the twin."""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from ringlight.http.bus import Hook
from ringlight.http.opening import Session
from ringlight.http.ports import AsyncRateGate
from ringlight.http.sending import Sending
from ringlight.http.telemetry import Telemetry
from ringlight.partner import async_groups
from ringlight.partner.async_running import AsyncRunner
from ringlight.partner.choices import Fallback, Switch, chosen
from ringlight.partner.raw import RawResponse, raw, recording
from ringlight.partner.setup import Tokens, account_shown, set_up
from ringlight.resilience.events import Notice
from ringlight.resilience.options import Options, Strategies
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from ringlight.settings import ResilienceSettings, Settings

__all__ = ["AsyncClient"]

P = ParamSpec("P")
T = TypeVar("T")


class AsyncClient:
    """One linked account at Ring's Partner API. Tasks of one event loop may share it; close it with
    `async with` or `aclose()`.

    What is not given is taken from the settings (`partner.…`, `resilience.…`, `ring_url`).

    Args:
        client_id: The app's.
        client_secret: The app's.
        tokens: `Stored(store, account)`; a pair of access and refresh token, which is kept in memory only, so that the
            link is lost with the process once it was renewed; or an access token alone, which nothing renews.
        ring_url: One address that stands for Ring, such as the simulator's.
        settings: The settings in force; `None` reads them.
        resilience: The numbers and switches; `Off` makes every call once, without waits, breakers or old answers.
        gate: A rate gate that is shared with other processes of the same app; `None` is that of `redis_url`, or one
            of its own.
        telemetry: Spans and metrics; `None` makes none.
        session: An `aiohttp.ClientSession` that the program has already; it stays open.
        driver: Another way to send, for tests.
        clock: Monotonic seconds, for tests.
        sleep: Waits, for tests.

    Attributes:
        users: The account's owner.
        devices: The devices that are shared with the app.
        locations: Where they are.
        history: What happened.
        media: Clips and stills.
        subscriptions: The account's.
        integrations: The link itself.
        chimes: Sounds.
        live: Live views.

    Raises:
        SetupError: CFG-INVALID, something is missing or cannot be used.
        AuthError: LINK-NONE, the store has no such account.
    """

    users: async_groups.AsyncUsers
    devices: async_groups.AsyncDevices
    locations: async_groups.AsyncLocations
    history: async_groups.AsyncHistory
    media: async_groups.AsyncMedia
    subscriptions: async_groups.AsyncSubscriptions
    integrations: async_groups.AsyncIntegrations
    chimes: async_groups.AsyncChimes
    live: async_groups.AsyncLive

    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: Secret | str | None = None,
        tokens: Tokens | None = None,
        ring_url: str | None = None,
        settings: "Settings | None" = None,
        resilience: "ResilienceSettings | Switch | None" = None,
        gate: AsyncRateGate | None = None,
        telemetry: Telemetry | None = None,
        session: "Session | None" = None,
        driver: Sending | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        setup = set_up(client_id, client_secret, tokens, ring_url, settings, resilience)
        self._runner = AsyncRunner(
            setup, gate=gate, telemetry=telemetry, session=session, driver=driver, clock=clock, sleep=sleep
        )
        self._choose(setup.options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        setup = self._runner.setup
        return f"<{type(self).__name__} of {account_shown(setup)} at {setup.api.origin}>"

    async def aclose(self) -> None:
        """Wait for a renewal of the tokens that is under way, then close all connections. Calls after this fail."""
        await self._runner.aclose()

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retries: int | None = None,
        fallback: Fallback | None = None,
        resilience: Strategies | Switch | None = None,
    ) -> Self:
        """Return the same client with other wishes for its calls; connections, tokens and limits are shared.

        Args:
            timeout: Seconds for a whole call: waits, renewals, all attempts.
            retries: How often a call is sent again when it fails for a passing reason, and how often a download is
                taken up again without getting any further.
            fallback: `stale` allows the last known good answer in place of a failure, `never` forbids it.
            resilience: The recovery strategies one by one, or `Off`.
        """
        other = copy.copy(self)
        other._choose(chosen(self._options, timeout=timeout, retries=retries, fallback=fallback, resilience=resilience))
        return other

    async def with_raw_response(
        self, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> RawResponse[T]:
        """Call one of the client's methods, and return with its result what it took: attempts, times, request id.

        As in `await ring.with_raw_response(ring.devices.status, device_id)`. An error has `attempts` and `request_id`
        itself.
        """
        began = self._runner.clock()
        with recording() as heard:
            value = await method(*args, **kwargs)
        return raw(value, self._runner.clock() - began, heard)

    def on_event(self, hook: Hook) -> Callable[[], None]:
        """Call `hook` with each event of every call: attempts, retries, pauses, breakers, tokens, old answers.

        It runs in the task that made the call; what it raises is logged. Return what ends that.
        """
        return self._runner.bus.listen(hook)

    def on_notice(self, hook: Callable[[Notice], object]) -> Callable[[], None]:
        """Call `hook` with what people should be told: what stopped working, since when, and when it works again."""
        return self.on_event(lambda event: hook(event) if isinstance(event, Notice) else None)

    def _choose(self, options: Options) -> None:
        self._options = options
        self.users = async_groups.AsyncUsers(self._runner, options)
        self.devices = async_groups.AsyncDevices(self._runner, options)
        self.locations = async_groups.AsyncLocations(self._runner, options)
        self.history = async_groups.AsyncHistory(self._runner, options)
        self.media = async_groups.AsyncMedia(self._runner, options)
        self.subscriptions = async_groups.AsyncSubscriptions(self._runner, options)
        self.integrations = async_groups.AsyncIntegrations(self._runner, options)
        self.chimes = async_groups.AsyncChimes(self._runner, options)
        self.live = async_groups.AsyncLive(self._runner, options)
