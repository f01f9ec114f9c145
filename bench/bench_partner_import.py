"""What the Partner API client takes before and while it works: time to import, and memory over 100,000 calls.

Imports are timed in new processes with compiled modules, as after an installation, by the best of several, as others
use the machine too; that of a client beside that of the package, whose names are loaded at first use. The calls go
through the whole pipeline over a transport in memory: reads of 5,000 devices, every tenth of which fails, each with its
answer kept for a worse day; memory is measured when all of that has been seen twice, and at the end.
Usage: python bench/bench_partner_import.py [CALLS]
"""

import logging
import os
import random
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import verdict

from ringlight.errors import RingError
from ringlight.http.calling import Caller
from ringlight.http.flow import Request, Response
from ringlight.partner.call import Call
from ringlight.resilience.actions import Failed
from ringlight.resilience.operation import Family, Operation
from ringlight.resilience.shared import Shared
from ringlight.resilience.stale import Key, Kind
from ringlight.settings import ResilienceSettings

IMPORT_GOAL = 60.0  # milliseconds above `import httpx2`
GROWTH_GOAL = 1.0  # megabytes over all calls
DEVICES = 5000
PAGE = 4096  # bytes
IMPORT = "import time; a = time.perf_counter(); import {}; print((time.perf_counter() - a) * 1000)"


def import_time(name: str, rounds: int = 9) -> float:
    """Milliseconds of the best of some new processes."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}
        times = [
            float(subprocess.check_output([sys.executable, "-c", IMPORT.format(name)], env=environment))
            for _ in range(rounds)
        ]
    return min(times)


class Memory:
    """Answers at once; every tenth device is offline."""

    def attempt(self, request: Request) -> Response | Failed:
        if request.url.endswith("0"):
            return Response(503, {}, b'{"errors":[{"status":"503","title":"Device Unavailable"}]}')
        return Response(200, {"content-type": "application/json"}, b'{"data":{"type":"devices","id":"1"}}')


def resident() -> float:
    """Megabytes of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


def make(client: Caller, calls: int) -> None:
    for number in range(calls):
        device = f"device{number % DEVICES}"
        call = Call(
            Operation("devices.one", family=Family.DEVICE, device=device),
            Request("GET", f"https://api.invalid/v1/devices/{device}", at="partner"), Response.json, bearer=False,
        )  # fmt: skip
        with suppress(RingError):
            client.call(call, keep=Key("account", Kind.DEVICES, device, device), account="account")


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    base = import_time("httpx2")
    for name in ("ringlight.partner", "httpx2, ringlight.partner.client"):
        ours = import_time(name)
        print(f"import httpx2 {base:.0f} ms, import {name} {ours:.0f} ms")
        verdict.goal(f"import {name}, more than httpx2", ours - base, IMPORT_GOAL, "ms")
    logging.disable(logging.CRITICAL)
    settings = ResilienceSettings(gate_rate=1e6, gate_burst=100_000)
    client = Caller(Memory(), Shared(settings, random.Random(1).random))
    client.bus.listen(lambda event: None)
    make(client, 2 * DEVICES)
    before = resident()
    make(client, calls)
    grown = resident() - before
    print(f"{before:.1f} MB before, {grown:+.2f} MB after")
    verdict.goal(f"memory that {calls} calls leave", grown, GROWTH_GOAL, "MB")


if __name__ == "__main__":
    main()
