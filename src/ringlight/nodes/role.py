"""Work that one of several nodes does for all, and the next one when that is gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from ringlight.beside import beside
from ringlight.errors import RingError
from ringlight.nodes.keeper import CameraLeases

__all__ = ["held_by_one"]

LOOK_EVERY = 1.0  # seconds between two looks whether the work is free


@contextlib.asynccontextmanager
async def held_by_one(
    leases: CameraLeases | None, name: str, work: Callable[[], AbstractAsyncContextManager[Any]]
) -> AsyncIterator[None]:
    """Do some work inside of the `async with`, for as long as this node is the one that does.

    Args:
        leases: Of the nodes; `None` is one server alone, which does it all the time.
        name: Of the work; no camera has it.
        work: Makes what runs while it is entered.
    """
    if leases is None:
        async with work():
            yield
        return
    async with beside(_do(leases, name, work), f"held by one: {name}"):
        yield


async def _do(leases: CameraLeases, name: str, work: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
    while True:
        try:
            lease = await leases.take(f"work: {name}", name)
        except RingError:
            await asyncio.sleep(LOOK_EVERY)
            continue
        try:
            async with work():
                await lease.lost()
        finally:
            lease.release()
