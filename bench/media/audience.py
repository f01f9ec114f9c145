"""All viewers of one server: they join, are read in turns, and what they got is counted over a window of time."""

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx2

from media import kernel
from media.signaling import Signaling
from media.source import Cameras, Sent
from media.watcher import Seen, Watcher
from ringlight.media.rtp import TIMESTAMPS

ROUND = 0.04  # seconds between two turns; the kernel's stamps keep the latency exact, and its buffers the packets
PAUSE = 0.01  # seconds between two turns at least, for those who are joining
GROW_WITHIN = 45.0  # seconds; who has not joined by then stays outside
JOINING = 8  # viewers that join at the same time
ALIGN_WITHIN = 45  # frames: how old the first one may be
TOO_BUSY = 0.9  # of its core; above it the load generator itself may be what is measured
SETTLE = 2.0  # seconds after the last join that do not count


@dataclass(frozen=True, slots=True)
class Window:
    """What was measured over some seconds.

    Attributes:
        cpu: Seconds of the server.
        packets: That all viewers got.
        lost: That they did not get and should have.
        overflowed: How many of them got lost in our own sockets.
        frames: That ended at viewers.
        expected: Frames that the camera sent, times viewers.
        latencies: In ms, sorted: a frame's last packet at a viewer after the same at the camera.
        resident: Kilobytes of the server.
        generator: Share of its core that the load generator used.
        others: Share of the server's core that neither it nor idling used.
        gone: Viewers to whom the server said goodbye.
        profile: Name of the SRTP profile that most have.
        memory_before: Kilobytes of the server before the first viewer.
    """

    viewers: int
    seconds: float
    cpu: float
    packets: int
    lost: int
    doubled: int
    overflowed: int
    frames: int
    expected: int
    latencies: list[float] = field(repr=False)
    resident: int
    generator: float
    others: float
    gone: int
    profile: str
    memory_before: int

    @property
    def core(self) -> float:
        """Share of its core that the server used."""
        return self.cpu / self.seconds

    @property
    def kilobytes(self) -> float:
        """Memory of the server for each viewer, beyond what it had before the first."""
        return (self.resident - self.memory_before) / max(1, self.viewers)

    @property
    def microseconds(self) -> float:
        """Processor time of the server for each packet of each viewer."""
        return 1e6 * self.cpu / self.packets if self.packets else float("nan")

    def latency(self, percent: float) -> float | None:
        """Return a percentile in ms, or `None` where frames could not be recognised."""
        if not self.latencies:
            return None
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]

    @property
    def valid(self) -> bool:
        """Whether it was the server that was measured and not the generator."""
        return self.generator <= TOO_BUSY and not self.overflowed


@dataclass(frozen=True, slots=True)
class Joins:
    """How viewers came, saw their first frame and left again.

    Attributes:
        rate: How many a second.
        to_first_frame: Seconds from the wish to the first whole frame, sorted.
        cpu: Seconds of the server for each, what it did for others included.
        generator: Share of its core that the load generator used.
    """

    rate: float
    to_first_frame: list[float]
    cpu: float
    generator: float


