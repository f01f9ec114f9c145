"""What came of a long run: printed, and kept for the page about reliability."""

import os
from dataclasses import dataclass, field
from typing import Any

from record import keep_whole
from reliability_page import SOAK, write_pages

from soak.judge import WARM_UP, Counts, Sample, hourly, more_kinds, warm


@dataclass(slots=True)
class Report:
    """What came of it."""

    seed: int
    counts: Counts = field(default_factory=Counts)
    samples: list[Sample] = field(default_factory=list)
    simulator: list[Sample] = field(default_factory=list)
    before: Sample | None = None
    after: Sample | None = None
    censuses: list[dict[str, Any]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # where memory was taken that is still held, if it was traced
    files: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


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
    paces = [hourly(warm(report.samples)), hourly(warm(report.samples, 1 - WARM_UP)), hourly(warm(report.simulator))]
    print(
        "memory, MB an hour: {:+.1f} after the first third, {:+.1f} in the last; the simulator {:+.1f}".format(*paces)
    )
    for what, count in sorted({**report.counts.done, **report.kinds}.items()):
        print(f"{what:60} {count:8}")
    print(f"lost {len(report.counts.lost)}")
    for problem in report.problems:
        print(f"PROBLEM {problem}")
    if report.problems:
        _why(report)
    if report.taken:
        print("where memory was taken that is held:", *report.taken, sep="\n  ")
    print("nothing has grown, nothing was lost" if not report.problems else f"{len(report.problems)} problems")


def _why(report: Report) -> None:
    """Print what helps to find the cause."""
    print("what went wrong on purpose:", *report.faults, sep="\n  ")
    print("open descriptors at the end:", *(f"{count:6} {kind}" for kind, count in report.files.items()), sep="\n  ")
    if len(report.censuses) > 1:
        first, last = report.censuses[0], report.censuses[-1]
        print(f"blocks of memory: {first['blocks']} after the first third, {last['blocks']} at the end")
        print(f"the C library's megabytes: {first['malloc']}, then {last['malloc']}")
        print("objects, after the first third and at the end:", *more_kinds(first["kinds"], last["kinds"]), sep="\n  ")
        print("tasks at the end:", *(f"{count:6} {name}" for name, count in last["tasks"].items()), sep="\n  ")


def keep(report: Report, minutes: float) -> None:
    """Keep its figures, and write the page about reliability anew."""
    samples = report.samples
    at = [*(samples[int(share * (len(samples) - 1))] for share in (0, 1 / 3, 2 / 3)), samples[-1]] if samples else []
    keep_whole(SOAK, {
        "seed": report.seed, "minutes": minutes,
        "memory": [[round(sample.at), round(sample.memory, 1)] for sample in (report.before, *at) if sample],
        "hourly": [round(hourly(warm(samples, share)), 1) for share in (WARM_UP, 1 - WARM_UP)],
        "most": {name: max(getattr(one, name) for one in samples) for name in ("files", "sockets", "threads", "tasks")},
        "after": {name: getattr(report.after, name) for name in ("files", "sockets", "threads", "tasks")},
        "counts": dict(sorted(report.counts.done.items())), "faults": dict(sorted(report.kinds.items())),
        "lost": len(report.counts.lost), "problems": report.problems,
    })  # fmt: skip
    write_pages()
