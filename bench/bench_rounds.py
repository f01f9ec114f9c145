"""Whether anything stays behind when views are opened and closed: tasks, sockets, threads, memory.

The limit is the state after the first rounds, when everything is loaded. Usage: python bench/bench_rounds.py [ROUNDS]
"""

import asyncio
import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import verdict
from bench_idle_view import resident
from simulated import Ring, signed_in, simulated_ring

from ringlight.cameras import Camera

WARM = 20  # rounds before the first count
MORE_MEMORY = 6.0  # megabytes that the heap may still settle by


async def open_and_close(camera: Camera) -> None:
    async with camera.live_view() as view:
        await view.snapshot()
    await camera.view.close()


def left() -> dict[str, int]:
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "files and sockets": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


async def measure(ring: Ring, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as state:
        async with signed_in(ring, Path(state)) as account:
            camera = (await account.cameras())[0]
            for _ in range(WARM):
                await open_and_close(camera)
            before, memory, began = left(), resident(), time.perf_counter()
            for _ in range(rounds):
                await open_and_close(camera)
            seconds, after, more = time.perf_counter() - began, left(), resident() - memory
    print(f"{rounds} times opened, first picture seen, closed: {1000 * seconds / rounds:.0f} ms a round")
    for name, count in before.items():
        print(f"{name:18} {count:4} before, {after[name]:4} after")
    more_things = max(after[name] - count for name, count in before.items())
    verdict.goal("views opened and closed: tasks, files, sockets or threads left", more_things, 0)
    verdict.goal("views opened and closed: memory left", more, MORE_MEMORY, "MB")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with simulated_ring(1) as ring:
        asyncio.run(measure(ring, rounds))


if __name__ == "__main__":
    main()
