"""Two hundred viewers that come and go for an hour: what the server's memory does, and whether anybody is left behind.

The server runs on one core, the camera and the viewers on the other. A third of the viewers say goodbye; the others
vanish, and have to be noticed. Usage: python bench/bench_churn.py [--minutes M] [--viewers N] [--stay SECONDS]
"""

import argparse
import asyncio
import contextlib
import random
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import verdict
from media.audience import Audience
from media.source import Cameras, make_loop
from media.watcher import Watcher

from media import kernel, servers

SAY_GOODBYE = 1 / 3  # of the viewers
TURN_OVER = 2  # viewers for each seat until all have changed hands: what made it grow so far is no growth
LOOK_EVERY = 30.0  # seconds
GONE_WITHIN = 20.0  # seconds after the last one left until nobody may be counted any more
GOAL = 1.05  # of the memory after the first turn-over


@dataclass(slots=True)
class Crowd:
    """Those who come and go.

    Args:
        audience: Lets them in and reads them.
        dice: Who leaves when, and how.
        stay: Seconds that one stays on average.
    """

    audience: Audience
    dice: random.Random
    stay: float
    came: int = 0
    failed: int = 0
    times: list[float] = field(default_factory=list)

    async def seat(self, end: float) -> None:
        """Keep one seat taken by one viewer after another until the end."""
        await asyncio.sleep(self.dice.uniform(0, self.stay / 3))
        while time.monotonic() < end:
            try:
                watcher, took = await self.audience.join(0)
            except (TimeoutError, httpx2.HTTPError):
                self.failed += 1
                continue
            self.came += 1
            self.times.append(took)
            self.audience.watchers.append(watcher)
            await asyncio.sleep(min(self.dice.expovariate(1 / self.stay), max(0.0, end - time.monotonic())))
            await self._leave(watcher)

    async def _leave(self, watcher: Watcher) -> None:
        self.audience.watchers.remove(watcher)
        if self.dice.random() < SAY_GOODBYE:
            with contextlib.suppress(httpx2.HTTPError):
                await self.audience.leave(watcher)
        watcher.close()


async def churn(minutes: float, viewers: int, stay: float) -> bool:
    """Run it; return whether the goals were met."""
    server_core, own_core = kernel.cores()
    ports = [servers.free_port()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            servers.ringlight(ports, folder, server_core) as running,
            Cameras(make_loop(), ports, folder / "frames", own_core) as cameras,
            kernel.on_core(own_core),
        ):
            await asyncio.sleep(2.5)  # a group of pictures
            async with running.signaling() as signaling:
                audience = Audience(signaling, running.pid, server_core, cameras, gro=True)
                async with audience.reading():
                    return await _measure(Crowd(audience, random.Random(4), stay), running.pid, minutes, viewers)


async def _measure(crowd: Crowd, pid: int, minutes: float, viewers: int) -> bool:
    end = time.monotonic() + minutes * 60
    began, cpu = time.monotonic(), kernel.cpu_seconds(pid)
    seats = [asyncio.create_task(crowd.seat(end)) for _ in range(viewers)]
    print(f"{viewers} seats, {crowd.stay:g} s in each on average, {minutes:g} minutes; one in three says goodbye")
    print(f"{'minute':>7} {'came':>7} {'failed':>7} {'watching':>9} {'MB':>7} {'files':>6} {'core':>6} {'join, ms':>9}")
    base = 0.0
    while not all(seat.done() for seat in seats):
        await asyncio.sleep(min(LOOK_EVERY, max(1.0, end - time.monotonic())))
        now, used = time.monotonic(), kernel.cpu_seconds(pid)
        core, (began, cpu) = (used - cpu) / (now - began), (now, used)
        megabytes = kernel.resident_kilobytes(pid) / 1024
        if not base and crowd.came >= TURN_OVER * viewers:
            base = megabytes
        joined = 1000 * sorted(crowd.times)[len(crowd.times) // 2] if crowd.times else float("nan")
        crowd.times.clear()
        print(
            f"{minutes - (end - now) / 60:7.1f} {crowd.came:7} {crowd.failed:7} {len(crowd.audience.watchers):9} "
            f"{megabytes:7.1f} {_open_files(pid):6} {core:6.0%} {joined:9.0f}",
            flush=True,
        )
    await asyncio.gather(*seats)
    await asyncio.sleep(GONE_WITHIN)
    last = kernel.resident_kilobytes(pid) / 1024
    if not base:
        few = f"{crowd.came} viewers came, and {TURN_OVER * viewers} must before memory is compared"
        return verdict.unmeasured("memory when all had left, over that after the first turn-over", few)
    print(f"after the first turn-over {base:.1f} MB, when all had left {last:.1f} MB: ratio {last / base:.3f}")
    met = verdict.goal(
        f"memory when all of {crowd.came} viewers had left, over that after the first turn-over", last / base, GOAL
    )
    return verdict.goal("viewers turned away", crowd.failed, 0) and met


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="60 is what the goal says (5)")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--stay", type=float, default=30.0, help="seconds on average")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, min(hard, 8192)), hard))
    asyncio.run(churn(arguments.minutes, arguments.viewers, arguments.stay))


if __name__ == "__main__":
    main()
