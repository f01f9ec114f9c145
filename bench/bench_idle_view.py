"""What open views cost that nobody watches but a recorder: processor time and memory.

The views run in a process of their own and the simulated Ring in another. Processor time and memory are
the kernel's figures for the first. The limit of the memory is the same program before its first view.
Usage: python bench/bench_idle_view.py [SECONDS] [VIEWS]
"""

import asyncio
import contextlib
import resource
import sys
import tempfile
from pathlib import Path

import verdict
from simulated import Ring, signed_in, simulated_ring

from ringlight.media.recorder import Recording

CPU_GOAL, MEMORY_GOAL, MORE_GOAL = 3.0, 100.0, 6.0  # percent of a core, MB with one view, MB for each further view
SETTLE = 5.0  # seconds after opening that do not count


def resident() -> float:
    """Megabytes of this process in memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def busy() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(ring: Ring, seconds: float, views: int) -> list[tuple[int, float, float]]:
    rows = []
    with tempfile.TemporaryDirectory() as state:
        async with signed_in(ring, Path(state)) as account, contextlib.AsyncExitStack() as stack:
            cameras = await account.cameras()
            recordings: list[asyncio.Task[Recording]] = []
            rows.append((0, 0.0, resident()))
            for count in (1, views):
                while len(recordings) < count:
                    view = await stack.enter_async_context(cameras[len(recordings)].live_view())
                    path = Path(state) / f"{len(recordings)}.mp4"
                    recordings.append(asyncio.create_task(view.record(path, seconds=3600)))
                await asyncio.sleep(SETTLE)
                before = busy()
                await asyncio.sleep(seconds)
                rows.append((count, 100 * (busy() - before) / seconds, resident()))
            for recording in recordings:
                recording.cancel()
            await asyncio.wait(recordings)
    return rows


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    views = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    with simulated_ring(views) as ring:
        (_, _, empty), (_, cpu, one), (_, all_cpu, many) = asyncio.run(measure(ring, seconds, views))
    more = (many - one) / (views - 1)
    print(f"views that are recorded and not watched; {seconds:g} s each")
    print(f"{'views':>6} {'% of a core':>12} {'MB':>7}")
    for count, percent, megabytes in ((0, 0.0, empty), (1, cpu, one), (views, all_cpu, many)):
        print(f"{count:6} {percent:12.2f} {megabytes:7.1f}")
    for name, value, goal, unit in (
        ("a recorded view that nobody watches", cpu, CPU_GOAL, "% of a core"),
        ("memory with one such view", one, MEMORY_GOAL, "MB"),
        ("memory for each further view", more, MORE_GOAL, "MB"),
    ):
        verdict.goal(name, value, goal, unit)
    print(f"memory with one view: {one / empty:.2f} times the program without")


if __name__ == "__main__":
    main()
