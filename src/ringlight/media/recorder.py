"""A recording: packets to an MP4 file as they come, without decoding, whole after every key frame."""

import asyncio
import contextlib
import io
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet as AvPacket
from av.video.stream import VideoStream

from ringlight.errors import RingError, fault_error
from ringlight.media.h264 import PPS, SPS, AccessUnit, Assembler
from ringlight.media.rtp import TIMESTAMPS, Packet, distance

CLOCK = 90_000  # Hz
SOUND_CLOCK = 48_000  # Hz, Opus's own
SOUND_STEP = 960  # its units in a packet of 20 ms, which is what cameras send
# Fragments: what was written up to the last key frame can be played, whatever happens to the program.
_FLAGS = "frag_keyframe+empty_moov+default_base_moof"


class Recorder:
    """A sink that writes video into a file until it has enough.

    Use with `async with`; then `await done()`. The file is written by a thread of its own.

    Args:
        path: An `.mp4` file; overwritten.
        seconds: How much video is wanted; `None` goes on until the end of the `async with`.
        sound: Whether Opus comes beside the picture, to be kept as it is.
    """

    def __init__(self, path: Path, seconds: float | None, *, sound: bool = False) -> None:
        self.path = path
        self._wanted = None if seconds is None else int(seconds * CLOCK)
        self._queue: queue.SimpleQueue[_Timed | _Sound | None] = queue.SimpleQueue()
        self._assembler = Assembler()
        self._sound = _SoundTimeline() if sound else None
        self._writer = _Writer(path, sound=sound)
        self._loop = asyncio.get_running_loop()
        self._finished: asyncio.Future[float] = self._loop.create_future()
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._timeline: _Timeline | None = None
        self._full = False

    async def __aenter__(self) -> "Recorder":
        try:
            self._writer.open()
        except OSError as error:
            raise fault_error("FILE-WRITE", f"{self.path}: {error.strerror or error}") from error
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._finished.done() and not self._finished.cancelled():
            self._finished.exception()  # seen here, if nobody waits for it

    async def done(self) -> float:
        """Wait until enough is recorded and in the file; return its length in seconds.

        Raises:
            MediaError: FILE-WRITE.
        """
        return await asyncio.shield(self._finished)

    def join(self, kind: str, group: Sequence[Packet]) -> None:
        """Begin with the group of pictures that runs."""
        self.packets(kind, group)

    def packets(self, kind: str, batch: Sequence[Packet]) -> None:
        """Take live packets."""
        if self._full:
            return
        if kind == "audio":
            self._hear(batch)
            return
        for packet in batch:
            for unit in self._assembler.push(packet):
                self._take(unit)

    def _take(self, unit: AccessUnit) -> None:
        if self._timeline is None:
            if not (unit.key_frame and unit.find(SPS) and unit.find(PPS)):
                return
            self._timeline = _Timeline()
        at, step = self._timeline.move(unit.timestamp)
        if self._wanted is not None and at >= self._wanted:
            self._full = True
            self._queue.put(None)
        else:
            self._queue.put(_Timed(unit, at, step))

    def _hear(self, batch: Sequence[Packet]) -> None:
        """Keep sound from the first picture on."""
        if self._sound is not None and self._timeline is not None:
            shown = self._timeline.now * SOUND_CLOCK // CLOCK
            for packet in batch:
                self._queue.put(_Sound(packet.payload, self._sound.move(packet.timestamp, shown)))

    def _write(self) -> None:
        error: RingError | None = None
        try:
            with self._writer:
                while (timed := self._queue.get()) is not None:
                    self._writer.write(timed)
        except (OSError, av.FFmpegError) as failure:
            error = fault_error("FILE-WRITE", f"{self.path}: {failure.strerror or failure}")
        self._loop.call_soon_threadsafe(self._finish, self._writer.end / CLOCK, error)

    def _finish(self, seconds: float, error: RingError | None) -> None:
        self._full = True  # after an error too: nobody would take it out of the queue
        if self._finished.done():
            return
        if error is None:
            self._finished.set_result(seconds)
        else:
            self._finished.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Timed:
    """A frame, when it is shown and for how long, in units of `CLOCK`."""

    unit: AccessUnit
    at: int
    duration: int


