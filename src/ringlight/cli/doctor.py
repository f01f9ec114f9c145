"""`doctor`: what is wrong, found step by step."""

from typing import Annotated

import typer
from rich.text import Text

from ringlight.cli.output import Config, Json, TracePath, print_json, result, run
from ringlight.doctor.checkup import TARGETS, examine
from ringlight.doctor.judge import Finding, Mark
from ringlight.faults import FAULTS
from ringlight.liveview.trace import recording
from ringlight.settings import load_settings

_SIGNS = {Mark.GOOD: ("ok  ", "green"), Mark.FAULT: ("FAIL", "bold red"), Mark.SKIPPED: ("skip", "dim")}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        targets: Annotated[
            list[str] | None, typer.Argument(help=f"{', '.join(TARGETS)}, or a camera's name.", metavar="TARGET")
        ] = None,
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Check settings, network, account and cameras, and name the first thing to fix.

        Naming a camera opens a live view of it, to see whether video really comes.
        """
        with recording(trace) as record:
            findings = run(examine(load_settings(config), targets or [], record))
        faults = [finding for finding in findings if finding.mark is Mark.FAULT]
        if json:
            print_json({"healthy": not faults, "checks": [finding.as_dict() for finding in findings]})
        else:
            _show(findings, faults)
        if faults:
            raise typer.Exit(1)


def _show(findings: list[Finding], faults: list[Finding]) -> None:
    for finding in findings:
        sign, style = _SIGNS[finding.mark]
        result.print(Text.assemble((sign, style), f"  {finding.check:12} {finding.seen}"))
    for finding in faults[:1]:
        fault = FAULTS[finding.code or "SERVER-ERROR"]
        result.print()
        result.print(Text(f"Fix this first: {fault.code}: {fault.title}", style="bold"))
        result.print(Text(f"  cause  {fault.cause}"))
        result.print(Text(f"  fix    {fault.fix}"))
    if not faults:
        result.print()
        result.print(Text("Nothing is wrong as far as this can be seen from here."))
