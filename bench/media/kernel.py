"""What the kernel says of a process and of a core: processor time and memory."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cores() -> tuple[int, int]:
    """Return the core for servers and the one for cameras and viewers."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("This benchmark needs two processor cores: one for the server, one for its viewers.")
    return allowed[0], allowed[1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what is started inside run on one core, every thread of it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process with all its threads, those that ended included, to the nanosecond.

    `/proc` counts in ticks of 10 ms, which is a tenth of what 40 viewers take in a measurement. The number of the clock
    is made as clock_getcpuclockid(3) makes it.
    """
    return time.clock_gettime(~pid << 3 | 2)


def resident_kilobytes(pid: int) -> int:
    """Return the memory of a process that is in use now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def core_busy_seconds(core: int) -> float:
    """Return how long a core has been busy, with whatever."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *numbers = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq = map(int, numbers[:7])
            return (user + nice + system + irq + softirq) / TICKS
    raise AssertionError(f"no cpu{core}")


def stop(process: "subprocess.Popen[str]") -> None:
    """End a program and wait for it."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
