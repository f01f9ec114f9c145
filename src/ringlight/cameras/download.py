"""Saving a recording: beside its place first, then moved there whole; taken up again where it was cut."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import IO, Protocol

from ringlight.errors import NetworkError, RingError, fault_error
from ringlight.http.flow import Streamed
from ringlight.secrets import Secret

__all__ = ["Download", "Progressed"]

MOST_CUTS = 5  # after so many in one file the line is no good
PAUSE = 0.5  # seconds before it is taken up again
_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)")


class Progressed(Protocol):
    """Is told how a download goes."""

    def __call__(self, done: int, total: int | None) -> None:
        """Take the bytes that are there, and those there will be; `None` where the storage does not say."""


class Download:
    """One recording on its way into a file.

    Args:
        address: Fetches the recording's address; asked again for each part, since it expires.
        stream: Opens an address, with header fields.
        path: Where the file is to be. Until it is whole it is beside that, with `.part` at the end.
        progress: Told of each piece; `None` tells nobody.
    """

    def __init__(
        self,
        address: Callable[[], Awaitable[Secret]],
        stream: Callable[[Secret, dict[str, str]], AbstractAsyncContextManager[Streamed]],
        path: Path,
        progress: Progressed | None = None,
    ) -> None:
        self._address, self._stream = address, stream
        self._path, self._progress = path, progress
        self._have = 0
        self._etag: str | None = None

    async def run(self) -> int:
        """Fetch it; return its length in bytes.

        Raises:
            CameraError: CAM-RECORDING.
            MediaError: FILE-WRITE.
            NetworkError: The line was cut too often, or is down.
        """
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            file = await asyncio.to_thread(part.open, "wb")
            try:
                await self._fetch_whole(file)
            finally:
                await asyncio.to_thread(file.close)
            await asyncio.to_thread(part.replace, self._path)
        except OSError as error:
            await asyncio.to_thread(_remove, part)
            raise fault_error("FILE-WRITE", f"{part}: {error.strerror}") from error
        except BaseException:
            _remove(part)  # at once: whoever cancels waits for it
            raise
        return self._have

    async def _fetch_whole(self, file: IO[bytes]) -> None:
        cuts = 0
        while True:
            try:
                return await self._fetch(file)
            except NetworkError:
                cuts += 1
                if not self._have or cuts > MOST_CUTS:
                    raise
            await asyncio.sleep(PAUSE)

    async def _fetch(self, file: IO[bytes]) -> None:
        url = await self._address()
        async with self._stream(url, self._wanted()) as answer:
            total = await self._begin(file, answer)
            async for piece in answer.pieces:
                await asyncio.to_thread(file.write, piece)
                self._have += len(piece)
                if self._progress is not None:
                    self._progress(self._have, total)
        if total is not None and self._have < total:
            raise fault_error("NET-UNREACHABLE", f"the recording was cut after {self._have} of {total} bytes")

    def _wanted(self) -> dict[str, str]:
        if not self._have or self._etag is None:
            return {}  # without a mark of the file nobody knows whether the rest belongs to it
        # If it is another file by now, the storage sends it whole (RFC 9110 section 13.1.5).
        return {"Range": f"bytes={self._have}-", "If-Range": self._etag}

    async def _begin(self, file: IO[bytes], answer: Streamed) -> int | None:
        """Judge the head of an answer; return how long the whole recording is."""
        if answer.status == 206:
            span = _RANGE.fullmatch(answer.headers.get("content-range", ""))
            if span is None or int(span[1]) != self._have:
                raise _refused(answer)
            return None if span[2] == "*" else int(span[2])
        if answer.status != 200:
            raise _refused(answer)
        await asyncio.to_thread(_empty, file)
        etag = answer.headers.get("etag", "")
        self._have, self._etag = 0, etag if etag.startswith('"') else None  # a weak one does not do
        length = answer.headers.get("content-length", "")
        return int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None


def _refused(answer: Streamed) -> RingError:
    return fault_error("CAM-RECORDING", f"HTTP {answer.status} from the storage")


def _empty(file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # the folder itself may be missing, which is what was told
