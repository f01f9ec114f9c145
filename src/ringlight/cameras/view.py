"""A view as somebody holds it who watches: pictures, sound, recordings, and what the camera can be told."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from ringlight.cameras import recording
from ringlight.cameras.talking import Floor, Talker, play, read_on
from ringlight.errors import RingError, fault_error
from ringlight.liveview import Event, Note, ptz
from ringlight.liveview.story import Story
from ringlight.media import speech, stills
from ringlight.media.broadcast import Broadcast
from ringlight.media.h264 import AccessUnit
from ringlight.media.negotiate import Agreed
from ringlight.media.recorder import Recorder, Recording
from ringlight.media.rtp import Packet
from ringlight.settings import RecordingSettings

T = TypeVar("T")
Direction = ptz.Direction
Turned = Literal["moved", "limit"]


class Upstream(Protocol):
    """A live view as a driver opens it; `LiveViewClient` is one."""

    async def open(self) -> Agreed:
        """Open it; return the codecs once it is answered."""

    async def ended(self) -> RingError:
        """Wait for its end; return why."""

    async def close(self) -> None:
        """Close it in order."""

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame."""

    async def command(self, method: str, params: Mapping[str, Any]) -> str | None:
        """Let the camera do something and wait for its answer; return why it stopped by itself, if it did."""

    async def talk(self, *, on: bool) -> None:
        """Open the camera's speaker and wait until it was told to, or close it without waiting."""

    def send_sound(self, packet: Packet) -> None:
        """Send a packet of sound to the open speaker."""


class Dial(Protocol):
    """Makes an upstream; each kind of camera has its own way."""

    def __call__(
        self,
        *,
        on_packet: Callable[[Packet], None],
        on_agreed: Callable[[Agreed], None],
        on_event: Callable[[Event], None],
        is_watched: Callable[[], bool],
        may_renew: Callable[[], bool],
    ) -> Upstream:
        """Make an upstream that is not open yet."""


