"""What a server costs that has nothing to do: 50 cameras and 200 rooms, each with one person in it; and its start.

The server is `ringlight serve` as a process of its own, with its database on disk; Ring is simulated in another. The
limits are a share of one core and megabytes; the start is compared with that of Python itself, which nobody can be
quicker than. Usage: python bench/bench_idle_house.py [SECONDS]
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import verdict
from simulated import Ring, simulated_ring
from websockets.asyncio.client import connect

from ringlight.cameras import Account
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.store import FileTokenStore

CAMERAS, ROOMS = 50, 200
CORE, MEMORY = 0.05, 300.0  # of one core; megabytes
READY, HELP = 1.5, 0.3  # seconds
RINGLIGHT = str(Path(sys.executable).with_name("ringlight"))
TICKS = os.sysconf("SC_CLK_TCK")


def took(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds of the quickest of five runs."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, env=environment, capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    return min(times)


@contextlib.contextmanager
def served(environment: dict[str, str]) -> Iterator[tuple[int, str, float]]:
    """Run the server; yield its process, its URL, and the seconds until it was ready."""
    began = time.perf_counter()
    command = [RINGLIGHT, "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    seconds = time.perf_counter() - began
    try:
        yield process.pid, line.split()[1], seconds
    finally:
        process.terminate()
        process.wait(30)


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


async def idle(pid: int, url: str, seconds: float) -> tuple[float, float]:
    """Let somebody sit in each room, and return the share of a core and the megabytes meanwhile."""
    sockets = f"{url.replace('http', 'ws', 1)}ws/v2"
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=60))
        listed = (await http.get("api/cameras")).json()["cameras"]
        assert len(listed) == CAMERAS, len(listed)
        for _ in range(ROOMS):
            made = (await http.post("api/rooms", json={"people": [{"role": "doctor"}], "consent": []})).json()
            web = await stack.enter_async_context(connect(sockets, proxy=None, ping_interval=None))
            await web.send(json.dumps({"t": "hello", "v": 2, "token": made["people"][0]["token"]}))
            assert json.loads(await web.recv())["t"] == "welcome"
            stack.push_async_callback(_pinging, asyncio.create_task(_ping(web)))
        await asyncio.sleep(5)
        before = cpu_of(pid)
        await asyncio.sleep(seconds)
        return (cpu_of(pid) - before) / seconds, memory_of(pid)


async def _ping(web: object) -> None:
    """As a page does: one ping in each 15 s, answers read."""
    while True:
        await web.send('{"t":"ping"}')  # type: ignore[attr-defined]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(15):
                while True:
                    await web.recv()  # type: ignore[attr-defined]


async def _pinging(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


async def sign_in(ring: Ring, state: Path) -> None:
    settings = Settings(ring_url=ring.url, state_dir=state)
    async with Account.open(settings, store=FileTokenStore(state / "tokens.json")) as account:
        await account.sign_in(ring.email, Secret(ring.password), ring.code)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with tempfile.TemporaryDirectory() as folder, simulated_ring(CAMERAS) as ring:
        state = Path(folder) / "state"
        state.mkdir()
        asyncio.run(sign_in(ring, state))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
        environment = {**kept, "RINGLIGHT_STATE_DIR": str(state), "RINGLIGHT_RING_URL": ring.url}
        bare = took([sys.executable, "-c", "pass"], environment)
        helped = took([RINGLIGHT, "--help"], environment)
        with served(environment):
            pass  # makes the database; the start after is what happens each day
        with served(environment) as (pid, url, ready):
            share, memory = asyncio.run(idle(pid, url, seconds))
    print(
        f"start: python alone {bare * 1000:.0f} ms, --help {helped * 1000:.0f} ms ({helped / bare:.1f} of it), "
        f"ready in {ready:.2f} s"
    )
    print(f"idle, {CAMERAS} cameras and {ROOMS} rooms: {share:.2%} of a core, {memory:.0f} MB")
    busy = f"the machine's load is {os.getloadavg()[0]:.0f}" if os.getloadavg()[0] > (os.cpu_count() or 1) else ""
    verdict.goal("an idle house's share of a core", share, CORE, doubt=busy)
    verdict.goal("an idle house's memory", memory, MEMORY, "MB")
    verdict.goal("serve, from its start to ready", ready, READY, "s", doubt=busy)
    verdict.goal("ringlight --help", helped, HELP, "s", doubt=busy)


if __name__ == "__main__":
    main()
