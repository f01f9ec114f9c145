"""One attempt at a live view by WHEP: offer, answer, media, and the goodbye that Ring wants."""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from ringlight.cameras import whep_session as core
from ringlight.errors import RingError, fault_error
from ringlight.liveview.attempt import end_all
from ringlight.liveview.events import Closed, Step, Tick
from ringlight.liveview.leg import Leg
from ringlight.liveview.media_path import MediaPath
from ringlight.media import negotiate, sdp
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet

__all__ = ["WhepAttempt", "WhepService"]

log = logging.getLogger("ring.live")
FAREWELL = 5.0  # seconds for the goodbye, while a program ends; a view that hears none ends by itself


class Opened(Protocol):
    """A session that was opened."""

    @property
    def answer(self) -> str:
        """Its SDP."""


class WhepService(Protocol):
    """Where views are opened; for one camera."""

    async def open(self, offer: str) -> Opened:
        """Post an offer."""

    async def close(self, session: Any) -> None:
        """End a session; one that has ended already is no error."""


class WhepAttempt:
    """Offers, and shows what comes until it ends.

    Args:
        service: Where.
        waits: The deadlines.
        audio: Whether sound is asked for.
        leg: Is told what happens.
    """

    def __init__(self, service: WhepService, waits: core.Waits, leg: Leg, *, audio: bool) -> None:
        self._service, self._leg, self._audio = service, leg, audio
        self._loop = asyncio.get_running_loop()
        self._session = core.WhepSession(waits)
        self._events: asyncio.Queue[core.Event] = asyncio.Queue()
        self._path = MediaPath(self._events.put_nowait, leg.took, stall=waits.stall)

    async def run(self) -> RingError:
        """Run the whole view; return how it ended. Cancelling it closes everything in order.

        Raises:
            RingError: It was not opened.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._path.peer.close)
            offer = negotiate.camera_offer(await self._gathered(), audio=self._audio, one_way=True)
            self._leg.acted(Step("offer"))
            opening = asyncio.ensure_future(self._service.open(sdp.write(offer)))
            stack.push_async_callback(self._say_goodbye, opening)
            opened = await asyncio.shield(opening)
            agreed = negotiate.read_answer(offer, sdp.parse(opened.answer))
            connecting = self._use(agreed)
            try:
                closed = await self._drive()
            finally:
                self._path.close_receiver()
                await end_all([connecting])
        return fault_error(closed.code, closed.detail)

    async def _gathered(self) -> sdp.Transport:
        gathering = asyncio.create_task(self._path.peer.gather())
        try:
            local = await asyncio.shield(gathering)
        finally:
            await asyncio.wait({gathering})  # never cut short: the sockets that it just opens would be nobody's
        return dataclasses.replace(local, complete=True)

    async def _say_goodbye(self, opening: "asyncio.Future[Opened]") -> None:
        """End the session, also one that was just being opened: a camera must not stay awake for nobody."""
        try:
            async with asyncio.timeout(FAREWELL):
                await asyncio.wait({opening})
                if opening.cancelled() or opening.exception() is not None:
                    return  # there is none
                await self._service.close(opening.result())
        except (RingError, TimeoutError) as error:
            log.info("a live view was not ended in order: %s", error)

    def _use(self, agreed: Agreed) -> "asyncio.Task[None]":
        self._path.agree(agreed)
        self._act(core.Answered())
        self._leg.answered(agreed)
        return asyncio.create_task(self._path.connect(agreed))

    async def _drive(self) -> Closed:
        while True:
            event: core.Event
            try:
                async with asyncio.timeout_at(self._session.deadline):
                    event = await self._events.get()
            except TimeoutError:
                event = Tick()
            closed = self._act(event)
            if closed is not None:
                return closed

    def _act(self, event: core.Event) -> Closed | None:
        for action in self._session.receive(event, now=self._loop.time()):
            if isinstance(action, Closed):
                return action
            self._leg.acted(action)
        return None

    # ---- what is asked of it ----

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame; nothing before its first packet."""
        self._path.ask_key_frame()

    async def command(self, method: str, params: Mapping[str, Any]) -> str | None:
        """Refuse: by WHEP a camera is told nothing.

        Raises:
            CameraError: CAM-COMMAND.
        """
        raise fault_error("CAM-COMMAND", f"{method}: the Partner API tells a camera nothing")

    def talk(self, *, on: bool) -> None:
        """Nothing: sound goes one way."""

    def send_sound(self, packet: Packet) -> None:
        """Nothing: sound goes one way."""
