"""A live view that lasts: tried again where the catalogue says so, renewed beyond its time limit, closed.

How one attempt is made is the driver's own matter; all kinds of cameras share what is here.
"""

import asyncio
import dataclasses
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Self

from ringlight.errors import RingError, fault_error
from ringlight.liveview.attempt import end_all
from ringlight.liveview.events import Halted, Note, Speaker, Step
from ringlight.liveview.leg import Leg, Run, outcome
from ringlight.liveview.policy import NEW_TOKEN, TIME_LIMITS, Failure, Patience
from ringlight.liveview.renewal import Renewal
from ringlight.liveview.story import Ended, Event, Renewed, Story, Trying
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet
from ringlight.settings import LiveViewSettings

__all__ = ["LastingView"]

log = logging.getLogger("ring.live")
_DICE = secrets.SystemRandom().random


class LastingView:
    """One live view of one camera, over as many attempts as it takes.

    Use it with `async with`: it opens on entering and is closed in order on leaving.

    Args:
        name: The camera, for the log.
        run: Makes one attempt.
        settings: Deadlines and limits.
        on_packet: Called with each RTP packet of the camera: video in its own order, sound as it arrives.
        on_agreed: Called for each attempt that was answered, with the codecs.
        on_event: Called with steps, notes and attempts as they pass; `events()` tells the same.
        is_watched: Whether anybody still wants to see the camera; asked before each further attempt.
        may_renew: Whether somebody still watches and the view may go on beyond Ring's time limit; asked
            when that comes near.
    """

    def __init__(
        self,
        name: str,
        run: Run,
        settings: LiveViewSettings,
        *,
        on_packet: Callable[[Packet], None],
        on_agreed: Callable[[Agreed], None],
        on_event: Callable[[Event], None],
        is_watched: Callable[[], bool],
        may_renew: Callable[[], bool],
    ) -> None:
        self._name, self._attempt, self._settings = name, run, settings
        self._on_packet, self._on_agreed, self._on_event = on_packet, on_agreed, on_event
        self._is_watched = is_watched
        self._story = Story()
        self._patience = Patience(self._settings, dice=_DICE)
        self._began = 0.0
        self._leg: Leg | None = None
        self._renewal = Renewal(
            settings.renew_after, begin=lambda renew_token: self._begin(renew_token=renew_token),
            is_watched=is_watched, may_renew=may_renew, tell=self._tell,
        )  # fmt: skip
        self._leaving: set[asyncio.Task[RingError]] = set()
        self._finished = False
        self._runner: asyncio.Task[RingError] | None = None
        self._answered: asyncio.Future[Agreed] | None = None
        self._stopped = False
        self._talking = False
        self._speaker = asyncio.Event()  # set while the running view's speaker is open

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> Agreed:
        """Open the view; return the codecs once Ring has answered. Media follows when the camera is awake.

        Raises:
            RingError: Why it could not be opened.
        """
        loop = asyncio.get_running_loop()
        self._answered, self._began = loop.create_future(), loop.time()
        self._runner = asyncio.create_task(self._run(), name=f"live view {self._name}")
        self._runner.add_done_callback(self._tell_the_end)
        waiting: set[asyncio.Future[Any]] = {self._answered, self._runner}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.close()  # or the camera would be woken up for nobody
            raise
        if self._answered.done():
            return self._answered.result()
        raise outcome(self._runner)

    async def ended(self) -> RingError:
        """Wait for the end; return why it ended (SIG-CLOSED after `close`)."""
        if self._runner is None:
            raise fault_error("SIG-ORDER", "the view was never opened")
        await asyncio.wait({self._runner})
        return outcome(self._runner)

    def events(self) -> AsyncGenerator[Event, None]:
        """Yield what happens to the view: what has so far, then each event as it comes, until `Ended`.

        Any number may listen, each at its own pace; who falls more than a hundred events behind gets `Missed`
        in place of the oldest.
        """
        return self._story.listen()

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
        if self._leg is not None and self._leg.attempt is not None:
            self._leg.attempt.ask_key_frame()

    async def command(self, method: str, params: Mapping[str, Any]) -> str | None:
        """Let the camera do something: a JSON-RPC method such as `PTZ.Pan.Step`.

        Returns:
            Why it stopped by itself, such as `LIMIT_REACHED`; `None` where it did all of it.

        Raises:
            CameraError: CAM-COMMAND where there is no open view, or the camera refused or did not answer.
        """
        attempt = self._leg.attempt if self._leg is not None else None
        if attempt is None:
            raise fault_error("CAM-COMMAND", f"{method}: the view is not open")
        return await attempt.command(method, params)

    async def talk(self, *, on: bool) -> None:
        """Open the camera's speaker, and wait until it was told to; or close it, without waiting.

        It stays open when the view is renewed. Nothing else ever opens it.

        Raises:
            CameraError: CAM-COMMAND where the camera did not connect in time.
            RingError: Why the view ended before.
        """
        self._talking = on
        attempt = self._leg.attempt if self._leg is not None else None
        if attempt is not None:
            attempt.talk(on=on)
        if not on:
            self._speaker.clear()
            return
        if self._runner is None:
            raise fault_error("SIG-ORDER", "the view was never opened")
        opened = asyncio.ensure_future(self._speaker.wait())
        limit = self._settings.camera_timeout
        try:
            either: set[asyncio.Future[Any]] = {opened, self._runner}
            await asyncio.wait(either, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
        if self._runner.done():
            raise outcome(self._runner)
        if not self._speaker.is_set():
            raise fault_error("CAM-COMMAND", f"the speaker did not open within {limit:g} s")

    def send_sound(self, packet: Packet) -> None:
        """Send a packet of sound to the camera, in the codec of its own sound; dropped while the speaker is closed.

        Payload type, sequence number, timestamp and SSRC are replaced by those of the view; what counts is how
        they go on from packet to packet of one SSRC.
        """
        if self._leg is not None and self._leg.attempt is not None:
            self._leg.attempt.send_sound(packet)

    async def _run(self) -> RingError:
        """Try until a view runs, then until it ends; return why."""
        loop = asyncio.get_running_loop()
        self._tell(Trying(1))
        self._leg = self._begin()
        try:
            while True:
                leg = self._leg
                await asyncio.wait({leg.task})
                if self._leg is not leg:
                    continue  # a renewal has taken its place
                error = outcome(leg.task)
                log.info("live view of %s ended: %s", self._name, error.code)
                if self._renewal.next is not None:
                    self._take_over(self._renewal.next)
                    continue
                pause = self._pause(leg, error, loop.time())
                if pause is not None:
                    await self._wait(error, pause)
                if pause is None or not self._is_watched():
                    return _with_story(error, self._patience.story(loop.time()))
                self._renewal.forget_failures()
                self._leg = self._begin(renew_token=error.code in NEW_TOKEN)
        finally:
            self._finished = True  # from here on no key frame takes over
            self._renewal.stop()
            open_legs = [leg.task for leg in (self._leg, self._renewal.next) if leg is not None]
            await end_all(open_legs, leaving=self._leaving)

    def _pause(self, leg: Leg, error: RingError, now: float) -> float | None:
        ran = now - leg.flowing_since if leg.flowing_since is not None else None
        watched = self._is_watched()
        at_limit = watched and ran is not None and error.code in TIME_LIMITS
        failure = Failure(error.code, ran, error.retry_after)
        return self._patience.pause(failure, now=now, watched=watched, may_renew=at_limit and self._renewal.is_agreed())

    async def _wait(self, error: RingError, pause: float) -> None:
        """Wait for the next attempt; meanwhile there is no view."""
        self._leg = None
        self._renewal.wait()
        self._tell(Trying(self._patience.failed + 1, error.code, pause, error.detail))
        await asyncio.sleep(pause)

    def _begin(self, *, renew_token: bool = False) -> Leg:
        leg = Leg(self)
        leg.task = asyncio.create_task(self._try(leg, renew_token=renew_token), name=f"view of {self._name}")
        return leg

    async def _try(self, leg: Leg, *, renew_token: bool) -> RingError:
        try:
            return await self._attempt(leg, renew_token)
        except RingError as error:
            return error

    # ---- what an attempt tells ----

    def begun(self, leg: Leg) -> None:
        """An attempt is made; see `Leg`."""
        if self._talking and leg is self._leg and leg.attempt is not None:
            leg.attempt.talk(on=True)

    def acted(self, leg: Leg, action: Step | Note | Halted | Speaker) -> None:
        """An attempt tells something; see `Leg`."""
        if isinstance(action, Speaker):
            if leg is self._leg and action.open and self._talking:
                self._speaker.set()
            return
        if isinstance(action, Step) and action.name == "media":
            leg.flowing_since = asyncio.get_running_loop().time()
            if leg is self._leg:
                self._renewal.begin_later(leg)
        if leg is not self._renewal.next or isinstance(action, Note):
            self._tell(action)

    def _tell(self, event: Event) -> None:
        event = dataclasses.replace(event, at=asyncio.get_running_loop().time() - self._began)
        self._on_event(event)
        self._story.tell(event)

    def _tell_the_end(self, runner: "asyncio.Task[RingError]") -> None:
        broken = None if runner.cancelled() else runner.exception()
        # An exception here is a bug of ours; `ended` raises it.
        error = fault_error("SERVER-ERROR", type(broken).__name__) if broken is not None else outcome(runner)
        self._story.tell(Ended(error, at=runner.get_loop().time() - self._began))

    def answered(self, leg: Leg, agreed: Agreed) -> None:
        """An attempt was answered; see `Leg`."""
        leg.agreed, leg.answered_at = agreed, asyncio.get_running_loop().time()
        if leg is self._renewal.next:
            return
        self._on_agreed(agreed)
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(agreed)

    def took(self, leg: Leg, packet: Packet) -> None:
        """A packet came; see `Leg`."""
        if self._finished:
            return
        if leg is self._renewal.next and leg.starts_with(packet):
            self._take_over(leg)
        if leg is self._leg:
            self._on_packet(packet)

    def _take_over(self, leg: Leg) -> None:
        """Let the next view go on in place of the one that runs or has ended."""
        before, self._leg = self._leg, leg
        self._renewal.taken()
        if self._talking and leg.attempt is not None:
            leg.attempt.talk(on=True)  # the speaker of the view before closes with that view
        self._patience.has_run = True  # only a view that ran is renewed
        if leg.agreed is not None:
            self._on_agreed(leg.agreed)
        self._tell(Renewed())
        self._renewal.begin_later(leg)
        if before is not None:
            self._leaving.add(before.task)
            before.task.add_done_callback(self._leaving.discard)
            before.task.cancel()


def _with_story(error: RingError, story: str | None) -> RingError:
    """Return the last error with what had been tried before it."""
    if story is None:
        return error
    detail = f"{error.detail}; {story}" if error.detail else story
    return fault_error(error.code, detail, retry_after=error.retry_after)
