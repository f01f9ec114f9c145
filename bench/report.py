"""All benchmarks in one report: the machine, every goal, the curves with their bends, and what each benchmark said.

Each `bench_*.py` runs in a process of its own, one after the other; one that fails is named and does not end the rest.
The report goes to `bench/results/report.md`, its drawings beside it; `--publish` writes them into the documentation, as
docs/explanation/measured.md and docs/images/measured/.
Usage: python bench/report.py [--quick] [--publish] [NAME...]    (a NAME is that of a file without `bench_` and `.py`)
"""

import argparse
import json
import os
import platform
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fit
import plot
import verdict

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "explanation" / "measured.md"
DRAWINGS = HERE.parent / "docs" / "images" / "measured"
QUICK = {
    "forwarding": ["--quick"], "rooms": ["--quick"], "rooms_nodes": ["--quick"], "scale": ["--quick"],
    "churn": ["--minutes", "2", "--viewers", "50", "--stay", "5"], "first_frame": ["5"], "idle_view": ["5", "3"],
    "loss": ["5"], "opening": ["10"], "outage": ["200"], "partner_import": ["20000"], "rounds": ["40"],
    "thin_line": ["300", "10"], "webhooks": ["3"], "call_overhead": ["50"],
}  # fmt: skip
BUSY = 0.5  # of the machine's cores in use by others before a benchmark begins: times then say little


@dataclass(frozen=True, slots=True)
class Ran:
    """One benchmark: what it wrote, what it recorded, how it ended."""

    name: str
    about: str
    output: str
    lines: list[dict[str, Any]]
    code: int
    seconds: float
    busy: float


def run(name: str, arguments: list[str]) -> Ran:
    """Run one benchmark and pass on what it prints."""
    path = HERE / f"bench_{name}.py"
    about = path.read_text().partition('"""')[2].partition("\n")[0]
    print(f"\n== {path.name} {' '.join(arguments)}", flush=True)
    busy = others()
    began = time.monotonic()
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as record:
        process = subprocess.Popen(
            [sys.executable, "-u", str(path), *arguments], stdout=subprocess.PIPE, text=True,
            env={**os.environ, verdict.RECORD: record.name},
        )  # fmt: skip
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            print(line, end="", flush=True)
        code = process.wait()
        lines = [json.loads(line) for line in record]
    return Ran(name, about, "".join(said), lines, code, time.monotonic() - began, busy)


def others() -> float:
    """Return what share of the cores is in use now, by whatever."""

    def busy() -> tuple[int, int]:
        _, *numbers = Path("/proc/stat").read_text().partition("\n")[0].split()
        fields = [int(number) for number in numbers[:8]]
        return sum(fields) - fields[3] - fields[4], sum(fields)

    used, lot = busy()
    time.sleep(1)
    used_after, lot_after = busy()
    return (used_after - used) / max(1, lot_after - lot)


def machine() -> list[str]:
    """Describe where this runs, by what the kernel says."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )  # fmt: skip
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit.stdout.strip() or 'unknown'}",
        f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores"
        f"{' (virtual)' if 'hypervisor' in info else ''}, {int(memory[1]) / 2**20 if memory else 0:.0f} GiB",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}",
    ]


def goals(runs: list[Ran]) -> Iterator[str]:
    """Write the table of goals."""
    yield "| Benchmark | What | Measured | Goal | |"
    yield "| --- | --- | --- | --- | --- |"
    for ran in runs:
        for line in ran.lines:
            if "goal" not in line:
                continue
            unit = f" {line['unit']}" if line["unit"] else ""
            if line["value"] is None:
                measured, bound = f"not measured: {line['doubt']}", "-"
            else:
                measured = f"{line['value']:.4g}{unit}"
                bound = f"at {'least' if line['least'] else 'most'} {line['bound']:g}{unit}"
            met = "met" if line["met"] else "**missed**"
            if line["doubt"] and line["value"] is not None:
                met += f" ({line['doubt']})"
            yield f"| `{ran.name}` | {line['goal']} | {measured} | {bound} | {met} |"


def curves(runs: list[Ran], folder: Path, link: str) -> Iterator[str]:
    """Draw the curves, those of one name together, and say where each leaves its straight line."""
    named: dict[str, list[dict[str, Any]]] = {}
    for ran in runs:
        for line in ran.lines:
            if "curve" in line and line["points"]:
                named.setdefault(line["curve"], []).append(line)
    for name, lines in named.items():
        drawn, said = [], []
        for line in lines:
            points = [(float(x), float(y)) for x, y in line["points"]]
            drawn.append(plot.Line(line["of"] or "measured", points))
            straight = fit.straight(points) if line["straight"] else None
            if straight is not None:
                far = points[-1][0]
                drawn.append(plot.Line("its line", [(0.0, straight.at(0)), (far, straight.at(far))], dashed=True))
                said.append(words(line, straight))
        path = folder / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + ".svg")
        path.write_text(plot.draw(name, lines[0]["across"], lines[0]["up"], drawn))
        yield f"### {name[0].upper()}{name[1:]}\n\n![{name}]({link}{path.name})\n"
        yield from (f"{one}\n" for one in said)


def words(line: dict[str, Any], straight: fit.Line) -> str:
    """Say a curve's line, and its bend, in a sentence."""
    of = f"{line['of']}: " if line["of"] else ""
    bend = (
        f"straight up to the last point, {line['points'][-1][0]:g}"
        if straight.bend is None
        else f"more than a fifth away from that from {straight.bend:g} on"
    )
    return f"{of}{straight.base:.3g} {line['up']} and {straight.slope:.3g} for each of the {line['across']}; {bend}."


def page(runs: list[Ran], folder: Path, link: str, *, quick: bool) -> str:
    """Return the whole report."""
    folder.mkdir(parents=True, exist_ok=True)
    missed = sum(1 for ran in runs for line in ran.lines if line.get("met") is False)
    met = sum(1 for ran in runs for line in ran.lines if line.get("met"))
    failed = [ran.name for ran in runs if ran.code]
    parts = [
        "# What was measured\n",
        "`python bench/report.py` wrote this page, on the machine named here; it is made anew, never edited.",
        "What the numbers mean is said in [performance](performance.md) and [calls](calls.md).\n",
        *(f"- {line}" for line in machine()),
        f"- {met} goals met, {missed} missed" + (f"; not run to their end: {', '.join(failed)}" if failed else ""),
        *(["- short runs (`--quick`): good for finding mistakes, not for quoting"] if quick else []),
    ]
    disturbed = [ran.name for ran in runs if ran.busy > BUSY]
    if disturbed:
        parts.append(
            f"- other programs were at work when these began, so their times say little: {', '.join(disturbed)}"
        )
    parts += ["\n## Goals\n", *goals(runs), "\n## How it grows\n", *curves(runs, folder, link), "## What each said\n"]
    for ran in runs:
        parts.append(f"### {ran.name}\n\n{ran.about} ({ran.seconds:.0f} s)\n\n```text\n{ran.output.rstrip()}\n```\n")
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a short run of each")
    parser.add_argument("--publish", action="store_true", help="write into the documentation")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    names = given.names or sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    file, folder, link = (
        (PAGE, DRAWINGS, "../images/measured/") if given.publish else (RESULTS / "report.md", RESULTS, "")
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    runs: list[Ran] = []
    for name in names:  # written after each: a run that is broken off leaves what it has
        runs.append(run(name, QUICK.get(name, []) if given.quick else []))
        file.write_text(page(runs, folder, link, quick=given.quick))
    print(f"\nthe report: {file}")
    sys.exit(any(ran.code for ran in runs))


if __name__ == "__main__":
    main()