class View:
    """What somebody holds who watches. It ends when the upstream ends, or when it is left.

    A view that breaks off while somebody watches is opened again by itself, and goes on for all.
    """

    def __init__(
        self,
        upstream: Upstream,
        broadcast: Broadcast,
        ended: "asyncio.Future[RingError]",
        story: Story,
        *,
        recordings: RecordingSettings | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
        on_recording: Callable[[int], None] = lambda _: None,
        floor: Floor | None = None,
    ) -> None:
        self.broadcast = broadcast
        self._upstream = upstream
        self._ended = ended
        self._recordings = recordings or RecordingSettings()
        self._on_event, self._on_recording = on_event, on_recording
        self._floor = floor or Floor(upstream, lambda: None)
        self._story = story

    def events(self) -> AsyncGenerator[Event, None]:
        """Yield what happens to the view: what has since it began to open, then each event, until `Ended`.

        Steps, notes, attempts with their reason, renewals. Everybody who watches may listen, each at its own
        pace; who falls more than a hundred events behind gets `Missed` in place of the oldest.
        """
        return self._story.listen()

    def no_picture(self, within: float) -> RingError:
        """Return why there was no whole picture for so many seconds, by how far the view has come.

        MEDIA-NO-KEY-FRAME only where packets came; else what is still waited for, or why the attempt before failed.
        """
        return fault_error(self._story.lacks(), f"no picture within {within:g} s")

    async def ended(self) -> RingError:
        """Wait for the end of the upstream; return why."""
        return await asyncio.shield(self._ended)

    async def turn(self, direction: Direction, *, speed: float | None = None) -> Turned:
        """Turn the camera, and wait until it has said that it does.

        Args:
            direction: Where to.
            speed: `None` turns one step. Above 0, up to 1: it turns on and on, until it is told 0, comes to the end
                of its way, or the view ends. `Camera.keep_turning` makes sure that it ends.

        Returns:
            `limit` where the camera came to the end of its way and stopped by itself, else `moved`.

        Raises:
            CameraError: CAM-COMMAND.
        """
        self._check_open()
        method, params = ptz.step(direction) if speed is None else ptz.continuous(direction, speed)
        halted = await self._upstream.command(method, params)
        if halted not in (None, ptz.LIMIT_REACHED):
            raise fault_error("CAM-COMMAND", f"{method}: {halted}")
        return "limit" if halted else "moved"

    @property
    def hears(self) -> bool:
        """Whether the camera takes sound, so that one can talk to it."""
        return self._floor.codec is not None

    @contextlib.asynccontextmanager
    async def talk(self) -> AsyncIterator[Talker]:
        """Talk to the camera: its speaker is open until this is left. One talks at a time.

        Raises:
            CameraError: CAM-NO-TALK, CAM-TALK-BUSY, or CAM-COMMAND where the speaker did not open.
            RingError: Why the view ended before.
        """
        self._check_open()
        async with self._floor.take() as talker:
            yield talker

    async def say(self, path: str | Path) -> float:
        """Play a sound file to whoever stands before the camera; return its length in seconds.

        Any file with sound that ffmpeg reads; it is sent in real time.

        Raises:
            MediaError: FILE-READ.
            CameraError: As `talk`.
            RingError: Why the view ended before.
        """
        self._check_open()
        if self._floor.codec is None:
            raise fault_error("CAM-NO-TALK")
        with contextlib.closing(speech.encode(Path(path), self._floor.codec)) as frames:
            ahead = await read_on(frames)  # a file that cannot be read opens no speaker
            async with self.talk() as talker:
                return await play(talker, frames, ahead, self._check_open)

    async def record(
        self,
        path: str | Path,
        *,
        seconds: float | None,
        before: float = 0.0,
        faststart: bool = False,
        sound: bool = True,
    ) -> Recording:
        """Record into an MP4 file without transcoding the pictures; return what it has become.

        The file can be played while it grows, and up to about the last second if the program is killed.

        Args:
            path: What has this name is replaced, once there is something to show.
            seconds: How much is wanted; `None` goes on until cancelled, which leaves the file whole.
            before: Seconds of what was shown before that come on top, as far as `media.past` keeps them. It
                always begins with the last key frame before that time.
            faststart: Write the finished file once more with its index first, for web servers without ranges.
            sound: Keep the sound: Opus as it is, G.711 as Opus.

        Raises:
            MediaError: FILE-WRITE or FILE-FULL.
            RingError: Why no picture came (`no_picture`), or the view ended before. The file holds what came until
                then.
        """
        path = Path(path)
        async with self.recorder(path, seconds, before=before, faststart=faststart, sound=sound) as recorder:
            return await self.enough(recorder)

    async def enough(self, recorder: Recorder) -> Recording:
        """Wait until a recording has what it wants.

        Raises:
            MediaError: As `record`.
            RingError: Why the view ended before.
        """
        return await self._or_end(asyncio.ensure_future(recording.enough(recorder, self.no_picture)))

    @contextlib.asynccontextmanager
    async def recorder(
        self,
        path: Path,
        seconds: float | None,
        *,
        before: float = 0.0,
        faststart: bool = False,
        sound: bool = True,
        allowed: Callable[[], int] | None = None,
    ) -> AsyncIterator[Recorder]:
        """Record while inside, for who wants to see how far it is; see `record`.

        Args:
            path: As there, and the same for what is not named here.
            seconds: As there.
            before: As there.
            faststart: As there.
            sound: As there.
            allowed: Returns how many more bytes may be written; `None` sets no limit but the disk's.

        Raises:
            MediaError: FILE-WRITE or FILE-FULL; MEDIA-CODEC where the pictures are not H.264.
        """
        self._check_open()
        self.broadcast.check_h264()
        async with recording.run(
            self.broadcast, path, seconds, self._recordings,
            before=before, faststart=faststart, sound=sound, allowed=allowed,
            on_slow=lambda: self._on_event(Note("The disk is too slow; pictures are left out.", "FILE-SLOW")),
            on_recording=self._on_recording,
        ) as recorder:  # fmt: skip
            yield recorder

    async def snapshot(self, *, within: float = 15.0) -> bytes:
        """Return the newest key frame as JPEG; wait for one if there is none yet.

        Args:
            within: Seconds to wait at most.

        Raises:
            MediaError: MEDIA-CODEC where they are not H.264.
            RingError: Why none came in time (`no_picture`), or the view ended before.
        """
        return await asyncio.to_thread(stills.to_jpeg, await self.key_frame(within=within))

    async def key_frame(self, *, within: float = 15.0) -> AccessUnit:
        """Return the newest key frame as the camera made it; wait for one if there is none yet.

        Args:
            within: Seconds to wait at most.

        Raises:
            MediaError: MEDIA-CODEC where it is not H.264.
            RingError: Why none came in time (`no_picture`), or the view ended before.
        """
        self._check_open()
        self.broadcast.check_h264()
        return self.broadcast.key_frame() or await self._next_key_frame(within)

    def _check_open(self) -> None:
        if self._ended.done():
            raise self._ended.result()

    async def _next_key_frame(self, within: float) -> AccessUnit:
        watch = _KeyFrameWatch(self.broadcast)
        self.broadcast.add(watch)
        try:
            async with asyncio.timeout(within):
                return await self._or_end(watch.found)
        except TimeoutError:
            raise self.no_picture(within) from None
        finally:
            self.broadcast.remove(watch)

    async def _or_end(self, wanted: "asyncio.Future[T]") -> T:
        either: set[asyncio.Future[Any]] = {wanted, self._ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if wanted.done():
                return wanted.result()
        finally:
            wanted.cancel()  # nobody else waits for it
        raise self._ended.result()


class _KeyFrameWatch:
    """A sink that waits for the first whole key frame."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self.found: asyncio.Future[AccessUnit] = asyncio.get_running_loop().create_future()

    def join(self, kind: str) -> None:
        """Nothing: there was no key frame yet."""

    def packets(self, kind: str, batch: Sequence[Packet]) -> None:
        """Look whether a key frame is whole now."""
        if kind == "video" and batch and batch[-1].marker and not self.found.done():
            unit = self._broadcast.key_frame()
            if unit is not None:
                self.found.set_result(unit)