@dataclass(frozen=True, slots=True)
class _Sound:
    """A packet of sound and when it is heard, in units of `SOUND_CLOCK`."""

    payload: bytes
    at: int


class _SoundTimeline:
    """Time of the sound beside the picture's: it begins, and after a jump goes on, at the picture's own time."""

    def __init__(self) -> None:
        self._at = -SOUND_STEP
        self._last: int | None = None

    def move(self, timestamp: int, shown: int) -> int:
        """Go on to the next packet, while the picture is at `shown`; return the packet's time."""
        step = 0 if self._last is None else distance(timestamp, self._last, TIMESTAMPS)
        if 0 < step < SOUND_CLOCK:
            self._at += step
        else:
            self._at = max(self._at + SOUND_STEP, shown)
        self._last = timestamp
        return self._at


class _Timeline:
    """Time that runs on whatever the camera's clock does."""

    def __init__(self) -> None:
        self._at, self._step = 0, CLOCK // 15
        self._last: int | None = None

    @property
    def now(self) -> int:
        """The time of the newest frame."""
        return self._at

    def move(self, timestamp: int) -> tuple[int, int]:
        """Go on to the next frame; return its time, and how long the one before was."""
        if self._last is not None:
            # A jump back or over more than ten seconds is another clock; go on one frame later.
            step = distance(timestamp, self._last, TIMESTAMPS)
            self._step = step if 0 < step < 10 * CLOCK else self._step
            self._at += self._step
        self._last = timestamp
        return self._at, self._step


class _Writer:
    """The file: made at the first key frame, which says what the pictures are like. `with` finishes it.

    Attributes:
        end: How much video is in it, in units of `CLOCK`.
    """

    def __init__(self, path: Path, *, sound: bool) -> None:
        self.end = 0
        self._path = path
        self._with_sound = sound
        self._file: io.BufferedWriter | None = None
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._sound: AudioStream | None = None
        self._template: InputContainer | None = None

    def open(self) -> None:
        self._file = self._path.open("wb")

    def write(self, timed: _Timed | _Sound) -> None:
        if isinstance(timed, _Sound):
            self._write_sound(timed)
            return
        if self._stream is None:
            self._start(timed.unit)
        assert self._container is not None and self._stream is not None  # noqa: S101, PT018 - _start made them
        packet = AvPacket(timed.unit.annex_b)
        packet.stream = self._stream
        packet.time_base = Fraction(1, CLOCK)
        packet.pts = packet.dts = timed.at
        packet.duration = timed.duration
        packet.is_keyframe = timed.unit.key_frame
        self._container.mux(packet)
        self.end = timed.at + timed.duration

    def _write_sound(self, timed: _Sound) -> None:
        if self._container is None or self._sound is None:
            return
        packet = AvPacket(timed.payload)
        packet.stream = self._sound
        packet.time_base = Fraction(1, SOUND_CLOCK)
        packet.pts = packet.dts = timed.at
        packet.duration = SOUND_STEP
        packet.is_keyframe = True
        self._container.mux(packet)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        with contextlib.ExitStack() as stack:
            for part in (self._file, self._template, self._container):
                if part is not None:
                    stack.callback(part.close)

    def _start(self, unit: AccessUnit) -> None:
        """Let ffmpeg read the first key frame, and write a stream like it."""
        self._template = av.open(io.BytesIO(unit.annex_b), "r", format="h264")
        assert self._file is not None  # noqa: S101 - opened before the first unit
        self._container = av.open(self._file, "w", format="mp4", options={"movflags": _FLAGS})
        self._stream = self._container.add_stream_from_template(self._template.streams.video[0])
        self._stream.time_base = Fraction(1, CLOCK)
        if self._with_sound:
            # The encoder is never used: it only writes the header that players want (RFC 7845 section 5.1).
            self._sound = self._container.add_stream("libopus", rate=SOUND_CLOCK, layout="stereo")
            self._sound.time_base = Fraction(1, SOUND_CLOCK)
            self._container.start_encoding()
