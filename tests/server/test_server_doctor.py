"""`/api/doctor`: the server's own checks, one verdict together with a browser's, and a path that wakes no camera up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.doctor.checks import CHECKS
from ringlight.faults import FAULTS
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.server.trial import MOST
from ringlight.settings import Settings, load_settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

OFFER = "\r\n".join([
    "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0",
    "m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:0", "a=recvonly", "a=rtcp-mux",
    "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=setup:actpass",
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=rtpmap:96 H264/90000",
    "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f", "",
])  # fmt: skip


@contextlib.asynccontextmanager
async def house(folder: Path, key: str | None = None) -> AsyncIterator[tuple[httpx2.AsyncClient, SimulatedRing]]:
    host = "0.0.0.0" if key else "127.0.0.1"
    async with simulator() as ring:
        settings: Settings = load_settings(
            ring_url=ring.url, state_dir=folder, secret_key=key, server={"host": host, "port": 0}
        )
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account) as running,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{running.port}/", headers=headers, timeout=60) as http,
        ):
            yield http, ring


@pytest.mark.parametrize("key", [None, "a long random text for this test"])
async def test_a_healthy_server_finds_nothing_and_wakes_no_camera(tmp_path: Path, key: str | None) -> None:
    async with house(tmp_path, key) as (http, ring):
        report = (await http.get("api/doctor")).json()
        assert report["healthy"], report["first"]
        looked_at = {check["check"] for check in report["checks"] if check["mark"] == "good"}
        assert looked_at >= {"settings", "state", "port", "token", "cameras", "websocket", "upgrade", "open"}
        assert ring.world.live_views == 0


async def test_it_wants_the_servers_key(tmp_path: Path) -> None:
    async with house(tmp_path, "a long random text for this test") as (http, _):
        refused = await http.get("api/doctor", headers={"Authorization": "Bearer no"})
        assert (refused.status_code, refused.json()["code"]) == (401, "KEY-NEEDED")


async def test_what_a_browser_found_is_judged_together_with_the_servers(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, ring):
        denied = {"check": "browser-permission", "mark": "fault", "seen": "refused", "code": "WEB-DENIED"}
        report = (await http.post("api/doctor", json={"browser": [denied]})).json()
        assert report["first"]["fault"]["code"] == "WEB-DENIED"
        assert report["first"]["expected"] == CHECKS["browser-permission"].expected
        ring.world.switch(["ticket-401"])
        report = (await http.post("api/doctor", json={"browser": [denied]})).json()
        assert report["first"]["fault"]["code"] == "TICKET-REFUSED"
        assert [one["fault"]["code"] for one in report["rest"]] == ["WEB-DENIED"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"check": "token", "mark": "good", "seen": ""},
        {"check": "browser-udp", "mark": "good", "seen": ""},
        {"check": "browser-turn", "mark": "fault", "seen": "", "code": "NO-SUCH"},
        {"check": "browser-turn", "mark": "fault", "seen": ""},
        {"check": "browser-turn", "mark": "splendid", "seen": ""},
        {"check": "browser-turn", "mark": "good", "seen": "x" * 301},
        {"check": "browser-turn", "mark": "good", "seen": "", "more": 1},
    ],
)
async def test_a_browser_may_say_nothing_but_what_it_has_looked_at(tmp_path: Path, wrong: dict[str, str]) -> None:
    async with house(tmp_path) as (http, _):
        refused = await http.post("api/doctor", json={"browser": [wrong]})
        assert refused.status_code == 400
        assert refused.json()["code"] == "REQUEST-INVALID"


async def test_the_media_port_answers_an_offer_without_a_camera(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, ring):
        kind = {"Content-Type": "application/sdp"}
        answered = await http.post("api/doctor/media", content=OFFER, headers=kind)
        assert answered.status_code == 201
        assert "a=candidate:" in answered.text
        assert "a=sendonly" in answered.text
        assert ring.world.live_views == 0
        broken = await http.post("api/doctor/media", content="v=0", headers=kind)
        assert (broken.status_code, broken.json()["code"]) == (FAULTS["VIEWER-OFFER"].http, "VIEWER-OFFER")
        wrong = await http.post("api/doctor/media", content=OFFER, headers={"Content-Type": "text/plain"})
        assert wrong.status_code == 415
        more = await asyncio.gather(*(http.post("api/doctor/media", content=OFFER, headers=kind) for _ in range(MOST)))
        assert sorted(one.status_code for one in more) == [201] * (MOST - 1) + [503]


async def test_the_line_is_measured_by_noise_that_nothing_shortens(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        block = (await http.get("api/doctor/block")).content
        assert len(block) == 2 * 1024 * 1024
        assert len(set(block[:4096])) > 200
