"""Clips of a partner device as recordings that a player can seek in: fetched once, kept a while, read in ranges."""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ringlight.http.flow import Headers, Streamed
from ringlight.partner import AsyncClient
from ringlight.secrets import Secret

__all__ = ["Clips", "span_of"]

KEPT = 16  # clips; a player asks for many parts of one film
CHUNK = 64 * 1024  # bytes
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Clips:
    """Fetches clips into a folder that goes with it.

    Args:
        client: The linked account.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._made = 0
        self._fetching: dict[str, asyncio.Task[Path]] = {}

    async def address(self, device_id: str, start: int, end: int) -> Secret:
        """Fetch a clip, or know it already; return where it is, for `stream`.

        Args:
            device_id: The camera.
            start: Milliseconds since 1970.
            end: As `start`.

        Raises:
            MediaNotReadyError: PARTNER-NOT-READY or PARTNER-NO-FOOTAGE.
            RingError: Why else it could not be had.
        """
        name = f"{device_id}/{start}-{end}"
        task = self._fetching.pop(name, None)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(self._fetch(device_id, start, end), name="clip")
        self._fetching[name] = task  # the newest last
        await self._make_room()
        return Secret(str(await asyncio.shield(task)))

    @asynccontextmanager
    async def stream(self, address: Secret, headers: Mapping[str, str] | None = None) -> AsyncIterator[Streamed]:
        """Read a clip, whole or the part that `Range` names, as a storage would send it; 404 where it has gone."""
        path = Path(address.reveal())
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except OSError:
            yield Streamed(404, Headers({}), _nothing())
            return
        try:
            size = file.seek(0, os.SEEK_END)
            span = span_of((headers or {}).get("Range"), size)
            told = {"ETag": f'"{path.stem}-{size}"'}
            if span is None:
                yield Streamed(416, Headers({**told, "Content-Range": f"bytes */{size}"}), _nothing())
                return
            first, last = span
            file.seek(first)
            told["Content-Length"] = str(last - first + 1)
            if (first, last) != (0, size - 1):
                told["Content-Range"] = f"bytes {first}-{last}/{size}"
            status = 206 if "Content-Range" in told else 200

            async def pieces() -> AsyncIterator[bytes]:
                left = last - first + 1
                while left > 0 and (piece := await asyncio.to_thread(file.read, min(left, CHUNK))):
                    left -= len(piece)
                    yield piece

            yield Streamed(status, Headers(told), pieces())
        finally:
            file.close()

    async def aclose(self) -> None:
        """Stop fetching, and remove what is there."""
        tasks = set(self._fetching.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._fetching.clear()
        if self._folder is not None:
            await asyncio.to_thread(self._folder.cleanup)
            self._folder = None

    async def _fetch(self, device_id: str, start: int, end: int) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ringlight-clips-")
        self._made += 1
        path = Path(self._folder.name) / f"{self._made}.mp4"
        await self._client.media.clip(device_id, start, max(end - start, 1000) / 1000, to=path, sound=True)
        return path

    async def _make_room(self) -> None:
        for name in [name for name, task in self._fetching.items() if task.done()][: -KEPT or None]:
            task = self._fetching.pop(name)
            if not task.cancelled() and task.exception() is None:
                await asyncio.to_thread(task.result().unlink, missing_ok=True)


def span_of(wanted: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and last byte that are asked for; `None` where there are none such (RFC 9110 section 14.1.2)."""
    found = _RANGE.fullmatch(wanted or "")
    if found is None or not (found[1] or found[2]):
        return 0, size - 1
    if not found[1]:
        return (max(0, size - int(found[2])), size - 1) if int(found[2]) else None
    first = int(found[1])
    last = min(int(found[2]) if found[2] else size - 1, size - 1)
    return (first, last) if first <= last else None


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
