"""Keeps the meters of all battery cameras: fed by device lists and views, kept over time beside the tokens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from ringlight.account import Device, Power
from ringlight.cameras.battery import Cost, Meter, Span
from ringlight.cameras.progress import Progress
from ringlight.errors import RingError
from ringlight.store.measured_file import MeasuredFile

__all__ = ["Charge"]

READ_AFTER = 5.0  # seconds after a view until the battery is read
READ_EVERY = 60.0  # seconds between two such readings, however many views end
PATIENCE = 3.0  # seconds for the last reading, while the program ends
log = logging.getLogger("ringlight.cameras")


class Charge:
    """What the cameras' batteries tell.

    Args:
        file: Where the measurements outlive the process; `None` forgets them at its end.
        clock: The time in seconds.
        reread: Reads the device list, which feeds `read`.
    """

    def __init__(
        self, file: MeasuredFile | None, clock: Callable[[], float], reread: Callable[[], Awaitable[object]]
    ) -> None:
        self._file, self._clock, self._reread = file, clock, reread
        self._meters: dict[int, Meter] = {}
        self._live: set[int] = set()
        self._read_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._kept: dict[str, list[tuple[float, int]]] | None = None

    def cost(self, device: Device) -> Cost | None:
        """Return what a minute costs; `None` for a camera that runs on no battery."""
        return self._meter(device.id).cost if device.power is Power.BATTERY else None

    def read(self, devices: Iterable[Device]) -> None:
        """Take the per cents of a device list."""
        now = self._clock()
        for device in devices:
            if device.power is Power.BATTERY and device.battery_percent is not None:
                meter = self._meter(device.id)
                meter.read(device.battery_percent, now)
                self._keep(device.id, meter.settle(now))

    def follow(self, device: Device, progress: Progress) -> None:
        """Take what a view tells: how long video flows, and that it has ended."""
        live, was = progress.state == "live", device.id in self._live
        if live == was or (live and device.power is not Power.BATTERY):
            return
        meter, now = self._meter(device.id), self._clock()
        if live:
            self._live.add(device.id)
            meter.begin(now)
            self._keep(device.id, meter.settle(now))
        else:
            self._live.discard(device.id)
            meter.end(now)
            self._read_soon()

    async def aclose(self) -> None:
        """Read the batteries of views that have just ended, and keep what was measured."""
        if self._timer is not None:
            self._timer.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if any(meter.awaits_reading for meter in self._meters.values()):
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._reread()
            except (RingError, TimeoutError) as error:
                log.info("the battery was not read after the view: %s", error)
        for number, meter in self._meters.items():
            self._keep(number, meter.settle(self._clock(), last=True))
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _meter(self, number: int) -> Meter:
        meter = self._meters.get(number)
        if meter is None:
            if self._kept is None:
                self._kept = self._file.load() if self._file is not None else {}
            spans = (Span(minutes, drop) for minutes, drop in self._kept.get(str(number), ()))
            meter = self._meters[number] = Meter(spans)
        return meter

    def _keep(self, number: int, span: Span | None) -> None:
        if span is not None and self._file is not None:
            self._spawn(asyncio.to_thread(self._file.add, str(number), span.minutes, span.drop))

    def _read_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and self._timer.when() > loop.time():
            return
        at = max(loop.time() + READ_AFTER, self._read_at + READ_EVERY)
        self._timer = loop.call_at(at, lambda: self._spawn(self._read_now()))

    async def _read_now(self) -> None:
        self._read_at = asyncio.get_running_loop().time()
        try:
            await self._reread()
        except RingError as error:
            log.info("the battery was not read after the view: %s", error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="battery")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
