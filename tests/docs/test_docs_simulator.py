"""The page about the simulator says what the simulator does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from raw_client import raw_client
from ringlight.faults import find
from ringlight.simulator.behaviour import PROFILES
from ringlight.simulator.director import load_scenario, playing, scenario_names, world_of
from ringlight.simulator.scenario import parse_scenario
from ringlight.simulator.switchboard import SWITCHES, SimFault
from ringlight.simulator.world import CAMERAS, World
from ringlight.testing import simulator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "simulator.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def _told(switch: SimFault) -> str:
    code = f"`{switch.code}`" if switch.code else "nothing"
    return f"{code}, and gets over it" if switch.overcome and switch.code else code


def table_of_switches() -> str:
    rows = [f"| `{s.name}` | {s.title} | {s.about} | {_told(s)} |" for s in SWITCHES.values()]
    return "\n".join(
        ["| Switch | Title | What the simulator does | Ringlight says |", "| --- | --- | --- | --- |", *rows]
    )


def table_of_profiles() -> str:
    rows = [f"| `{profile.name}` | {profile.about} |" for profile in PROFILES.values()]
    return "\n".join(["| Profile | What it is |", "| --- | --- |", *rows])


def table_of_scenarios() -> str:
    scenarios = {name: load_scenario(name) for name in scenario_names()}
    rows = [f"| `{name}` | {scenario.title} | {scenario.about} |" for name, scenario in scenarios.items()]
    return "\n".join(["| Scenario | Title | What is to be seen |", "| --- | --- | --- |", *rows])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("switches", table_of_switches()), ("profiles", table_of_profiles()), ("scenarios", table_of_scenarios())],
)
def test_the_tables_are_those_of_the_simulator(name: str, expected: str) -> None:
    """If one is not: put the expected text, which pytest shows, between the two comments of the page."""
    found = re.search(rf"<!-- {name}: [^>]*-->\n(.*?)\n?<!-- end of {name} -->", PAGE, re.DOTALL)
    assert found is not None
    assert found[1] == expected


@pytest.mark.anyio
async def test_the_scenario_on_the_page_is_played_as_it_says() -> None:
    """The line is cut after 20 seconds, in which the bell has rung."""
    (text,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    scenario = parse_scenario(text, "page")
    world = world_of(scenario, speed=50.0)
    async with simulator(world) as ring, raw_client(ring) as client, playing(world, scenario):
        assert await client.end() == (1006, "")
        assert scenario.expect == find("socket", 1006)
        assert [(event.kind, event.doorbot_id) for event in world.events[:1]] == [("ding", 1001)]
        assert world.on == {"bad-notice"}


def test_the_account_and_the_cameras_are_those_of_the_simulator() -> None:
    world = World()
    for value in (world.email, world.password, world.code):
        assert f"`{value}`" in PAGE
    for camera in CAMERAS:
        power = "wired" if camera.battery is None else f"battery, {camera.battery} %"
        address = camera.name.lower().replace(" ", "-")
        row = (
            f"| {camera.name} | {camera.id} | `{address}` | `{camera.kind}` | {power} | {camera.profile.capitalize()} |"
        )
        assert row in PAGE


def test_the_limits_are_those_of_the_simulator() -> None:
    world = World()
    assert f"| `ping_interval` | seconds, as told to the client | {world.ping_interval:g} |" in PAGE
    assert f"| `time_limit` | seconds of a view | {world.time_limit:g} |" in PAGE
    assert f"| `activation_limit` | seconds without `activate_session` | {world.activation_limit:g} |" in PAGE


@pytest.mark.program
def test_the_tests_on_the_page_pass(tmp_path: Path) -> None:
    """The first block is a file of tests as a reader would write it, without any set-up of its own."""
    (tmp_path / "test_page.py").write_text(PYTHON_BLOCKS[0])
    finished = program("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py", folder=tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "2 passed" in finished.stdout


@pytest.mark.program
@pytest.mark.parametrize("number", range(1, len(PYTHON_BLOCKS)))
def test_the_other_programs_on_the_page_run(number: int, tmp_path: Path) -> None:
    finished = program("-c", PYTHON_BLOCKS[number], folder=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")


def program(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RINGLIGHT_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *args], cwd=folder, env=kept, capture_output=True, text=True, timeout=60, check=False
    )
