"""Turning a camera: a step, or on and on while somebody holds the button. It never turns for nobody."""

import asyncio
import contextlib
import logging

from ringlight.cameras.shared_view import SharedView
from ringlight.cameras.view import Direction, Turned, View
from ringlight.errors import RingError
from ringlight.liveview import ptz

__all__ = ["HELD", "SPEED", "Turner"]

log = logging.getLogger("ringlight.cameras")

SPEED = 0.5  # of 0 to 1; what Ring's app uses (observed-protocol.md#messages)
HELD = 2.0  # seconds that a turning goes on without being asked for again: a page that is gone lets go


class Turner:
    """Turns one camera, one thing at a time. Opens its shared view, and keeps it open while it turns."""

    def __init__(self, view: SharedView) -> None:
        self._view = view
        self._move: _Move | None = None
        self._turn = asyncio.Lock()

    async def step(self, direction: Direction) -> Turned:
        """Turn one step; what turned before stops. See `View.turn` for the result and what it raises."""
        async with self._turn:
            await self._let_go()
            async with self._view.join() as view:
                return await view.turn(direction)

    async def keep(self, direction: Direction, speed: float, seconds: float) -> Turned:
        """Begin to turn, or go on with what turns so already, for so many seconds from now."""
        async with self._turn:
            move = self._move
            if move is None or not move.goes_on_with(direction, speed):
                await self._let_go()
                move = _Move(self._view, direction, speed)
                await move.begin()
                self._move = move
            move.hold(seconds)
            return move.result

    async def stop(self) -> Turned:
        """Stop; return whether it had come to the end of its way before."""
        async with self._turn:
            return await self._let_go()

    async def close(self) -> None:
        """Stop, whether or not the camera can still be told."""
        with contextlib.suppress(RingError):
            await self.stop()

    async def _let_go(self) -> Turned:
        move, self._move = self._move, None
        return "moved" if move is None else await move.end()


class _Move:
    """A turning that goes on until it is let go, its time is over, the camera halts, or the view ends."""

    def __init__(self, view: SharedView, direction: Direction, speed: float) -> None:
        self._view, self._direction, self._speed = view, direction, speed
        self._loop = asyncio.get_running_loop()
        self._begun: asyncio.Future[None] = self._loop.create_future()
        self._released = asyncio.Event()
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.result: Turned = "moved"
        self._task = asyncio.create_task(self._run(), name="turning")
        self._task.add_done_callback(_note)

    def goes_on_with(self, direction: Direction, speed: float) -> bool:
        """Whether being asked for this means to go on; a camera that has halted stays so while it is held."""
        same = (direction, speed) == (self._direction, self._speed)
        return same and self._loop.time() <= self._until and (self.result == "limit" or not self._task.done())

    async def begin(self) -> None:
        """Wait until the camera turns.

        Raises:
            RingError: Why it does not.
        """
        await asyncio.wait({self._begun, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._begun.done():
            self._task.result()

    def hold(self, seconds: float) -> None:
        """Go on for so long from now."""
        if self._timer is not None:
            self._timer.cancel()
        self._until = self._loop.time() + seconds
        self._timer = self._loop.call_later(seconds, self._released.set)

    async def end(self) -> Turned:
        """Stop and wait until the camera has.

        Raises:
            RingError: It could not be told.
        """
        self._released.set()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.wait({self._task})
        self._task.result()
        return self.result

    async def _run(self) -> None:
        async with self._view.join() as view:
            seen = self._view.progress.halted
            await self._start(view)
            self.hold(HELD)
            self._begun.set_result(None)
            halts = asyncio.create_task(self._watch(seen))
            ended = asyncio.create_task(_end_of(view))
            released = asyncio.create_task(self._released.wait())
            tasks = {halts, ended, released}
            try:
                if self.result == "moved":
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            if self.result == "moved":
                self.result = await self._told_to_stop(view)

    async def _start(self, view: View) -> None:
        try:
            self.result = await view.turn(self._direction, speed=self._speed)
        except RingError:
            with contextlib.suppress(RingError):  # its answer may be all that is missing
                await view.turn(self._direction, speed=0)
            raise

    async def _told_to_stop(self, view: View) -> Turned:
        try:
            return await view.turn(self._direction, speed=0)
        except RingError as error:
            if error.code == "CAM-COMMAND":
                raise
            return "moved"  # the view has ended, and whoever watched is told so there

    async def _watch(self, seen: tuple[str, str, float] | None) -> None:
        """Return when the camera has halted by itself."""
        async with contextlib.aclosing(self._view.changes()) as changes:
            async for progress in changes:
                halted = progress.halted
                if halted is not None and halted != seen and halted[0] == ptz.axis_of_direction(self._direction):
                    self.result = "limit"
                    return


def _note(task: "asyncio.Task[None]") -> None:
    """Look at how a turning ended: one whose time is over has nobody who waits for it."""
    if not task.cancelled() and task.exception() is not None:
        log.info("a turning ended: %s", task.exception())


async def _end_of(view: View) -> RingError:
    return await view.ended()
