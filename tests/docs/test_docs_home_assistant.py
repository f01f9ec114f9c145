"""The example for Home Assistant: what an integration does, in one event loop with one aiohttp session."""

import asyncio
import importlib.util
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest

from ringlight.account import AccountClient
from ringlight.errors import RingError
from ringlight.media import rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.media.sdp import Codec, Description, Section
from ringlight.secrets import Secret
from ringlight.settings import Settings, load_settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "home_assistant_style.py"
PAGE = (ROOT / "docs" / "how-to" / "inside-home-assistant.md").read_text(encoding="utf-8")


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("home_assistant_style", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


example = _example()


@asynccontextmanager
async def _signed_in() -> AsyncIterator[tuple[SimulatedRing, Settings, MemoryTokenStore, aiohttp.ClientSession]]:
    store = MemoryTokenStore()
    async with simulator() as ring, aiohttp.ClientSession() as session:
        settings = load_settings(ring_url=ring.url, cameras={"linger": 0})
        async with AccountClient.open(settings, store=store, session=session) as account:
            with pytest.raises(RingError, match="AUTH-CODE-NEEDED"):
                await account.sign_in(ring.world.email, Secret(ring.world.password))
            await account.sign_in(ring.world.email, Secret(ring.world.password), ring.world.code)
        yield ring, settings, store, session


class Browser:
    """A browser's side of WebRTC, made of our own peer."""

    def __init__(self) -> None:
        self.said: list[dict[str, str]] = []
        self.packets = 0
        self.first, self.gone = asyncio.Event(), asyncio.Event()
        self.peer = Peer(
            controlling=True, on_rtp=self._take, on_rtcp=lambda _: None, on_closed=lambda _: self.gone.set()
        )

    async def offer(self) -> str:
        transport = await self.peer.gather()
        profile = {"profile-level-id": "64001f", "packetization-mode": "1"}
        codecs = (Codec(106, "H264", 90_000, 1, profile, ("nack pli",)),)
        return sdp.write(Description((Section("video", "0", "recvonly", codecs, transport),), ("0",)))

    async def play(self) -> None:
        answer = sdp.parse(self.said[-1]["answer"])
        await self.peer.connect(answer.transport, Role.CLIENT)
        async with asyncio.timeout(10):
            await self.first.wait()

    def _take(self, data: bytes) -> None:
        assert rtp.parse(data).payload_type == 106
        self.packets += 1
        self.first.set()


def _entity(integration: Any, name: str) -> Any:
    return next(entity for entity in integration.entities if entity.name == name)


async def test_a_browser_is_answered_plays_and_leaves_and_the_unload_leaves_nothing_behind() -> None:
    async with _signed_in() as (ring, settings, store, session):
        before = asyncio.all_tasks()
        browser = Browser()
        async with example.Integration(session, settings, store=store) as integration:
            door = _entity(integration, "Front Door")
            assert door.available
            await door.async_handle_async_webrtc_offer(await browser.offer(), "s-1", browser.said.append)
            assert [message["type"] for message in browser.said] == ["answer"]
            await browser.play()
            assert (await door.async_camera_image()).startswith(b"\xff\xd8"), "of the live view, which is open anyway"
            assert ring.world.live_views == 1
            await door.async_close_webrtc_session("s-1")
            await door.async_close_webrtc_session("s-1")  # twice is no error
            async with asyncio.timeout(5):
                await browser.gone.wait()
        await browser.peer.close()
        assert not session.closed
        async with asyncio.timeout(5):
            while asyncio.all_tasks() - before:
                await asyncio.sleep(0.01)
        (dialog,) = ring.world.dialogs
        assert dialog.ended == "closed by the client"
        assert [message for message in dialog.messages if message["code"]] == []


async def test_an_unload_ends_what_is_still_watched() -> None:
    async with _signed_in() as (ring, settings, store, session):
        before = asyncio.all_tasks()
        browser = Browser()
        async with example.Integration(session, settings, store=store) as integration:
            yard = _entity(integration, "Driveway")
            await yard.async_handle_async_webrtc_offer(await browser.offer(), "s-1", browser.said.append)
            await browser.play()
        async with asyncio.timeout(5):
            await browser.gone.wait()
        await browser.peer.close()
        async with asyncio.timeout(5):
            while asyncio.all_tasks() - before:
                await asyncio.sleep(0.01)
        assert [dialog.ended for dialog in ring.world.dialogs] == ["closed by the client"]


async def test_a_browser_is_told_the_fault_and_its_fix() -> None:
    async with _signed_in() as (ring, settings, store, session):
        ring.world.switch(["expired-ticket"])
        browser = Browser()
        async with example.Integration(session, settings, store=store) as integration:
            door = _entity(integration, "Front Door")
            await door.async_handle_async_webrtc_offer(await browser.offer(), "s-1", browser.said.append)
        await browser.peer.close()
    (told,) = browser.said
    assert (told["type"], told["code"]) == ("error", "SIG-TICKET")
    assert len(told["message"]) > 40


async def test_a_picture_is_taken_without_a_live_view_and_shown_for_a_while() -> None:
    """The dashboard asks every ten seconds; a battery camera would be empty in a week."""
    async with _signed_in() as (ring, settings, store, session):
        async with example.Integration(session, settings, store=store) as integration:
            yard = _entity(integration, "Back Yard")
            first = await yard.async_camera_image()
            ring.world.takes_stills = False
            assert await yard.async_camera_image() is first
            integration.picture_life = 0.0
            assert await yard.async_camera_image() is first, "better an old one than none"
            assert await _entity(integration, "Front Door").async_camera_image() is None
        assert ring.world.live_views == 0


async def test_a_view_that_ends_just_then_costs_no_picture() -> None:
    """Whether it is live is known before; that it still is when the frame is taken, nobody can promise."""
    async with (
        _signed_in() as (ring, settings, store, session),
        example.Integration(session, settings, store=store) as integration,
    ):
        door = _entity(integration, "Front Door")
        first = await door.async_camera_image()
        assert first is not None
        ring.world.switch(["string-doorbot-id"])  # refused at once
        door.camera.view.progress.state = "live"
        assert await door.async_camera_image() is first


async def test_a_failed_poll_makes_entities_unavailable_and_tells_why() -> None:
    async with (
        _signed_in() as (ring, settings, store, session),
        example.Integration(session, settings, store=store) as integration,
    ):
        door, told = _entity(integration, "Front Door"), []
        integration.coordinator.listeners.append(lambda: told.append(door.available))
        for switches in (["offline"], ["rate-429"]):
            ring.world.switch(switches)
            integration.account._listed_at = float("-inf")  # as if some seconds had gone by
            await integration.coordinator.refresh()
        assert integration.coordinator.problem.code == "RING-RATE"
        assert told == [False, False]
        assert not integration.sign_in_lost.is_set()


async def test_cameras_that_come_back_are_available_again() -> None:
    async with (
        _signed_in() as (ring, settings, store, session),
        example.Integration(session, settings, store=store) as integration,
    ):
        door, told = _entity(integration, "Front Door"), []
        integration.coordinator.listeners.append(lambda: told.append(door.available))
        for switches in (["offline"], []):
            ring.world.switch(switches)
            integration.account._listed_at = float("-inf")
            await integration.coordinator.refresh()
        assert told == [False, True]


async def test_a_lost_sign_in_is_told_and_ends_the_polling() -> None:
    async with (
        _signed_in() as (ring, settings, store, session),
        example.Integration(session, settings, store=store, every=0.01) as integration,
    ):
        ring.world.switch(["wrong-password"])
        integration.account._listed_at = float("-inf")
        async with asyncio.timeout(5):
            await integration.sign_in_lost.wait()
            await integration.coordinator._polling
        assert integration.coordinator.problem.code == "AUTH-LINK-LOST"


async def test_a_set_up_that_fails_leaves_nothing_open() -> None:
    async with simulator() as ring, aiohttp.ClientSession() as session:
        before = asyncio.all_tasks()
        with pytest.raises(RingError, match="AUTH-SIGNED-OUT"):
            async with example.Integration(session, load_settings(ring_url=ring.url), store=MemoryTokenStore()):
                raise AssertionError("it must not get here")
        assert asyncio.all_tasks() == before
        assert not session.closed


@pytest.mark.program
def test_the_example_runs_as_a_program(ring: SimulatedRing, tmp_path: Path, environment: dict[str, str]) -> None:
    settings = load_settings(ring_url=ring.url, state_dir=Path(environment["RINGLIGHT_STATE_DIR"]))

    async def sign_in() -> None:
        async with AccountClient.open(settings) as account:
            with pytest.raises(RingError):
                await account.sign_in(ring.world.email, Secret(ring.world.password))
            await account.sign_in(ring.world.email, Secret(ring.world.password), ring.world.code)

    asyncio.run(sign_in())
    command = [sys.executable, "-W", "error", str(EXAMPLE), "--seconds", "0.1", "--pictures", str(tmp_path)]
    done = subprocess.run(
        command, env={**environment, "RINGLIGHT_RING_URL": ring.url}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^(.+): available, \d{4,} bytes$", done.stdout, re.MULTILINE) == [
        "Front Door", "Back Yard", "Driveway",
    ]  # fmt: skip
    assert done.stdout.endswith("problem: None\n")
    assert {path.name for path in tmp_path.glob("*.jpg")} == {"front-door.jpg", "back-yard.jpg", "driveway.jpg"}


def test_the_page_names_what_the_example_has() -> None:
    named = re.findall(r"`(async_(?:camera|handle|on|close)\w+|Coordinator|CameraEntity|Integration)\b", PAGE)
    assert len(named) >= 5
    for name in named:
        assert hasattr(example, name) or hasattr(example.CameraEntity, name), name


@pytest.mark.program
def test_the_program_on_the_page_prints_what_the_page_says(environment: dict[str, str]) -> None:
    ((source, said),) = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", source]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (said, "")
