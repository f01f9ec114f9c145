"""What passing a signaling message on costs, beside the npm package `peer`: same generator, same run, same machine.

The server runs on one core, the load generator (picows) in a process of its own on the other. Everything that the
rooms do is on: tokens, limits, sequence numbers, events kept for a resume; the limits themselves are raised, since 500
sockets stand in for thousands. Usage: python bench/bench_rooms.py [--quick] [--only fast-seed,…] [--rounds N]
"""

import argparse
import atexit
import contextlib
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import verdict

from media import kernel

HERE = Path(__file__).parent
PEERS = HERE.parent / "tests" / "peers"
GOAL_US = {200: 12.0, 2048: 15.0}
GOAL_RATIO = {200: 1.4, 2048: 2.0}
GOAL_P99_MS, GOAL_KB, GOAL_JOINS = 2.0, 6.0, 2000.0


@dataclass
class Row:
    """What was measured of one server in one dialect."""

    us: dict[int, list[float]] = field(default_factory=dict)
    rate: dict[int, list[float]] = field(default_factory=dict)
    generator: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    lost: int = 0
    kilobytes: list[float] = field(default_factory=list)
    joins: list[float] = field(default_factory=list)
    join_us: list[float] = field(default_factory=list)


@contextlib.contextmanager
def program(command: list[str], core: int, before: Sequence[str] = ()) -> "Iterator[subprocess.Popen[str]]":
    paths = [*before, str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with kernel.on_core(core):
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )  # fmt: skip
    try:
        yield process
    finally:
        kernel.stop(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def tell(process: "subprocess.Popen[str]", order: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("the load generator ended")
    found: dict[str, Any] = json.loads(line)
    return found


@functools.cache
def compiled() -> str:
    """Build the wheel of which the rooms' cores are compiled, as `make compiled` does; return where it is unpacked."""
    place = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, place)
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", place]
    asked = {**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "1"}
    subprocess.run([sys.executable, *build, str(HERE.parent)], env=asked, check=True)
    (wheel,) = Path(place).glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
    return place


@contextlib.contextmanager
def stage(server: str, dialect: str) -> "Iterator[tuple[int, subprocess.Popen[str]]]":
    """A fresh server and a fresh generator, each on its core."""
    core, other = kernel.cores()
    if server == "peer":
        command = ["node", str(HERE / "relay" / "serve_peer.mjs"), str(PEERS)]
    else:
        command = [sys.executable, str(HERE / "relay" / "serve.py"), "asgi" if server == "asgi" else "fast"]
    with program(command, core, [compiled()] if server == "compiled" else []) as serving:
        assert serving.stdout is not None
        port = serving.stdout.readline().split()[1]
        with program([sys.executable, str(HERE / "relay" / "crowd.py"), dialect, port], other) as crowd:
            yield serving.pid, crowd


def proportional_kilobytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    raise AssertionError("no Pss")


def relay(row: Row, server: str, dialect: str, seconds: float) -> None:
    """Messages: closed loop at both sizes, then an even 2,000 a second."""
    with stage(server, dialect) as (pid, crowd):
        tell(crowd, {"do": "join", "sockets": 500})
        hear(crowd)
        for size in GOAL_US:
            tell(crowd, {"do": "closed", "size": size, "warm_up": 1.0, "seconds": seconds})
            hear(crowd)
            before = kernel.cpu_seconds(pid)
            found = hear(crowd)
            used = kernel.cpu_seconds(pid) - before
            hear(crowd)
            row.us.setdefault(size, []).append(used / found["messages"] * 1e6)
            row.rate.setdefault(size, []).append(found["messages"] / found["seconds"])
            row.generator.append(found["generator"])
        tell(crowd, {"do": "opened", "size": 200, "rate": 2000, "seconds": seconds})
        hear(crowd)
        found = hear(crowd)
        row.p50.append(found["p50_ms"])
        row.p99.append(found["p99_ms"])
        row.lost += found["lost"]


def joining(row: Row, server: str, dialect: str, sockets: int) -> None:
    """Joins: from the TCP connection to the first answer; then what each leaves in memory while nothing happens."""
    with stage(server, dialect) as (pid, crowd):
        tell(crowd, {"do": "join", "sockets": 100})
        hear(crowd)
        time.sleep(2)
        kilobytes, used = proportional_kilobytes(pid), kernel.cpu_seconds(pid)
        tell(crowd, {"do": "join", "sockets": sockets})
        found = hear(crowd)
        row.joins.append(sockets / found["seconds"])
        row.join_us.append((kernel.cpu_seconds(pid) - used) / sockets * 1e6)
        time.sleep(3)
        row.kilobytes.append((proportional_kilobytes(pid) - kilobytes) / sockets)


SETS = {
    "compiled-seed": ("compiled", "seed"), "compiled-v2": ("compiled", "v2"),
    "fast-seed": ("fast", "seed"), "fast-v2": ("fast", "v2"), "peer": ("peer", "peer"),
    "asgi-seed": ("asgi", "seed"), "asgi-v2": ("asgi", "v2"),
}  # fmt: skip


def mid(values: list[float]) -> float:
    return statistics.median(values)


def shown(name: str, row: Row) -> str:
    cells = [f"{name:13}"]
    for size in GOAL_US:
        low, high = min(row.us[size]), max(row.us[size])
        cells.append(f"{mid(row.us[size]):6.1f} ({low:.1f}-{high:.1f}) us {mid(row.rate[size]):7.0f}/s")
    cells.append(f"p50 {mid(row.p50):.2f} p99 {mid(row.p99):5.2f} ms")
    cells.append(f"{mid(row.kilobytes):5.1f} kB")
    cells.append(f"{mid(row.joins):5.0f} joins/s ({mid(row.join_us):.0f} us)")
    cells.append(f"generator {max(row.generator):.0%}, lost {row.lost}")
    return " | ".join(cells)


def judge(rows: dict[str, Row]) -> None:
    """Tell of the goals that the rows at hand can answer.

    What a message costs is judged by the best round of each, the peer's too: others on the same machine only add to it,
    and on a virtual one they add up to a half.
    """
    for name in ("compiled-seed", "compiled-v2", "fast-seed", "fast-v2"):
        if name not in rows:
            continue
        row = rows[name]
        for size, bound in GOAL_US.items():
            verdict.goal(f"{name}: a message of {size} B", min(row.us[size]), bound, "µs")
            if "peer" in rows:
                ratio = max(row.rate[size]) / max(rows["peer"].rate[size])
                what = f"{name}: messages a second of {size} B, over peer's"
                verdict.goal(what, ratio, GOAL_RATIO[size], "times", least=True)
        verdict.goal(f"{name}: p99 at 2,000 messages a second", mid(row.p99), GOAL_P99_MS, "ms")
        verdict.goal(f"{name}: an idle socket", mid(row.kilobytes), GOAL_KB, "kB")
        verdict.goal(f"{name}: joins", mid(row.joins), GOAL_JOINS, "a second", least=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="one round of two seconds")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", default=",".join(SETS))
    given = arguments.parse_args()
    rounds, seconds = (1, 2.0) if given.quick else (given.rounds, 4.0)
    if "peer" in given.only and not (PEERS / "node_modules" / "peer").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=True, stdout=subprocess.DEVNULL)
    rows = {name: Row() for name in given.only.split(",")}
    for _ in range(rounds):
        for name, row in rows.items():
            relay(row, *SETS[name], seconds)
            joining(row, *SETS[name], 2000)
            print(shown(name, row), flush=True)
    load = os.getloadavg()[0]
    print(f"\nload of the machine now: {load:.1f}; above 2.5 others were at work, and times say little")
    judge(rows)


if __name__ == "__main__":
    main()
