"""Cells on a clock that jumps: the acceptance scripts of the SDK, which both clients run too."""

from collections.abc import Iterator

from scripts import FOLDER, Script, play, read

from cells import Cell, Lab, Met, Outcome, Run
from ringlight.faults import FAULTS


def script_tells(script: Script, code: str) -> Run:
    async def run(lab: Lab) -> Outcome:
        play(script)  # judges every step and its time
        began = min(call.at for call in script.calls)
        failed = next(step.at for step in script.steps if step.end == code)
        good = next((step.at for step in script.steps if step.end == "good" and step.at > failed), None)
        said = f"{code}: {FAULTS[code].cause}"
        if good is None:
            return Outcome(code, said, failed - began, virtual=True)
        return Outcome(code, said, failed - began, "when asked again", good - failed, virtual=True)

    return run


def virtual_cells() -> Iterator[Cell]:
    for path in sorted(FOLDER.glob("*.toml")):
        script = read(path)
        for code in sorted({step.end for step in script.steps if step.end in FAULTS}):
            for met in (Met.SYNC, Met.ASYNC):
                how = f"script: {path.stem.replace('-', ' ')}"
                yield Cell(code, met, how, script_tells(read(path), code), is_quick=path.stem == "the-total-time-holds")
