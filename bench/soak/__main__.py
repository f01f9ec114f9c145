"""A long run of real servers with cameras, viewers, rooms, webhooks, recordings and random faults.

It ends with a table and exit code 0 if nothing has grown and nothing was lost, 1 otherwise.
A run of half an hour or more writes its section of docs/explanation/reliability.md.
Usage: `make soak MINUTES=30`, or with its PYTHONPATH: python -m soak MINUTES [--seed N] [--keep DIR] [--trace]
"""

import argparse
import asyncio
import contextlib
import random
import secrets
import signal
import sqlite3
import sys
import tempfile
import time
import tracemalloc
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx2
from media.audience import Audience
from media.signaling import whep

from own_redis import PROGRAM, OwnRedis
from ringlight.rooms.shared_keys import PRESENT
from soak.crowds import CAMERAS, KEY, Ring, record, talk, watch
from soak.faults import Faults
from soak.judge import WARM_UP, growth, left_over, memory_grows, rows_grow
from soak.programs import Running, sign_in
from soak.report import Report, keep, show

KEPT = 302.0  # seconds that the server keeps webhooks for with these settings
SWEPT_WITHIN = 120.0  # seconds: it looks every twenty
SHELF = 20.0  # megabytes of recordings
AUDIT = 1000  # rows, the fewest that may be kept
SETTLED_WITHIN = 120  # seconds after the load: a room is kept ten, a place in it sixty
MOST_KEYS = 30  # in Redis: those of leases and of rooms that have just ended
WRITTEN_FROM = 30.0  # minutes of a run that is told of on the page about reliability
SETTINGS = {
    "RINGLIGHT_SECRET_KEY": "k" * 32, "RINGLIGHT_PARTNER__HMAC_KEYS": KEY, "RINGLIGHT_MEDIA__PORT": "0",
    "RINGLIGHT_PARTNER__WEBHOOK_MAX_AGE": "300", "RINGLIGHT_PARTNER__WEBHOOK_MAX_AHEAD": "1",
    "RINGLIGHT_ROOMS__EMPTY_AFTER": "10", "RINGLIGHT_ROOMS__GRACE": "60", "RINGLIGHT_RECORDINGS__KEEP_FREE": "0",
    "RINGLIGHT_RETENTION__EVERY": "20", "RINGLIGHT_RETENTION__RECORDINGS_TOTAL": str(SHELF),
    "RINGLIGHT_RETENTION__AUDIT_MOST": str(AUDIT),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of the server.

    Attributes:
        minutes: How long.
        viewers: How many watch at a time.
        pairs: How many rooms are talked in at a time, by two each.
        hooks: Webhooks a second.
        faults: Seconds between two faults, from and to.
        sample: Seconds between two measurements.
        trace: Whether to tell where memory was taken that is held at the end. Tracing takes memory itself, more and
            more of it, so that memory is not judged then.
    """

    minutes: float
    viewers: int = 6
    pairs: int = 3
    hooks: float = 4.0
    faults: tuple[float, float] = (3.0, 12.0)
    sample: float = 5.0
    trace: bool = False


async def soak(load: Load, seed: int, folder: Path) -> Report:
    """Run it; what is wrong is in the report."""
    report, chance = Report(seed), random.Random(seed)
    state = folder / "state"
    with contextlib.ExitStack() as stack:
        simulating = ("simulate", "--port", "0", "--seed", str(seed))
        simulator = Running(folder / "simulator.log", *simulating, settings={}, inside=folder / "inside-simulator")
        stack.callback(simulator.stop)
        await asyncio.to_thread(sign_in, simulator.url, state)
        redis = OwnRedis() if PROGRAM else None
        shared = {"RINGLIGHT_RING_URL": simulator.url, "RINGLIGHT_STATE_DIR": str(state), **SETTINGS}
        other = None
        if redis is not None:
            stack.callback(redis.close)
            shared["RINGLIGHT_REDIS_URL"] = redis.url.reveal()
        inside = folder / "inside"
        server = Running(folder / "server.log", "serve", "--port", "0", settings=shared, inside=inside)
        stack.callback(server.stop)
        if redis is not None:
            alone = {"RINGLIGHT_STATE_DIR": str(folder / "other"), "RINGLIGHT_REDIS_URL": redis.url.reveal()}
            other = Running(folder / "other.log", "serve", "--port", "0", settings={**SETTINGS, **alone})
            stack.callback(other.stop)
        database = state / "ringlight.db"
        faults = Faults(simulator, server, other, redis, database, report.counts, random.Random(chance.random()))
        run = _Run(load, report, chance, simulator, server, other, faults, Ring(server.url, database, report.counts))
        await run.whole()
        report.problems += _rows(database) + _shelf(state / "recordings") + (_keys(redis) if redis else [])
        report.problems += _stopped("server", server)
        for running in (simulator, *([other] if other else [])):
            report.problems += [f"{running.log.stem}: {line}" for line in running.unseen()]
    report.faults, report.kinds = faults.log, faults.kinds()
    report.problems += [f"lost: {line}" for line in report.counts.lost]
    report.problems += growth(report.samples) + rows_grow(
        report.counts.rows, KEPT + SWEPT_WITHIN, {"room_audit": AUDIT}
    )
    if not load.trace:
        grown = {"": memory_grows(report.samples), "simulator: ": memory_grows(report.simulator)}
        report.problems += [f"{whose}{line}; --trace tells where" for whose, line in grown.items() if line]
    if report.before is not None and report.after is not None:
        report.problems += left_over(report.before, report.after)
    return report


@dataclass(slots=True)
class _Run:
    """The load on the servers, and the measuring of one of them meanwhile."""

    load: Load
    report: Report
    chance: random.Random
    simulator: Running
    server: Running
    other: Running | None
    faults: Faults
    ring: Ring
    began: float = field(default_factory=time.monotonic)
    traced: dict[str, tracemalloc.Snapshot] = field(default_factory=dict)

    async def whole(self) -> None:
        """Let it run; take the last measurements once all have left."""
        load, report, server, dice = self.load, self.report, self.server, self._dice
        until = self.began + 60 * load.minutes
        report.counts.clock = lambda: time.monotonic() - self.began
        report.before = await asyncio.to_thread(server.sample, self.began)
        async with whep([f"{server.url}/whep/{camera}" for camera in CAMERAS]) as signaling:
            audience = Audience(signaling, server.process.pid, 0, cast(Any, None), gro=True)  # no window is measured
            async with audience.reading(), asyncio.TaskGroup() as group:
                group.create_task(self._measure(until))
                group.create_task(watch(audience, report.counts, dice(), until, viewers=load.viewers))
                for number in range(load.pairs):
                    group.create_task(talk(self._urls, report.counts, dice(), until, f"visit-{number}", words=100))
                group.create_task(self.ring.send(dice(), until, rate=load.hooks))
                group.create_task(record(server.url, report.counts, dice(), until))
                group.create_task(self.faults.run(until - min(30.0, 20 * load.minutes), every=load.faults))
        await self.ring.settled()
        await self._look_inside(last=True)
        for _ in range(SETTLED_WITHIN):  # views linger, places of people are kept for a while
            report.after = await asyncio.to_thread(server.sample, self.began)
            if not left_over(report.before, report.after):
                break
            await asyncio.sleep(1)
        report.files = server.kinds_of_files()

    def _urls(self) -> list[str]:
        ports = [self.server.url, *([self.other.url] if self.other else [])]
        return [url.replace("http", "ws", 1) + "/ws/v2" for url in ports]

    def _dice(self) -> random.Random:
        return random.Random(self.chance.random())

    async def _measure(self, until: float) -> None:
        report = self.report
        while time.monotonic() < until:
            await asyncio.sleep(self.load.sample)
            try:
                report.samples.append(await asyncio.to_thread(self.server.sample, self.began))
                report.simulator.append(self.simulator.sample(self.began, with_metrics=False))
                await asyncio.to_thread(self.ring.look)
                await self._look_inside()
            except (httpx2.HTTPError, sqlite3.OperationalError, TimeoutError):
                report.counts.add("samples missed")  # it stands still, or the database is locked
                continue
            numbers = astuple(report.samples[-1])[:-1]
            print("  ".join(f"{value:.1f}" for value in numbers), file=sys.stderr, flush=True)

    async def _look_inside(self, *, last: bool = False) -> None:
        """Count what the server holds after the warm-up and at the end, and trace memory from one to the other."""
        report, passed = self.report, (time.monotonic() - self.began) / (60 * self.load.minutes)
        first = not report.censuses and passed >= WARM_UP
        if not (first or last):
            return
        report.censuses.append(await asyncio.to_thread(self.server.census))
        for running in (self.server, self.simulator) if self.load.trace else ():
            name = running.log.stem
            now = await asyncio.to_thread(running.traced)
            if name not in self.traced:
                self.traced[name] = now
                continue
            found = now.compare_to(self.traced[name], "traceback")[:15]
            report.taken += [f"{name}: {one}\n    " + "\n    ".join(one.traceback.format()) for one in found]


def _rows(database: Path) -> list[str]:
    """Name rows that retention should have taken."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        before = time.time() - KEPT - SWEPT_WITHIN
        query = "SELECT count(*) FROM webhook_inbox WHERE received_at < ?"
        (old,) = connection.execute(query, (before,)).fetchone()
        (audit,) = connection.execute("SELECT count(*) FROM room_audit").fetchone()
    found = [f"{old} webhooks are older than {KEPT + SWEPT_WITHIN:g} s"] if old else []
    return found if audit <= 2 * AUDIT else [*found, f"the audit has {audit} rows, {AUDIT} are kept"]


def _keys(redis: OwnRedis) -> list[str]:
    """Name keys that stay in Redis for ever, and say whether there are more than rooms that have just ended leave."""
    with redis.client() as client:
        keys = {bytes(key).decode(errors="replace"): client.pttl(key) for key in client.scan_iter()}
    found = [f"Redis keeps {key} for ever" for key, left in keys.items() if left == -1 and key != PRESENT]
    return found if len(keys) <= MOST_KEYS else [*found, f"Redis has {len(keys)} keys, such as {sorted(keys)[:5]}"]


def _shelf(folder: Path) -> list[str]:
    """Say whether recordings take more than they may, beside what one of them adds between two looks."""
    megabytes = sum(path.stat().st_size for path in folder.rglob("*.mp4")) / 1e6 if folder.is_dir() else 0.0
    return [f"recordings take {megabytes:.0f} MB of {SHELF:g}"] if megabytes > SHELF + 20 else []


def _stopped(name: str, running: Running) -> list[str]:
    code = running.stop()
    found = [f"{name}: {line}" for line in running.unseen()]
    return found if code in (0, -signal.SIGTERM) else [f"{name}: it ended with exit code {code}", *found]


async def _until_told(load: Load, seed: int, folder: Path) -> Report:
    """Run it, and end all programs in order if somebody ends this one."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await soak(load, seed, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--keep", type=Path, help="Where logs and the state stay; without it they are removed.")
    parser.add_argument("--trace", action="store_true", help="Tell where memory was taken, and do not judge it.")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringlight-soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(_until_told(Load(asked.minutes, trace=asked.trace), asked.seed, folder))
        show(report, asked.minutes)
    if asked.minutes >= WRITTEN_FROM and not asked.trace:
        keep(report, asked.minutes)
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
