"""Opening and closing again and again, in every way in which a view ends: nothing is left of any round."""

import asyncio
import threading

import pytest

from dialing import Notes, account_at, client_of, open_files
from ringlight.errors import RingError
from ringlight.liveview import policy
from ringlight.simulator.world import Delays
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.anyio
ROUNDS = 40
# What goes wrong in each kind of round; the first is a view that runs until it is closed.
WAYS: tuple[tuple[str, ...], ...] = (
    (),
    ("not-ready",),
    ("session-lost",),
    ("no-udp",),
    ("expired-ticket",),
    ("ticket-500",),
)


def own_threads() -> int:
    """Threads but those of the event loops' pools, which grow with the load to a fixed number and are kept."""
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


async def _round(ring: SimulatedRing, way: tuple[str, ...], number: int) -> str:
    """Open a view, listen to it, and close it: at once, before the camera is there, or while it runs."""
    ring.world.switch(list(way))
    ring.world.delays = Delays(answer=0.02) if number % 2 else Delays()
    notes = Notes()
    path_timeout = 0.05 if "no-udp" in way else 15.0
    async with account_at(ring, retries=1, ready_retries=2, path_timeout=path_timeout) as account:
        client = client_of(account, notes)
        listening = asyncio.create_task(anext(client.events()))
        try:
            async with client:
                if not way and number % 3:
                    await asyncio.wait_for(notes.flowing.wait(), 20)
        except RingError as error:
            code = error.code
        else:
            code = (await client.ended()).code
        await listening
    return code


async def _left_over(tasks: set[asyncio.Task[object]], files: int, threads: int) -> dict[str, int]:
    """What is there beyond what was before; the simulator may need a moment to see that we have gone."""
    for _ in range(200):
        left = {
            "tasks": len(asyncio.all_tasks() - tasks),
            "files": max(0, open_files() - files),
            "threads": max(0, own_threads() - threads),
        }
        if not any(left.values()):
            break
        await asyncio.sleep(0.02)
    return left


async def test_no_round_leaves_a_task_a_socket_a_file_or_a_thread(
    ring: SimulatedRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(policy, "READY_PAUSE", 0.02)
    for way in WAYS:  # once each beforehand: what is made at the first use and kept is no leak
        await _round(ring, way, 1)
    tasks, files, threads = asyncio.all_tasks(), open_files(), own_threads()
    ended = {await _round(ring, WAYS[number % len(WAYS)], number) for number in range(ROUNDS)}
    assert {"SIG-CLOSED", "SIG-SESSION-LOST", "SIG-TICKET", "RING-DOWN"} <= ended
    assert await _left_over(tasks, files, threads) == {"tasks": 0, "files": 0, "threads": 0}
