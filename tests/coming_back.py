"""A page that comes back whatever happens to its connection, says everything once and counts what it hears."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

WITHIN = 60.0  # seconds that anything may take


class ComingBack:
    """Use it with `async with`.

    Args:
        urls: Where it connects, one after another.
        hello: What it says of itself.

    Attributes:
        heard: Words of others, in the order in which they came.
        notices: `on` of each notice.
        names: The id that it was welcomed under, each time.
    """

    def __init__(self, urls: Callable[[], list[str]], **hello: Any) -> None:
        self.heard: list[str] = []
        self.notices: list[bool] = []
        self.names: list[str] = []
        self.others: set[str] = set()
        self._urls = urls
        self._hello = hello
        self._session: dict[str, Any] = {}
        self._seq = self._rid = 0
        self._said: dict[int, str] = {}  # what has no answer yet
        self._web: ClientConnection | None = None
        self._tries = 0
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "ComingBack":
        self._task = asyncio.create_task(self._run())
        await self.until(lambda: bool(self.names))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.result()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN), self._changed:
            await self._changed.wait_for(lambda: is_so() or (self._task is not None and self._task.done()))
        assert is_so(), self._task

    async def say(self, text: str) -> None:
        """Say something; should the connection break, it is said again under its number."""
        self._rid += 1
        self._said[self._rid] = json.dumps({"t": "chat", "rid": self._rid, "seen": self._seq, "text": text})
        if self._web is not None:
            with contextlib.suppress(WebSocketException, OSError):
                await self._web.send(self._said[self._rid])

    async def answered(self) -> None:
        """Wait until all was taken."""
        await self.until(lambda: not self._said)

    def drop(self) -> None:
        """Cut the connection, with whatever is on its way."""
        if self._web is not None:
            self._web.transport.abort()

    async def _run(self) -> None:
        while True:
            urls = self._urls()
            url = urls[self._tries % len(urls)]
            with contextlib.suppress(WebSocketException, OSError, TimeoutError):
                async with connect(url, proxy=None, open_timeout=10, close_timeout=0.1, ping_interval=None) as web:
                    await web.send(json.dumps({"t": "hello", "v": 2, **self._hello, **self._session, "seq": self._seq}))
                    async for raw in web:
                        await self._frame(web, json.loads(raw))
            self._web = None
            self._tries += 1
            await asyncio.sleep(0.01)

    async def _frame(self, web: ClientConnection, frame: dict[str, Any]) -> None:
        if "seq" in frame:
            assert frame["seq"] == self._seq + 1, (frame, self._seq)
            self._seq = frame["seq"]
        match frame["t"]:
            case "welcome":
                assert frame["resumed"] or not self._session, "something that was kept is lost"
                self.names.append(frame["session"])
                self._session = {"session": frame["session"], "resume": frame["resume"]}
                self._said = {rid: text for rid, text in self._said.items() if rid > frame["rid"]}
                self._web = web
                for text in list(self._said.values()):
                    await web.send(text)
            case "roster":
                self.others = {person["id"] for person in frame["people"]}
            case "joined":
                self.others.add(frame["person"]["id"])
            case "chat":
                self.heard.append(frame["text"])
            case "ok":
                self._said.pop(frame["rid"], None)
            case "error":
                assert frame["code"] in ("ROOM-BUSY", "ROOM-SILENT"), frame
            case "notice":
                self.notices.append(frame["on"])
        async with self._changed:
            self._changed.notify_all()
