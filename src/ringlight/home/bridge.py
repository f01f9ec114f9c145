"""The bridge between cameras and a broker: tells states, events and pictures, and does what it is told."""

import asyncio
import json
import logging
import random
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self

import ringlight
from ringlight.account import Power
from ringlight.cameras import Camera, Cameras
from ringlight.cameras.news import News
from ringlight.errors import RingError
from ringlight.home.broker import Broker, connected
from ringlight.home.discovery import device_topic, discovery, state
from ringlight.home.topics import Command, Topics
from ringlight.resilience.backoff import pause
from ringlight.secrets import Secret
from ringlight.settings import MqttSettings

__all__ = ["Bridge"]

log = logging.getLogger("ringlight.home")
LOOKED_AT = 10  # events of a camera that one look takes
STATES_EVERY = 10.0  # seconds between two lists of cameras; that asks Ring, and no camera
PAUSE_FIRST, PAUSE_CAP = 1.0, 60.0  # seconds
SAID = {"ding": "bell", "motion": "motion"}


class Bridge:
    """Runs inside `async with`, and connects again by itself for as long as it does.

    Args:
        settings: Broker, names of topics, and how often is looked.
        cameras: Whose cameras.
        page: Address of our page, for links.
    """

    def __init__(self, settings: MqttSettings, cameras: Cameras, *, page: str | None = None) -> None:
        self._settings, self._cameras, self._page = settings, cameras, page
        self._topics = Topics(settings.prefix)
        self._news, self._began = News(), time.monotonic()
        self._listed: Sequence[Camera] = []
        self._list_at = float("-inf")
        self._failing: set[str] = set()
        self._described: dict[str, bytes] = {}
        self._told: dict[str, bytes] = {}
        self.problem: RingError | None = None
        self._running: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        if self._settings.url is not None:
            self._running = asyncio.create_task(self._run(self._settings.url), name="mqtt")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._running, *self._tasks):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    async def _run(self, url: Secret) -> None:
        failures = 0
        while True:
            try:
                async with connected(url, self._topics.status) as broker:
                    log.info("connected to the MQTT broker")
                    failures, self.problem = 0, None
                    await self._serve(broker)
            except RingError as error:
                self.problem = error
                if failures == 0:
                    log.warning("%s", error)
            except Exception:
                log.exception("the bridge to MQTT broke, and begins anew")  # a bug of ours must not end it in silence
            await asyncio.sleep(pause(PAUSE_FIRST, failures, PAUSE_CAP, random.random))
            failures += 1

    async def _serve(self, broker: Broker) -> None:
        self._tell_all()
        await broker.subscribe(self._topics.commands)
        await broker.subscribe(f"{self._settings.discovery}/status")
        await broker.publish(self._topics.status, b"online", retain=True)
        looking = asyncio.create_task(self._look_on(broker), name="mqtt history")
        hearing = asyncio.create_task(self._hear(broker), name="mqtt commands")
        try:
            done, _ = await asyncio.wait({looking, hearing}, return_when=asyncio.FIRST_COMPLETED)
            await done.pop()
        finally:
            for task in (looking, hearing):
                task.cancel()
            await asyncio.wait({looking, hearing})
            with suppress(RingError):  # said in parting, where the broker still hears it; else it says so itself
                await broker.publish(self._topics.status, b"offline", retain=True)

    def _tell_all(self) -> None:
        """Tell everything anew at the next look."""
        self._described, self._told, self._list_at = {}, {}, float("-inf")

    # What is told

    async def _look_on(self, broker: Broker) -> None:
        while True:
            try:
                if time.monotonic() >= self._list_at:
                    self._list_at = time.monotonic() + STATES_EVERY  # before: who wishes for it meanwhile gets it again
                    self._listed = await self._cameras.cameras()
                    await self._describe(broker, self._listed)
                self._failing.discard("")
            except RingError as error:
                self._list_at = float("-inf")
                self._complain("", error)
            for camera in self._listed:
                try:
                    await self._tell_state(broker, camera)
                    await self._tell_news(broker, camera)
                    self._failing.discard(camera.id)
                except RingError as error:
                    self._complain(camera.id, error)
            await asyncio.sleep(self._settings.every)

    def _complain(self, camera: str, error: RingError) -> None:
        """Say once, until it works again, what cannot be told; a broker that is gone ends this connection."""
        if error.code.startswith("MQTT"):
            raise error
        if camera not in self._failing:
            log.warning("%s cannot be told of: %s", camera or "the list of cameras", error)
        self._failing.add(camera)

    async def _describe(self, broker: Broker, cameras: Sequence[Camera]) -> None:
        now = {device_topic(self._settings.discovery, one.id): self._description(one) for one in cameras}
        gone = dict.fromkeys(self._described.keys() - now.keys(), b"")
        for topic, payload in {**now, **gone}.items():
            if self._described.get(topic) != payload:
                await broker.publish(topic, payload, retain=True)
        self._described = now
        self._news.forget([camera.id for camera in cameras])

    def _description(self, camera: Camera) -> bytes:
        return _json(discovery(camera, self._topics, version=ringlight.__version__, page=self._page))

    async def _tell_state(self, broker: Broker, camera: Camera) -> None:
        topic, payload = self._topics.of(camera.id, "state"), _json(state(camera))
        if self._told.get(topic) != payload:
            await broker.publish(topic, payload, retain=True)
            self._told[topic] = payload

    async def _tell_news(self, broker: Broker, camera: Camera) -> None:
        seen = [event async for event in camera.history(limit=LOOKED_AT)]
        for event in self._news.read(camera.id, seen, time.monotonic() - self._began):
            part = SAID.get(event.kind)
            if part is None:
                continue
            said = {"event_type": "ring"} if part == "bell" else {"person": event.person}
            message = _json({**said, "id": event.id, "at": event.at})
            await broker.publish(self._topics.of(camera.id, part), message)
            if camera.device.power is not Power.BATTERY or self._settings.stills_on_battery:
                self._begin(self._take_picture(broker, camera))

    async def _take_picture(self, broker: Broker, camera: Camera) -> None:
        still = await camera.fresh_snapshot()
        await broker.publish(self._topics.of(camera.id, "image"), still.image, retain=True)

    # What it is told

    async def _hear(self, broker: Broker) -> None:
        async for message in broker.messages():
            if message.topic == f"{self._settings.discovery}/status":
                if message.payload == b"online":  # Home Assistant has started, and forgot what was not kept for it
                    self._tell_all()
                continue
            if message.retained:
                continue  # a wish of some other day
            try:
                command = self._topics.read(message.topic, message.payload)
            except RingError as error:
                log.warning("%s", error)
                continue
            self._begin(self._do(broker, command))

    async def _do(self, broker: Broker, command: Command) -> None:
        camera = await self._cameras.camera(command.camera)
        match command.what:
            case "light":
                await camera.set_light(command.word == "ON")
            case "siren":
                await camera.set_siren(command.word == "ON")
            case "picture":
                await self._take_picture(broker, camera)
            case "turn":
                await camera.turn(command.word)  # type: ignore[arg-type]  # judged when it was read
        await self._tell_state(broker, camera)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        async def told() -> None:
            try:
                await work
            except RingError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("a wish by MQTT was not fulfilled")  # a bug of ours

        task = asyncio.create_task(told())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
