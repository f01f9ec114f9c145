"""`explain`: what a code, an error's text, a log or a recorded dialog means, and what to do."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ringlight.cli.output import Json, print_json, result, tell
from ringlight.doctor.traces.lint import Report, lint
from ringlight.errors import fault_error
from ringlight.faults import FAULTS, Explanation, Fault, Match, look_up
from ringlight.faults.explaining import MAX_TEXT

SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("explain")
    def command(
        what: Annotated[
            list[str] | None,
            typer.Argument(help="SIG-TICKET, 26, `404 upgrade`, an error's text; - reads it from standard input.",
                           metavar="CODE-or-TEXT"),
        ] = None,
        trace: Annotated[
            Path | None,
            typer.Option("--trace", help="Judge a recorded dialog: of --trace, a HAR file, a mitmproxy dump, a log.",
                         metavar="FILE"),
        ] = None,
        json: Json = False,
    ) -> None:  # fmt: skip
        """Say what a code, an error's text or a piece of a log means and what to do; without one, list all there is."""
        if trace is not None:
            _judge(trace, json=json)
            return
        query = sys.stdin.read(MAX_TEXT) if what == ["-"] else " ".join(what or [])
        if not query and not what:
            _list(json=json)
            return
        found = look_up(query)
        if not found.matches:
            raise fault_error("FAULT-UNKNOWN", _unknown(query, found))
        if json:
            print_json({"query": query[:1000], "faults": [_as_dict(match) for match in found.matches[:SHOWN]]})
            return
        for match in found.matches[:SHOWN]:
            _show(match.fault, _why(match))


def _unknown(query: str, found: Explanation) -> str:
    lines = query.strip().splitlines()
    shown = "nothing was given" if not lines else lines[0][:80] + (f" … ({len(lines)} lines)" if len(lines) > 1 else "")
    return shown + (f"; near it are {', '.join(found.near)}" if found.near else "")


def _why(match: Match) -> str:
    return match.why + (f" (line {match.line})" if match.line is not None else "")


def _as_dict(match: Match) -> dict[str, object]:
    return {**match.fault.as_dict(), "why": match.why, "line": match.line}


def _judge(path: Path, *, json: bool) -> None:
    try:
        with path.open("rb") as file:
            report = lint(file)
    except OSError as error:
        raise fault_error("REQUEST-INVALID", f"{path}: {error.strerror}") from error
    if json:
        print_json(report.as_dict())
    else:
        _show_report(report)
    if report.code is not None or not report.messages:
        raise typer.Exit(1)


def _show_report(report: Report) -> None:
    spoken = f", in which {' and '.join(report.protocols)} is spoken" if report.protocols else ""
    lasted = f", {report.seconds:.1f} s long" if report.seconds else ""
    tell(f"This is {report.form}{spoken}: {report.messages} messages{lasted}.")
    result.print(Text(report.verdict))
    for finding in report.findings[:SHOWN]:
        at = "" if finding.at is None else f" at {finding.at:.1f} s"
        result.print(Text(f"  {finding.where}{at}, {finding.who} {finding.method}: {finding.detail}"))
        if finding is report.findings[0] and finding.evidence:
            result.print(Text(f"    {finding.evidence}"))
    if report.code is not None:
        _show(FAULTS[report.code])
    for match in report.hint.matches[:SHOWN]:
        _show(match.fault, _why(match))


def _show(fault: Fault, why: str = "") -> None:
    result.print(Text(f"{fault.code}: {fault.title}", style="bold"))
    if why:
        result.print(Text(f"  seen   {why}"))
    result.print(Text(f"  cause  {fault.cause}"))
    result.print(Text(f"  fix    {fault.fix}"))
    result.print(Text(f"  retry  {fault.retry.value}"))
    result.print(Text(f"  more   docs/reference{fault.page}.md"))


def _list(*, json: bool) -> None:
    if json:
        print_json({"faults": [fault.as_dict() for fault in FAULTS.values()]})
        return
    for fault in FAULTS.values():
        result.print(Text(f"{fault.code:20} {fault.title}"))
