"""A running view that breaks, against the simulated Ring: who watches keeps watching, and is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from ringlight import Account
from ringlight.account import Credentials
from ringlight.errors import RingError
from ringlight.liveview import Ended, Event, Step, Trying, attempt
from ringlight.liveview.signaling_socket import open_socket
from ringlight.secrets import Secret
from ringlight.settings import CameraSettings, LiveViewSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.anyio


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[ClientConnection]:
    """Every signaling socket that is opened, so that a test can cut it."""
    opened: list[ClientConnection] = []

    async def remembered(url: Secret, seconds: float) -> ClientConnection:
        opened.append(await open_socket(url, seconds))
        return opened[-1]

    monkeypatch.setattr(attempt, "open_socket", remembered)
    return opened


@asynccontextmanager
async def _account(ring: SimulatedRing, linger: float = 0.0, **live_view: Any) -> AsyncIterator[Account]:
    settings = Settings(
        ring_url=ring.url, live_view=LiveViewSettings(**live_view), cameras=CameraSettings(linger=linger)
    )
    credentials = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
    async with Account.open(settings, store=MemoryTokenStore(), credentials=credentials) as account:
        yield account


async def test_a_socket_that_is_cut_ends_neither_the_view_nor_its_recording(
    ring: SimulatedRing, sockets: list[ClientConnection], tmp_path: Path
) -> None:
    told: list[Event] = []
    async with _account(ring) as account, asyncio.timeout(15):
        camera = await account.camera("front-door")
        async with camera.live_view() as view:

            async def listen() -> None:
                told.extend([event async for event in view.events()])

            listening = asyncio.create_task(listen())
            recording = asyncio.create_task(view.record(tmp_path / "door.mp4", seconds=3))
            assert len(await view.snapshot()) > 1000
            sockets[0].transport.abort()
            assert (await recording).seconds == pytest.approx(3.0, abs=0.3)
            assert len(await view.snapshot()) > 1000
            assert camera.view.progress.state == "live"
        await listening
    assert ring.world.live_views == 2
    again = next(event for event in told if isinstance(event, Trying) and event.code is not None)
    assert (again.number, again.code, again.detail) == (2, "SIG-DROPPED", "close code 1006")
    steps = [event.name for event in told if isinstance(event, Step)]
    assert [steps.count(name) for name in ("socket", "answer", "media")] == [2, 2, 2]
    assert isinstance(told[-1], Ended)
    assert told[-1].error.code == "SIG-CLOSED"
    assert [event.at for event in told] == sorted(event.at for event in told)


async def test_while_it_is_opened_again_the_page_is_told_why_and_when(
    ring: SimulatedRing, sockets: list[ClientConnection]
) -> None:
    shown: list[dict[str, Any]] = []
    async with _account(ring) as account, asyncio.timeout(15):
        camera = await account.camera("front-door")
        async with camera.live_view() as view:
            await view.snapshot()

            async def follow() -> None:
                async for progress in camera.view.changes():
                    shown.extend([progress.as_dict()])

            following = asyncio.create_task(follow())
            await asyncio.sleep(0)
            sockets[0].transport.abort()
            while not (len(sockets) == 2 and camera.view.progress.state == "live"):
                await asyncio.sleep(0.01)
            following.cancel()
    waiting = next(snapshot for snapshot in shown if snapshot["retry"])
    assert waiting["state"] == "opening"
    assert waiting["viewers"] == 1
    assert waiting["retry"]["code"] == "SIG-DROPPED"
    assert waiting["retry"]["title"] == "The connection was cut"
    assert 0 <= waiting["retry"]["seconds"] <= 0.5
    assert camera.view.progress.retry is None


async def test_during_a_break_no_old_picture_is_given(ring: SimulatedRing, sockets: list[ClientConnection]) -> None:
    async with _account(ring) as account, asyncio.timeout(15):
        camera = await account.camera("front-door")
        async with camera.live_view() as view:
            await view.snapshot()
            ring.world.switch(["ticket-500"])
            sockets[0].transport.abort()
            while camera.view.progress.retry is None:
                await asyncio.sleep(0.005)
            assert view.broadcast.key_frame() is None
            with pytest.raises(RingError, match="CAM-COMMAND"):
                await view.turn("left")


async def test_a_laptop_that_was_closed_keeps_no_camera_awake(
    ring: SimulatedRing, sockets: list[ClientConnection]
) -> None:
    """The last viewer has gone and the view only lingers; when it breaks then, it stays closed."""
    async with _account(ring, linger=30.0) as account, asyncio.timeout(15):
        camera = await account.camera("front-door")
        async with camera.live_view() as view:
            await view.snapshot()
        sockets[0].transport.abort()
        assert (await view.ended()).code == "SIG-DROPPED"
        assert camera.view.progress.retry is None
    assert ring.world.live_views == 1


async def test_a_break_that_lasts_ends_the_view_with_its_whole_story(
    ring: SimulatedRing, sockets: list[ClientConnection]
) -> None:
    async with _account(ring, reopen_retries=2) as account, asyncio.timeout(15):
        camera = await account.camera("front-door")
        async with camera.live_view() as view:
            await view.snapshot()
            ring.world.switch(["ticket-500"])
            sockets[0].transport.abort()
            error = await view.ended()
    assert error.code == "RING-DOWN"
    assert error.detail is not None
    assert "tried again 2 times in " in error.detail
    assert error.detail.endswith("it began with SIG-DROPPED")
