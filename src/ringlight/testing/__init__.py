"""Fixtures that we ship: a simulated Ring for the tests of programs built on Ringlight."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ringlight.http.serving import listen, serving
from ringlight.simulator.app import create_app
from ringlight.simulator.world import World

__all__ = ["SimulatedRing", "simulator"]


@dataclass(frozen=True, slots=True)
class SimulatedRing:
    """A simulated Ring that runs.

    Attributes:
        url: Its base URL, for `RINGLIGHT_RING_URL` or `Settings(ring_url=…)`.
        world: Its state: switches, delays, recorded dialogs.
    """

    url: str
    world: World


@contextlib.asynccontextmanager
async def simulator(world: World | None = None) -> AsyncIterator[SimulatedRing]:
    """Run a simulated Ring on a free port of this machine.

    Args:
        world: Its state; `None` makes the usual account with three cameras.
    """
    world = world or World()
    async with serving(create_app(world), listen("127.0.0.1", 0)) as running:
        yield SimulatedRing(running.url.rstrip("/"), world)
