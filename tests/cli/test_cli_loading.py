"""A command loads what it needs and no more: a start on a small machine is a matter of a second or of five."""

import re
import subprocess
import sys

import pytest
import typer.main
from typer.testing import CliRunner

from ringlight.cli.app import COMMANDS, make_app, wanted


@pytest.mark.parametrize("module", COMMANDS)
def test_each_module_registers_the_commands_that_are_listed_for_it(module: str) -> None:
    """One that is not listed would be found by nobody."""
    group = typer.main.get_command(make_app(module))
    assert tuple(getattr(group, "commands")) == tuple(COMMANDS[module])  # noqa: B009 - a Group has them, a Command has not


@pytest.mark.parametrize(
    ("words", "modules"),
    [
        (["login", "--email", "serve"], ("account",)),
        (["-v", "--verbose", "explain", "26"], ("explain",)),
        (["ptz", "--help"], ("views",)),
        ([], ()),
        (["--help"], ()),
        (["lgoin"], ()),
    ],
)
def test_a_command_line_loads_the_module_of_its_command(words: list[str], modules: tuple[str, ...]) -> None:
    """None where none is named: a list of all is enough for help, and to say what is near to a slip of the pen."""
    assert wanted(words) == modules


def test_help_lists_every_command_in_a_line_of_its_own() -> None:
    said = CliRunner().invoke(make_app(), ["--help"]).output
    for name, summary in (line for commands in COMMANDS.values() for line in commands.items()):
        assert re.search(rf"^  {name} +{re.escape(summary)}$", said, re.MULTILINE), name


def test_a_slip_of_the_pen_is_answered_with_what_is_near() -> None:
    said = CliRunner().invoke(make_app(), ["lgoin"])
    assert said.exit_code == 2
    assert "Did you mean 'login'" in said.output


@pytest.mark.program
@pytest.mark.parametrize(
    ("command", "spared"),
    [("explain", "av"), ("partner", "av"), ("login", "ringlight.partner")]
    + [("", spared) for spared in ("ringlight.account", "ringlight.errors", "pydantic", "rich", "asyncio")],
)
def test_a_command_leaves_unloaded_what_others_need(command: str, spared: str) -> None:
    code = (
        "import sys\nfrom ringlight.cli.app import main\n"
        f"sys.argv = ['ringlight', *{command.split()!r}, '--help']\n"
        f"try: main()\nfinally: print({spared!r} in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.endswith("\nFalse\n"), run.stdout
