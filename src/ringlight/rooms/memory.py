"""Rooms without a network: for tests, and as the plainest adapter there can be."""

import itertools
import json
from typing import Any

from ringlight.rooms.admission import Admission
from ringlight.rooms.house import House
from ringlight.rooms.porter import Porter
from ringlight.rooms.tokens import Tokens
from ringlight.settings import RoomSettings

__all__ = ["MemoryRooms", "MemorySocket"]


class MemorySocket:
    """One connection.

    Attributes:
        frames: What was sent to it, in order.
        closed: Code and reason, once it is closed from the rooms' side.
    """

    def __init__(self, porter: Porter) -> None:
        self.frames: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.number = 0
        self._porter = porter

    @property
    def heard(self) -> list[dict[str, Any]]:
        """What was sent to it, read."""
        return [json.loads(frame) for frame in self.frames]

    def send(self, frame: bytes) -> None:
        """Take a frame of the rooms."""
        self.frames.append(frame)

    def close(self, code: int, reason: str) -> None:
        """Take the end from the rooms."""
        self.closed = (code, reason)

    def say(self, message: dict[str, Any] | str | bytes) -> None:
        """Send a frame to the rooms; bytes go as binary."""
        if isinstance(message, dict):
            message = json.dumps(message)
        self._porter.heard(self.number, message.encode() if isinstance(message, str) else None)

    def drop(self) -> None:
        """Let the connection break."""
        self._porter.lost(self.number)


class MemoryRooms:
    """All rooms, with a clock that stands until it is moved.

    Args:
        settings: Of rooms; `None` takes the defaults.
        tokens: Signs and checks; `None` knows none.
        now: Where the clock begins, in seconds since 1970.
    """

    def __init__(self, settings: RoomSettings | None = None, tokens: Tokens | None = None, now: float = 1e9) -> None:
        chance = itertools.count(1)
        self.now = now
        settings = settings or RoomSettings()
        admission = Admission(settings, tokens, any_loopback_origin=True)
        self.house = House(settings, lambda: str(next(chance)), admission)
        self.porter = Porter(self.house, lambda: self.now)

    def connect(self, path: str, **options: Any) -> MemorySocket:
        """Open a connection, by default from this machine; options as those of `Porter.open`."""
        socket = MemorySocket(self.porter)
        from_here = {"host": "localhost", "local": True, "peer": "127.0.0.1"}
        socket.number = self.porter.open(socket, path, **{**from_here, **options})
        return socket

    def pass_time(self, seconds: float) -> None:
        """Move the clock on, telling each second."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1)
            self.porter.tick()
