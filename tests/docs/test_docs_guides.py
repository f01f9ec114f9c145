"""The three guides: their commands do what they say, and each check that a step names is one."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ringlight.doctor.checks import CHECKS
from ringlight.doctor.checkup import TARGETS
from ringlight.testing import SimulatedRing

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
GUIDES = {name: (FOLDER / f"{name}.md").read_text(encoding="utf-8")
          for name in ("live-view-4002", "ring-api-errors", "signaling-errors")}  # fmt: skip
CAMERAS = {"Front Door"}
# What the guides that these replace asked a reader to do by hand; none of it may get lost.
WANTED = {
    "live-view-4002": ["doorbot_id", "session_id", "activate_session", "26", "account id", "regional host", "UDP",
                       "simulator", "`SIG-ORDER`"],
    "ring-api-errors": ["| 400 |", "| 401 |", "| 403 |", "| 404, 410 |", "| 429 |", "| 500 |", "| 503 |",
                        "Retry-After", "circuit breaker", "old answers", "notices for people"],
    "signaling-errors": ["Signaling\nerror: {}", "undefined", "does not run", "CORS", "127.0.0.1", "has the port",
                         "firewall", "https", "1006", "package"],
}  # fmt: skip
Run = Callable[..., subprocess.CompletedProcess[str]]


def commands(page: str) -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("name", GUIDES)
def test_every_check_that_a_guide_names_is_one(name: str) -> None:
    """Each step of a guide is done by somebody: a row without a check would be work for the reader."""
    page = GUIDES[name]
    told = re.findall(r"\bchecks? ((?:`[a-z-]+`(?:, | and )?)+)", page)
    named = {check for group in told for check in re.findall(r"`([a-z-]+)`", group)}
    assert named
    assert named <= set(CHECKS)
    tables = re.findall(r"^\| What it may be \| Who finds it \|\n\| --- \| --- \|\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert tables
    assert all("check" in row.rsplit("|", 2)[1] for table in tables for row in table.splitlines())
    for wanted in WANTED[name]:
        assert wanted in page


@pytest.mark.parametrize("name", GUIDES)
def test_every_target_of_the_doctor_is_one(name: str) -> None:
    asked = [words[2] for words in commands(GUIDES[name]) if words[:2] == ["ringlight", "doctor"]]
    assert asked
    assert all(target in TARGETS or target in CAMERAS or "://" in target for target in asked)


@pytest.fixture
def run(ring: SimulatedRing, tmp_path: Path) -> Run:
    """Run a command as a reader does who has signed in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    kept |= {"RINGLIGHT_RING_URL": ring.url, "RINGLIGHT_STATE_DIR": str(tmp_path / "state"), "NO_COLOR": "1"}
    ringlight = str(Path(sys.executable).with_name("ringlight"))

    def command(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ringlight, *words], cwd=tmp_path, env=kept, input=text, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    signed = command("login", "--email", ring.world.email, text="ringlight\n123456\n")
    assert signed.returncode == 0, signed.stderr
    return command


@pytest.mark.program
@pytest.mark.parametrize("name", GUIDES)
def test_the_commands_of_a_guide_say_what_it_shows(name: str, run: Run, tmp_path: Path) -> None:
    """Those of the doctor have tests of their own; here they would need a server, an app and a browser."""
    said = []
    joined = json.dumps({"type": "user-joined", "userType": "patient", "totalUsers": 2})
    message = {"type": "receive", "time": 1.0, "opcode": 1, "data": joined}
    har = {"log": {"entries": [{"_webSocketMessages": [message]}]}}
    (tmp_path / "call.har").write_text(json.dumps(har))
    for words in commands(GUIDES[name]):
        if words[1] == "doctor":
            continue
        done = run(*words[1:])
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    shown = re.findall(r"^```text\n(.*?)^```", GUIDES[name], re.MULTILINE | re.DOTALL)
    assert shown
    for text in shown:
        pattern = re.sub(r"\d+", r"\\d+", re.escape(text)) if "messages" in text else re.escape(text)
        assert any(re.search(pattern, output) for output in said), text


def test_the_program_about_errors_is_one() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", GUIDES["ring-api-errors"], re.MULTILINE | re.DOTALL)
    compile(program, "ring-api-errors.md", "exec")
    exec("\n".join(line for line in program.splitlines() if line.startswith("from ")))  # what it imports is there
