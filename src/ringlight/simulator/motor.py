"""The motor of a simulated camera: carries out steps and turnings that go on, and says when it can go no further."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from ringlight.liveview import ptz
from ringlight.liveview.ptz import Axis, Direction
from ringlight.simulator.clip import Clip
from ringlight.simulator.errands import Errands
from ringlight.simulator.premises import SimCamera
from ringlight.simulator.turning import Facing, answer, halted, seconds_for_a_step


class Motor:
    """Turns one camera for one dialog.

    Args:
        camera: What turns.
        facing: Where the cameras look, by number; changed here.
        show: Sends another picture from now on.
        say: Sends a JSON-RPC message to the client.
    """

    def __init__(
        self,
        camera: SimCamera,
        facing: dict[int, Facing],
        *,
        show: Callable[[Clip], None],
        say: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        self._camera, self._facing = camera, facing
        self._show, self._say = show, say
        self._running: dict[Axis, asyncio.Task[None]] = {}
        self._errands = Errands("motor")
        self._drawing: asyncio.Task[None] | None = None

    async def carry_out(self, command: dict[str, Any]) -> None:
        """Do what is told and answer. At the end of its way the camera says so first, as Ring's do.

        The picture follows: to draw it may take a busy machine longer than a client waits for the answer.
        """
        order = ptz.order(command)
        if order is not None:
            await self._stop(order.axis)
            if order.speed is None:
                await self._step(order.axis, order.direction)
            elif order.speed > 0:
                self._running[order.axis] = asyncio.create_task(
                    self._go_on(order.axis, order.direction, order.speed), name="turning"
                )
        await self._say(answer(command, int(time.time() * 1000)))

    async def close(self) -> None:
        """Stop."""
        for axis in tuple(self._running):
            await self._stop(axis)
        if self._drawing is not None:
            self._drawing.cancel()
            await asyncio.wait({self._drawing})

    async def _stop(self, axis: Axis) -> None:
        running = self._running.pop(axis, None)
        if running is not None:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def _go_on(self, axis: Axis, direction: Direction, speed: float) -> None:
        while True:
            await asyncio.sleep(seconds_for_a_step(speed))
            if await self._step(axis, direction):
                return

    async def _step(self, axis: Axis, direction: Direction) -> bool:
        """Turn one step; whether the end of the way was reached instead."""
        before = self._facing.get(self._camera.id, Facing())
        facing, stopped = before.turned(direction)
        if stopped:
            await self._say(halted(axis, f"h-{uuid.uuid4()}"))
        else:
            self._facing[self._camera.id] = facing
            if self._drawing is None or self._drawing.done():
                self._drawing = self._errands.start(self._draw())
        return stopped

    async def _draw(self) -> None:
        """Show what it sees, until that is where it looks."""
        drawn = None
        while (facing := self._facing[self._camera.id]) != drawn:
            self._show(await asyncio.to_thread(self._camera.clip_facing, facing))
            drawn = facing
