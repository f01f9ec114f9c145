"""Other WebRTC stacks as viewers: aiortc, and GStreamer and pion as Debian has them, unchanged in anything."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
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


@pytest.fixture(scope="module")
def pion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the player from pion as Debian packs it: in a workspace, since that keeps no versions in its paths."""
    work = tmp_path_factory.mktemp("go")
    player = work / "src" / "player"
    player.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("view_pion.go"), player)
    (player / "go.mod").write_text("module player\n")
    settings = {"GO111MODULE": "off", "GOPATH": f"{work}:/usr/share/gocode", "GOFLAGS": "", "CGO_ENABLED": "0"}
    subprocess.run(
        ["go", "build", "-o", str(work / "view"), "."], cwd=player, check=True, env={**os.environ, **settings}
    )
    return work / "view"


@pytest.mark.long
@pytest.mark.parametrize("camera", PROFILES.values(), ids=list(PROFILES))
async def test_pion_plays_a_camera_with_no_loss_and_tells_of_its_line(camera: str, pion: Path) -> None:
    """It offers transport-wide feedback by itself, as what is made of it does: LiveKit, mediamtx, go2rtc."""
    async with served() as base, httpx2.AsyncClient() as http:
        player = await asyncio.create_subprocess_exec(
            str(pion), base + camera, str(PICTURES), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        telling = asyncio.create_task(_line(http, f"{base.removesuffix('whep/')}api/cameras/{camera}"))
        said, complained = await asyncio.wait_for(player.communicate(), 60)
        telling.cancel()
    assert player.returncode == 0, complained.decode()
    seen = json.loads(said)
    assert seen["video"]["frames"] >= PICTURES, complained.decode()
    assert seen["audio"]["packets"] > PICTURES
    assert (seen["video"]["lost"], seen["audio"]["lost"]) == (0, 0)
    assert (seen["video"]["codec"], seen["audio"]["codec"]) == ("video/H264", "audio/opus")
    assert telling.done(), "its feedback was not understood"


async def _line(http: httpx2.AsyncClient, camera: str) -> None:
    """Return when the only viewer's line is known."""
    while True:
        audience = (await http.get(camera)).json().get("audience", [])
        if audience and audience[0]["line"] is not None and audience[0]["line"]["received_kbps"]:
            return
        await asyncio.sleep(0.02)
