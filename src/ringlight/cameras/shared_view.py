"""The shared view: one upstream for all who watch. It opens for the first and closes after the last."""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, Literal

from ringlight import spans
from ringlight.cameras.leased import LeasedUpstream, Take
from ringlight.cameras.progress import Progress
from ringlight.cameras.talking import Floor
from ringlight.cameras.view import Dial, Upstream, View
from ringlight.errors import RingError, fault_error
from ringlight.liveview import Ended, Event, Step, Trying
from ringlight.liveview.story import Story
from ringlight.logs import about
from ringlight.media.broadcast import Broadcast
from ringlight.media.negotiate import Agreed
from ringlight.media.past import Past
from ringlight.media.rtp import Packet
from ringlight.media.space import MEGABYTE
from ringlight.settings import Settings

FIRST_PICTURE = 60.0  # seconds that a trace waits for the first picture
Policy = Literal["never", "while-watched", "ask"]
log = logging.getLogger("ringlight.cameras")


class SharedView:
    """One camera's upstream and all who share it.

    Args:
        dial: Makes an upstream.
        settings: For `cameras.linger`, `media` (what is kept of the past) and `recordings`.
        renewal: Says at any time what the policy for this camera is.
        on_change: Called with the progress after each change.

    Attributes:
        progress: The state of the view.
        take: Takes the camera's lease before the upstream opens; `None` where there is one server only.
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
        self.take: Take | None = None
        self.named: Callable[[], str] = str  # returns the camera's id in addresses, for the log
        self._opening: asyncio.Task[View] | None = None
        self._upstream: Upstream | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._guests = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def join(self, *, guest: bool = False) -> AsyncIterator[View]:
        """Watch: opens the upstream if nobody does yet; leaving closes it some seconds after the last.

        Args:
            guest: Keeps the view neither open nor renewed: it ends for a guest, too, when all others have left.

        Raises:
            RingError: Why it could not be opened.
        """
        if not guest and self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if self._opening is None:
            with about(camera=self.named()):  # all that comes of it tells of which camera it is
                log.info("view_opening")
                self._opening = asyncio.create_task(self._open(), name="open view")
        opening = self._opening
        self.progress.viewers += 1
        self._guests += guest
        self._tell()
        try:
            yield await asyncio.shield(opening)
        finally:
            if self._opening is opening:  # who still holds a view that has ended counts no more
                self._guests -= guest
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
        if not self._is_wanted() and self._lingering is None:
            loop = asyncio.get_running_loop()
            wait = self._settings.cameras.linger
            self._lingering = loop.call_later(wait, lambda: self._hang_up(unwatched=True))

    def _is_wanted(self) -> bool:
        """Whether somebody watches who is no guest."""
        return self.progress.viewers > self._guests

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
        if not self._is_wanted() or policy == "never":
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
        span = spans.begin("view open", ringlight__camera=self.named())

        def on_floor() -> None:
            if self._upstream is upstream:
                self.progress.talk = "none" if floor.codec is None else "taken" if floor.taken else "free"
                self._tell()

        def on_agreed(agreed: Agreed) -> None:
            nonlocal broadcast
            if broadcast is None:
                broadcast = self._broadcast(agreed, upstream)
            broadcast.tune(agreed.codecs)
            floor.codec = agreed.codecs.get("audio") if agreed.hears else None
            on_floor()

        def on_packet(packet: Packet) -> None:
            if broadcast is not None:
                broadcast.push(packet)

        def on_event(event: Event) -> None:
            if isinstance(event, Trying) and broadcast is not None:
                broadcast.forget()  # a newcomer must not take the last picture for a live one
            story.tell(dataclasses.replace(event, at=loop.time() - began))  # one clock, whoever tells
            if self._upstream is upstream:  # a view that was left says its last words beside the next one
                self.progress.take(event, loop.time())
                _note(event, loop.time() - began, span)
                self._tell()

        upstream = self._upstream = self._leased(self._dial(
            on_packet=on_packet, on_agreed=on_agreed, on_event=on_event,
            is_watched=self._is_wanted, may_renew=self._may_renew,
        ))  # fmt: skip
        floor = Floor(upstream, on_floor)
        try:
            with span.covering():
                await upstream.open()
        except RingError as error:
            self._forget(upstream, error)
            raise
        except Exception as error:
            # A bug of ours must not leave the view half open for everybody after.
            log.exception("a view could not be opened")
            broken = fault_error("SERVER-ERROR", type(error).__name__)
            self._forget(upstream, broken)
            raise broken from error
        assert broadcast is not None  # noqa: S101 - an opened view was answered
        ended: asyncio.Future[RingError] = loop.create_future()
        ended.add_done_callback(lambda _: story.tell(Ended(ended.result(), at=loop.time() - began)))
        self._spawn(self._watch(upstream, broadcast, ended))
        view = View(
            upstream, broadcast, ended, story, floor=floor,
            recordings=self._settings.recordings, on_event=on_event, on_recording=self._count_recordings,
        )  # fmt: skip
        if spans.is_on():
            self._spawn(_until_picture(view, span))
        return view

    def _leased(self, upstream: Upstream) -> Upstream:
        return upstream if self.take is None else LeasedUpstream(upstream, self.take)

    def _broadcast(self, agreed: Agreed, upstream: Upstream) -> Broadcast:
        media = self._settings.media
        past = Past(media.past, int(media.past_memory * MEGABYTE))
        return Broadcast(agreed.codecs, media.key_frame_cache, upstream.ask_key_frame, past)

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
        log.info("view_ended code=%s", error.code)
        self._upstream = self._opening = None
        self.progress.viewers = self._guests = 0
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if error.code in ("SIG-CLOSED", "CAM-ELSEWHERE", "CAM-MOVED"):
            self.progress.end(moved=error.code == "CAM-MOVED")
        else:
            self.progress.fail(error)
        self._tell()

    def _hang_up(self, *, unwatched: bool = False) -> None:
        """Close the upstream in the background; whoever comes now opens a new one."""
        if self._lingering is not None:
            self._lingering.cancel()  # or it would close the next view
            self._lingering = None
        upstream, opening = self._upstream, self._opening
        if upstream is None:
            return
        self._spawn(self._close_upstream(upstream, opening))
        self._upstream = self._opening = None
        self.progress.viewers = self._guests = 0
        self.progress.end(unwatched=unwatched)
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


def _note(event: Event, after: float, span: spans.Span) -> None:
    """Write a step of opening into the log and the trace, or what went wrong on the way."""
    match event:
        case Step(name):
            log.info("view_step step=%s seconds=%.3f", name, after)
            span.step(f"view {name}")
        case Trying(number, code) if code is not None:
            log.info("view_again attempt=%d code=%s pause=%.1f", number, code, event.pause)
            span.happened("again", attempt=number, code=code, pause=event.pause)


async def _until_picture(view: View, span: spans.Span) -> None:
    """End the span of opening with the first whole picture, or with why there is none."""
    try:
        await view.key_frame(within=FIRST_PICTURE)
    except RingError as error:
        span.end(error.code)
    else:
        span.step("view key frame")
        span.end()
