"""A recording: packets to an MP4 file as they come, without decoding pictures, whole after every fragment."""

import asyncio
import errno
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ringlight.errors import RingError, fault_error
from ringlight.media import film
from ringlight.media.film import Film, Heard, Picture
from ringlight.media.forward import source_of
from ringlight.media.h264 import PPS, SPS, AccessUnit, Assembler
from ringlight.media.past import Batch
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.media.space import Space, disk_fault
from ringlight.media.timing import PICTURE_CLOCK, Timing

log = logging.getLogger("ringlight.media")
# Bytes that wait for a slow disk: a minute of a camera of 2 Mbit/s. Beyond, whole groups of pictures are left out;
# a group that has begun may go on to twice as many.
WAITING = 16_000_000
STRETCH = 64  # frames and packets of sound: about a second


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded.

    Attributes:
        seconds: How much video.
        files: Where it is; more than one where the camera changed its pictures in between.
        size: Bytes of all files.
        lost: Frames that are missing because packets were.
        left_out: Groups of pictures that are missing because the disk was too slow.
        notes: What is worth knowing, for people.
    """

    seconds: float = 0.0
    files: tuple[Path, ...] = ()
    size: int = 0
    lost: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()


class Recorder:
    """A sink that writes a view into a file until it has enough.

    Use with `async with`; then `await done()`. The file is written by a thread of its own.

    Args:
        path: An `.mp4` file; what is there is replaced once the new one has something to show.
        seconds: How much video is wanted; `None` goes on until the end of the `async with`.
        sound: The codec of the sound, kept if it is Opus and encoded as Opus if it is G.711; `None` leaves it out.
        space: What may be used of the disk; `None` uses it up.
        faststart: Rewrite the finished file with its index first.
        on_broken: Called when frames are lost, to ask for a key frame.
        on_slow: Called when the disk begins to be too slow.
        clock: Tells the time in seconds; `None` is the loop's.
    """

    def __init__(
        self,
        path: Path,
        seconds: float | None,
        *,
        sound: Codec | None = None,
        space: Space | None = None,
        faststart: bool = False,
        on_broken: Callable[[], None] = lambda: None,
        on_slow: Callable[[], None] = lambda: None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.path = path
        self._wanted = None if seconds is None else int(seconds * PICTURE_CLOCK)
        self._space = space or Space(path.parent)
        self._faststart = faststart
        self._on_broken, self._on_slow = on_broken, on_slow
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._queue: queue.SimpleQueue[list[Picture | Heard] | None] = queue.SimpleQueue()
        self._ready: list[Picture | Heard] = []
        self._ready_octets = 0
        # Two counters, each with one thread that writes it.
        self._put = self._taken = 0
        self._assembler = Assembler()
        self._timing = Timing(sound.clock_rate if sound else 48_000)
        self._sound = sound is not None
        self._film = Film(path, sound, self._space)
        self._finished: asyncio.Future[Recording] = self._loop.create_future()
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._seen = Recording()
        self._source: int | None = None
        self._until: int | None = None
        self._skipping = self._slow = self._full = False
        self.begun = asyncio.Event()

    async def __aenter__(self) -> "Recorder":
        try:
            if self.path.is_dir():
                raise IsADirectoryError(None, "is a folder")
            self._space.check()
            if not os.access(self.path.parent, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise disk_fault(self.path, error) from error
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end()
        # Even a second Ctrl-C waits for the end of the file.
        ending = asyncio.ensure_future(asyncio.to_thread(self._thread.join))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await ending
            raise
        finally:
            if self._finished.done() and not self._finished.cancelled():
                self._finished.exception()  # seen here, if nobody waits for it

    async def done(self) -> Recording:
        """Wait until enough is recorded and in the file; return what it is.

        Raises:
            MediaError: FILE-WRITE or FILE-FULL. What was written until then plays.
        """
        return await asyncio.shield(self._finished)

    @property
    def progress(self) -> Recording:
        """What is in the file by now."""
        return replace(
            self._seen, seconds=self._film.end / PICTURE_CLOCK, size=self._film.size,
            files=tuple(file.path for file in self._film.files if file.size),
        )  # fmt: skip

    def begin(self, past: Iterable[Batch], before: float = 0.0) -> None:
        """Begin with what the view has shown before, the running group at least.

        Args:
            past: From a key frame on.
            before: How many seconds of it come on top of the wanted length.
        """
        batches = list(past)
        if batches and self._wanted is not None:
            self._wanted += int(min(before, self._clock() - batches[0].at) * PICTURE_CLOCK)
        for batch in batches:
            self._take(batch.kind, batch.packets, batch.at)

    def join(self, kind: str) -> None:
        """Nothing: a recording has begun with the past."""

    def packets(self, kind: str, batch: Sequence[Packet]) -> None:
        """Take live packets."""
        self._take(kind, batch, self._clock())

    def _take(self, kind: str, batch: Sequence[Packet], now: float) -> None:
        if self._full:
            return
        if kind == "audio":
            self._hear(batch, now)
            return
        for packet in batch:
            lost = self._assembler.dropped
            units = self._assembler.push(packet)
            broken, source = self._assembler.dropped > lost, source_of(packet)
            if broken or source != self._source:
                self._break(lost=int(broken and self.begun.is_set()))
            self._source = source
            for unit in units:
                self._show(unit, source, now)
                # Where the newer of two frames is the broken one, the older does not mend it.
                self._skipping |= broken and unit.timestamp != packet.timestamp

    def _break(self, lost: int) -> None:
        """Leave out what refers to a lost frame, or to another session's: all up to the next key frame."""
        self._seen = replace(self._seen, lost=self._seen.lost + lost)
        self._skipping = True
        self._on_broken()

    def _show(self, unit: AccessUnit, source: int, now: float) -> None:
        if self._full or not (self.begun.is_set() or (unit.key_frame and unit.find(SPS) and unit.find(PPS))):
            return
        self.begun.set()
        at = self._timing.see(unit.timestamp, source, now)
        if self._wanted is not None and at >= self._wanted:
            self._end()
            return
        if unit.key_frame:
            self._skipping = self._is_slow(WAITING // 2 if self._slow else WAITING)
        elif not self._skipping:
            self._skipping = self._is_slow(2 * WAITING)  # a camera without key frames
        elif not self._slow:
            self._seen = replace(self._seen, lost=self._seen.lost + 1)
        if not self._skipping:
            self._hand_over(Picture(unit, at), sum(map(len, unit.units)))

    def _is_slow(self, limit: int) -> bool:
        """Decide whether a group can wait for the disk, or has to be left out."""
        slow = self._put - self._taken > limit
        if slow:
            self._seen = replace(self._seen, left_out=self._seen.left_out + 1)
            if not self._slow:
                log.warning("FILE-SLOW: %s is written too slowly; pictures are left out", self.path.name)
                self._on_slow()
        self._slow = slow
        return slow

    def _hear(self, batch: Sequence[Packet], now: float) -> None:
        """Keep sound from the first picture on."""
        for packet in batch if self._sound else ():
            at = self._timing.hear(packet.timestamp, source_of(packet), now)
            if at is not None and not self._slow:
                self._hand_over(Heard(packet.payload, at), len(packet.payload))

    def _hand_over(self, item: Picture | Heard, octets: int) -> None:
        """Hand over in stretches: to wake the thread for each packet costs more than to write it.

        A stretch ends behind the first frame of a group, with which the group before can be written.
        """
        follows_key_frame = bool(self._ready) and _begins_group(self._ready[-1])
        self._ready.append(item)
        self._ready_octets += octets
        if follows_key_frame or len(self._ready) >= STRETCH:
            self._flush()

    def _flush(self) -> None:
        if self._ready:
            self._put += self._ready_octets
            self._queue.put(self._ready)
            self._ready, self._ready_octets = [], 0

    def _end(self) -> None:
        if not self._full:
            self._full = True
            picture = self._timing.picture
            seen = None if picture.at is None else picture.at + picture.step
            self._until = seen if self._wanted is None or seen is None else min(seen, self._wanted)
            self._flush()
            self._queue.put(None)

    def _write(self) -> None:
        error: RingError | None = None
        notes: list[str] = []
        try:
            try:
                while (stretch := self._queue.get()) is not None:
                    for item in stretch:
                        self._film.write(item)
                        octets = len(item.payload) if isinstance(item, Heard) else sum(map(len, item.unit.units))
                        self._taken += octets
            finally:
                self._film.close(self._until)
                notes = self._index()
            if self._film.unreadable and not self._film.size:
                error = fault_error("MEDIA-NO-KEY-FRAME", "ffmpeg could read none")
        except RingError as full:
            error = full
        except OSError as failure:
            error = disk_fault(self.path, failure)
        except Exception as broken:
            # A bug of ours must not end a thread in silence.
            log.exception("a recording broke")
            error = fault_error("SERVER-ERROR", type(broken).__name__)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._finish, notes, error)

    def _index(self) -> list[str]:
        if not self._faststart:
            return []
        notes = []
        for file in self._film.files:
            refused = film.index(file.path, self._space) if file.size else None
            if refused:
                notes.append(f"The index stays inside of {file.path.name}: {refused}.")
            elif file.size:
                file.size = file.path.stat().st_size
        return notes

    def _finish(self, notes: list[str], error: RingError | None) -> None:
        self._full = True  # after an error too: nobody would take it out of the queue
        if self._finished.done():
            return
        self._seen = replace(self._seen, notes=(*self._seen.notes, *notes))
        if error is None:
            self._finished.set_result(self.progress)
        else:
            self._finished.set_exception(error)


def _begins_group(item: Picture | Heard) -> bool:
    return isinstance(item, Picture) and item.unit.key_frame
