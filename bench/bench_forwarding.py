"""One camera to many viewers: what a packet costs for each viewer, beside Janus, aiortc's relay and the limit.

The server runs on one core; cameras and viewers on another. Processor time and memory are the kernel's figures for the
server alone. Latency is from the last packet of a frame at the camera to the same at the viewer, by the kernel's
stamps. How and why: docs/explanation/performance.md. All numbers go to bench/results/.
Usage: python bench/bench_forwarding.py [--quick] [--alone] [--no-gro] [--seconds S] [--viewers 50,100,...]
"""

import argparse
import asyncio
import json
import resource
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import verdict
from media.audience import Audience, Joins, Window
from media.servers import Start
from media.source import Cameras, Loop, make_loop

from media import kernel, limit, servers

RESULTS = Path(__file__).parent / "results"
VIEWERS, PEER_VIEWERS, RELAY_VIEWERS = (50, 100, 200, 400, 700, 1000), (100, 400), (1, 4)
CAMERAS, VIEWERS_OF_EACH = (0, 1, 2, 4, 8), 40
JOINS_BESIDE, JOINS_AT_ONCE = 100, 8  # viewers that watch meanwhile; that join at the same time
NOISE = 0.05  # of the server's core used by others: more, and latency says little
US_GOAL, PEER_GOAL, P50_GOAL, P99_GOAL, MEMORY_GOAL, JOINS_GOAL = 5.0, 0.5, 2.0, 20.0, 100.0, 50.0
LINEAR_GOAL = 1.1  # of what the smaller number of viewers, or the single camera, says


