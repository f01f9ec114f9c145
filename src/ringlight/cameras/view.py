"""The shared view: one upstream for all who watch. It opens for the first and closes after the last."""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from ringlight.cameras.progress import Progress
from ringlight.cameras.talking import Floor, Talker, play, read_on
from ringlight.errors import RingError, fault_error
from ringlight.liveview import Ended, Event, Note, Trying, ptz
from ringlight.liveview.story import Story
from ringlight.media import speech, stills
from ringlight.media.broadcast import Broadcast
from ringlight.media.h264 import AccessUnit
from ringlight.media.negotiate import Agreed
from ringlight.media.past import Past
from ringlight.media.recorder import Recorder, Recording
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.media.sound import TRANSCODED
from ringlight.media.space import MEGABYTE, Space, disk_fault
from ringlight.settings import RecordingSettings, Settings

T = TypeVar("T")
Direction = ptz.Direction
Turned = Literal["moved", "limit"]
Policy = Literal["never", "while-watched", "ask"]
log = logging.getLogger("ringlight.cameras")
FIRST_PICTURE = 15.0  # seconds that a recording waits for a key frame


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
            MediaError: FILE-WRITE, FILE-FULL, or MEDIA-NO-KEY-FRAME where no picture comes.
            RingError: Why the view ended before; the file holds what came until then.
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
        return await self._or_end(asyncio.ensure_future(_recorded(recorder)))

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
            MediaError: FILE-WRITE or FILE-FULL.
        """
        self._check_open()
        space = Space(path.parent, int(self._recordings.keep_free * MEGABYTE), allowed)
        now = asyncio.get_running_loop().time()
        rate = self.broadcast.past.rate(now) or self._recordings.bit_rate * MEGABYTE / 8
        try:
            space.check(rate * ((seconds or 0) + before))
        except OSError as error:
            raise disk_fault(path, error) from error
        recorder = Recorder(
            path, seconds, sound=self._sound() if sound else None, space=space, faststart=faststart,
            on_broken=self.broadcast.ask_key_frame,
            on_slow=lambda: self._on_event(Note("The disk is too slow; pictures are left out.", "FILE-SLOW")),
        )  # fmt: skip
        self._on_recording(1)
        try:
            async with recorder:
                recorder.begin(self.broadcast.past.since(now - before), before)
                self.broadcast.add(recorder)
                try:
                    yield recorder
                finally:
                    self.broadcast.remove(recorder)
        finally:
            self._on_recording(-1)

    def _sound(self) -> Codec | None:
        """Return the codec of the sound if a file can hold it."""
        codec = self.broadcast.codecs.get("audio")
        return codec if codec and any(codec.is_called(name) for name in ("opus", *TRANSCODED)) else None

    async def snapshot(self, *, within: float = 15.0) -> bytes:
        """Return the newest key frame as JPEG; wait for one if there is none yet.

        Args:
            within: Seconds to wait at most.

        Raises:
            MediaError: MEDIA-NO-KEY-FRAME where none came in time.
            RingError: Why the view ended before.
        """
        self._check_open()
        unit = self.broadcast.key_frame() or await self._next_key_frame(within)
        return await asyncio.to_thread(stills.to_jpeg, unit)

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
            raise fault_error("MEDIA-NO-KEY-FRAME", f"none within {within:g} s") from None
        finally:
            self.broadcast.remove(watch)

    async def _or_end(self, wanted: "asyncio.Future[T]") -> T:
        either: set[asyncio.Future[Any]] = {wanted, self._ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            return wanted.result()
        wanted.cancel()
        raise self._ended.result()


class SharedView:
    """One camera's upstream and all who share it.

    Args:
        dial: Makes an upstream.
        settings: For `cameras.linger` and `media.key_frame_cache`.
        renewal: Says at any time what the policy for this camera is.
        on_change: Called with the progress after each change.
    """

    def __init__(
        self,
        dial: Dial,
        settings: Settings,
        renewal: Callable[[], Policy] = lambda: "while-watched",
        on_change: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._dial = dial
        self._on_change = on_change
        self._renewal = renewal
        self._settings = settings
        self.progress = Progress()
        self._opening: asyncio.Task[View] | None = None
        self._upstream: Upstream | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def join(self) -> AsyncIterator[View]:
        """Watch: opens the upstream if nobody does yet; leaving closes it some seconds after the last.

        Raises:
            RingError: Why it could not be opened.
        """
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="open view")
        opening = self._opening
        self.progress.viewers += 1
        self._tell()
        try:
            yield await asyncio.shield(opening)
        finally:
            if self._opening is opening:  # who still holds a view that has ended counts no more
                self._leave()

    async def changes(self) -> AsyncGenerator[Progress, None]:
        """Yield the progress now and after each change, for as long as wanted."""
        while True:
            changed = self._changed
            yield self.progress
            await changed.wait()

    def _leave(self) -> None:
        self.progress.viewers -= 1
        self._tell()
        if not self.progress.viewers:
            loop = asyncio.get_running_loop()
            self._lingering = loop.call_later(self._settings.cameras.linger, self._hang_up)

    @property
    def renewal_policy(self) -> Policy:
        """Whether it goes on beyond Ring's time limit, by the settings."""
        return self._renewal()

    def grant_renewal(self) -> None:
        """Let the view go on beyond Ring's time limit, once: somebody who watches wants it."""
        self.progress.renewal = "granted"
        self._tell()

    def _may_renew(self) -> bool:
        """Decide by the policy, asking who watches where it says so. Nobody watching means no."""
        policy = self._renewal()
        if not self.progress.viewers or policy == "never":
            return False
        if policy == "ask" and self.progress.renewal == "none":
            self.progress.renewal = "asked"
            self._tell()
        if policy == "ask" and self.progress.renewal == "granted":
            self.progress.renewal = "none"  # a yes is for one renewal
            return True
        return policy == "while-watched"

    def _count_recordings(self, more: int) -> None:
        self.progress.recordings += more
        self._tell()

    async def close(self) -> None:
        """Close at once, whoever watches."""
        self._hang_up()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _open(self) -> View:
        loop = asyncio.get_running_loop()
        self.progress.begin(loop.time())
        self._tell()
        broadcast: Broadcast | None = None
        story, began = Story(), loop.time()

        def on_floor() -> None:
            if self._upstream is upstream:
                self.progress.talk = "none" if floor.codec is None else "taken" if floor.taken else "free"
                self._tell()

        def on_agreed(agreed: Agreed) -> None:
            nonlocal broadcast
            if broadcast is None:
                media = self._settings.media
                past = Past(media.past, int(media.past_memory * MEGABYTE))
                broadcast = Broadcast(agreed.codecs, media.key_frame_cache, upstream.ask_key_frame, past)
            broadcast.tune(agreed.codecs)
            floor.codec = agreed.codecs.get("audio") if agreed.hears else None
            on_floor()

        def on_packet(packet: Packet) -> None:
            if broadcast is not None:
                broadcast.push(packet)

        def on_event(event: Event) -> None:
            if isinstance(event, Trying) and broadcast is not None:
                broadcast.forget()  # a newcomer must not take the last picture for a live one
            self.progress.take(event, loop.time())
            story.tell(dataclasses.replace(event, at=loop.time() - began))  # one clock, whoever tells
            self._tell()

        upstream = self._dial(
            on_packet=on_packet, on_agreed=on_agreed, on_event=on_event,
            is_watched=lambda: self.progress.viewers > 0, may_renew=self._may_renew,
        )  # fmt: skip
        self._upstream = upstream
        floor = Floor(upstream, on_floor)
        try:
            await upstream.open()
        except RingError as error:
            self._forget(upstream, error)
            raise
        except Exception as error:
            # A bug of ours must not leave the view half open for everybody after.
            log.exception("a view could not be opened")
            self._forget(upstream, fault_error("SERVER-ERROR", type(error).__name__))
            raise fault_error("SERVER-ERROR", type(error).__name__) from error
        assert broadcast is not None  # noqa: S101 - an opened view was answered
        ended: asyncio.Future[RingError] = loop.create_future()
        ended.add_done_callback(lambda _: story.tell(Ended(ended.result(), at=loop.time() - began)))
        self._spawn(self._watch(upstream, broadcast, ended))
        return View(
            upstream, broadcast, ended, story, floor=floor,
            recordings=self._settings.recordings, on_event=on_event, on_recording=self._count_recordings,
        )  # fmt: skip

    async def _watch(self, upstream: Upstream, broadcast: Broadcast, ended: "asyncio.Future[RingError]") -> None:
        try:
            error = await upstream.ended()
        except Exception as broken:
            # A bug of ours: who watches is told all the same.
            log.exception("a view broke")
            error = fault_error("SERVER-ERROR", type(broken).__name__)
        self._forget(upstream, error)
        ended.set_result(error)
        broadcast.close()

    def _forget(self, upstream: Upstream, error: RingError) -> None:
        if self._upstream is not upstream:
            return
        self._upstream = self._opening = None
        self.progress.viewers = 0
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if error.code == "SIG-CLOSED":
            self.progress.end()
        else:
            self.progress.fail(error)
        self._tell()

    def _hang_up(self) -> None:
        """Close the upstream in the background; whoever comes now opens a new one."""
        if self._lingering is not None:
            self._lingering.cancel()  # or it would close the next view
            self._lingering = None
        upstream, opening = self._upstream, self._opening
        if upstream is None:
            return
        self._spawn(self._close_upstream(upstream, opening))
        self._upstream = self._opening = None
        self.progress.viewers = 0
        self.progress.end()
        self._tell()

    async def _close_upstream(self, upstream: Upstream, opening: "asyncio.Task[View] | None") -> None:
        await upstream.close()
        if opening is not None:
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, RingError):
                await opening

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="shared view")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self) -> None:
        self._on_change(self.progress)
        self._changed.set()
        self._changed = asyncio.Event()


async def _recorded(recorder: Recorder) -> Recording:
    """Wait for the end of a recording; without a first picture soon there will be none."""
    done = asyncio.ensure_future(recorder.done())
    begun = asyncio.ensure_future(recorder.begun.wait())
    try:
        await asyncio.wait({done, begun}, timeout=FIRST_PICTURE, return_when=asyncio.FIRST_COMPLETED)
        if not (done.done() or begun.done()):
            raise fault_error("MEDIA-NO-KEY-FRAME", f"none within {FIRST_PICTURE:g} s")
        return await done
    finally:
        done.cancel()
        begun.cancel()


class _KeyFrameWatch:
    """A sink that waits for the first whole key frame."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self.found: asyncio.Future[AccessUnit] = asyncio.get_running_loop().create_future()

    def join(self, kind: str, group: Sequence[Packet]) -> None:
        """Nothing: there was no key frame yet."""

    def packets(self, kind: str, batch: Sequence[Packet]) -> None:
        """Look whether a key frame is whole now."""
        if kind == "video" and batch and batch[-1].marker and not self.found.done():
            unit = self._broadcast.key_frame()
            if unit is not None:
                self.found.set_result(unit)
