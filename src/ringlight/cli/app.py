"""The command line: one Typer application, and the one place where a fault becomes an exit code."""

import io
import sys
from importlib import import_module
from typing import Annotated

import typer

import ringlight
from ringlight.cli.logs import set_up_logging

# By module, in the order of the help, with what the list of commands says of each. A command loads its own module only,
# and the list none: all of them together take a second on a slow machine.
COMMANDS = {
    "servers": {
        "demo": "Show everything on this machine, with simulated cameras.",
        "serve": "Run the server for your own cameras.",
        "simulate": "Run Ring on this machine, for tests.",
    },
    "account": {
        "login": "Sign in to a Ring account.",
        "logout": "Forget the stored sign-in.",
        "whoami": "Say whose account is signed in.",
        "devices": "List the cameras, and why one cannot be watched.",
    },
    "watch": {"watch": "Open the page on a camera."},
    "views": {
        "snapshot": "Take a still of now.",
        "ptz": "Turn a camera one step.",
        "record": "Record a camera to an MP4 file.",
        "talk": "Play a sound file through a camera's speaker.",
    },
    "control": {
        "light": "Switch a camera's light.",
        "siren": "Sound a camera's siren, or silence it.",
        "history": "List what a camera has seen.",
        "download": "Save the recording of an event.",
    },
    "partner": {"partner": "Use Ring's official Partner API."},
    "audit": {"audit": "Look whether the record of rooms is whole, and print it."},
    "camera_link": {
        "link": "Make a link to one camera, for somebody without a key.",
        "links": "The links to cameras that were made.",
    },
    "keys": {"key": "Give keys to others, each for some things only."},
    "secrets": {"secrets": "Seal what is secret on the disk, by a key."},
    "status": {"status": "Show how the running server does, live."},
    "doctor": {"doctor": "Find out what is wrong, and what to fix first."},
    "explain": {"explain": "Say what a code or an error text means."},
    "config": {"config": "Show the settings, and where each comes from."},
    "backup": {
        "backup": "Copy all that is kept into one file.",
        "restore": "Put such a copy back.",
    },
}


def make_app(*modules: str) -> typer.Typer:
    """Make the application with the commands of these modules; without any, with the mere list of all commands."""
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
    for name, summary in () if modules else (line for commands in COMMANDS.values() for line in commands.items()):
        app.command(name, help=summary)(_only_listed)
    return app


def wanted(words: list[str]) -> tuple[str, ...]:
    """Return the modules that a command line needs: that of its command; none where it names none that there is."""
    command = next((word for word in words if not word.startswith("-")), None)
    return next(((module,) for module, commands in COMMANDS.items() if command in commands), ())


def _only_listed() -> None:
    raise AssertionError("a command that is named is loaded")


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
    for stream in (sys.stdout, sys.stderr):  # in a locale without UTF-8, a quotation mark is no reason to end
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        make_app(*wanted(sys.argv[1:]))()
    except Exception as error:
        from ringlight.cli.output import fail  # noqa: PLC0415 - help needs neither
        from ringlight.errors import RingError  # noqa: PLC0415

        if not isinstance(error, RingError):
            raise
        fail(error)
