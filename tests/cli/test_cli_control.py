"""`light`, `siren`, `history`, `download`, `ptz`, `snapshot --fresh`, and what `devices` says of batteries."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import RINGLIGHT
from ringlight.faults import FAULTS
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.program
Run = Callable[..., subprocess.CompletedProcess[str]]
BELL = "7500000000000000003"


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, ring: SimulatedRing) -> Run:
    """Commands of somebody who has signed in to the simulated Ring."""
    settings = {**environment, "RINGLIGHT_RING_URL": ring.url, "TZ": "UTC"}

    def command(*args: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RINGLIGHT), *args], input=text, env=settings, cwd=tmp_path, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    signed = command("login", "--email", "ada@ringlight.test", text="ringlight\n123456\n")
    assert signed.returncode == 0, signed.stderr
    return command


def test_light_and_siren_are_switched(run: Run, ring: SimulatedRing) -> None:
    lit = run("light", "driveway", "on")
    assert (lit.returncode, lit.stdout, lit.stderr) == (0, "", "Driveway: the light is on\n")
    assert ring.world.lights == {1003: True}
    loud = run("siren", "Driveway", "on", "--seconds", "9", "--json")
    assert json.loads(loud.stdout) == {"camera": "driveway", "siren": "on", "seconds": 9}
    assert 0 < ring.world.siren_seconds(1003) <= 9
    assert run("siren", "Driveway", "off").stderr == "Driveway: the siren is silent\n"
    assert ring.world.siren_seconds(1003) == 0


def test_what_a_camera_cannot_do_is_a_fault_and_a_wrong_word_wrong_use(run: Run, tmp_path: Path) -> None:
    for args, code in (
        (("light", "Front Door", "on"), "CAM-UNABLE"),
        (("siren", "Front Door", "on"), "CAM-UNABLE"),
        (("ptz", "Front Door", "left"), "CAM-NO-PTZ"),
        (("history", "Garage"), "CAM-UNKNOWN"),
        (("download", "Front Door", "12", "x.mp4"), "CAM-RECORDING"),
        (("download", "Front Door", BELL, "no/x.mp4"), "FILE-WRITE"),
    ):
        failed = run(*args)
        assert (failed.returncode, failed.stdout) == (1, ""), args
        assert failed.stderr.startswith(f"{code}: "), failed.stderr
        assert FAULTS[code].fix in failed.stderr
    assert run("light", "Driveway", "blink").returncode == 2
    assert run("siren", "Driveway", "on", "--seconds", "121").returncode == 2
    assert run("download", "Front Door", "a b", "x.mp4").returncode == 2
    assert not list(tmp_path.glob("*.mp4*"))


def test_the_history_is_listed_for_people_and_for_programs(run: Run) -> None:
    table = run("history", "front-door").stdout.splitlines()
    assert [re.split(r"\s{2,}", line.strip()) for line in table] == [
        ["time", "kind", "recording", "event"],
        ["2026-02-03 18:04:05", "bell", "yes", BELL],
        ["2026-02-03 18:03:58", "motion, person", "yes", "7500000000000000002"],
        ["2026-02-02 07:00:00", "live view", "no", "7500000000000000001"],
    ]
    (newest,) = json.loads(run("history", "front-door", "--limit", "1", "--json").stdout)["events"]
    assert (newest["id"], newest["kind"], newest["at"]) == (BELL, "ding", 1770141845.25)
    assert "begun" not in newest, "only the bells ask for it"
    empty = run("history", "back-yard")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "has seen nothing" in empty.stderr


def test_a_recording_is_downloaded(run: Run, tmp_path: Path) -> None:
    saved = run("download", "front-door", BELL, "bell.mp4", "--json")
    assert saved.returncode == 0, saved.stderr
    assert json.loads(saved.stdout)["bytes"] == (tmp_path / "bell.mp4").stat().st_size
    probe = ["ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_name", "bell.mp4"]
    assert subprocess.run(probe, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip() == "h264"
    told = run("download", "front-door", BELL, "bell.mp4")
    assert (told.stdout, re.fullmatch(r"bell\.mp4: \d+ bytes\n", told.stderr) is not None) == ("", True)


def test_a_fresh_snapshot_needs_no_view_and_turning_says_how_far(run: Run, ring: SimulatedRing, tmp_path: Path) -> None:
    taken = json.loads(run("snapshot", "Back Yard", "yard.jpg", "--fresh", "--json").stdout)
    assert (taken["source"], ring.world.live_views) == ("camera", 0)
    assert (tmp_path / "yard.jpg").read_bytes().startswith(b"\xff\xd8")
    assert run("ptz", "Driveway", "left").stderr == "Driveway turned left\n"
    assert run("ptz", "Driveway", "left").returncode == 0
    assert json.loads(run("ptz", "Driveway", "left", "--json").stdout) == {"camera": "driveway", "result": "limit"}


def test_devices_says_what_a_minute_costs_once_it_is_measured(run: Run, environment: dict[str, str]) -> None:
    assert "Back Yard, video on battery: not measured yet" in run("devices").stdout
    state = Path(environment["RINGLIGHT_STATE_DIR"])
    (state / "batteries.json").write_text('{"1002": [[20.0, 7], [22.0, 5]]}')
    table = run("devices").stdout
    assert table.count("about 0.3 % a minute (measured over 42 minutes)") == 1
    door, yard, _ = json.loads(run("devices", "--json").stdout)["devices"]
    assert (door["battery_cost"], yard["battery_cost"]["percent_per_minute"]) == (None, 0.286)
    assert oct(os.stat(state).st_mode & 0o777) == "0o700"
