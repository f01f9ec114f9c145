"""Cameras over MQTT, with a real broker and the simulated Ring: what Home Assistant would see."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt
import pytest

from own_mosquitto import OwnMosquitto
from ringlight import Account, Settings
from ringlight.account import Credentials
from ringlight.errors import RingError
from ringlight.home import bridge as bridge_module
from ringlight.home.bridge import Bridge
from ringlight.home.broker import connected
from ringlight.secrets import Secret
from ringlight.settings import MqttSettings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio
WITHIN = 30.0  # seconds that anything may take on a busy machine


@pytest.fixture(scope="module")
def broker() -> Iterator[OwnMosquitto]:
    server = OwnMosquitto()
    yield server
    server.close()


class Listener:
    """Somebody who hears everything, as Home Assistant does."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: dict[str, list[bytes]] = {}
        self._news = asyncio.Event()

    async def listen(self) -> None:
        await self.client.subscribe("#", qos=1)
        async for message in self.client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            self.heard.setdefault(message.topic.value, []).append(payload)
            self._news.set()

    async def until(self, topic: str, fits: Callable[[bytes], bool] = bool) -> bytes:
        async with asyncio.timeout(WITHIN):
            while True:
                for payload in reversed(self.heard.get(topic, [])):
                    if fits(payload):
                        return payload
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def listening(broker: OwnMosquitto) -> AsyncIterator[Listener]:
    client = aiomqtt.Client("127.0.0.1", broker.port, username="ring", password="let+me/in")
    async with client:
        listener = Listener(client)
        task = asyncio.create_task(listener.listen())
        try:
            yield listener
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def bridged(broker: OwnMosquitto, prefix: str) -> AsyncIterator[World]:
    async with simulator() as ring:
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        settings = Settings(ring_url=ring.url)
        async with Account.open(settings, store=MemoryTokenStore(), credentials=known) as account:
            wishes = MqttSettings(url=broker.url, prefix=prefix, discovery=f"{prefix}-ha", every=1)
            async with Bridge(wishes, account, page="http://door.example/"):
                yield ring.world


def _says(**wanted: Any) -> Callable[[bytes], bool]:
    return lambda payload: wanted.items() <= json.loads(payload).items()


async def test_home_assistant_finds_each_camera_with_all_it_can_do(broker: OwnMosquitto) -> None:
    async with listening(broker) as heard, bridged(broker, "a"):
        door = json.loads(await heard.until("a-ha/device/ringlight_front_door/config"))
        yard = json.loads(await heard.until("a-ha/device/ringlight_back_yard/config"))
        drive = json.loads(await heard.until("a-ha/device/ringlight_driveway/config"))
        assert await heard.until("a/status") == b"online"
        state = json.loads(await heard.until("a/front-door/state"))
    assert door["device"]["name"] == "Front Door"
    assert door["device"]["configuration_url"] == "http://door.example/#front-door"
    assert door["components"]["bell"]["device_class"] == "doorbell"
    assert "battery" in yard["components"]
    assert {"light", "siren", "turn_left"} <= set(drive["components"])
    assert not {"bell", "battery"} & set(drive["components"])
    ids = [part["unique_id"] for one in (door, yard, drive) for part in one["components"].values()]
    assert len(ids) == len(set(ids))
    assert (state["state"], state["fault"]) == ("online", None)


async def test_a_press_of_the_bell_is_told_with_a_picture_of_now(broker: OwnMosquitto) -> None:
    async with listening(broker) as heard, bridged(broker, "b") as world:
        await heard.until("b/front-door/state")
        world.press(1001, "ding")
        press = json.loads(await heard.until("b/front-door/bell"))
        picture = await heard.until("b/front-door/image")
        world.press(1002, "motion")
        await heard.until("b/back-yard/motion")
    assert press["event_type"] == "ring"
    assert picture[:3] == b"\xff\xd8\xff"
    assert "b/back-yard/image" not in heard.heard, "a camera on battery takes no picture unasked"
    assert len(heard.heard["b/front-door/bell"]) == 1


