"""How a viewer of the load generator gets to a server: WHEP, or the HTTP interface of Janus."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any, Protocol

import httpx2

from media.watcher import Watcher, candidate
from ringlight.media import sdp


class Signaling(Protocol):
    """Lets viewers in and out."""

    async def join(self, watcher: Watcher) -> None:
        """Bring a viewer to the point where keys are agreed."""

    async def leave(self, watcher: Watcher) -> None:
        """Tell the server that a viewer goes."""


@contextlib.asynccontextmanager
async def whep(urls: list[str]) -> AsyncIterator[Signaling]:
    """Join by WHEP; `urls` has an address for each camera."""
    limits = httpx2.Limits(max_connections=32, max_keepalive_connections=32)
    async with httpx2.AsyncClient(timeout=20, limits=limits, trust_env=False) as http:
        yield _Whep(urls, http)


class _Whep:
    def __init__(self, urls: list[str], http: httpx2.AsyncClient) -> None:
        self._urls, self._http = urls, http

    async def join(self, watcher: Watcher) -> None:
        url = self._urls[watcher.camera]
        offer = watcher.description("actpass", lite=False)
        posted = await self._http.post(url, content=offer, headers={"Content-Type": "application/sdp"})
        if posted.status_code != 201:
            raise RuntimeError(f"{url} answered {posted.status_code}: {posted.text[:200]}")
        watcher.session = str(httpx2.URL(url).join(posted.headers.get("location", "")))
        await watcher.connect(sdp.parse(posted.text).transport)

    async def leave(self, watcher: Watcher) -> None:
        await self._http.delete(watcher.session)


@contextlib.asynccontextmanager
async def janus(url: str) -> AsyncIterator[Signaling]:
    """Join the streaming plugin of a Janus; all viewers are handles of one session."""
    async with httpx2.AsyncClient(timeout=70, trust_env=False) as http:
        session = _Janus(url, http)
        await session.open()
        polling = asyncio.create_task(session.poll())
        try:
            yield session
        finally:
            polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await polling


class _Janus:
    def __init__(self, url: str, http: httpx2.AsyncClient) -> None:
        self._url, self._http = url, http
        self._offers: dict[int, asyncio.Future[str]] = {}

    async def _ask(self, path: str, **message: Any) -> dict[str, Any]:
        answered = await self._http.post(f"{self._url}{path}", json={**message, "transaction": secrets.token_hex(6)})
        answer: dict[str, Any] = answered.json()
        if answer["janus"] == "error":
            raise RuntimeError(f"Janus: {answer['error']}")
        return answer

    async def open(self) -> None:
        answer = await self._ask("", janus="create")
        self._url += f"/{answer['data']['id']}"

    async def poll(self) -> None:
        """Wait for events; those that carry an offer are handed to who waits for it."""
        while True:
            polled = await self._http.get(self._url, params={"maxev": 10})
            if not polled.content:  # so it answers at times when it is very busy
                await asyncio.sleep(0.05)
                continue
            events = polled.json()
            for event in events if isinstance(events, list) else [events]:
                waiting = self._offers.get(event.get("sender", 0))
                if waiting is not None and not waiting.done() and "jsep" in event:
                    waiting.set_result(event["jsep"]["sdp"])

    async def join(self, watcher: Watcher) -> None:
        attached = await self._ask("", janus="attach", plugin="janus.plugin.streaming")
        handle = attached["data"]["id"]
        watcher.session = f"/{handle}"
        offered = self._offers[handle] = asyncio.get_running_loop().create_future()
        await self._ask(f"/{handle}", janus="message", body={"request": "watch", "id": watcher.camera + 1})
        async with asyncio.timeout(15):
            offer = sdp.parse(await offered)
        del self._offers[handle]
        # Janus makes the checks, so we are the lite side here and it is us who only answers.
        offered_video = offer.sections[0]
        answer = watcher.description(
            "active", lite=True, host=candidate(offer.transport)[0], mid=offered_video.mid,
            payload_type=offered_video.codecs[0].payload_type,
        )  # fmt: skip
        connecting = asyncio.create_task(watcher.connect(offer.transport, checks=False))
        try:
            await asyncio.sleep(0)  # so that the socket is read before the first check can come
            jsep = {"type": "answer", "sdp": answer}
            await self._ask(f"/{handle}", janus="message", body={"request": "start"}, jsep=jsep)
            await connecting
        finally:
            connecting.cancel()

    async def leave(self, watcher: Watcher) -> None:
        await self._ask(watcher.session, janus="detach")
