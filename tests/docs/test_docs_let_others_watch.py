"""The commands of the page about keys and links do what it says, one after the other."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Program
from ringlight.server.scopes import SCOPES

pytestmark = pytest.mark.program
PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "let-others-watch.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def test_the_commands_of_the_page_work(environment: dict[str, str], start: Callable[..., Program]) -> None:
    assert len(COMMANDS) == 4
    port = start("demo", "--port", "0").url.rstrip("/").rpartition(":")[2]
    asked = {**environment, "RINGLIGHT_SERVER__PORT": port}
    for words in COMMANDS:
        program = str(Path(sys.executable).with_name(words[0]))
        done = subprocess.run([program, *words[1:]], env=asked, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


def test_every_scope_is_in_its_table() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)[: len(SCOPES)] == list(SCOPES)
