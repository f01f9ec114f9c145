"""A client that may do everything wrong: a bare WebSocket to the simulated Ring."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ringlight.media import negotiate, sdp
from ringlight.media.sdp import Transport
from ringlight.testing import SimulatedRing

OFFER = sdp.write(negotiate.camera_offer(Transport("ufrag123", "p" * 24, ":".join(["AB"] * 32), "actpass"), audio=True))
CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host"


class RawClient:
    """One socket; `dialog_id` and `session_id` are those of the view that `live` has opened."""

    def __init__(self, web: ClientConnection) -> None:
        self.web = web
        self.dialog_id = str(uuid.uuid4())
        self.session_id = ""
        self.heard: list[dict[str, Any]] = []

    def envelope(self, method: str, **body: Any) -> dict[str, Any]:
        return {"method": method, "dialog_id": self.dialog_id, "body": {"doorbot_id": 1001, **body}}

    def offer(self, **body: Any) -> dict[str, Any]:
        streams = {"audio_enabled": True, "video_enabled": True}
        return self.envelope("live_view", **{"sdp": OFFER, "stream_options": streams, **body})

    def in_session(self, method: str, **body: Any) -> dict[str, Any]:
        return self.envelope(method, **{"session_id": self.session_id, **body})

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        await self.web.send(json.dumps(message) if isinstance(message, dict) else message)

    async def hear(self, method: str, dialog_id: str | None = None) -> dict[str, Any]:
        """Read until a message of this method comes, in a dialog if one is named."""
        async with asyncio.timeout(5):
            while True:
                message: dict[str, Any] = json.loads(await self.web.recv())
                self.heard.append(message)
                if message["method"] == method and dialog_id in (None, message["dialog_id"]):
                    return message

    async def created(self) -> "RawClient":
        await self.send(self.offer())
        self.session_id = (await self.hear("session_created"))["body"]["session_id"]
        return self

    async def live(self) -> "RawClient":
        await self.created()
        await self.hear("sdp")
        await self.send(self.in_session("activate_session"))
        return self

    async def end(self) -> tuple[int | None, str]:
        """Wait for the end of the socket; return its code and reason."""
        async with asyncio.timeout(5):
            with suppress(ConnectionClosed):
                while True:
                    self.heard.append(json.loads(await self.web.recv()))
        return self.web.close_code, self.web.close_reason or ""


@asynccontextmanager
async def raw_client(ring: SimulatedRing, **options: Any) -> AsyncIterator[RawClient]:
    """Open a socket with a good ticket."""
    fields = {"api_version": "4.0", "auth_type": "ring_solutions", "client_id": "ring_site-1",
              "token": ring.world.tokens.make_ticket()}  # fmt: skip
    async with connect(f"{ring.url.replace('http', 'ws')}/ws?{urlencode(fields)}", proxy=None, **options) as web:
        yield RawClient(web)
