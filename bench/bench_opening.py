"""How long a view takes to open, beside the delays that the camera and Ring themselves have.

The delays are scripted, so their sum is the limit: a client that added nothing would take exactly so
long. Time runs from the wish to watch until a whole key frame is there. Usage: python bench/bench_opening.py [RUNS]
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import verdict
from simulated import Ring, signed_in, simulated_ring

from ringlight.cameras import Camera

GOAL = 1.15  # of the sum of the delays, at the 95th percentile
# Seconds: about what a camera on line power takes.
DELAYS = {"ticket": 0.1, "session": 0.1, "answer": 0.2, "connected": 0.3, "started": 0.6}


async def open_once(camera: Camera) -> float:
    began = time.perf_counter()
    async with camera.live_view() as view:
        await view.snapshot()
        seconds = time.perf_counter() - began
    await camera.view.close()
    return seconds


async def measure(ring: Ring, runs: int) -> list[float]:
    with tempfile.TemporaryDirectory() as state:
        async with signed_in(ring, Path(state)) as account:
            camera = (await account.cameras())[0]
            await open_once(camera)  # the first one signs in
            return [await open_once(camera) for _ in range(runs)]


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with simulated_ring(1, **DELAYS) as ring:
        seconds = sorted(asyncio.run(measure(ring, runs)))
    limit = sum(DELAYS.values())
    p95 = seconds[min(len(seconds) - 1, round(0.95 * len(seconds)))]
    print(f"from the wish to watch to the first whole key frame, decoded; {runs} runs")
    print(f"{'':28} {'min':>7} {'median':>7} {'p95':>7}")
    print(f"{'Ringlight, s':28} {seconds[0]:7.3f} {statistics.median(seconds):7.3f} {p95:7.3f}")
    print(f"{'limit: the delays added, s':28} {limit:7.3f} {limit:7.3f} {limit:7.3f}")
    verdict.goal("a view to its first key frame, p95 over the delays of Ring and the camera", p95 / limit, GOAL)


if __name__ == "__main__":
    main()
