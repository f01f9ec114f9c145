"""The protocol class that uvicorn hands its WebSockets to: some paths are served here at once, all others by ASGI.

A message over ASGI costs a task switch, a queue and two dictionaries. Here it is one call from the socket to whoever
listens, and one write.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Protocol, cast

from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from ringlight.http.websocket import handshake
from ringlight.http.websocket.frames import (
    Closed,
    Event,
    Frames,
    Ping,
    Pong,
    Unmask,
    Violation,
    close_frame,
    ping_frame,
    pong_frame,
    text_frame,
)
from ringlight.http.websocket.frames import unmask as own_unmask
from ringlight.http.websocket.handshake import Upgrade

__all__ = ["FastSocket", "FastSockets", "Listener", "protocol_class"]

unmask: Unmask = own_unmask
with contextlib.suppress(ImportError):  # a platform without wheels
    # In C, ten to thirty times as fast as ours. websockets 17 has no public name for it: should it go, ours is used.
    from websockets.speedups import apply_mask

    unmask = apply_mask

SWEEP = 1.0  # seconds between two looks at all sockets
CLOSE_WITHIN = 5.0  # seconds from our close frame until the connection is cut
RESTART = 1012  # the close code of a server that stops


class Listener(Protocol):
    """Whom the sockets of some paths talk to. No call may wait."""

    @property
    def most_bytes(self) -> int:
        """Bytes in one message."""

    @property
    def queue_bytes(self) -> int:
        """Bytes that may wait for a slow connection."""

    @property
    def ping_after(self) -> float:
        """Seconds of silence until a connection is pinged; after as many more it counts as lost."""

    def takes(self, path: str) -> bool:
        """Whether sockets at this path are its own."""

    def subprotocol(self, upgrade: Upgrade) -> str | None:
        """Choose one of those that are offered."""

    def opened(self, socket: "FastSocket", upgrade: Upgrade) -> int:
        """Take a new socket; return its number."""

    def heard(self, number: int, frame: bytes | None) -> None:
        """Take a text message; `None` is a binary one."""

    def lost(self, number: int, reason: str) -> None:
        """Take note that a socket is over: `network`, `silent` or `slow`. Comes after `close` too."""

    def too_big(self, socket: "FastSocket") -> None:
        """Say to a socket that its message was too long, and close it."""

    def too_slow(self, socket: "FastSocket") -> None:
        """Close a socket that does not take what it is sent."""

    def too_silent(self, socket: "FastSocket") -> None:
        """Close a socket of which nothing is heard any more, not even an answer to a ping."""

    def tick(self) -> None:
        """Take note that about a second has passed."""

    @property
    def is_idle(self) -> bool:
        """Whether no time has to be told while no socket is open."""


def protocol_class(listener: Listener) -> type[asyncio.Protocol]:
    """Return what `uvicorn.Config` takes as `ws`.

    Args:
        listener: Gets the sockets of its paths; all others get what `ws="websockets-sansio"` would give them.
    """
    return cast(type[asyncio.Protocol], FastSockets(listener))  # all that is done with it is to call it


class FastSockets:
    """Makes the sockets of one listener.

    Args:
        listener: As for `protocol_class`.
    """

    def __init__(self, listener: Listener) -> None:
        self._hall = _Hall(listener)

    def __call__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> "FastSocket":
        """Return a new one; the arguments are uvicorn's."""
        return FastSocket(self._hall, config, server_state, app_state)

    def takes(self, path: str) -> bool:
        """Whether sockets at this path are the listener's."""
        return self._hall.listener.takes(path)


