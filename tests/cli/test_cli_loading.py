"""A command loads what it needs and no more: a start on a small machine is a matter of a second or of five."""

import subprocess
import sys

import pytest
import typer.main

from ringlight.cli.app import COMMANDS, make_app, wanted


@pytest.mark.parametrize("module", COMMANDS)
def test_each_module_registers_the_commands_that_are_listed_for_it(module: str) -> None:
    """One that is not listed would be found by nobody."""
    group = typer.main.get_command(make_app(module))
    assert tuple(getattr(group, "commands")) == COMMANDS[module]  # noqa: B009 - a Group has them, a Command has not


@pytest.mark.parametrize(
    ("words", "modules"),
    [
        (["login", "--email", "serve"], ("account",)),
        (["-v", "--verbose", "explain", "26"], ("explain",)),
        (["ptz", "--help"], ("views",)),
        ([], tuple(COMMANDS)),
        (["--help"], tuple(COMMANDS)),
        (["lgoin"], tuple(COMMANDS)),
    ],
)
def test_a_command_line_loads_the_module_of_its_command(words: list[str], modules: tuple[str, ...]) -> None:
    """All of them where none is named: help lists them, and a slip of the pen is answered with what is near."""
    assert wanted(words) == modules


@pytest.mark.program
@pytest.mark.parametrize(("command", "spared"), [("explain", "av"), ("partner", "av"), ("login", "ringlight.partner")])
def test_a_command_leaves_unloaded_what_others_need(command: str, spared: str) -> None:
    code = (
        "import sys\nfrom ringlight.cli.app import main\n"
        f"sys.argv = ['ringlight', {command!r}, '--help']\n"
        f"try: main()\nfinally: print({spared!r} in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.endswith("\nFalse\n"), run.stdout
