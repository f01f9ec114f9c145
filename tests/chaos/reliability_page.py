"""Writes the pages about reliability from what the labs and the long run have kept.

`make reliability`, `make network-lab` and `make soak`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cells import Met
from record import FOLDER, Row, kept
from sense import RULES, makes_sense

from ringlight.faults import AREAS, FAULTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "reliability.md"
RUNS = ROOT / "docs" / "explanation" / "reliability-runs.md"
NETWORK, SOAK = "network", "soak"
GENERATED = "<!-- Written by `make reliability`, `make network-lab` and `make soak`; changes by hand are lost. -->\n"

# Why no run of the lab reaches these, where no test names them either.
REASONS = {
    "VIEWER-SLOW": "A browser reads as fast as video comes; that a player which does not is let go, the tests of "
    "players show by its connection.",
    "WEB-DEVICE-BUSY": "Chromium's made-up camera serves any number of programs, and one that cannot be opened "
    "is not found at all.",
}

# Files that list faults, or allow them, and bring none about.
LISTS = frozenset({"tests/faults/explained.py", "tests/faults/test_faults_catalogue.py", "tests/test_errors.py"})

Rows = dict[tuple[str, str], list[Row]]


def found() -> tuple[Rows, list[dict[str, Any]]]:
    """Return all rows by fault and who met it, and the circumstances of each group."""
    rows: Rows = defaultdict(list)
    heads = []
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem in (NETWORK, SOAK):
            continue
        group = kept(path.stem)
        heads.append({name: value for name, value in group.items() if name != "rows"})
        for row in group["rows"]:
            rows[row["fault"], row["met"]].append(Row(**row))
    return rows, heads


def tests_that_name() -> dict[str, list[str]]:
    """Return for each fault the files of tests that name it; those of labs and fuzzing, and lists, are left out."""
    named: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("*")):
        if path.suffix not in (".py", ".mjs", ".toml", ".txt") or {"chaos", "fuzz", "node_modules"} & set(path.parts):
            continue
        if str(path.relative_to(ROOT)) in LISTS:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")  # the fuzzer's corpus has bytes of every kind
        for code in set(re.findall(r"\b[A-Z]{3,}(?:-[A-Z0-9]+)+\b", text)) & set(FAULTS):
            named[code].append(str(path.relative_to(ROOT)))
    return named


def write_pages() -> None:
    """Write both pages."""
    PAGE.write_text(GENERATED + "\n".join(_page()) + "\n", encoding="utf-8")
    RUNS.write_text(GENERATED + "\n".join(_runs()) + "\n", encoding="utf-8")


def _page() -> Iterator[str]:
    rows, heads = found()
    runs = [row for each in rows.values() for row in each]
    reached = {row.fault for row in runs}
    wrong = [row for row in runs if row.wrong]
    cells = [(code, met.value) for code in FAULTS for met in Met if makes_sense(code, met)]
    yield from (
        "# What happens when it fails",
        "",
        "After this page you know what a person sees in each of our faults, and how soon things work again. The fault "
        "lab brings faults about, one by one, against the simulated Ring, our own server or a program made for it, "
        "and lets each client meet them. Nothing here is written by hand.",
        "",
        f"**{len(runs)} runs** reach **{len(reached)} of {len(FAULTS)}** faults; in {len(runs) - len(wrong)} of them "
        "the right fault was named first, in the words of the catalogue, and what was wanted came about once the "
        "cause was gone." + (f" In {len(wrong)} something was wrong; they are listed below." if wrong else ""),
        "",
        f"Of {len(cells)} cells where a fault can happen, {sum(cell in rows for cell in cells)} have a run. Of the "
        "others is said [where a test brings them about](#what-no-run-reaches), or why nothing does.",
        "",
        *_circumstances(heads),
        "",
        "Make it again with `make reliability` (the first 595 runs took 25 minutes on two cores), `make network-lab` "
        "and `make soak`. One fault at a time: "
        "`PYTHONPATH=tests:tests/resilience .venv/bin/python tests/chaos/fault_lab.py page --only SIG-TICKET`.",
        "",
        "## How to read the table",
        "",
        "- **0.4 s**: it was named, and what was wanted was back so long after the cause was gone; with *itself* "
        "nobody had to ask again. Seconds of the wall clock, processes and browsers included; *virtual* ones are of a "
        "clock that jumps.",
        "- **named**: it was named; there is nothing to come back to (a person must mend something, or it is final).",
        "- **WRONG**: not as it must be; the list below says why.",
        "- **·** it can happen there, and [no run brings it about](#what-no-run-reaches). An empty cell: it cannot "
        "happen there; [the rules](#where-a-fault-cannot-happen) say why.",
        "",
        "What each run did and what was read is on [the page of all runs](reliability-runs.md).",
    )  # fmt: skip
    for area, faults in AREAS.items():
        yield from ("", f"## Faults of {area}", "", _line("fault", *(met.value for met in Met)), _rule(len(Met) + 1))
        for fault in faults:
            yield _line(f"`{fault.code}`", *(_mark(fault.code, met, rows) for met in Met))
    if wrong:
        yield from ("", "## What is wrong", "", _line("fault", "met by", "how", "what is wrong"), _rule(4))
        for row in wrong:
            yield _line(f"`{row.fault}`", row.met, row.how, row.wrong)
    yield from _unrun(rows)
    yield from ("", "## Where a fault cannot happen", "", _line("faults", "can meet", "because"), _rule(3))
    for rule in RULES:
        met = ", ".join(one.value for one in Met if one in rule.met_by)
        yield _line(", ".join(f"`{code}*`" for code in rule.codes), met, rule.why)
    yield from _network()
    yield from _soak()


def _circumstances(heads: list[dict[str, Any]]) -> Iterator[str]:
    if not heads:
        return
    days = sorted({head["at"] for head in heads})
    loads = [head["load"] for head in heads]
    yield (
        f"Run on {' and '.join(sorted({head['machine'] for head in heads}))}; {days[0]}"
        + (f" to {days[-1]}" if len(days) > 1 else "")
        + f". The machine had a load of {min(loads):g} to {max(loads):g} meanwhile, which is in every time below."
    )


def _mark(code: str, met: Met, rows: Rows) -> str:
    runs = rows.get((code, met.value), [])
    if not runs:
        return "·" if makes_sense(code, met) else ""
    if any(run.wrong for run in runs):
        return "**WRONG**"
    back = [run for run in runs if run.back_after is not None]
    if not back:
        return "named"
    slowest = max(back, key=lambda run: run.back_after or 0.0)
    words = [f"{slowest.back_after:.1f} s"]
    words += ["itself"] if slowest.back == "by itself" else []
    words += ["virtual"] if slowest.virtual else []
    return ", ".join(words)


def _unrun(rows: Rows) -> Iterator[str]:
    named = tests_that_name()
    yield from (
        "", "## What no run reaches", "",
        "Tests of their own bring most of these about, each for one or two who can meet it; the others have a reason.",
        "", _line("fault", "met by", "where it is brought about, or why not"), _rule(3),
    )  # fmt: skip
    for code in FAULTS:
        missing = [met.value for met in Met if makes_sense(code, met) and (code, met.value) not in rows]
        if not missing and any((code, met.value) in rows for met in Met):
            continue
        files = [f"`{name}`" for name in named[code]]
        why = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "") if files else ""
        yield _line(
            f"`{code}`", ", ".join(missing) or "nobody", why or REASONS.get(code, "**nothing brings it about**")
        )


def _network() -> Iterator[str]:
    network = kept(NETWORK)
    if not network["rows"]:
        return
    yield from (
        "", "## Networks that are bad", "",
        "Each row is a network of its own on one machine: namespaces of Linux, with a link between them that delays, "
        "drops, changes the order of or holds back packets, and routers made of iptables. `make network-lab` makes "
        f"them again. Run on {network['machine']}, {network['at']}, with a load of {network['load']:g}.", "",
        _line("what", "network", "time to connect", "what was done to it", "back after", "what was seen"), _rule(6),
    )  # fmt: skip
    for row in network["rows"]:
        yield _line(row["what"], row["network"], _seconds(row["connected"]), row["done"], _seconds(row["back"]),
                    " ".join(filter(None, (row["wrong"] and f"**{row['wrong']}**", row["seen"]))))  # fmt: skip


def _soak() -> Iterator[str]:
    found = kept(SOAK)
    if "seed" not in found:
        return
    (_, before), *then = found["memory"]
    memory = "; ".join(f"{megabytes:.0f} MB at {seconds / 60:.0f} min" for seconds, megabytes in then)
    problems = found["problems"]
    yield from (
        "", "## A long run", "",
        "Two servers with one Redis are used as on a busy day by viewers, people in rooms, Ring's webhooks and whoever "
        "records, while one thing after another goes wrong. One of the servers is measured. `make soak` makes it "
        "again, and `bench/soak` says how it judges. "
        f"Run on {found['machine']}, {found['at']}, with a load of {found['load']:g}.", "",
        ("**Nothing was lost, and nothing has grown.**" if not problems else f"**{len(problems)} things were wrong.**")
        + f" {found['minutes']:g} minutes, `make soak MINUTES={found['minutes']:g} SEED={found['seed']}`.", "",
        _line("what", "seen"), _rule(2),
        _line("memory", f"{before:.0f} MB before anybody came; {memory}"),
        _line("its pace, MB an hour", "{:+.1f} after the first third, {:+.1f} in the last".format(*found["hourly"])),
        _line("descriptors, sockets, threads, tasks", ", ".join(map(str, found["most"].values())) + " at most; "
              + ", ".join(map(str, found["after"].values())) + " once all had left"),
        _line("lost messages, webhooks, recordings, viewers", str(found["lost"])),
        *(_line(what, str(count)) for what, count in found["counts"].items()),
        *(_line(f"gone wrong on purpose: {what}", str(count)) for what, count in found["faults"].items()),
    )  # fmt: skip
    if problems:
        yield from ("", "What was wrong:", "", *(f"- {one}" for one in problems))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _runs() -> Iterator[str]:
    rows, _ = found()
    yield from (
        "# Every run of the fault lab",
        "",
        "What was done, who met it, how soon the fault was named, how soon things worked again once the cause was "
        "gone, and what was read. [What happens when it fails](reliability.md) has the table.",
    )
    for area, faults in AREAS.items():
        listed = [(fault, met, row) for fault in faults for met in Met for row in rows.get((fault.code, met.value), [])]
        if not listed:
            continue
        yield from ("", f"## Faults of {area}", "",
                    _line("fault", "met by", "how", "named after", "back", "what was read"), _rule(6))  # fmt: skip
        for fault, met, row in listed:
            back = "" if row.back_after is None else f"{row.back}, {row.back_after:.1f} s"
            wrong = f"**{row.wrong}** " if row.wrong else ""
            yield _line(f"`{fault.code}`", met.value, row.how, f"{row.named_after:.1f} s", back or row.back,
                        wrong + row.said)  # fmt: skip


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ") for cell in cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns
