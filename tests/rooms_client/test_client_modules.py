"""The modules of the rooms' client, and of the page, by Node's own test runner: each `*.test.mjs`, each test shown."""

import re
import subprocess
from pathlib import Path

import pytest

from own_node import node
from ringlight.web.catalogue import MODULE, catalogue_module

HERE = Path(__file__).parent
FILES = sorted([*HERE.glob("*.test.mjs"), *HERE.with_name("page").glob("*.test.mjs")])
_LINE = re.compile(r"^(not ok|ok) \d+ - (.*?)(?: # .*)?$", re.MULTILINE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_said_of_the_modules(file: Path, subtests: pytest.Subtests) -> None:
    done = subprocess.run(
        [node(), "--test", "--test-reporter=tap", str(file)], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    found = _LINE.findall(done.stdout)
    for outcome, sentence in found:
        with subtests.test(sentence):
            assert outcome == "ok", done.stdout
    assert len(found) >= 3
    assert done.returncode == 0, done.stderr


def test_the_clients_copy_of_the_catalogue_is_current() -> None:
    """A server that is down cannot be asked what that means."""
    assert MODULE.read_text(encoding="utf-8") == catalogue_module(), "run `make faults`"


def test_every_code_that_the_client_names_is_in_its_catalogue() -> None:
    known = set(re.findall(r'^  "([A-Z-]+)": \{', MODULE.read_text(encoding="utf-8"), re.MULTILINE))
    for path in MODULE.parent.glob("*.js"):
        named = set(
            re.findall(r'"((?:ROOM|REACH|WEB|TURN|VIEWER|SERVER|CAM)-[A-Z-]+)"', path.read_text(encoding="utf-8"))
        )
        assert named <= known, f"{path.name}: {sorted(named - known)}"
