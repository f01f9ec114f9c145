"""200 tasks make 600 calls at once against a server that takes exactly 100 in any second: nobody may be refused.

First in one process, then in four that share the gate over Redis (Debian's `redis-server`, started for this). The least
time that such a server allows is five seconds: a hundred calls at once, and a hundred more at the end of each second.
A gate that leaves even one call of the limit unused needs six, so that much is the price of being sure; what counts is
the time beyond that. `--rate` and `--burst` try other gates. Usage: python bench/bench_herd.py [--rate R] [--burst B]
"""

import argparse
import asyncio
import json
import logging
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import verdict
from exact_server import Counts, Server, running

from ringlight.errors import RingError
from ringlight.http.async_calling import AsyncCaller
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.http.reach import Patience
from ringlight.http.shared_gate import AsyncSharedGate
from ringlight.partner.call import Call
from ringlight.resilience.operation import Operation
from ringlight.resilience.shared import Shared
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings

LIMIT, TASKS, CALLS, PROCESSES = 100, 200, 600, 4
OPTIMUM = (CALLS - 1) // LIMIT  # seconds that the server needs at least
SURE = (CALLS - 1) // (LIMIT - 1)  # seconds of the fastest gate that leaves one call of each second unused
GOAL = 1.0  # seconds over that


async def herd(url: str, settings: ResilienceSettings, tasks: int, calls: int, redis: str | None) -> int:
    """Make the calls; return how many failed."""
    call = Call(
        Operation("devices.list"), Request("GET", f"{url}/v1/devices", at="partner"), Response.json, bearer=False
    )
    failed = 0
    left = iter(range(calls))
    async with AsyncExitStack() as opened:
        driver = await opened.enter_async_context(AsyncDriver(patience=Patience()))
        gate = None
        if redis is not None:
            gate = await opened.enter_async_context(AsyncSharedGate(Secret(redis), "bench", settings))
        client = AsyncCaller(driver, Shared(settings, random.random), gate=gate)

        async def one() -> None:
            nonlocal failed
            for _ in left:
                try:
                    await client.call(call)
                except RingError as error:
                    failed += 1
                    print(error, file=sys.stderr)

        if redis:
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(one() for _ in range(tasks)))
    return failed


@contextmanager
def own_redis() -> Iterator[str | None]:
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    folder = tempfile.mkdtemp(prefix="rlrd-")
    with subprocess.Popen(
        [program, "--port", "0", "--unixsocket", f"{folder}/s", "--save", "", "--logfile", "log"], cwd=folder
    ) as server:
        try:
            while not Path(folder, "s").exists():
                time.sleep(0.02)
            yield f"unix://{folder}/s"
        finally:
            server.terminate()
    shutil.rmtree(folder, ignore_errors=True)


def many(server: Server, redis: str, options: list[str]) -> tuple[int, float]:
    """Start the processes, let them begin together, and return how many calls failed and the seconds."""
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, *options, "--part", server.url, redis],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    began = time.monotonic()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    return sum(one["failed"] for one in said), max(one["ended"] for one in said) - began


def report(name: str, counts: Counts, failed: int, took: float) -> None:
    print(
        f"{name:22} {took:5.2f} s: {took - OPTIMUM:4.2f} over the optimum of {OPTIMUM}, {took - SURE:4.2f} over {SURE} "
        f"of a sure gate; 429s {counts.refused}, failed {failed}, most in a second {counts.most}"
    )
    verdict.goal(f"{name}: {CALLS} calls, longer than a sure gate takes", took - SURE, GOAL, "s")
    verdict.goal(f"{name}: calls refused with 429, or failed", counts.refused + failed, 0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=ResilienceSettings().gate_rate)
    parser.add_argument("--burst", type=int, default=ResilienceSettings().gate_burst)
    parser.add_argument("--part", nargs=2)
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)
    settings = ResilienceSettings(gate_rate=chosen.rate, gate_burst=chosen.burst)
    if chosen.part:
        url, redis = chosen.part
        failed = asyncio.run(herd(url, settings, TASKS // PROCESSES, CALLS // PROCESSES, redis))
        print(json.dumps({"failed": failed, "ended": time.monotonic()}))
        return
    options = ["--rate", str(chosen.rate), "--burst", str(chosen.burst)]
    print(f"{TASKS} tasks, {CALLS} calls, {LIMIT} a second; a gate of {chosen.rate:g}/s with a burst of {chosen.burst}")
    with running(LIMIT) as server, own_redis() as shared:
        began = time.monotonic()
        failed = asyncio.run(herd(server.url, settings, TASKS, CALLS, None))
        took = time.monotonic() - began
        report("one process", server.say("anew"), failed, took)
        if shared is None:
            print("redis-server is not installed; see tests/debian-packages.sh")
            return
        time.sleep(1.0)
        failed, took = many(server, shared, options)
        report(f"{PROCESSES} processes over Redis", server.say("anew"), failed, took)


if __name__ == "__main__":
    main()
