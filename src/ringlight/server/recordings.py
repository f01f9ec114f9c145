"""Recordings over the API: those that run, each with its place in a camera's shared view, and the shelf."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ringlight.cameras import Camera, View
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.media import film
from ringlight.media.recorder import Recorder, Recording
from ringlight.media.space import MEGABYTE
from ringlight.settings import RecordingSettings, Settings
from ringlight.store.retention import Limit, Row, expired
from ringlight.store.shelf import Item, Shelf

SWEPT_AT_ONCE = 20  # recordings
log = logging.getLogger("ringlight.server")


@dataclass(slots=True)
class _Running:
    item: Item
    recorder: Recorder | None = None
    task: "asyncio.Task[None] | None" = None
    ending: bool = False  # told to end, or at its end: what follows, its note, is never cut short

    def end(self) -> None:
        if self.task is not None and not self.ending:
            self.ending = True
            self.task.cancel()


class Recordings:
    """All recordings of this server. Use with `async with`; leaving ends those that run, in order.

    Args:
        settings: For `recordings` and the state directory.
    """

    def __init__(self, settings: Settings) -> None:
        self._all = settings
        self._shelf = Shelf(settings.recordings.dir or settings.state_dir / "recordings")
        self._running: dict[str, _Running] = {}
        self._places = self._settings.at_once

    @property
    def _settings(self) -> RecordingSettings:
        return self._all.recordings  # read when it is needed: it may change

    async def __aenter__(self) -> "Recordings":
        await asyncio.to_thread(self._mend)
        return self

    async def __aexit__(self, *_: object) -> None:
        for running in self._running.values():
            running.end()
        tasks = {running.task for running in self._running.values() if running.task is not None}
        if tasks:
            await asyncio.wait(tasks)

    @property
    def running(self) -> int:
        """How many run."""
        return len(self._running)

    async def start(self, camera: Camera, seconds: float | None, before: float) -> Item:
        """Begin to record, once the camera has answered.

        Args:
            camera: Opened for it, if nobody watches.
            seconds: At most `recordings.longest`; `None` is that.
            before: Seconds of what was shown before.

        Raises:
            RingError: FILE-BUSY, FILE-FULL, FILE-WRITE, or why the camera cannot be watched.
        """
        if not self._places:
            raise fault_error("FILE-BUSY", f"{self._settings.at_once} run")
        self._places -= 1
        try:
            return await self._start(camera, min(seconds or self._settings.longest, self._settings.longest), before)
        except BaseException:
            self._places += 1
            raise

    async def _start(self, camera: Camera, seconds: float, before: float) -> Item:
        item = await asyncio.to_thread(self._shelf.begin, camera.id)
        running = self._running[item.id] = _Running(item)
        stack = contextlib.AsyncExitStack()
        try:
            view = await stack.enter_async_context(camera.live_view())
            running.recorder = await stack.enter_async_context(
                view.recorder(self._shelf.path(item), seconds, before=before, allowed=self._allowed)
            )
        except BaseException:
            del self._running[item.id]
            await stack.aclose()
            await asyncio.to_thread(self._shelf.remove, item)
            raise
        running.task = asyncio.create_task(self._keep(running, view, stack), name="recording")
        await asyncio.sleep(0)  # it runs now: cancelled before, it would never close what it was given
        return item

    async def stop(self, item: Item) -> Item:
        """End one that runs, in order; return what it has become."""
        running = self._running.get(item.id)
        if running is not None and running.task is not None:
            running.end()
            await asyncio.wait({running.task})
        return await self.find(item.camera, item.id)

    async def find(self, camera: str, name: str) -> Item:
        """Return a recording.

        Raises:
            MediaError: FILE-GONE.
        """
        return await asyncio.to_thread(self._shelf.find, camera, name)

    async def file(self, camera: str, name: str, part: int) -> tuple[Path, bool]:
        """Return a file of a recording, and whether it may still grow.

        Raises:
            MediaError: FILE-GONE.
        """
        item = await self.find(camera, name)
        return await asyncio.to_thread(self._shelf.file, item, part), self.runs(item)

    async def listed(self, camera: str) -> list[dict[str, Any]]:
        """Return all of a camera as JSON, newest first."""
        items = await asyncio.to_thread(self._shelf.items, camera)
        return [await self.as_dict(item) for item in items]

    async def remove(self, item: Item) -> None:
        """Delete a recording that does not run."""
        await asyncio.to_thread(self._shelf.remove, item)

    async def sweep(self, limit: Limit, now: float, by_age: bool = True) -> int:
        """Delete some that are old enough, or too much; never one that runs. Return how many; 0 says that was all."""
        items = await asyncio.to_thread(self._shelf.everything)
        rows = await asyncio.to_thread(lambda: [self._row(item) for item in items])
        used = await asyncio.to_thread(self._shelf.used)
        gone = {row.id for row in expired(rows, limit, now=now, kept=used, by_age=by_age)[:SWEPT_AT_ONCE]}
        for item in items:
            if item.id in gone:
                await asyncio.to_thread(self._shelf.remove, item)
                log.info("recording of %s from %s is removed: it was old enough, or too much", item.camera, item.began)
        return len(gone)

    def _row(self, item: Item) -> Row:
        is_busy = item.status == "recording" or self.runs(item)
        size = 0 if is_busy else self._shelf.size(item)
        return Row(item.id, datetime.fromisoformat(item.began).timestamp(), size, is_busy)

    def runs(self, item: Item) -> bool:
        """Whether it is still being recorded."""
        return item.id in self._running

    async def as_dict(self, item: Item) -> dict[str, Any]:
        """Return a recording as JSON, with what it is just now."""
        running = self._running.get(item.id)
        if running is not None and running.recorder is not None:
            made = running.recorder.progress
            item, size = _seen(running.item, made), made.size
        else:
            size = await asyncio.to_thread(self._shelf.size, item)
        address = f"/api/cameras/{item.camera}/recordings/"
        return {
            "id": item.id,
            "camera": item.camera,
            "status": item.status,
            "began": item.began,
            "seconds": item.seconds,
            "bytes": size,
            "files": [address + name for name in item.files],
            "fault": FAULTS[item.fault].as_dict(item.detail) if item.fault in FAULTS else None,
            "notes": list(item.notes),
        }

    async def _keep(self, running: _Running, view: View, stack: contextlib.AsyncExitStack) -> None:
        """Hold the recording's place in the view until it has enough, is stopped, or the view ends."""
        recorder, item = running.recorder, running.item
        assert recorder is not None  # noqa: S101 - start made it
        try:
            async with stack:
                await view.enough(recorder)
        except asyncio.CancelledError:
            pass  # stopped: the regular end
        except RingError as error:
            item = replace(item, fault=error.code, detail=error.detail)
        running.ending = True
        item = replace(_seen(item, recorder.progress), status="failed" if item.fault else "done")
        try:
            await asyncio.to_thread(self._shelf.note, item)
        except OSError as error:
            log.warning("the note of recording %s cannot be written: %s", item.id, error.strerror)
        del self._running[item.id]
        self._places += 1
        log.info("recording of %s ended: %s, %.1f s", item.camera, item.fault or "done", item.seconds)

    def _allowed(self) -> int:
        """Return the bytes that all recordings together may still take. Called by their threads."""
        return int(self._settings.total * MEGABYTE) - self._shelf.used()

    def _mend(self) -> None:
        for item in self._shelf.mend():
            paths = self._shelf.parts(item)
            seconds = round(sum(map(film.measure, paths)), 2)
            with contextlib.suppress(OSError):
                self._shelf.note(replace(item, seconds=seconds, files=tuple(path.name for path in paths)))


def _seen(item: Item, made: Recording) -> Item:
    notes = list(made.notes)
    if made.lost:
        notes.append(f"{made.lost} frames are missing: packets were lost on the way from the camera.")
    if made.left_out:
        notes.append(f"FILE-SLOW: {made.left_out} groups of pictures are missing; the disk was too slow.")
    files = tuple(path.name for path in made.files)
    return replace(item, seconds=round(made.seconds, 2), files=files, notes=tuple(notes))