@dataclass(slots=True)
class Run:
    """What was measured of one server."""

    name: str
    windows: list[Window] = field(default_factory=list)
    joins: Joins | None = None
    single: Joins | None = None
    wanted: int = 0

    def at(self, viewers: int) -> Window | None:
        return next((window for window in self.windows if window.viewers == viewers), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and with what everything is measured."""

    seconds: float
    gro: bool
    loop: Loop
    cores: tuple[int, int]

    async def watch(self, run: Run, start: Start, steps: tuple[int, ...], cameras: int = 1) -> Run:
        """Let the viewers of one server grow step by step. With several cameras the steps count cameras."""
        server_core, own_core = self.cores
        ports = [servers.free_port() for _ in range(cameras)]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with (
                start(ports, folder, server_core) as running,
                Cameras(self.loop, ports, folder / "frames", own_core) as sending,
                kernel.on_core(own_core),
            ):
                await asyncio.sleep(2.5)  # a group of pictures
                async with running.signaling() as signaling:
                    audience = Audience(signaling, running.pid, server_core, sending, gro=self.gro)
                    async with audience.reading():
                        await self._grow(run, audience, steps, VIEWERS_OF_EACH if cameras > 1 else 1)
        return run

    async def _grow(self, run: Run, audience: Audience, steps: tuple[int, ...], viewers_of_each: int) -> None:
        for step in steps:
            run.wanted = step * viewers_of_each
            await audience.grow(run.wanted, lambda number: number // viewers_of_each if viewers_of_each > 1 else 0)
            run.windows.append(await audience.measure(self.seconds))
            print_row(run.name, run.windows[-1], run.wanted)
            if audience.refused:
                return
            if run.wanted == JOINS_BESIDE and viewers_of_each == 1:
                run.single = await audience.joins(1.0, 1)
                run.joins = await audience.joins(self.seconds, JOINS_AT_ONCE)


def print_head() -> None:
    print(
        f"{'server':22} {'viewers':>7} {'us':>7} {'p50':>7} {'p99 ms':>7} {'lost':>7} {'MB':>6} {'kB each':>7} "
        f"{'core %':>6} {'gen %':>5} {'other %':>7}"
    )


def print_row(name: str, window: Window, wanted: int) -> None:
    p50, p99 = (f"{ms:.1f}" if (ms := window.latency(percent)) is not None else "-" for percent in (50, 99))
    notes = []
    if window.viewers < wanted:
        notes.append(f"no more than {window.viewers} of {wanted} got in")
    if window.gone:
        notes.append(f"{window.gone} were sent away")
    if window.frames < 0.98 * window.expected - window.viewers:  # one may be on its way
        notes.append(f"{window.frames} of {window.expected} frames came")
    if window.profile == "CM":
        notes.append("AES-CM and not GCM")
    if not window.valid:
        notes.append("NOT VALID: the load generator was too busy")
    elif window.others > NOISE:
        notes.append("latency disturbed by others")
    each = f"{window.kilobytes:.0f}" if window.viewers else "-"
    print(
        f"{name:22} {window.viewers:7} {window.microseconds:7.2f} {p50:>7} {p99:>7} {window.lost:7} "
        f"{window.resident / 1024:6.0f} {each:>7} {100 * window.core:6.0f} {100 * window.generator:5.0f} "
        f"{100 * window.others:7.0f}  {'; '.join(notes)}",
        flush=True,
    )


def print_joins(run: Run) -> None:
    if run.joins is None or run.single is None:
        return
    alone, all_ = run.single.to_first_frame, run.joins.to_first_frame
    print(
        f"{run.name:22} {run.joins.rate:5.0f} a second, {1000 * run.joins.cpu:.1f} ms of the server each; to the first "
        f"frame {1000 * alone[len(alone) // 2]:.0f} ms alone (median of {len(alone)}), "
        f"{1000 * all_[len(all_) // 2]:.0f} ms in the crowd; generator {100 * run.joins.generator:.0f} %"
    )


def judge(
    name: str, value: float | None, bound: float, of: Window | None, *, least: bool = False, unit: str = ""
) -> None:
    """Tell of a goal; `of` is what the value comes from, and may make it doubtful."""
    if value is None or of is None:
        print(f"       {name}: not measured")
        return
    doubt = "" if of.valid else "the load generator was too busy"
    doubt = doubt or ("disturbed by other programs" if of.others > NOISE else "")
    verdict.goal(name, value, bound, unit, least=least, doubt=doubt)


def print_goals(ours: Run, cameras: Run, peers: list[Run], floor: tuple[str, float]) -> None:
    at_100, at_400, at_1000 = ours.at(100), ours.at(400), ours.at(1000)
    most = max(ours.windows, key=lambda window: window.viewers)
    rivals = {run.name: min(w.microseconds for w in run.windows if w.packets) for run in peers if run.windows}
    if at_400:
        judge("a packet and viewer, at 400 viewers", at_400.microseconds, US_GOAL, at_400, unit="µs")
        print(f"the same as a multiple of the limit: {at_400.microseconds / floor[1]:.1f} ({floor[0]})")
    if at_400 and rivals:
        best = min(rivals, key=lambda name: rivals[name])
        judge(f"the same as a share of the best peer's, {best}", at_400.microseconds / rivals[best], PEER_GOAL, at_400)
    if at_1000 is None and most.viewers < ours.wanted:
        verdict.unmeasured("packets lost with 1,000 viewers on one core", f"only {most.viewers} got in")
    else:
        judge("packets lost with 1,000 viewers on one core", at_1000.lost if at_1000 else None, 0, at_1000)
    if at_100:
        judge("latency added with 100 viewers, p50", at_100.latency(50), P50_GOAL, at_100, unit="ms")
        judge("latency added with 100 viewers, p99", at_100.latency(99), P99_GOAL, at_100, unit="ms")
    judge(f"memory for each of {most.viewers} viewers", most.kilobytes, MEMORY_GOAL, most, unit="kB")
    judge("viewers that join in a second", ours.joins.rate if ours.joins else None, JOINS_GOAL, at_100, least=True)
    if at_100 and most.viewers > 100:
        ratio = most.microseconds / at_100.microseconds
        judge(f"growth: a packet and viewer at {most.viewers} viewers, over that at 100", ratio, LINEAR_GOAL, most)
    if len(cameras.windows) == len(CAMERAS):
        idle, one, *_, eight = (window.core for window in cameras.windows)
        added = (eight - idle) / (8 * (one - idle))
        judge("growth: 8 cameras over 8 times one", added, LINEAR_GOAL, cameras.windows[-1])


def keep_curves(ours: Run, cameras: Run, peers: list[Run]) -> None:
    """Give the report what grows with viewers and with cameras."""
    for run in (ours, *peers):
        if max((window.viewers for window in run.windows), default=0) > 50:
            points = [(float(w.viewers), 100 * w.core) for w in run.windows]
            verdict.curve("viewers of one camera", "viewers", "% of a core", points, of=run.name)
    delays = [(float(w.viewers), ms) for w in ours.windows if (ms := w.latency(99)) is not None]
    verdict.curve("what the gateway adds to a frame's way, p99", "viewers", "ms", delays, straight=False)
    points = [(float(count), 100 * w.core) for count, w in zip(CAMERAS, cameras.windows, strict=False)]
    if points:
        verdict.curve(f"cameras with {VIEWERS_OF_EACH} viewers each", "cameras", "% of a core", points)


def save(runs: list[Run], floor: tuple[str, float]) -> None:
    """Keep all numbers, without the single latencies."""
    RESULTS.mkdir(exist_ok=True)
    document: dict[str, object] = {"limit": floor, "runs": {}}
    for run in runs:
        rows = []
        for window in run.windows:
            row = asdict(window)
            del row["latencies"]
            rows.append({**row, "us": window.microseconds, "p50": window.latency(50), "p99": window.latency(99)})
        document["runs"] |= {run.name: {"windows": rows, "joins": asdict(run.joins) if run.joins else None}}  # type: ignore[operator]
    (RESULTS / "forwarding.json").write_text(json.dumps(document, indent=1))


def measure_peers(plan: Plan, *, quick: bool) -> list[Run]:
    peers = []
    many, few = (PEER_VIEWERS[:1], RELAY_VIEWERS[:1]) if quick else (PEER_VIEWERS, RELAY_VIEWERS)
    for name, program, start in servers.PEERS:
        if shutil.which(program) is None:
            print(f"{name:22} is not on the PATH{'; Debian has it: apt-get install janus' if name == 'Janus' else ''}")
        else:
            peers.append(attempt(plan, name, start, many))
    peers.append(attempt(plan, "aiortc MediaRelay", servers.media_relay, few))
    return peers


def attempt(plan: Plan, name: str, start: Start, steps: tuple[int, ...]) -> Run:
    """Measure a peer; one that does not work here is told of and left out."""
    run = Run(name)
    try:
        asyncio.run(plan.watch(run, start, steps))
    except* (RuntimeError, OSError) as errors:
        print(f"{name:22} could not be measured further: {errors.exceptions[0]!r}")
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="100 viewers, short: about a minute")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--no-gro", action="store_true", help="viewers take each packet singly from the kernel")
    parser.add_argument("--seconds", type=float, help="length of each measurement (6; quick: 3)")
    parser.add_argument("--viewers", help="numbers of viewers, rising, with commas")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, min(hard, 8192)), hard))
    named = tuple(int(number) for number in arguments.viewers.split(",")) if arguments.viewers else None
    viewers = named or (VIEWERS[:2] if arguments.quick else VIEWERS)
    loop = make_loop()
    seconds = arguments.seconds or (3.0 if arguments.quick else 6.0)
    plan = Plan(seconds, not arguments.no_gro, loop, kernel.cores())
    print(
        f"one H.264 camera of {loop.bits_a_second / 1e6:.2f} Mbit/s, {loop.packets_a_second:.0f} packets/s; each row "
        f"{seconds:g} s; us: server time for a packet and viewer"
    )
    with tempfile.TemporaryDirectory() as folder:
        floor = limit.measure(400, 2, plan.cores, Path(folder))
    print(f"limit, {floor[0]}: {floor[1]:.2f} us")
    print_head()
    ours = asyncio.run(plan.watch(Run("Ringlight"), servers.ringlight, viewers))
    cameras = Run("Ringlight, cameras")
    if not arguments.quick:
        asyncio.run(plan.watch(cameras, servers.ringlight, CAMERAS, max(CAMERAS)))
    peers = [] if arguments.alone else measure_peers(plan, quick=arguments.quick)
    print("joins beside 100 viewers:")
    for run in (ours, *peers):
        print_joins(run)
    print_goals(ours, cameras, peers, floor)
    keep_curves(ours, cameras, peers)
    save([ours, cameras, *peers], floor)
    print(f"all numbers: bench/{RESULTS.name}/forwarding.json")


if __name__ == "__main__":
    main()
