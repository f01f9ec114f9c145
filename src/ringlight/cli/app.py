"""The command line: one Typer application, and the one place where a fault becomes an exit code."""

import sys
from importlib import import_module
from typing import Annotated

import typer

import ringlight
from ringlight.cli.output import fail, set_up_logging
from ringlight.errors import RingError

# In the order of the help. A command loads its own module only: all of them together take a second on a slow machine.
COMMANDS = {
    "servers": ("demo", "serve", "simulate"),
    "account": ("login", "logout", "whoami", "devices"),
    "views": ("snapshot", "ptz", "record", "talk"),
    "control": ("light", "siren", "history", "download"),
    "partner": ("partner",),
    "doctor": ("doctor",),
    "explain": ("explain",),
    "config": ("config",),
    "watch": ("watch",),
}


def make_app(*modules: str) -> typer.Typer:
    """Make the application with the commands of these modules."""
    app = typer.Typer(
        name="ringlight",
        help="Puts cameras and people into a browser, and says why when live video fails.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(common)
    for module in modules:
        import_module(f"ringlight.cli.{module}").register(app)
    return app


def wanted(words: list[str]) -> tuple[str, ...]:
    """Return the modules that a command line needs: that of its command, or all where it names none."""
    command = next((word for word in words if not word.startswith("-")), None)
    return next(((module,) for module, commands in COMMANDS.items() if command in commands), tuple(COMMANDS))


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"ringlight {ringlight.__version__}\n")
        raise typer.Exit


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
        make_app(*wanted(sys.argv[1:]))()
    except RingError as error:
        fail(error)
