"""`key add`, `list` and `revoke`: a key is shown once, and afterwards only what it is for."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import RINGLIGHT

pytestmark = pytest.mark.program
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def command(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RINGLIGHT), "key", *args], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    return command


def test_a_key_is_made_shown_once_listed_and_revoked(run: Run) -> None:
    made = run("add", "nan", "--scope", "view", "--scope", "talk", "--camera", "front-door", "--days", "7")
    key = made.stdout.strip()
    assert (made.returncode, key[:4], len(key)) == (0, "rlk_", 47), made.stderr
    listed = run("list")
    assert listed.stdout.startswith("nan: view talk, only front-door; ends 20")
    assert key not in listed.stdout
    (row,) = json.loads(run("list", "--json").stdout)["keys"]
    assert (row["name"], row["scopes"], row["cameras"], row["used_at"]) == (
        "nan",
        ["view", "talk"],
        ["front-door"],
        None,
    )
    assert row["expires"] - row["made_at"] == pytest.approx(7 * 86_400, abs=1)
    again = run("add", "nan")
    assert (again.returncode, again.stdout, again.stderr[:8]) == (2, "", "KEY-NAME")
    assert run("revoke", "nan").returncode == 0
    assert "KEY-NAME-UNKNOWN" in run("revoke", "nan").stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(("--scope", "veiw"), "expected one of view"), (("--camera", "Front Door"), "such as front-door")],
)
def test_a_wrong_wish_makes_no_key(run: Run, wrong: tuple[str, str], said: str) -> None:
    refused = run("add", "nan", *wrong)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr
