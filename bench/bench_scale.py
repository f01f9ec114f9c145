"""How what a server needs grows with what it serves: sockets, rooms, messages, webhooks, nodes.

Viewers and cameras have their curves from `bench_forwarding.py`. Each curve is printed as a table, with the straight
line through its beginning and the point where it leaves that. The limit of every curve is one core.
Usage: python bench/bench_scale.py [--quick] [--only sockets,rooms,messages,events,nodes]
"""

import argparse
import asyncio
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import fit
import verdict
from bench_rooms import HERE, hear, program, proportional_kilobytes, stage, tell
from bench_webhooks import quantile, webhook_server

from media import kernel

sys.path.insert(0, str(HERE.parent / "tests"))
from own_redis import OwnRedis

SOCKETS = (0, 1000, 2000, 4000, 7000, 10_000)
ROOMS, OF_EACH = (50, 100, 200, 400, 800, 1600, 3200), 4.0  # rooms of two; messages a second in each
RATES = (1000, 2000, 4000, 8000, 16_000, 32_000)  # messages a second of 200 B, between 500 sockets
EVENTS = (125, 250, 500, 1000, 2000, 4000)  # webhooks a second
NODES, NODE_RATE = (1, 2, 3, 4), 500  # servers over one Redis; messages a second through all together

Points = list[tuple[float, float]]


def tell_of(name: str, across: str, up: str, points: Points) -> None:
    """Print a curve, and what its line is; a delay has none, as it waits and does not add up."""
    print(f"\n{name}")
    for x, y in points:
        print(f"{x:10.0f} {across:24} {y:10.2f} {up}")
    line = fit.straight(points) if up != "ms" else None
    if line is not None:
        bend = "straight to the end" if line.bend is None else f"leaves that line at {line.bend:.0f}"
        print(f"{'':10} {line.base:.3g} + {line.slope:.3g} for each, {bend}", flush=True)
    verdict.curve(name, across, up, points, straight=up != "ms")


def sockets(seconds: float, steps: Sequence[int]) -> None:
    """Idle participants: memory and processor time."""
    megabytes: Points = []
    core: Points = []
    with stage("fast", "v2") as (pid, crowd):
        joined = 0
        for step in steps:
            if step > joined:
                tell(crowd, {"do": "join", "sockets": step - joined})
                hear(crowd)
                joined = step
            time.sleep(2)
            before = kernel.cpu_seconds(pid)
            time.sleep(seconds)
            core.append((step, 100 * (kernel.cpu_seconds(pid) - before) / seconds))
            megabytes.append((step, proportional_kilobytes(pid) / 1024))
    tell_of("idle sockets: memory", "sockets", "MB", megabytes)
    tell_of("idle sockets: processor", "sockets", "% of a core", core)


def load(steps: Sequence[tuple[float, int, float]], seconds: float) -> tuple[Points, Points]:
    """Pass messages at a steady rate; give share of the core and p99, by the first number of each step.

    A step is what it is drawn by, the sockets, and the messages a second.
    """
    core: Points = []
    delay: Points = []
    with stage("fast", "v2") as (pid, crowd):
        joined = 0
        for x, wanted, rate in steps:
            if wanted > joined:
                tell(crowd, {"do": "join", "sockets": wanted - joined})
                hear(crowd)
                joined = wanted
            tell(crowd, {"do": "opened", "size": 200, "rate": rate, "seconds": seconds})
            hear(crowd)
            before, began = kernel.cpu_seconds(pid), time.monotonic()
            found = hear(crowd)
            share = (kernel.cpu_seconds(pid) - before) / (time.monotonic() - began)
            core.append((x, 100 * share))
            delay.append((x, found["p99_ms"]))
            if share > 0.97 or found["p99_ms"] > 1000:
                break  # more is only a longer queue
    return core, delay


def rooms(seconds: float, steps: Sequence[int]) -> None:
    core, delay = load([(count, 2 * count, OF_EACH * count) for count in steps], seconds)
    tell_of(f"rooms of two, {OF_EACH:g} messages a second in each: processor", "rooms", "% of a core", core)
    tell_of(f"rooms of two, {OF_EACH:g} messages a second in each: p99", "rooms", "ms", delay)


def messages(seconds: float, steps: Sequence[int]) -> None:
    core, delay = load([(rate, 500, rate) for rate in steps], seconds)
    tell_of("messages between 500 sockets: processor", "messages a second", "% of a core", core)
    tell_of("messages between 500 sockets: p99", "messages a second", "ms", delay)


def events(seconds: float, steps: Sequence[int]) -> None:
    """Webhooks at a rising rate, until they are no longer answered as fast as they come."""

    async def run() -> tuple[Points, Points]:
        core: Points = []
        delay: Points = []
        with tempfile.TemporaryDirectory() as folder:
            async with webhook_server(Path(folder)) as (pid, ring):
                for rate in steps:
                    before = kernel.cpu_seconds(pid)
                    answered = await ring.run(seconds, rate)
                    core.append((rate, 100 * (kernel.cpu_seconds(pid) - before) / seconds))
                    delay.append((rate, 1000 * quantile(ring.times, 0.99)))
                    if answered < 0.95 * rate:
                        break
        return core, delay

    core, delay = asyncio.run(run())
    tell_of("webhooks stored and handled: processor", "webhooks a second", "% of a core", core)
    tell_of("webhooks stored and handled: answer, p99", "webhooks a second", "ms", delay)


def nodes(seconds: float, steps: Sequence[int]) -> None:
    """What a message costs all servers and Redis together, by the number of servers."""
    cost: Points = []
    redis = OwnRedis()
    core, other = kernel.cores()
    os.environ["RINGLIGHT_REDIS_URL"] = redis.url.reveal()
    try:
        for count in steps:
            with contextlib.ExitStack() as stack:
                command = [sys.executable, str(HERE / "relay" / "serve.py"), "fast"]
                serving = [stack.enter_context(program(command, core)) for _ in range(count)]
                ports = ",".join(_port(one) for one in serving)
                crowd = stack.enter_context(
                    program([sys.executable, str(HERE / "relay" / "crowd.py"), "v2", ports], other)
                )
                tell(crowd, {"do": "join", "sockets": 120, "at_once": 4})
                hear(crowd)
                pids = [*(one.pid for one in serving), redis.pid]
                tell(crowd, {"do": "opened", "size": 200, "rate": NODE_RATE, "seconds": seconds})
                hear(crowd)
                before = sum(map(kernel.cpu_seconds, pids))
                found = hear(crowd)
                cost.append((count, 1e6 * (sum(map(kernel.cpu_seconds, pids)) - before) / found["messages"]))
    finally:
        del os.environ["RINGLIGHT_REDIS_URL"]
        redis.close()
    tell_of("a message through servers over one Redis", "servers", "µs of all", cost)


def _port(serving: "subprocess.Popen[str]") -> str:
    assert serving.stdout is not None
    return serving.stdout.readline().split()[1]


CURVES: dict[str, tuple[Callable[[float, Sequence[int]], None], tuple[int, ...]]] = {
    "sockets": (sockets, SOCKETS),
    "rooms": (rooms, ROOMS),
    "messages": (messages, RATES),
    "events": (events, EVENTS),
    "nodes": (nodes, NODES),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--quick", action="store_true", help="three points of each curve, a second each")
    arguments.add_argument("--only", default=",".join(CURVES))
    given = arguments.parse_args()
    files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, min(hard, 32_768)), hard))
    for name in given.only.split(","):
        measure, steps = CURVES[name]
        measure(1.0 if given.quick else 5.0, steps[:3] if given.quick else steps)


if __name__ == "__main__":
    main()