async def test_wishes_are_fulfilled_and_shown(broker: OwnMosquitto) -> None:
    async with listening(broker) as heard, bridged(broker, "c") as world:
        await heard.until("c/driveway/state", _says(light="OFF"))
        await heard.client.publish("c/driveway/light/set", "ON", qos=1)
        await heard.until("c/driveway/state", _says(light="ON"))
        await heard.client.publish("c/driveway/siren/set", "ON", qos=1)
        await heard.until("c/driveway/state", _says(siren="ON"))
        await heard.client.publish("c/back-yard/picture/set", "PRESS", qos=1)
        await heard.until("c/back-yard/image")
        assert world.lights == {1003: True}


async def test_what_is_no_wish_harms_nothing(broker: OwnMosquitto, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(broker) as heard, bridged(broker, "d") as world:
        await heard.until("d/driveway/state")
        for topic, payload in (("light", "perhaps"), ("door", "ON"), ("turn", "\0" * 5000)):
            await heard.client.publish(f"d/driveway/{topic}/set", payload, qos=1)
        await heard.client.publish("d/attic/light/set", "ON", qos=1)
        await heard.client.publish("d/driveway/light/set", "ON", qos=1)
        await heard.until("d/driveway/state", _says(light="ON"))
        assert world.lights == {1003: True}
    assert "CAM-UNKNOWN" in caplog.text
    assert "light knows OFF, ON" in caplog.text


async def test_a_wish_of_some_other_day_is_left_alone(broker: OwnMosquitto) -> None:
    """A retained command would switch the siren on at every start."""
    async with listening(broker) as heard:
        await heard.client.publish("e/driveway/siren/set", "ON", qos=1, retain=True)
        async with bridged(broker, "e"):
            await heard.until("e/driveway/state")
            await heard.client.publish("e/driveway/light/set", "ON", qos=1)
            await heard.until("e/driveway/state", _says(light="ON", siren="OFF"))
        await heard.client.publish("e/driveway/siren/set", b"", qos=1, retain=True)


async def test_home_assistant_that_starts_anew_is_told_everything_again(broker: OwnMosquitto) -> None:
    async with listening(broker) as heard, bridged(broker, "f"):
        topic = "f-ha/device/ringlight_driveway/config"
        await heard.until(topic)
        heard.heard.clear()
        await heard.client.publish("f-ha/status", "online", qos=1)
        await heard.until(topic)
        await heard.until("f/driveway/state")


async def test_a_camera_with_a_fault_says_which_and_what_to_do(
    broker: OwnMosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_module, "STATES_EVERY", 1.0)
    async with listening(broker) as heard, bridged(broker, "g") as world:
        await heard.until("g/front-door/state")
        world.switch(["offline"])
        said = json.loads(await heard.until("g/front-door/state", lambda payload: b"CAM-OFFLINE" in payload))
    assert said["fault"]["fix"]


async def test_a_broker_that_comes_back_is_told_everything_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bridge_module, "PAUSE_FIRST", 0.05)
    own = OwnMosquitto()
    try:
        async with bridged(own, "h"):
            async with listening(own) as heard:
                await heard.until("h/driveway/state")
            own.kill()
            own.start()
            async with listening(own) as heard:
                await heard.until("h-ha/device/ringlight_driveway/config")
                assert await heard.until("h/status") == b"online"
        async with listening(own) as heard:
            assert await heard.until("h/status") == b"offline"
    finally:
        own.close()
    assert caplog.text.count("MQTT-BROKER") == 1


async def test_a_wrong_password_is_named_and_not_shown(broker: OwnMosquitto) -> None:
    with pytest.raises(RingError) as caught:
        async with connected(Secret(f"mqtt://ring:canary@127.0.0.1:{broker.port}"), "x/status"):
            pass
    assert caught.value.code == "MQTT-LOGIN"
    assert "canary" not in f"{caught.value!r} {caught.value}"
