"""The pages of the documentation about the faults, made from the catalogue: one for each, and an index by area.

`python -m ringlight.doctor.fault_docs docs/reference/faults`, or `make faults`.
"""

import sys
from pathlib import Path

from ringlight.doctor.checks import CHECKS
from ringlight.doctor.checks_page import AREAS as AREAS_OF_CHECKS
from ringlight.faults import AREAS, FAULTS, Fault
from ringlight.faults.telling import RETRIES, sayings_of, signs_of

__all__ = ["index", "page", "pages"]

_MADE = "<!-- Made from the catalogue by `make faults`; change src/ringlight/faults/ instead. -->\n"
_TRACED = "SIG-"  # what the lint of a recorded dialog can find, beside the rooms' own
_NOT_TRACED = {"SIG-REGION", "SIG-BLOCKED"}  # of a socket that never was
_ROOM_TRACED = {
    "ROOM-MESSAGE", "ROOM-ORDER", "ROOM-HELLO", "ROOM-PATH", "ROOM-ID", "ROOM-ROLE", "ROOM-RATE", "ROOM-SIZE",
    "ROOM-SILENT",
}  # fmt: skip


def pages() -> dict[str, str]:
    """Return each file's name with its text."""
    return {"README.md": index()} | {f"{code}.md": page(fault) for code, fault in FAULTS.items()}


def index() -> str:
    """Return the page that lists all of them."""
    lines = [
        _MADE,
        f"# The {len(FAULTS)} faults",
        "",
        "Whatever goes wrong in Ringlight ends in one of these codes: in the exception, the HTTP answer, the close "
        "frame, on the page and in the log. `ringlight explain CODE-or-TEXT` finds the one that an error means, of "
        "another program too.",
    ]
    for area, rows in AREAS.items():
        lines += ["", f"## {area[:1].upper()}{area[1:]}", "", "| code | what happened |", "| --- | --- |"]
        lines += [f"| [`{fault.code}`]({fault.code}.md) | {fault.title} |" for fault in rows]
    return "\n".join(lines) + "\n"


def page(fault: Fault) -> str:
    """Return the page of one fault."""
    lines = [
        _MADE,
        f"# {fault.code}",
        "",
        f"**{fault.title}.**",
        "",
        fault.cause,
        "",
        "## What to do",
        "",
        fault.fix,
        "",
        RETRIES[fault.retry],
        "",
        "## How to see it",
        "",
        *_ways(fault),
        "",
        "## Where it was observed",
        "",
        _source(fault),
        "",
        "[All faults](README.md)",
    ]
    return "\n".join(lines) + "\n"


def _ways(fault: Fault) -> list[str]:
    checks = [check for check in CHECKS.values() if fault.code in check.codes]
    ways = [
        f"- Check [`{check.name}`](../checks.md) ({AREAS_OF_CHECKS[check.area][1]}): {check.looks_at}"
        for check in checks
    ]
    if (fault.code.startswith(_TRACED) and fault.code not in _NOT_TRACED) or fault.code in _ROOM_TRACED:
        ways.append("- `ringlight explain --trace FILE`, with a recording of the dialog.")
    ways += [f"- On the wire: {sign}." for sign in signs_of(fault)]
    for speaker, said in sayings_of(fault.code).items():
        ways.append(f"- {speaker} {', '.join(f'`{words}`' for words in said)}.")
    ways.append(f"- HTTP answers of Ringlight with status {fault.http} have this `code`.")
    return ways


def _source(fault: Fault) -> str:
    if not fault.source:
        return "In Ringlight itself, which raises it where it first understands what happened."
    name, _, anchor = fault.source.rpartition("#")
    name = name or "observed-protocol.md"
    return f"[{name.removesuffix('.md').replace('-', ' ')}, “{anchor.replace('-', ' ')}”](../{name}#{anchor})"


def main(folder: Path) -> None:
    """Write the pages, and remove those of faults that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
