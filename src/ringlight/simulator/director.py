"""Playing a scenario: where its files are, the world that it begins with, and its timeline in real time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

from ringlight.beside import beside
from ringlight.errors import fault_error
from ringlight.faults import FAULTS
from ringlight.simulator.premises import CAMERAS, SimCamera
from ringlight.simulator.scenario import CameraTable, Moment, Scenario, parse_scenario
from ringlight.simulator.switchboard import SWITCHES
from ringlight.simulator.world import Delays, World

__all__ = ["apply", "load_scenario", "play", "playing", "scenario_names", "world_of"]

_SHIPPED = resources.files("ringlight.simulator") / "scenarios"


def scenario_names() -> list[str]:
    """Return the names of the scenarios that come with Ringlight."""
    return sorted(file.name.removesuffix(".toml") for file in _SHIPPED.iterdir() if file.name.endswith(".toml"))


def _of_fault(code: str) -> Scenario:
    """The scenario of a fault: the first switch that brings it about is on."""
    switch = next((switch for switch in SWITCHES.values() if switch.code == code), None)
    if switch is None:
        raise fault_error("CFG-INVALID", f"no switch of the simulator brings {code} about; `--list` shows what they do")
    return Scenario(title=switch.title, about=switch.about, on=(switch.name,), expect="" if switch.overcome else code)


def load_scenario(name: str) -> Scenario:
    """Read a scenario: one that comes with Ringlight, by its name; the code of a fault, which is shown from the start;
    or any file.

    Raises:
        SetupError: CFG-INVALID where there is none, or it cannot be read.
    """
    file = Path(name)
    if name in FAULTS:
        return _of_fault(name)
    try:
        if name in scenario_names():
            return parse_scenario((_SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), name)
        return parse_scenario(file.read_text(encoding="utf-8"), name)
    except FileNotFoundError:
        known = ", ".join(scenario_names())
        raise fault_error("CFG-INVALID", f"there is no scenario and no file {name}; there are {known}") from None
    except (OSError, UnicodeError) as error:
        raise fault_error("CFG-INVALID", f"{name}: {error}") from None


def world_of(scenario: Scenario, *, seed: int | None = None, speed: float | None = None) -> World:
    """Make the world that a scenario begins with.

    Args:
        scenario: The story.
        seed: In place of the scenario's.
        speed: In place of the scenario's.
    """
    world = World(
        cameras=tuple(_camera(table) for table in scenario.cameras) or CAMERAS,
        profile=scenario.profile,
        seed=scenario.seed if seed is None else seed,
        speed=scenario.speed if speed is None else speed,
        jitter=scenario.jitter,
        delays=Delays(**{name: getattr(scenario.delays, name) for name in scenario.delays.__struct_fields__}),
        ping_interval=scenario.limits.ping_interval,
        time_limit=scenario.limits.view,
        activation_limit=scenario.limits.activation,
    )
    given = scenario.partner
    world.partner.grants.access_life, world.partner.grants.refresh_life = given.access_life, given.refresh_life
    world.partner.limit.calls = given.calls_per_second
    for name in ("address_life", "view_battery", "view_line", "media_lag"):
        setattr(world.partner, name, getattr(given, name))
    world.switch(list(scenario.on))
    return world


def apply(world: World, moment: Moment) -> None:
    """Let something happen now."""
    if moment.only is not None:
        world.switch(list(moment.only))
    if moment.on or moment.off:
        world.switch(sorted((world.on | set(moment.on)) - set(moment.off)))
    for number, kind in ((moment.bell, "ding"), (moment.motion, "motion")):
        if number is not None:
            world.press(number, kind)
    if moment.reason is not None:
        world.end_views(moment.reason, moment.text)
    elif moment.socket is not None or moment.cut:
        world.end_sockets(None if moment.cut else moment.socket, moment.text)


async def play(world: World, scenario: Scenario) -> None:
    """Play the timeline, at the world's speed; returns at its end, never where it repeats."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for seconds, moment in scenario.moments():
        await asyncio.sleep(began + seconds / world.speed - loop.time())
        apply(world, moment)


@contextlib.asynccontextmanager
async def playing(world: World, scenario: Scenario | None) -> AsyncIterator[None]:
    """Play a scenario beside the body of the `async with`; `None` plays nothing."""
    async with beside(play(world, scenario) if scenario is not None else None, "scenario"):
        yield


def _camera(table: CameraTable) -> SimCamera:
    is_doorbell = table.kind.startswith(("doorbell", "doorbot", "lpd_", "jbox_")) or "doorbell" in table.kind
    group = "doorbots" if is_doorbell else "stickup_cams"
    hue = 140 + table.id % 50
    return SimCamera(table.id, table.name, table.kind, group, table.h264, hue, table.battery, table.pan_and_tilt)
