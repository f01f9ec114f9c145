"""Scenario files: what they may say, how a mistake is named, and that those we ship do what they promise."""

import asyncio
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_client import raw_client
from ringlight import Account
from ringlight.account import Credentials
from ringlight.errors import RingError
from ringlight.secrets import Secret
from ringlight.settings import load_settings
from ringlight.simulator.director import apply, load_scenario, play, playing, scenario_names, world_of
from ringlight.simulator.scenario import DelaysTable, Moment, Scenario, parse_scenario
from ringlight.simulator.switchboard import SWITCHES
from ringlight.simulator.world import Delays, World
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

SHIPPED = Path(__file__).parents[2] / "src" / "ringlight" / "simulator" / "scenarios"
WHOLE = """
title = "All that a file can say"
about = "It is long."
seed = 5
profile = "hostile"
speed = 2
jitter = 0.5
expect = "SIG-DROPPED"
on = ["noise"]
repeat = 60

[delays]
session = 1
answer = 0.25

[limits]
view = 30
ping_interval = 2

[[cameras]]
id = 7
name = "Shed"
battery = 50

[[at]]
seconds = 9.5
cut = true

[[at]]
seconds = 3
on = ["no-udp"]
off = ["noise"]
bell = 7
"""


def _complaint(text: str) -> str:
    with pytest.raises(RingError) as caught:
        parse_scenario(text, "a.toml")
    assert caught.value.code == "CFG-INVALID"
    return caught.value.detail or ""


# The file


def test_a_file_with_everything_is_read_and_played_in_order() -> None:
    scenario = parse_scenario(WHOLE, "a.toml")
    assert (scenario.seed, scenario.profile, scenario.speed, scenario.limits.view) == (5, "hostile", 2.0, 30.0)
    first = list(itertools.islice(scenario.moments(), 4))
    assert [seconds for seconds, _ in first] == [3.0, 9.5, 63.0, 69.5], "in order of time, and again after a minute"
    assert first[0][1].bell == 7
    world = world_of(scenario)
    assert (world.delays, world.on, world.speed) == (Delays(session=1.0, answer=0.25), {"noise"}, 2.0)
    assert [camera.name for camera in world.cameras] == ["Shed"]
    apply(world, first[0][1])
    assert world.on == {"no-udp"}
    assert (world.events[0].kind, world.events[0].doorbot_id) == ("ding", 7)


def test_seed_and_speed_of_the_command_win() -> None:
    world = world_of(parse_scenario(WHOLE, "a.toml"), seed=9, speed=100.0)
    assert (world.seed, world.speed) == (9, 100.0)
    assert world.hexadecimal(4) == World(seed=9).hexadecimal(4)


