"""The server with its rooms, for tests that enter them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import PlayerSettings, RoomSettings, RtspSettings, ServerSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator


@contextlib.asynccontextmanager
async def house(
    state: Path, *, demo: bool = False, key: str | None = None, rooms: RoomSettings | None = None,
    turn: str | None = None, turn_secret: str = "of coturn", rtsp: int = 0, trusted: tuple[str, ...] = (),
    session_life: float = 3600.0, redis: Secret | None = None,
) -> AsyncIterator[tuple[httpx2.AsyncClient, str]]:  # fmt: skip
    """The server with a client for its addresses, and where its sockets are."""
    async with simulator() as ring:
        settings = Settings(
            ring_url=ring.url,
            state_dir=state,
            rooms=rooms or RoomSettings(),
            rtsp=RtspSettings(port=rtsp),
            players=PlayerSettings(segment=1.0),
            secret_key=Secret(key) if key else None,
            turn_url=[turn] if turn else [],
            turn_secret=Secret(turn_secret) if turn else None,
            redis_url=redis,
            server=ServerSettings(
                host="0.0.0.0" if key else "127.0.0.1", port=0, trusted_proxies=list(trusted), session_life=session_life
            ),
        )
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account, demo=demo) as running,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{running.port}/", headers=headers, timeout=20) as http,
        ):
            yield http, f"ws://127.0.0.1:{running.port}"


async def hear(web: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        found: dict[str, Any] = json.loads(await web.recv())
    return found
