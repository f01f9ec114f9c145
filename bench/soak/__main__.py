"""A long run of real servers with cameras, viewers, rooms, webhooks, recordings and random faults.

It ends with a table and exit code 0 if nothing has grown and nothing was lost, 1 otherwise.
Usage: PYTHONPATH=bench:tests python -m soak MINUTES [--seed N] [--keep DIR], or `make soak MINUTES=30`
"""

import argparse
import asyncio
import contextlib
import os
import random
import secrets
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx2
from media.audience import Audience
from media.signaling import whep

from own_redis import PROGRAM, OwnRedis
from soak.crowds import CAMERAS, KEY, Ring, record, talk, watch
from soak.faults import Faults
from soak.judge import Counts, Sample, growth, left_over
from soak.programs import Running, sign_in

KEPT = 302.0  # seconds that the server keeps webhooks for with these settings
SWEPT_WITHIN = 120.0  # seconds: it looks every twenty
SHELF = 20.0  # megabytes of recordings
SETTINGS = {
    "RINGLIGHT_SECRET_KEY": "k" * 32, "RINGLIGHT_PARTNER__HMAC_KEYS": KEY, "RINGLIGHT_MEDIA__PORT": "0",
    "RINGLIGHT_PARTNER__WEBHOOK_MAX_AGE": "300", "RINGLIGHT_PARTNER__WEBHOOK_MAX_AHEAD": "1",
    "RINGLIGHT_ROOMS__EMPTY_AFTER": "10", "RINGLIGHT_ROOMS__GRACE": "60", "RINGLIGHT_RECORDINGS__KEEP_FREE": "0",
    "RINGLIGHT_RETENTION__EVERY": "20", "RINGLIGHT_RETENTION__RECORDINGS_TOTAL": str(SHELF),
    "RINGLIGHT_RETENTION__AUDIT_MOST": "1000",
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
    """

    minutes: float
    viewers: int = 6
    pairs: int = 3
    hooks: float = 4.0
    faults: tuple[float, float] = (3.0, 12.0)
    sample: float = 5.0


@dataclass(slots=True)
class Report:
    """What came of it."""

    seed: int
    counts: Counts = field(default_factory=Counts)
    samples: list[Sample] = field(default_factory=list)
    before: Sample | None = None
    after: Sample | None = None
    faults: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def soak(load: Load, seed: int, folder: Path) -> Report:
    """Run it; what is wrong is in the report."""
    report, chance = Report(seed), random.Random(seed)
    state = folder / "state"
    with contextlib.ExitStack() as stack:
        simulator = Running(folder / "simulator.log", "simulate", "--port", "0", "--seed", str(seed), settings={})
        stack.callback(simulator.stop)
        await asyncio.to_thread(sign_in, simulator.url, state)
        redis = OwnRedis() if PROGRAM else None
        shared = {"RINGLIGHT_RING_URL": simulator.url, "RINGLIGHT_STATE_DIR": str(state), **SETTINGS}
        other = None
        if redis is not None:
            stack.callback(redis.close)
            shared["RINGLIGHT_REDIS_URL"] = redis.url.reveal()
        server = Running(folder / "server.log", "serve", "--port", "0", settings=shared)
        stack.callback(server.stop)
        if redis is not None:
            alone = {"RINGLIGHT_STATE_DIR": str(folder / "other"), "RINGLIGHT_REDIS_URL": redis.url.reveal()}
            other = Running(folder / "other.log", "serve", "--port", "0", settings={**SETTINGS, **alone})
            stack.callback(other.stop)
        database = state / "ringlight.db"
        faults = Faults(simulator, server, other, redis, database, report.counts, random.Random(chance.random()))
        await _run(load, report, chance, server, other, faults, Ring(server.url, database, report.counts))
        report.problems += _rows(database) + _shelf(state / "recordings")
        report.problems += _stopped("server", server)
        for running in (simulator, *([other] if other else [])):
            report.problems += [f"{running.log.stem}: {line}" for line in running.unseen()]
    report.faults = faults.log
    report.problems += [f"lost: {line}" for line in report.counts.lost]
    report.problems += growth(report.samples)
    if report.before is not None and report.after is not None:
        report.problems += left_over(report.before, report.after)
    return report


async def _run(
    load: Load,
    report: Report,
    chance: random.Random,
    server: Running,
    other: Running | None,
    faults: Faults,
    ring: Ring,
) -> None:
    began = time.monotonic()
    until = began + 60 * load.minutes
    report.before = await asyncio.to_thread(server.sample, began)

    def urls() -> list[str]:
        ports = [server.url, *([other.url] if other else [])]
        return [url.replace("http", "ws", 1) + "/ws/v2" for url in ports]

    def dice() -> random.Random:
        return random.Random(chance.random())

    async def measure() -> None:
        while time.monotonic() < until:
            await asyncio.sleep(load.sample)
            try:
                report.samples.append(await asyncio.to_thread(server.sample, began))
                await asyncio.to_thread(ring.look)
            except (httpx2.HTTPError, sqlite3.OperationalError):  # it stands still, or the database is locked
                report.counts.add("samples missed")
                continue
            print("  ".join(f"{value:.1f}" for value in astuple(report.samples[-1])), file=sys.stderr, flush=True)

    async with whep([f"{server.url}/whep/{camera}" for camera in CAMERAS]) as signaling:
        audience = Audience(signaling, server.process.pid, 0, cast(Any, None), gro=True)  # no window is measured
        async with audience.reading(), asyncio.TaskGroup() as group:
            group.create_task(measure())
            group.create_task(watch(audience, report.counts, dice(), until, viewers=load.viewers))
            for number in range(load.pairs):
                group.create_task(talk(urls, report.counts, dice(), until, f"visit-{number}", words=100))
            group.create_task(ring.send(dice(), until, rate=load.hooks))
            group.create_task(record(server.url, report.counts, dice(), until))
            group.create_task(faults.run(until - min(30.0, 20 * load.minutes), every=load.faults))
    await ring.settled()
    for _ in range(60):  # views linger, places of people are kept for a while
        report.after = await asyncio.to_thread(server.sample, began)
        if report.before is not None and not left_over(report.before, report.after):
            break
        await asyncio.sleep(1)


def _rows(database: Path) -> list[str]:
    """Name rows that retention should have taken."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        before = time.time() - KEPT - SWEPT_WITHIN
        query = "SELECT count(*) FROM webhook_inbox WHERE received_at < ?"
        (old,) = connection.execute(query, (before,)).fetchone()
        (audit,) = connection.execute("SELECT count(*) FROM room_audit").fetchone()
    found = [f"{old} webhooks are older than {KEPT + SWEPT_WITHIN:g} s"] if old else []
    return found if audit <= 2000 else [*found, f"the audit has {audit} rows, 1000 are kept"]


def _shelf(folder: Path) -> list[str]:
    """Say whether recordings take more than they may, beside what one of them adds between two looks."""
    megabytes = sum(path.stat().st_size for path in folder.rglob("*.mp4")) / 1e6 if folder.is_dir() else 0.0
    return [f"recordings take {megabytes:.0f} MB of {SHELF:g}"] if megabytes > SHELF + 20 else []


def _stopped(name: str, running: Running) -> list[str]:
    code = running.stop()
    found = [f"{name}: {line}" for line in running.unseen()]
    return found if code in (0, -signal.SIGTERM) else [f"{name}: it ended with exit code {code}", *found]


def show(report: Report, minutes: float) -> None:
    """Print the table."""
    print(f"seed {report.seed}, {minutes:g} minutes, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    print(f"{'seconds':>8} {'MB':>7} {'files':>6} {'sockets':>8} {'threads':>8} {'tasks':>6}")
    rows = [*report.samples[:: max(1, len(report.samples) // 20)], *report.samples[-1:]]
    for sample in [one for one in (report.before, *rows, report.after) if one is not None]:
        print(
            f"{sample.at:8.0f} {sample.memory:7.1f} {sample.files:6} {sample.sockets:8} {sample.threads:8} "
            f"{sample.tasks:6}"
        )
    for what, count in sorted(report.counts.done.items()):
        print(f"{what:40} {count:8}")
    print(f"lost {len(report.counts.lost)}")
    for problem in report.problems:
        print(f"PROBLEM {problem}")
    if report.problems:
        print("what went wrong on purpose:", *report.faults, sep="\n  ")
    print("nothing has grown, nothing was lost" if not report.problems else f"{len(report.problems)} problems")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--keep", type=Path, help="Where logs and the state stay; without it they are removed.")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringlight-soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(soak(Load(asked.minutes), asked.seed, folder))
        show(report, asked.minutes)
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()
