"""`doctor`: what is wrong, found step by step."""

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ringlight.cli.output import Config, Json, TracePath, print_json, result, run, tell
from ringlight.doctor.checkup import TARGETS, Asked, examine
from ringlight.doctor.findings import Finding, Mark
from ringlight.doctor.report import Report
from ringlight.doctor.report_page import as_page
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.liveview.trace import recording
from ringlight.settings import Settings, load_settings

_SIGNS = {Mark.GOOD: ("ok  ", "green"), Mark.NOTE: ("note", "yellow"), Mark.FAULT: ("FAIL", "bold red"),
          Mark.SKIPPED: ("skip", "dim")}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        targets: Annotated[
            list[str] | None,
            typer.Argument(
                help=f"{', '.join(TARGETS)}, a camera's name, or an address (ws://…, https://…).", metavar="TARGET"
            ),
        ] = None,
        page: Annotated[
            str, typer.Option("--page", metavar="URL", help="The page that uses the address, as https://…")
        ] = "",
        origin: Annotated[
            str, typer.Option("--origin", metavar="URL", help="The page's origin; else that of --page.")
        ] = "",
        webhook: Annotated[
            str, typer.Option("--webhook", metavar="URL", help="Send this webhook receiver a signed delivery.")
        ] = "",
        seconds: Annotated[float, typer.Option("--seconds", min=0, max=3600, help="Watch a camera for so long.")] = 5.0,
        report: Annotated[
            Path | None, typer.Option("--report", metavar="FILE", help="Write a page for a bug report, no secrets.")
        ] = None,
        config: Config = None,
        trace: TracePath = None,
        json: Json = False,
    ) -> None:
        """Find what is wrong, and name the one thing to fix first.

        Without TARGET all that is configured is looked at, in less than ten seconds. Naming a camera opens a live
        view of it, to see whether video really comes. An address may be any server's, not only Ringlight's.

        Exit code: 0 nothing is broken, 1 something is, 2 wrong use.
        """
        wanted = targets or []
        if any(wrong := [one for one in wanted if one.startswith("-")]):
            raise fault_error("REQUEST-INVALID", f"{wrong[0]}: not an option")
        _hush()
        settings, broken = _settings(config)
        asked = Asked(page, origin, webhook, seconds)
        with recording(trace) as record:
            found = run(examine(settings, wanted, record, asked=asked, broken=broken))
        if report is not None:
            _write(report, found, [one for one in wanted if one not in TARGETS and "://" not in one])
        if json:
            print_json(found.as_dict())
        else:
            _show(found)
        if any(finding.mark is Mark.FAULT for finding in found.findings):
            raise typer.Exit(1)


def _hush() -> None:
    """Let the log say nothing that the report says better, unless somebody wants to read it."""
    log = logging.getLogger("ringlight")
    if log.getEffectiveLevel() >= logging.WARNING:
        log.setLevel(logging.CRITICAL)


def _settings(config: Path | None) -> tuple[Settings, RingError | None]:
    """Read the settings; where that fails, go on with the defaults and say so."""
    try:
        return load_settings(config), None
    except RingError as error:
        return Settings.model_construct(), error


def _write(path: Path, found: Report, cameras: list[str]) -> None:
    try:
        path.write_text(as_page(found, cameras), encoding="utf-8")
    except OSError as error:
        raise fault_error("FILE-WRITE", f"{path}: {error.strerror}") from error
    tell(f"Written: {path}. Read it before you send it.")


def _show(found: Report) -> None:
    subject = ""
    for finding in found.findings:
        if finding.subject != subject:
            subject = finding.subject
            result.print(Text(f"{subject or 'here'}:", style="bold"))
        sign, style = _SIGNS[finding.mark]
        line = Text.assemble((sign, style), f"  {finding.check:<15} {finding.seen}")
        if finding.mark is not Mark.SKIPPED:
            line.append(f"  (expected: {finding.row.expected})", style="dim")
        result.print(line)
    result.print()
    first = found.verdict.first
    if first is None:
        result.print(Text("Nothing is wrong as far as this can be seen from here."))
        return
    fault = FAULTS[first.code or "SERVER-ERROR"]
    begin = "Fix this first" if first.mark is Mark.FAULT else "It works. Worth knowing"
    result.print(Text(f"{begin}: {fault.code}: {fault.title}", style="bold"))
    result.print(Text(f"  seen   {first.seen}"))
    result.print(Text(f"  cause  {fault.cause}"))
    result.print(Text(f"  fix    {fault.fix}"))
    _list("Then:", found.verdict.rest)
    effects = [finding for finding, _ in found.verdict.effects]
    _list("These should go away with it:", effects)


def _list(title: str, findings: "tuple[Finding, ...] | list[Finding]") -> None:
    if findings:
        result.print(Text(title))
    for finding in findings:
        code = finding.code or ""
        result.print(Text(f"  {code}: {FAULTS[code].title} ({finding.name})"))
