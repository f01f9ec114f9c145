"""A live view as a program uses it: opened, tried again where the catalogue says so, closed."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ringlight.errors import RingError, fault_error
from ringlight.liveview import policy
from ringlight.liveview.attempt import Attempt
from ringlight.liveview.session import Closed, Note, Step
from ringlight.liveview.trace import Trace
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.secrets import Secret
from ringlight.settings import LiveViewSettings

log = logging.getLogger("ring.live")


@dataclass(frozen=True, slots=True)
class Trying:
    """Another attempt begins: its number from 1, the fault that ended the one before, the pause in seconds."""

    number: int
    code: str | None = None
    pause: float = 0.0


Event = Step | Note | Trying


def _ignore(_: object) -> None:
    pass


class LiveViewClient:
    """One live view of one camera over Ring's signaling socket.

    Use it with `async with`: it opens on entering and is closed in order on leaving. Most programs want
    `ringlight.Account` instead, which shares one view among all who watch.

    Args:
        doorbot_id: The camera's number, as `ring_devices` gives it.
        token: Makes sure of an access token; called before each attempt.
        signaling_url: Fetches a ticket and returns the URL with it; called for each attempt, since a
            ticket is good for one connection.
        settings: Deadlines and limits.
        on_packet: Called with each RTP packet of the camera, in the order of arrival.
        on_agreed: Called for each attempt that was answered, with the codecs.
        on_event: Called with steps, notes and attempts as they pass.
        trace: Records each signaling message; `None` records nothing.
    """

    def __init__(
        self,
        doorbot_id: int,
        *,
        token: Callable[[], Awaitable[object]],
        signaling_url: Callable[[], Awaitable[Secret]],
        settings: LiveViewSettings | None = None,
        on_packet: Callable[[Packet], None] = _ignore,
        on_agreed: Callable[[Agreed], None] = _ignore,
        on_event: Callable[[Event], None] = _ignore,
        trace: Trace | None = None,
    ) -> None:
        self.doorbot_id = doorbot_id
        self._token, self._signaling_url = token, signaling_url
        self._settings = settings or LiveViewSettings()
        self._on_packet, self._on_agreed, self._on_event = on_packet, on_agreed, on_event
        self._trace = trace
        self._attempt: Attempt | None = None
        self._runner: asyncio.Task[RingError] | None = None
        self._answered: asyncio.Future[Agreed] | None = None
        self._flowing = False
        self._stopped = False

    async def __aenter__(self) -> "LiveViewClient":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> Agreed:
        """Open the view; return the codecs once Ring has answered. Media follows when the camera is awake.

        Raises:
            RingError: Why it could not be opened.
        """
        self._answered = asyncio.get_running_loop().create_future()
        self._runner = asyncio.create_task(self._run(), name=f"live view {self.doorbot_id}")
        waiting: set[asyncio.Future[Any]] = {self._answered, self._runner}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.close()  # or the camera would be woken up for nobody
            raise
        if self._answered.done():
            return self._answered.result()
        raise _outcome(self._runner)

    async def ended(self) -> RingError:
        """Wait for the end; return why it ended (SIG-CLOSED after `close`)."""
        if self._runner is None:
            raise fault_error("SIG-ORDER", "the view was never opened")
        await asyncio.wait({self._runner})
        return _outcome(self._runner)

    async def close(self) -> None:
        """End the view in the regular way and free everything. May be called twice."""
        if self._runner is None:
            return
        if not self._stopped:  # a second cancel would interrupt the farewell
            self._stopped = True
            self._runner.cancel()
        await asyncio.wait({self._runner})

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame."""
        if self._attempt is not None:
            self._attempt.ask_key_frame()

    async def _run(self) -> RingError:
        """Try until a view runs, then until it ends; return why."""
        ended: Counter[str] = Counter()
        self._on_event(Trying(1))
        while True:
            error = await self._try()
            ended[error.code] += 1
            log.info("live view of %d ended: %s", self.doorbot_id, error.code)
            pause = policy.pause_before_retry(error.code, ended[error.code], self._settings.ready_retries)
            if pause is None or self._flowing:
                return error
            self._on_event(Trying(ended.total() + 1, error.code, pause))
            await asyncio.sleep(pause)

    async def _try(self) -> RingError:
        try:
            await self._token()
            self._on_event(Step("token"))
            url = await self._signaling_url()
            self._on_event(Step("ticket"))
            self._attempt = Attempt(
                self.doorbot_id,
                self._settings,
                on_action=self._acted,
                on_agreed=self._agreed,
                on_packet=self._on_packet,
                trace=self._trace,
            )
            closed: Closed = await self._attempt.run(url)
        except RingError as error:
            return error
        finally:
            self._attempt = None
        return fault_error(closed.code, closed.detail)

    def _acted(self, action: Step | Note) -> None:
        self._flowing |= isinstance(action, Step) and action.name == "media"
        self._on_event(action)

    def _agreed(self, agreed: Agreed) -> None:
        self._on_agreed(agreed)
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(agreed)


def _outcome(runner: "asyncio.Task[RingError]") -> RingError:
    """Return why a view has ended; it is cancelled only by `close`."""
    return fault_error("SIG-CLOSED") if runner.cancelled() else runner.result()