class _Hall:
    """All sockets of one listener, looked at once a second: one timer for all of them costs each of them nothing."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.hear: Callable[[int, bytes], None] = listener.heard  # one for all of them
        self.sockets: set[FastSocket] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, socket: "FastSocket") -> None:
        self.sockets.add(socket)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SWEEP, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now, pings_at = loop.time(), max(1, round(self.listener.ping_after / SWEEP))
        for socket in list(self.sockets):
            socket.look(now, pings_at)
        self.listener.tick()
        going_on = self.sockets or not self.listener.is_idle
        self._timer = loop.call_later(SWEEP, self._sweep) if going_on else None


class FastSocket:
    """One WebSocket, from its upgrade request to its end: an `asyncio.Protocol`, though it need not inherit from it."""

    __slots__ = (
        "_app_state", "_closing_at", "_config", "_frames", "_full_at", "_hall", "_hear", "_heard", "_number", "_other",
        "_silent", "_state", "_transport", "path",
    )  # fmt: skip

    def __init__(self, hall: _Hall, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        self._hall = hall
        self._hear: Callable[[int, bytes], None] = hall.hear
        self._config: Config | None = config
        self._state = server_state
        self._app_state: dict[str, Any] | None = app_state
        self._transport: asyncio.Transport | None = None
        self._other: WebSocketsSansIOProtocol | None = None  # serves it instead, if the path is not the listener's
        self._frames: Frames | None = None
        self._number = 0
        self._heard = True  # since the last look
        self._silent = 0  # looks at which it had not
        self._full_at: float | None = None
        self._closing_at: float | None = None
        self.path = ""

    # What the listener does

    def send(self, frame: bytes) -> None:
        """Send a text message. It never waits: one that is not read is given up by and by."""
        transport = self._transport
        if transport is None or self._closing_at is not None:
            return
        transport.write(text_frame(frame))
        if self._full_at is not None and transport.get_write_buffer_size() > 2 * self._hall.listener.queue_bytes:
            self._give_up()

    def close(self, code: int, reason: str = "") -> None:
        """Close after what was sent before."""
        if self._transport is None or self._closing_at is not None:
            return
        self._transport.write(close_frame(code, reason))
        self._closing_at = asyncio.get_running_loop().time()

    def address(self, name: str) -> str:
        """Return the host of `sockname` (ours) or `peername` (theirs); empty where there is none."""
        found = self._transport.get_extra_info(name) if self._transport is not None else None
        return str(found[0]) if isinstance(found, tuple) else ""

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; uvicorn gives the request next."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's only act like one

    def data_received(self, data: bytes) -> None:
        """Read frames; the first piece is the request, as uvicorn repeats it."""
        frames = self._frames
        if frames is None:
            if self._other is not None:
                self._other.data_received(data)
            elif self._transport is not None and self._closing_at is None:
                self._begin(data)
            return
        self._heard = True
        text = frames.only_text(data)
        if text is not None:
            if self._closing_at is None:
                self._hear(self._number, text)
            return
        for event in frames.receive(data):
            if type(event) is bytes:
                if self._closing_at is None:
                    self._hall.listener.heard(self._number, event)
            else:
                self._not_text(event)

    def eof_received(self) -> None:
        """The other side sends nothing more, so the connection is over."""
        if self._other is not None:
            self._other.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the listener, unless it has closed the socket itself."""
        self._transport = None
        if self._other is not None:
            self._other.connection_lost(exc)
            return
        self._state.connections.discard(self)
        self._hall.sockets.discard(self)
        if self._frames is not None:
            self._hall.listener.lost(self._number, "network")

    def pause_writing(self) -> None:
        """More waits than may; there is a second for the network to take it."""
        if self._other is not None:
            self._other.pause_writing()
        else:
            self._full_at = asyncio.get_running_loop().time()

    def resume_writing(self) -> None:
        """The other side reads again."""
        if self._other is not None:
            self._other.resume_writing()
        else:
            self._full_at = None

    def shutdown(self) -> None:
        """The server stops; it waits for no one for long."""
        self.close(RESTART, "restart")
        if self._transport is not None:
            asyncio.get_running_loop().call_later(SWEEP, self._transport.abort)

    # Beginning and end

    def _begin(self, head: bytes) -> None:
        upgrade = handshake.read_upgrade(head)
        if self._hall.listener.takes(upgrade.path):
            self.begin(upgrade)
            return
        assert self._transport is not None and self._config is not None and self._app_state is not None  # noqa: PT018, S101 - a request comes after the connection
        self._other = WebSocketsSansIOProtocol(self._config, self._state, self._app_state)
        self._other.connection_made(self._transport)
        self._other.data_received(head)

    def begin(self, upgrade: Upgrade) -> None:
        """Open it, as this request asks; one that is wrong is answered, and the connection closed."""
        listener, transport = self._hall.listener, self._transport
        assert transport is not None  # noqa: S101 - as above
        try:
            key = handshake.judge(upgrade)
        except handshake.RefusedError as error:
            transport.write(handshake.refused(error))
            transport.close()
            self._closing_at = asyncio.get_running_loop().time()  # what still comes is no other request
            return
        self._config = self._app_state = None
        self.path = upgrade.path
        self._frames = Frames(listener.most_bytes, unmask)
        transport.set_write_buffer_limits(high=listener.queue_bytes)
        transport.write(handshake.accepted(key, listener.subprotocol(upgrade)))
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._hall.add(self)
        self._number = listener.opened(self, upgrade)

    def _not_text(self, event: Event) -> None:
        transport, listener = self._transport, self._hall.listener
        if transport is None:
            return
        if isinstance(event, Closed):
            if self._closing_at is None:
                self.close(event.code)
                listener.lost(self._number, "network")
            transport.close()
        elif self._closing_at is not None:
            return
        elif isinstance(event, Ping):
            transport.write(pong_frame(event.data))
        elif isinstance(event, Violation):
            if event.code == 1009:
                listener.too_big(self)
            self.close(event.code, event.reason)
            listener.lost(self._number, "network")
            if transport.can_write_eof():  # to cut it off could lose the close frame, with what was sent unread
                transport.write_eof()
        elif not isinstance(event, Pong):
            listener.heard(self._number, None)

    def _give_up(self) -> None:
        listener, self._full_at = self._hall.listener, None  # the last words are not too much as well
        listener.too_slow(self)
        listener.lost(self._number, "slow")

    def look(self, now: float, pings_at: int) -> None:
        """Look whether this socket lives, once in a while: ping it, or give it up."""
        transport, frames = self._transport, self._frames
        if transport is None or frames is None:
            return
        frames.forgive()
        if self._closing_at is not None:
            if now >= self._closing_at + CLOSE_WITHIN:
                transport.abort()
        elif self._full_at is not None and now >= self._full_at + SWEEP:
            self._give_up()
        elif self._heard:
            self._heard, self._silent = False, 0
        else:
            # Looks are counted, not seconds: if we ourselves stood still, nobody else was silent.
            self._silent += 1
            if self._silent == pings_at:
                transport.write(ping_frame())
            elif self._silent >= 2 * pings_at:
                self._hall.listener.too_silent(self)
                self._hall.listener.lost(self._number, "silent")
