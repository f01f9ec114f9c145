"""The audit says who watched which camera, how and for how long; and what somebody watches ends with their key."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from test_rtsp_players import Raw, by_hand
from test_server_entrance import KEY, OWN, kept
from test_server_login import ours

from ringlight.faults import FAULTS
from ringlight.http.serving import listen
from ringlight.rooms.audit import AuditKey, judge
from ringlight.secrets import Secret
from ringlight.server.rtsp.credentials import digest_of
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, hash_of_key
from room_house import house
from whep_viewer import viewer

pytestmark = pytest.mark.anyio
NAN = KeptKey(
    "a1", "nan", hash_of_key(Secret(KEY)), ("view",), ("front-door",), 0.0, digest=digest_of("nan", Secret(KEY))
)


def free_port() -> int:
    with contextlib.closing(listen("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextlib.asynccontextmanager
async def guest(base: httpx2.URL) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
        yield http


async def audited(state: Path) -> list[tuple[str, str, str]]:
    """What the audit says, after it was judged to be whole."""
    key = AuditKey(Secret(OWN))
    database = Database(f"sqlite:///{state / 'ringlight.db'}")
    rows = AuditRows(database, key.hashed, key.seal)
    read = await asyncio.to_thread(lambda: list(rows.read()))
    assert judge(key, read, rows.head()).problem is None
    database.close()
    people = {key.hidden("owner"): "owner", key.hidden("key:a1"): "nan"}
    return [(row.event, row.detail, people[row.person]) for row in read]


async def test_who_watched_is_in_the_audit_by_a_keyed_hash(tmp_path: Path) -> None:
    async with house(tmp_path, key=OWN) as (http, _), viewer(str(http.base_url), "front-door", http) as playing:
        await playing.receive(5)
    began, left = await audited(tmp_path)
    assert began == ("camera.watched", "front-door whep", "owner")
    assert left[0] == "camera.left"
    assert left[1].startswith("front-door whep ")
    assert left[1].endswith(" s")


async def test_a_film_pieces_and_stills_are_one_watch_each_and_end_with_the_server(tmp_path: Path) -> None:
    with kept(tmp_path, NAN):
        async with house(tmp_path, key=OWN) as (owner, _), guest(owner.base_url) as http:
            async with http.stream("GET", "api/cameras/front-door/live.mp4") as film:
                await anext(film.aiter_bytes())
            for _ in range(3):
                assert (await http.get("api/cameras/front-door/hls/index.m3u8")).status_code == 200
                assert (await http.get("api/cameras/front-door/snapshot.jpg")).status_code == 200
    read = await audited(tmp_path)
    assert {who for _, _, who in read} == {"nan"}
    for way in ("mp4", "hls", "still"):
        events = [event for event, detail, _ in read if detail.split()[1] == way]
        assert events == ["camera.watched", "camera.left"], way


async def playing_by_rtsp(raw: Raw, url: str) -> None:
    """Play with the key as the password of Basic."""
    shown = f"Authorization: Basic {base64.b64encode(f'any:{KEY}'.encode()).decode()}"
    assert (await raw.ask("DESCRIBE", url, shown))[0] == 200
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
    assert (await raw.ask("SETUP", f"{url}/trackID=0", transport, shown))[0] == 200
    assert (await raw.ask("PLAY", url, shown))[0] == 200


async def test_everything_that_a_key_has_opened_ends_within_seconds_when_it_is_taken_back(tmp_path: Path) -> None:
    port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        rows = stack.enter_context(kept(tmp_path, NAN))
        owner, _ = await stack.enter_async_context(house(tmp_path, key=OWN, rtsp=port))
        http = await stack.enter_async_context(guest(owner.base_url))
        base, url = str(owner.base_url), f"rtsp://127.0.0.1:{port}/front-door"
        theirs = await stack.enter_async_context(viewer(base, "front-door", http))
        owners = await stack.enter_async_context(viewer(base, "front-door", owner))
        raw = await stack.enter_async_context(by_hand(port))
        await playing_by_rtsp(raw, url)
        film = await stack.enter_async_context(http.stream("GET", "api/cameras/front-door/live.mp4"))
        pieces = film.aiter_bytes()
        await anext(pieces)
        events = await stack.enter_async_context(http.stream("GET", "api/cameras/front-door/events"))
        lines = events.aiter_lines()
        assert (await anext(lines)).startswith("data: ")
        assert (await http.get("api/cameras/front-door/hls/index.m3u8")).status_code == 200

        await asyncio.to_thread(rows.revoke, "nan")
        at = time.monotonic()
        async with asyncio.timeout(30):
            told = [line async for line in lines if line]
            await theirs.closed.wait()
            await raw.ended()
            async for _ in pieces:
                pass
        assert time.monotonic() - at < 20
        fault = told[told.index("event: fault") + 1]
        assert json.loads(fault.removeprefix("data: "))["code"] == "KEY-REVOKED"
        assert (await http.get("api/cameras/front-door/hls/index.m3u8")).json()["code"] == "KEY-NEEDED"
        async with by_hand(port) as again:
            assert (await again.ask("DESCRIBE", url))[0] == 401
        assert not owners.closed.is_set()
        seen = len(owners.packets)
        await owners.receive(seen + 20)
    ended = [
        detail.split()[1] for event, detail, who in await audited(tmp_path) if (event, who) == ("camera.left", "nan")
    ]
    assert sorted(ended) == ["hls", "mp4", "rtsp", "whep"]


async def test_a_key_that_ends_while_somebody_watches_ends_it(tmp_path: Path) -> None:
    soon = KeptKey("a1", "nan", NAN.hash, ("view",), None, 0.0, expires=time.time() + 8)
    with kept(tmp_path, soon):
        async with house(tmp_path, key=OWN) as (owner, _), guest(owner.base_url) as http:
            async with http.stream("GET", "api/cameras/front-door/events") as events:
                async with asyncio.timeout(60):
                    told = [line async for line in events.aiter_lines() if line]
            assert "KEY-EXPIRED" in told[-1]


async def test_a_log_in_that_ends_while_somebody_watches_ends_it_and_says_so(tmp_path: Path) -> None:
    async with (
        house(tmp_path, key=OWN, session_life=6) as (owner, _),
        httpx2.AsyncClient(base_url=owner.base_url, timeout=30) as browser,
    ):
        assert (await browser.post("login", data={"key": OWN}, headers=ours(browser))).status_code == 303
        async with browser.stream("GET", "api/cameras/front-door/events") as events:
            async with asyncio.timeout(60):
                told = [line async for line in events.aiter_lines() if line]
        fault = json.loads(told[told.index("event: fault") + 1].removeprefix("data: "))
        assert (fault["code"], fault["title"]) == ("KEY-SESSION", FAULTS["KEY-SESSION"].title)
