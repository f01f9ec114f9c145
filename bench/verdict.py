"""What a benchmark says in the end: each goal as met or missed, and its curves.

It is printed for whoever started the benchmark. Where `RINGLIGHT_BENCH_RECORD` names a file, it is written there too, a
line of JSON each, from which `report.py` makes its page.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

RECORD = "RINGLIGHT_BENCH_RECORD"


def goal(what: str, value: float, bound: float, unit: str = "", *, least: bool = False, doubt: str = "") -> bool:
    """Print a goal and whether it was met; return that.

    `bound` is what the value may be at most, with `least` what it must be at least. `doubt` says why the value may not
    be trusted, as when the load generator was too busy; empty for none.
    """
    met = value >= bound if least else value <= bound
    word, side, of = "met   " if met else "MISSED", "least" if least else "most", f" {unit}" if unit else ""
    doubtful = f" ({doubt})" if doubt else ""
    print(f"{word} {what}: {value:.4g}{of}, goal at {side} {bound:g}{of}{doubtful}", flush=True)
    _record({"goal": what, "value": value, "bound": bound, "unit": unit, "least": least, "met": met, "doubt": doubt})
    return met


def unmeasured(what: str, why: str) -> bool:
    """Print a goal that could not be measured, as missed; return false."""
    print(f"MISSED {what}: not measured, {why}", flush=True)
    _record({"goal": what, "value": None, "bound": None, "unit": "", "least": False, "met": False, "doubt": why})
    return False


def curve(
    name: str, across: str, up: str, points: Sequence[tuple[float, float]], *, straight: bool = True, of: str = ""
) -> None:
    """Keep a curve for the report: what grows to the right and upwards, and the points from left to right.

    `straight` says that it would be a straight line if nothing became scarce; the report then says where it bends. `of`
    names whose curve it is where several share one drawing.
    """
    _record({"curve": name, "across": across, "up": up, "points": list(points), "straight": straight, "of": of})


def _record(line: dict[str, object]) -> None:
    path = os.environ.get(RECORD)
    if path:
        with Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")