def test_the_phases_that_can_be_delayed_are_those_of_the_world() -> None:
    assert DelaysTable.__struct_fields__ == Delays.__slots__


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('title = "All that a file can say"', "", "title"),
        ("seed = 5", 'seed = "five"', "line 4, seed: Expected `int"),
        ('profile = "hostile"', 'profile = "friendly"', "line 5, profile: no profile 'friendly'"),
        ("speed = 2", "speed = 0", "line 6, speed"),
        ("jitter = 0.5", "jitter = 1.5", "line 7, jitter"),
        ('expect = "SIG-DROPPED"', 'expect = "SIG-DROPED"', "line 8, expect: no fault"),
        ('on = ["noise"]', 'on = ["nose"]', "line 9, on: no switch 'nose'"),
        ("answer = 0.25", "anwser = 0.25", "line 14, delays: Object contains unknown field `anwser`"),
        ("view = 30", 'view = "long"', "line 17, limits.view"),
        ('name = "Shed"', "", "line 20, cameras[0]: Object missing required field `name`"),
        ("battery = 50", "battery = 101", "line 23, cameras[0].battery"),
        ("cut = true", "", "line 25, at[0]: nothing happens then"),
        ("cut = true", 'cut = true\nreason = 5', "line 25, at[0]: only one of"),
        ("cut = true", 'cut = true\ntext = "x"', "line 28, at[0].text"),
        ("cut = true", "socket = 1006", "line 27, at[0].socket: 1006 is never sent"),
        ("cut = true", "socket = 99", "line 27, at[0].socket"),
        ("bell = 7", "bell = 8", "line 33, at[1].bell: no camera 8"),
        ("seconds = 3", "seconds = 60", "line 30, at[1].seconds: comes after the timeline begins again"),
        ("seconds = 3", "secs = 3", "line 30, at[1]: Object contains unknown field `secs`"),
        ("[limits]", "[limits", "line 16"),
        ("[limits]", "[limit]", "line 16: Object contains unknown field `limit`"),
        ("repeat = 60", "[in_turn]\nseconds = 5", "in_turn: goes without [[at]]"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_and_field(old: str, new: str, named: str) -> None:
    assert WHOLE.count(old) == 1
    said = _complaint(WHOLE.replace(old, new))
    assert said.startswith("a.toml: ")
    assert named in said


LINES = WHOLE.splitlines()
CHANGED = st.text(max_size=20) | st.sampled_from([*LINES, "[[at]]", "[at]", "a=1", "x=[]"])


def _judged(text: str) -> Scenario | RingError:
    try:
        return parse_scenario(text, "a.toml")
    except RingError as error:
        return error


@given(st.integers(0, len(LINES) - 1), CHANGED)
def test_whatever_a_line_is_changed_to_is_read_or_named(number: int, line: str) -> None:
    """Never another exception than CFG-INVALID; what can be read can be played in order."""
    judged = _judged("\n".join([*LINES[:number], line, *LINES[number + 1 :]]))
    if isinstance(judged, RingError):
        assert judged.code == "CFG-INVALID"
        assert (judged.detail or "").startswith("a.toml: ")
    else:
        times = [seconds for seconds, _ in itertools.islice(judged.moments(), 20)]
        assert times == sorted(times)


@given(st.text(max_size=200))
def test_any_text_is_at_worst_invalid(text: str) -> None:
    judged = _judged(text)
    assert not isinstance(judged, RingError) or judged.code == "CFG-INVALID"


def test_a_bell_of_none_of_the_usual_cameras_is_a_mistake_too() -> None:
    with pytest.raises(RingError, match=r"line 4, at\[0\].bell: no camera 7"):
        parse_scenario('title = "A bell"\n[[at]]\nseconds = 1\nbell = 7\n', "a.toml")


def test_the_code_of_a_fault_is_a_scenario_that_shows_it_from_the_start() -> None:
    for switch in SWITCHES.values():
        if switch.code is None:
            continue
        scenario = load_scenario(switch.code)
        (name,) = scenario.on
        assert SWITCHES[name].code == switch.code
        assert scenario.expect == ("" if SWITCHES[name].overcome else switch.code)
    with pytest.raises(RingError, match="no switch of the simulator brings FILE-FULL about"):
        load_scenario("FILE-FULL")


def test_a_scenario_that_is_nowhere_is_named_with_those_that_are(tmp_path: Path) -> None:
    for name in ("no-such", str(tmp_path), str(tmp_path / "none.toml")):
        with pytest.raises(RingError, match="CFG-INVALID"):
            load_scenario(name)
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(RingError, match="CFG-INVALID"):
        load_scenario(str(broken))


# Playing


def test_in_turn_means_every_switch_alone_and_then_none() -> None:
    scenario = load_scenario("all-faults-in-turn")
    moments = list(itertools.islice(scenario.moments(), 2 * len(SWITCHES) + 1))
    assert [moment.only for _, moment in moments[:-1:2]] == [(name,) for name in SWITCHES]
    assert {moment.only for _, moment in moments[1::2]} == {()}
    assert moments[1][0] == 20.0
    assert moments[-1] == (30.0 * len(SWITCHES), Moment(seconds=0.0, only=(next(iter(SWITCHES)),)))


async def test_a_scenario_is_played_at_the_speed_of_its_world() -> None:
    """Ten minutes in a sixth of a second, and what happens then reaches a socket that is open."""
    scenario = parse_scenario(
        'title = "t"\n[[at]]\nseconds = 600\nreason = 31\ntext = "x"\n[[at]]\nseconds = 1200\nsocket = 1001\n', "t"
    )
    async with simulator(World(speed=3600.0, time_limit=1e6, activation_limit=1e6)) as ring, raw_client(ring) as client:
        await client.live()
        began = asyncio.get_running_loop().time()
        async with playing(ring.world, scenario):
            assert (await client.hear("close"))["body"]["reason"] == {"code": 31, "text": "x"}
            assert (await client.end())[0] == 1001
        assert 0.3 <= asyncio.get_running_loop().time() - began < 2.0


async def test_a_scenario_without_a_timeline_ends_at_once() -> None:
    async with asyncio.timeout(1):
        await play(World(), Scenario(title="t"))


# Those that come with Ringlight


def test_the_shipped_ones_are_named_as_their_files() -> None:
    assert scenario_names() == sorted(path.stem for path in SHIPPED.glob("*.toml"))
    assert set(scenario_names()) >= {
        "slow-battery-camera", "flaky-evening", "all-faults-in-turn", "renewal", "26-then-ready",
    }  # fmt: skip
    titles = [load_scenario(name).title for name in scenario_names()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", scenario_names())
async def test_a_shipped_scenario_leads_where_it_says(name: str) -> None:
    """Watched from the start by somebody who has just signed in, ten times as fast."""
    scenario = load_scenario(name)
    world = world_of(scenario, speed=10.0)
    async with simulator(world) as ring, playing(world, scenario), asyncio.timeout(20):
        error = await _watch(ring, seconds=2.5)
    assert (error.code if error else "") == scenario.expect, error


async def _watch(ring: SimulatedRing, seconds: float) -> RingError | None:
    settings = load_settings(ring_url=ring.url, cameras={"linger": 0.0})
    ada = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
    try:
        async with Account.open(settings, store=MemoryTokenStore(), credentials=ada) as account:
            camera = (await account.cameras())[0]
            async with camera.live_view() as view:
                await view.snapshot()
                async with asyncio.timeout(seconds):
                    return await view.ended()
    except TimeoutError:
        return None
    except RingError as error:
        return error
