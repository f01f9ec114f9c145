"""The command line: one Typer application, and the one place where a fault becomes an exit code."""

import sys
from typing import Annotated

import typer

import ringlight
from ringlight.cli import account, control, doctor, explain, partner, servers, views
from ringlight.cli.output import fail, set_up_logging
from ringlight.errors import RingError

app = typer.Typer(
    name="ringlight",
    help="Puts cameras and people into a browser, and says why when live video fails.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (servers, account, views, control, partner, doctor, explain):
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"ringlight {ringlight.__version__}\n")
        raise typer.Exit


@app.callback()
def common(
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice for each message.")] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that all commands share."""
    del version
    set_up_logging(verbose)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except RingError as error:
        fail(error)
