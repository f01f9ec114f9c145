"""Keeps one camera published: does what the policy says, and tells it what came of it."""

import asyncio
import logging
import random
from typing import Any

from ringlight.account import Power
from ringlight.cameras import Camera, Cameras, View
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.http.flow import Driver
from ringlight.publishing import whip
from ringlight.publishing.passage import Passage
from ringlight.publishing.policy import (
    Answered,
    Begin,
    Event,
    Failed,
    Opened,
    Policy,
    Start,
    State,
    Stop,
    Tick,
    Watching,
)
from ringlight.publishing.whip import Place
from ringlight.settings import OneCamera

__all__ = ["Publisher"]

log = logging.getLogger("ringlight.publishing")


class Publisher:
    """One camera and one media server.

    Args:
        cameras: Those there are.
        name: Of the camera, as in the settings.
        settings: Where to, and whether a battery may pay for it.
        driver: Sends the requests.
    """

    def __init__(self, cameras: Cameras, name: str, settings: OneCamera, driver: Driver) -> None:
        assert settings.publish is not None  # noqa: S101 - who makes a publisher has looked
        self.name = name
        self._cameras, self._settings, self._driver = cameras, settings, driver
        self._place = Place(settings.publish, settings.publish_token)
        self._policy = Policy(dice=random.random)
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._trying: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin; it goes on until `aclose`."""
        self._running = asyncio.create_task(self._run(), name=f"publish {self.name}")

    async def aclose(self) -> None:
        """Take leave of the server, and end."""
        if self._running is not None:
            self._events.put_nowait(Stop())
            await asyncio.wait({self._running})

    def as_dict(self) -> dict[str, Any]:
        """Return where it stands, as JSON. Of the address it names the host alone."""
        policy, failure = self._policy, self._policy.failure
        waits = policy.state is State.WAITING and policy.deadline is not None
        return {
            "camera": self.name,
            "to": self._place.host,
            "state": policy.state.value,
            "fault": FAULTS[failure.code].as_dict(failure.detail) if failure else None,
            "retry_in": round(max(0.0, (policy.deadline or 0.0) - self._loop.time()), 1) if waits else None,
        }

    async def _run(self) -> None:
        event: Event = Start()
        while True:
            before = self._policy.state
            for action in self._policy.receive(event, now=self._loop.time()):
                if isinstance(action, Begin):
                    self._trying = asyncio.create_task(self._try(), name=f"publishing {self.name}")
                else:
                    await self._end()
            if self._policy.state is not before:
                self._tell()
            if isinstance(event, Stop):
                return
            try:
                async with asyncio.timeout_at(self._policy.deadline):
                    event = await self._events.get()
            except TimeoutError:
                event = Tick()

    def _tell(self) -> None:
        state, failure = self._policy.state, self._policy.failure
        if state in (State.LIVE, State.WAITING, State.OFF):
            why = f": {failure.code} ({failure.detail})" if failure else ""
            log.info("publication of %s to %s is %s%s", self.name, self._place.host, state.value, why)

    async def _end(self) -> None:
        trying, self._trying = self._trying, None
        if trying is not None:
            trying.cancel()
            await asyncio.wait({trying})
        # What it still told while it ended is of the try before.
        while not self._events.empty():
            event = self._events.get_nowait()
            if isinstance(event, Stop):
                self._events.put_nowait(event)
                return

    async def _try(self) -> None:
        try:
            await self._publish()
        except RingError as error:
            self._events.put_nowait(Failed(error.code, error.detail, error.retry_after))
        except Exception as error:
            # A bug of ours must not end it in silence.
            log.exception("a publication broke")
            self._events.put_nowait(Failed("SERVER-ERROR", type(error).__name__))

    async def _publish(self) -> None:
        """Publish until something ends it.

        Raises:
            RingError: What ended it.
        """
        camera = await self._camera()
        await self._driver.run(whip.knock(self._place))
        async with camera.live_view() as view:
            self._events.put_nowait(Watching())
            passage = Passage(view.broadcast)
            try:
                session = await self._driver.run(whip.publish(self._place, await passage.offer()))
                self._events.put_nowait(Answered())
                try:
                    await self._open(passage, session)
                    self._events.put_nowait(Opened())
                    raise await _ended(view, passage)
                finally:
                    await self._driver.run(whip.end(session))
            finally:
                await passage.close()

    async def _camera(self) -> Camera:
        camera = await self._cameras.camera(self.name)
        camera.publication = self
        if camera.device.power is Power.BATTERY and not self._settings.publish_on_battery:
            raise fault_error("PUBLISH-BATTERY", camera.name)
        return camera

    async def _open(self, passage: Passage, session: whip.Session) -> None:
        fragment = await passage.gather_by(session.servers)
        if fragment is not None and session.etag is not None:
            try:
                await self._driver.run(whip.trickle(session, fragment))
            except RingError as error:
                log.debug("%s was not told of more addresses: %s", self._place.host, error)
        await passage.open(session.answer)


async def _ended(view: View, passage: Passage) -> RingError:
    ending = {asyncio.ensure_future(view.ended()), asyncio.ensure_future(passage.lost())}
    try:
        done, _ = await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for one in ending:
            one.cancel()
