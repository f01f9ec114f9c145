"""`explain`: a row of the catalogue, by our code, by Ring's, or by the text of an error."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ringlight.cli.output import Json, print_json, result
from ringlight.errors import fault_error
from ringlight.faults import FAULTS, Fault, explain
from ringlight.liveview.trace_lint import TraceLint

SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("explain")
    def command(
        what: Annotated[
            list[str] | None, typer.Argument(help="SIG-TICKET, 26, 4002, or an error's text.", metavar="CODE-or-TEXT")
        ] = None,
        trace: Annotated[
            Path | None, typer.Option("--trace", help="Judge a dialog recorded with --trace.", metavar="FILE")
        ] = None,
        json: Json = False,
    ) -> None:
        """Say what a code or an error text means and what to do; without one, list the catalogue."""
        if trace is not None:
            _judge(trace, json=json)
            return
        query = " ".join(what or [])
        if not query:
            _list(json=json)
            return
        found = explain(query)
        if not found:
            raise fault_error("FAULT-UNKNOWN", query[:80])
        if json:
            print_json({"query": query, "faults": [fault.as_dict() for fault in found[:SHOWN]]})
            return
        for fault in found[:SHOWN]:
            _show(fault)


def _judge(path: Path, *, json: bool) -> None:
    lint = TraceLint()
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            lint.read(lines)
    except OSError as error:
        raise fault_error("REQUEST-INVALID", f"{path}: {error.strerror}") from error
    if json:
        print_json({"verdict": lint.verdict, "messages": lint.seen, "findings": [asdict(f) for f in lint.findings]})
    else:
        result.print(Text(lint.verdict))
        for finding in lint.findings[:SHOWN]:
            at = "" if finding.at is None else f" at {finding.at:.1f} s"
            result.print(Text(f"  line {finding.line}{at}, {finding.method}: {finding.detail}"))
        if lint.findings:
            _show(FAULTS[lint.findings[0].code])
    if lint.findings or not lint.seen:
        raise typer.Exit(1)


def _show(fault: Fault) -> None:
    result.print(Text(f"{fault.code}: {fault.title}", style="bold"))
    result.print(Text(f"  cause  {fault.cause}"))
    result.print(Text(f"  fix    {fault.fix}"))
    result.print(Text(f"  retry  {fault.retry.value}"))


def _list(*, json: bool) -> None:
    if json:
        print_json({"faults": [fault.as_dict() for fault in FAULTS.values()]})
        return
    for fault in FAULTS.values():
        result.print(Text(f"{fault.code:20} {fault.title}"))