class Audience:
    """The viewers of one server.

    Args:
        signaling: Lets them in.
        pid: The server.
        core: Where it runs.
        cameras: Who sends.
        gro: Whether viewers take several packets at once from the kernel.
    """

    def __init__(self, signaling: Signaling, pid: int, core: int, cameras: Cameras, *, gro: bool) -> None:
        self._signaling, self._pid, self._core, self._cameras = signaling, pid, core, cameras
        self._gro = gro
        self.watchers: list[Watcher] = []
        self.refused = 0
        self._memory_before = kernel.resident_kilobytes(pid)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read all viewers in turns, as long as the `async with` lasts."""
        turns = asyncio.create_task(self._turns())
        try:
            yield
        finally:
            turns.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await turns
            for watcher in self.watchers:
                watcher.close()

    async def _turns(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            for watcher in self.watchers:
                watcher.drain()
                if began > watcher.next_check:
                    watcher.check(began)
            await asyncio.sleep(max(PAUSE, began + ROUND - loop.time()))

    async def leave(self, watcher: Watcher) -> None:
        """Let one say goodbye; who is only closed vanishes."""
        await self._signaling.leave(watcher)

    async def join(self, camera: int) -> tuple[Watcher, float]:
        """Let one in and wait for its first frame; return it, and the seconds that took.

        Raises:
            TimeoutError: No frame came.
            httpx2.HTTPError: The server did not take it.
        """
        began = time.perf_counter()
        watcher = Watcher(camera, gro=self._gro)
        try:
            await self._signaling.join(watcher)
            await watcher.first_frame()
        except BaseException:
            watcher.close()
            raise
        return watcher, time.perf_counter() - began

    async def grow(self, viewers: int, camera_of: Callable[[int], int] = lambda _: 0) -> None:
        """Let viewers join until there are so many or the server takes no more; then wait until all is calm."""
        numbers = iter(range(len(self.watchers), viewers))
        self.refused = 0

        end = time.perf_counter() + GROW_WITHIN

        async def join_some() -> None:
            for number in numbers:
                if time.perf_counter() > end:
                    self.refused += 1
                    return
                try:
                    self.watchers.append((await self.join(camera_of(number)))[0])
                except (TimeoutError, httpx2.HTTPError):
                    self.refused += 1
                    if self.refused >= JOINING:
                        return  # the server takes no more; what it has is measured

        async with asyncio.TaskGroup() as group:
            for _ in range(JOINING):
                group.create_task(join_some())
        await asyncio.sleep(SETTLE)

    async def joins(self, seconds: float, at_once: int) -> Joins:
        """Let viewers come, see their first frame, and leave, beside those who stay."""
        times: list[float] = []
        end = time.perf_counter() + seconds
        began, busy, cpu = time.perf_counter(), time.process_time(), kernel.cpu_seconds(self._pid)

        async def come_and_go() -> None:
            while time.perf_counter() < end:
                try:
                    watcher, took = await self.join(0)
                except (TimeoutError, httpx2.HTTPError):
                    continue  # it cost its time, and counts as nobody
                times.append(took)
                await self.leave(watcher)
                watcher.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(come_and_go())
        seconds = time.perf_counter() - began
        cpu = (kernel.cpu_seconds(self._pid) - cpu) / max(1, len(times))
        return Joins(len(times) / seconds, sorted(times), cpu, (time.process_time() - busy) / seconds)

    async def measure(self, seconds: float) -> Window:
        """Count for some seconds."""
        self._drain()
        for watcher in self.watchers:
            watcher.frames.clear()
        before = [(w.packets, w.lost, w.doubled, w.dropped()) for w in self.watchers]
        began, at, busy = time.perf_counter(), time.time_ns(), time.process_time()
        cpu, core = kernel.cpu_seconds(self._pid), kernel.core_busy_seconds(self._core)
        await asyncio.sleep(seconds)
        cpu = kernel.cpu_seconds(self._pid) - cpu
        core = kernel.core_busy_seconds(self._core) - core
        took, busy = time.perf_counter() - began, time.process_time() - busy
        self._drain()
        end = time.time_ns()
        after = [(w.packets, w.lost, w.doubled, w.dropped()) for w in self.watchers]
        packets, lost, doubled, overflowed = (
            sum(b[i] - a[i] for a, b in zip(before, after, strict=True)) for i in range(4)
        )
        sent = {camera: self._cameras.frames(camera) for camera in {w.camera for w in self.watchers}}
        return Window(
            viewers=len(self.watchers),
            seconds=took,
            cpu=cpu,
            packets=packets,
            lost=lost,
            doubled=doubled,
            overflowed=overflowed,
            frames=sum(len(w.frames) for w in self.watchers),
            expected=sum(sum(at <= frame.at < end for frame in sent[w.camera]) for w in self.watchers),
            latencies=sorted(ms for w in self.watchers for ms in latencies(w, sent[w.camera])),
            resident=kernel.resident_kilobytes(self._pid),
            generator=busy / took,
            others=max(0.0, core - cpu) / took,
            gone=sum(w.closed for w in self.watchers),
            profile=statistics.mode(w.profile for w in self.watchers) if self.watchers else "",
            memory_before=self._memory_before,
        )

    def _drain(self) -> None:
        for watcher in self.watchers:
            watcher.drain()


def latencies(watcher: Watcher, sent: list[Sent]) -> list[float]:
    """Return for each frame the ms from its last packet's leaving the camera until that came to the viewer."""
    if watcher.offset is None:
        watcher.offset = align(watcher.frames, sent)
    if watcher.offset is None:
        return []
    left = {frame.timestamp: frame.at for frame in sent}
    pairs = ((seen.at, left.get((seen.timestamp - watcher.offset) % TIMESTAMPS)) for seen in watcher.frames)
    return [(at - gone) / 1e6 for at, gone in pairs if gone is not None]


def align(seen: list[Seen], sent: list[Sent]) -> int | None:
    """Find what the server adds to RTP timestamps: the shift under which frames have as many packets as at the camera.

    `None` where none fits, as when frames were encoded anew.
    """
    if len(seen) < 10:
        return None
    counts = [(b.timestamp, b.packets - a.packets) for a, b in itertools.pairwise(seen[:40])]
    packets_of = {frame.timestamp: frame.packets for frame in sent}
    first, _ = counts[0]
    came = seen[1].at
    best: tuple[float, int] | None = None
    for frame in [frame for frame in sent if frame.at <= came][-ALIGN_WITHIN:]:
        offset = (first - frame.timestamp) % TIMESTAMPS
        wrong = sum(abs(packets_of.get((stamp - offset) % TIMESTAMPS, 50) - count) for stamp, count in counts)
        if best is None or wrong < best[0]:
            best = (wrong, offset)
    return best[1] if best is not None and best[0] <= len(counts) else None
