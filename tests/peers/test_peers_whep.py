"""Other WebRTC stacks as viewers: aiortc, and GStreamer as Debian has it, unchanged in anything."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import CameraSettings, ServerSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator

pytestmark = [pytest.mark.anyio, pytest.mark.program]
PROFILES = {"high": "front-door", "constrained baseline": "back-yard"}
PICTURES = 30


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[str]:
    """A simulated Ring and the server; gives the base of its WHEP addresses."""
    async with simulator() as ring:
        settings = Settings(ring_url=ring.url, server=ServerSettings(port=0), cameras=CameraSettings(linger=0.2))
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account) as serving,
        ):
            yield f"http://127.0.0.1:{serving.port}/whep/"


async def _count(track: MediaStreamTrack, frames: dict[str, int]) -> None:
    with contextlib.suppress(MediaStreamError):
        while True:
            await track.recv()
            frames[track.kind] += 1


@pytest.mark.parametrize("camera", PROFILES.values(), ids=list(PROFILES))
async def test_aiortc_plays_a_camera_with_no_loss(camera: str) -> None:
    """It offers constrained baseline alone, and decodes High under that name all the same."""
    frames, reading = {"video": 0, "audio": 0}, set[asyncio.Task[None]]()
    async with served() as base, httpx2.AsyncClient(timeout=20) as http:
        player = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        receivers = [player.addTransceiver(kind, direction="recvonly").receiver for kind in frames]
        player.on("track", lambda track: reading.add(asyncio.create_task(_count(track, frames))))
        try:
            await player.setLocalDescription(await player.createOffer())
            offer = player.localDescription.sdp
            answer = await http.post(base + camera, content=offer, headers={"Content-Type": "application/sdp"})
            await player.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            async with asyncio.timeout(20):
                while frames["video"] < PICTURES:
                    await asyncio.sleep(0.02)
            reports = [report for receiver in receivers for report in (await receiver.getStats()).values()]
        finally:
            await player.close()
            await asyncio.gather(*reading)
    assert frames["audio"] > PICTURES
    inbound = [report for report in reports if report.type == "inbound-rtp"]
    assert {report.kind: report.packetsLost for report in inbound} == {"video": 0, "audio": 0}


async def _gstreamer(camera: str, policy: str = "MAX_BUNDLE", sound: str = "opus") -> dict[str, Any]:
    script = Path(__file__).with_name("view_gstreamer.py")
    async with served() as base:
        player = await asyncio.create_subprocess_exec(
            "/usr/bin/python3", str(script), base + camera, str(PICTURES), policy, sound,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={"PATH": "/usr/bin"},
        )  # fmt: skip
        said, complained = await asyncio.wait_for(player.communicate(), 40)
    assert player.returncode == 0, complained.decode()
    seen: dict[str, Any] = json.loads(said)
    assert seen["frames"]["video"] >= PICTURES, complained.decode()
    return seen


@pytest.mark.parametrize("camera", PROFILES.values(), ids=list(PROFILES))
async def test_gstreamer_plays_a_camera_with_no_loss(camera: str) -> None:
    """Its certificate is RSA, and its sound is offered `bundle-only`."""
    seen = await _gstreamer(camera)
    assert seen["frames"]["audio"] > PICTURES
    assert seen["lost"] == 0


async def test_gstreamer_left_as_it_is_keeps_kinds_apart_and_plays_the_picture() -> None:
    """`webrtcbin` bundles nothing by default; a second path for the sound there is none."""
    seen = await _gstreamer("front-door", policy="NONE")
    assert seen["frames"]["audio"] == 0


async def test_gstreamer_plays_the_picture_where_its_sound_is_refused() -> None:
    """It wants ICE and DTLS lines even in a section that is refused."""
    seen = await _gstreamer("front-door", sound="pcma")
    assert seen["frames"]["audio"] == 0
