"""An upstream that opens only where no other node has the camera, and ends where another one gets it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from ringlight.cameras.view import Upstream
from ringlight.errors import RingError
from ringlight.media.negotiate import Agreed
from ringlight.media.rtp import Packet

__all__ = ["Lease", "LeasedUpstream", "Take"]

T = TypeVar("T")


class Lease(Protocol):
    """What says that this node may show a camera."""

    async def lost(self) -> RingError:
        """Wait until it may not any more; return why."""

    def release(self) -> None:
        """Give it back."""


Take = Callable[[], Awaitable[Lease]]
"""Takes the lease of a camera; raises ElsewhereError where another node has it."""


class LeasedUpstream:
    """An upstream and the lease that it needs.

    Args:
        upstream: What is opened.
        take: Takes the lease.
    """

    def __init__(self, upstream: Upstream, take: Take) -> None:
        self._upstream, self._take = upstream, take
        self._lease: Lease | None = None

    async def open(self) -> Agreed:
        """Take the lease, then open.

        Raises:
            ElsewhereError: CAM-ELSEWHERE.
            RingError: NODE-ALONE or NODE-LEAVING, or why it could not be opened.
        """
        self._lease = await self._take()
        try:
            return await self._or_lost(self._upstream.open())
        except BaseException:
            self._release()
            raise

    async def ended(self) -> RingError:
        """Wait for its end, or that of the lease; return why."""
        try:
            return await self._or_lost(self._upstream.ended())
        except RingError as error:
            return error
        finally:
            self._release()

    async def close(self) -> None:
        """Close it in order; then others may have the camera."""
        try:
            await self._upstream.close()
        finally:
            self._release()

    def ask_key_frame(self) -> None:
        """Ask the camera for a key frame."""
        self._upstream.ask_key_frame()

    async def command(self, method: str, params: Mapping[str, Any]) -> str | None:
        """Let the camera do something; see `Upstream`."""
        return await self._upstream.command(method, params)

    async def talk(self, *, on: bool) -> None:
        """Open the camera's speaker, or close it."""
        await self._upstream.talk(on=on)

    def send_sound(self, packet: Packet) -> None:
        """Send a packet of sound."""
        self._upstream.send_sound(packet)

    async def _or_lost(self, work: Awaitable[T]) -> T:
        """Wait for something of the upstream; where the lease is lost first, close it and raise why."""
        assert self._lease is not None  # noqa: S101 - opened first
        doing, losing = asyncio.ensure_future(work), asyncio.ensure_future(self._lease.lost())
        try:
            await asyncio.wait({doing, losing}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            await self._upstream.close()
            raise losing.result()
        finally:
            losing.cancel()
            doing.cancel()
            with contextlib.suppress(RingError, asyncio.CancelledError):
                await doing

    def _release(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()
