"""`partner link-check`: whether an app links accounts as Ring wants it."""

from typing import Annotated

import typer
from rich.text import Text

from ringlight.cli.output import Config, Json, print_json, result, run, show_fault
from ringlight.errors import fault_error
from ringlight.partner.link_check import LinkFinding, check_links
from ringlight.settings import load_settings


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command("link-check")
    def link_check(
        url: Annotated[str, typer.Argument(help="Where the app has its addresses.", metavar="URL")],
        name: Annotated[str | None, typer.Option("--name", help="Who can sign in on the link page.")] = None,
        password: Annotated[
            str | None, typer.Option("--password", envvar="RINGLIGHT_LINK_PASSWORD", help="That goes with it.")
        ] = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Walk through linking as Ring and a browser do, and say which step is wrong.

        With RINGLIGHT_RING_URL the simulator plays Ring, and the link is really made there.
        """
        findings = run(_walk(url, load_settings(config).ring_url, name, password, quiet=json))
        wrong = [finding for finding in findings if finding.code is not None]
        if json:
            print_json({"good": not wrong, "steps": [finding.as_dict() for finding in findings]})
        if wrong:
            show_fault(fault_error(str(wrong[0].code), wrong[0].seen))
            raise typer.Exit(1)


async def _walk(
    url: str, ring: str | None, name: str | None, password: str | None, *, quiet: bool
) -> list[LinkFinding]:
    findings = []
    async for finding in check_links(url, ring=ring, name=name, password=password):
        findings.append(finding)
        if not quiet:
            mark = "skip" if finding.skipped else "FAIL" if finding.code else "ok  "
            result.print(Text(f"{mark}  {finding.step:10} {finding.seen}"))
    return findings
