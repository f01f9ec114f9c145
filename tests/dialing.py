"""What the tests of the live view share: an account on a simulated Ring, and clients that note what happens."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ringlight import Account
from ringlight.account import Credentials
from ringlight.account.endpoints import signaling_url
from ringlight.errors import RingError, fault_error
from ringlight.liveview import Event, LiveViewClient, Note, Step, Trying
from ringlight.liveview.trace import Direction
from ringlight.media.rtp import Packet
from ringlight.secrets import Secret
from ringlight.settings import CameraSettings, LiveViewSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing

FRONT_DOOR = 1001


@dataclass
class Notes:
    """What a client told while it ran; also a trace."""

    events: list[Event] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)
    messages: list[tuple[Direction, Mapping[str, Any]]] = field(default_factory=list)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def packet(self, packet: Packet) -> None:
        self.packets.append(packet)
        self.flowing.set()

    def record(self, direction: Direction, message: Mapping[str, Any]) -> None:
        self.messages.append((direction, message))

    @property
    def steps(self) -> list[str]:
        return [event.name for event in self.events if isinstance(event, Step)]

    @property
    def tries(self) -> list[Trying]:
        return [event for event in self.events if isinstance(event, Trying)]

    @property
    def notes(self) -> list[str | None]:
        return [event.code for event in self.events if isinstance(event, Note)]

    @property
    def sent(self) -> list[Mapping[str, Any]]:
        return [message for direction, message in self.messages if direction == "out"]


@asynccontextmanager
async def account_at(ring: SimulatedRing, **live_view: Any) -> AsyncIterator[Account]:
    """An account that is signed in, with short deadlines where they are given."""
    settings = Settings(ring_url=ring.url, live_view=LiveViewSettings(**live_view), cameras=CameraSettings(linger=0.0))
    credentials = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
    async with Account.open(settings, store=MemoryTokenStore(), credentials=credentials) as account:
        yield account


def client_of(account: Account, notes: Notes, number: int = FRONT_DOOR) -> LiveViewClient:
    async def url() -> Secret:
        return signaling_url(account.settings.ring_url, None, await account.ticket(), f"ring_site-{uuid.uuid4()}")

    return LiveViewClient(
        number,
        token=account.access_token,
        signaling_url=url,
        settings=account.settings.live_view,
        on_packet=notes.packet,
        on_event=notes.events.append,
        trace=notes,
    )


def client_at(address: str, notes: Notes, **live_view: Any) -> LiveViewClient:
    """A client of a server that needs no account."""

    async def token() -> None:
        pass

    async def url() -> Secret:
        return Secret(address)

    return LiveViewClient(
        FRONT_DOOR,
        token=token,
        signaling_url=url,
        settings=LiveViewSettings(**live_view),
        on_packet=notes.packet,
        on_event=notes.events.append,
        trace=notes,
    )


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def ended_or_tried_again(view: LiveViewClient, notes: Notes) -> RingError:
    """Return why the view ended, or why another was opened in its place: the user is told either."""
    ended = asyncio.create_task(view.ended())
    try:
        while not ended.done():
            again = next((trying for trying in notes.tries if trying.code is not None), None)
            if again is not None and again.code is not None and notes.flowing.is_set():
                return fault_error(again.code, again.detail)
            await asyncio.wait({ended}, timeout=0.02)
        return ended.result()
    finally:
        ended.cancel()
