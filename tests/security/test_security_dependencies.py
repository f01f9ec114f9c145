"""What we depend on: bounded in both directions, written down as tested, and asked about honestly."""

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import audit
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
DIRECT = [*map(Requirement, PROJECT["project"]["dependencies"]), *map(Requirement, chain(*EXTRAS.values()))]
DIRECT = [one for one in DIRECT if one.name != "ringlight"]
LOCKED = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
)


@pytest.mark.parametrize("one", DIRECT, ids=lambda one: one.name)
def test_each_dependency_has_a_lowest_version_and_an_upper_bound(one: Requirement) -> None:
    signs = {part.operator for part in one.specifier}
    assert signs == {"=="} or (">=" in signs and "<" in signs), str(one)


def test_what_is_locked_fits_the_bounds_and_names_no_place() -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert re.search(r"://|@|--|file:", text) is None
    for one in DIRECT:
        locked = LOCKED.get(one.name.lower().replace("_", "-"))
        if locked is not None:
            assert one.specifier.contains(locked), str(one)
    for one in (Requirement(text) for text in PROJECT["project"]["dependencies"]):
        if one.marker is None:
            assert one.name.lower().replace("_", "-") in LOCKED, one.name


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', 1),
        ('{"dependencies": [{"name": "a", "skip_reason": "x"}]}', 0),
    ],
)
def test_a_report_is_read(said: str, found: int) -> None:
    report = audit.read(said)
    assert report is not None
    assert len(report) == found


@pytest.mark.parametrize("said", ["", "not JSON", "[]", '{"dependencies": 7}'])
def test_no_report_is_no_good_report(said: str) -> None:
    assert audit.read(said) is None


def test_without_a_network_it_says_that_it_learned_nothing() -> None:
    """The program in its place dies as pip-audit does without a network."""
    code = f"import sys; sys.path.insert(0, {str(Path(audit.__file__).parent)!r}); import audit; audit.COMMAND = " + (
        "[sys.executable, '-c', 'import sys; sys.exit(\"ERROR: no route to the database\")']; sys.exit(audit.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("NOT AUDITED: ERROR: no route to the database.")


def test_the_safety_rules_of_the_linter_are_on() -> None:
    """They are bandit's (ruff's `S`); docs/decisions/0012-safety-rules.md says why there is no second program."""
    assert "S" in PROJECT["tool"]["ruff"]["lint"]["select"]
