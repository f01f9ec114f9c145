"""Tasks of the simulator that nobody waits for."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("ringlight.simulator")


class Errands:
    """The tasks of one socket or dialog. One that breaks is logged.

    Args:
        whose: For the log: `dialog`, `socket`.
    """

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin one."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    @property
    def others(self) -> "set[asyncio.Task[None]]":
        """Those that run, without the one that asks."""
        return {task for task in self._running if task is not asyncio.current_task()}

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a simulated %s broke", self._whose, exc_info=task.exception())
