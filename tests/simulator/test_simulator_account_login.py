"""`ringlight login` in all its ways, as a process against the simulated Ring."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import RINGLIGHT
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.program
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environment: dict[str, str], ring: SimulatedRing, tmp_path: Path) -> Run:
    def command(*args: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RINGLIGHT), *args], input=text, env={**environment, "RINGLIGHT_RING_URL": ring.url}, cwd=tmp_path,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return command


def test_another_programs_token_is_imported_and_its_spending_told(
    run: Run, ring: SimulatedRing, tmp_path: Path
) -> None:
    token = {"rt": ring.world.tokens.grant()["refresh_token"], "hid": "their-hw"}
    (tmp_path / "ring.txt").write_bytes(base64.b64encode(json.dumps(token).encode()))
    done = run("login", "--import", "ring.txt")
    assert done.returncode == 0, done.stderr
    assert "sign in anew with the other program" in done.stderr
    assert "ada@ringlight.test: 3 cameras" in done.stderr
    assert ring.world.hardware_ids == {"their-hw"}
    assert json.loads(run("whoami", "--json").stdout)["account_id"] == 4711
    again = run("login", "--import", "ring.txt")
    assert (again.returncode, "AUTH-LINK-LOST" in again.stderr) == (1, True)
    assert run("whoami").returncode == 0, "the sign-in that we have is not lost by that"


@pytest.mark.parametrize(("content", "words"), [(b"<html>", "neither JSON"), (None, "no such file")])
def test_a_file_that_is_no_token_file_is_told(run: Run, tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "ring.txt").write_bytes(content)
    done = run("login", "--import", "ring.txt")
    assert (done.returncode, "AUTH-IMPORT" in done.stderr) == (1, True)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sign_in_in_steps(run: Run) -> None:
    done = run("login", "--flow", "code", "--email", "ada@ringlight.test", text="ringlight\n123456\n")
    assert done.returncode == 0, done.stderr
    assert "3 cameras" in done.stderr
    rows = json.loads(run("devices", "--json").stdout)["devices"]
    assert [(row["light"], row["siren"], row["pan_and_tilt"], row["shared"]) for row in rows] == [
        (False, False, False, False), (False, False, False, False), (True, True, True, False),
    ]  # fmt: skip


def test_a_block_at_the_edge_points_to_the_other_way(run: Run, ring: SimulatedRing) -> None:
    ring.world.switch(["edge-406"])
    for flow, hint in (("password", True), ("code", False)):
        done = run("login", "--flow", flow, "--email", "ada@ringlight.test", text="ringlight\n123456\n")
        assert (done.returncode, "AUTH-EDGE-BLOCK" in done.stderr) == (1, True)
        assert ("--flow code` goes another way" in done.stderr) is hint
