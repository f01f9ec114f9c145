"""What the labs have found, kept as data, so that one lab can be run again without the other."""

import json
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cells import Result

FOLDER = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Row:
    """A cell of the matrix as it was found."""

    fault: str
    met: str
    how: str
    code: str | None
    said: str
    named_after: float
    back: str
    back_after: float | None
    virtual: bool
    wrong: str


def row_of(result: Result) -> Row:
    """Return what is kept of a result."""
    cell, outcome = result.cell, result.outcome
    after = None if outcome.back_after is None else round(outcome.back_after, 2)
    return Row(cell.fault, cell.met.value, cell.how, outcome.code, " ".join(outcome.said.split())[:400],
               round(outcome.named_after, 2), outcome.back, after, outcome.virtual, result.wrong)  # fmt: skip


def circumstances() -> dict[str, Any]:
    """Return when and where it was run."""
    return {
        "at": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}",
        "load": round(os.getloadavg()[1], 1),
    }


def keep(name: str, rows: Iterable[Any], *, in_part: bool = False) -> None:
    """Write what a group of cells has come to; where only some were run anew, with the greater load of both runs."""
    load = max(circumstances()["load"], kept(name).get("load", 0.0) if in_part else 0.0)
    keep_whole(name, {"load": load, "rows": [asdict(row) for row in rows]})


def keep_whole(name: str, what: dict[str, Any]) -> None:
    """Write what a run has come to that has no rows, with when and where it was."""
    FOLDER.mkdir(exist_ok=True)
    found = {**circumstances(), **what}
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept(name: str) -> dict[str, Any]:
    """Return what was kept, or nothing."""
    path = FOLDER / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": []}
    return found
