"""A simulated Ring as a process of its own, so that neither its time nor its memory is counted with ours.

Run as a program it prints its URL and who may sign in, and serves until it is stopped:
`python bench/simulated.py CAMERAS DELAYS`, with the delays as JSON.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.store import MemoryTokenStore


@dataclass(frozen=True, slots=True)
class Ring:
    """Where it answers, and who may sign in."""

    url: str
    email: str
    password: str
    code: str


@contextlib.contextmanager
def simulated_ring(cameras: int, **delays: float) -> Iterator[Ring]:
    """Run it with as many cameras; `delays` are those of its phases, in seconds."""
    command = [sys.executable, __file__, str(cameras), json.dumps(delays)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Ring(*json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)


@contextlib.asynccontextmanager
async def signed_in(ring: Ring, state: Path) -> AsyncIterator[Account]:
    """Open the account of a simulated Ring."""
    known = Credentials(ring.email, Secret(ring.password), ring.code)
    settings = Settings(ring_url=ring.url, state_dir=state)
    async with Account.open(settings, store=MemoryTokenStore(), credentials=known) as account:
        yield account


async def _serve(cameras: int, delays: dict[str, float]) -> None:
    # Loaded here, since the programs that are measured import this module too.
    from ringlight.simulator.world import CAMERAS, Delays, World  # noqa: PLC0415
    from ringlight.testing import simulator  # noqa: PLC0415

    first = CAMERAS[0]  # one clip for all: what is measured is not the drawing of pictures
    world = World(cameras=tuple(replace(first, id=2000 + number) for number in range(cameras)), delays=Delays(**delays))
    world.draw()
    async with simulator(world) as ring:
        print(json.dumps([ring.url, world.email, world.password, world.code]), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), json.loads(sys.argv[2])))
