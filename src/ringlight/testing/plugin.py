"""The pytest plugin: the fixture `ring`, a simulated Ring in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def ring() -> "Iterator[object]":
    """Run a simulated Ring for one test; see `ringlight.testing.SimulatedRing`.

    It runs in a thread with an event loop of its own, so that synchronous and asynchronous tests,
    and programs started as processes, can all use it.
    """
    from ringlight.testing import SimulatedRing, simulator  # noqa: PLC0415 - only who asks for it pays for it

    started: list[SimulatedRing] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def main() -> None:
        async with simulator() as running:
            started.append(running)
            ready.set()
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(main())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=work, name="simulated Ring")
    thread.start()
    ready.wait()
    try:
        yield started[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
