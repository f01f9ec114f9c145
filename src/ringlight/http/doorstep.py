"""HTTP for those who have not said yet what they want: they get little time, and not all the room there is."""

import asyncio
from typing import Any, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ringlight.http.websocket.handshake import read_plain
from ringlight.http.websocket.protocol import FastSockets

__all__ = ["Doorstep", "doorstep"]

MOST = 1000  # connections without a whole request head; a head is there within a round trip
WITHIN = 10.0  # seconds for a request head
MOST_HEAD = 65_536  # bytes of a request head, and of what may follow a body
LOOK = 1.0  # seconds between two looks at them


class Doorstep:
    """Connections whose request head is not there yet, the oldest first.

    Who opens sockets and says nothing would otherwise keep them for ever, until the program may open no more files.
    A newcomer takes the place of the one that has waited longest, so that nobody is locked out by that.

    Args:
        most: How many there may be.
        within: Seconds that each of them gets.
    """

    def __init__(self, most: int = MOST, within: float = WITHIN) -> None:
        self._most = most
        self._within = within
        self._since: dict[asyncio.Transport, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """How many are waited for."""
        return len(self._since)

    def arrive(self, transport: asyncio.Transport) -> None:
        """Somebody begins a request."""
        loop = asyncio.get_running_loop()
        self._since.setdefault(transport, loop.time())
        if len(self._since) > self._most:
            oldest = next(iter(self._since))
            del self._since[oldest]
            oldest.abort()
        if self._timer is None:
            self._timer = loop.call_later(LOOK, self._look)

    def leave(self, transport: asyncio.Transport) -> None:
        """They are in, or gone."""
        self._since.pop(transport, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        late = loop.time() - self._within
        for transport, since in list(self._since.items()):
            if since > late:
                break
            del self._since[transport]
            transport.abort()
        self._timer = loop.call_later(LOOK, self._look) if self._since else None


def doorstep(step: Doorstep, sockets: FastSockets | None = None) -> type[asyncio.Protocol]:
    """Return what `uvicorn.Config` takes as `http`: its own, watched from the first byte to the end of the head.

    Args:
        step: Where they are watched.
        sockets: Gets the WebSockets of its paths at once, if their request is plain and whole.
    """

    class WatchedHttp(HttpToolsProtocol):
        _unused = 0  # bytes that have been kept, without the end of a head or a piece of a body among them

        def data_received(self, data: bytes) -> None:
            self._unused += len(data)
            super().data_received(data)
            if self._unused > MOST_HEAD:
                self._refuse_head()

        def _refuse_head(self) -> None:
            if not self.transport.is_closing():
                step.leave(self.transport)
                self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
                self.transport.close()

        def on_body(self, body: bytes) -> None:
            self._unused = 0
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._unused = 0
            super().on_message_complete()

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            step.arrive(transport)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            step.arrive(self.transport)

        def on_headers_complete(self) -> None:
            self._unused = 0
            step.leave(self.transport)
            if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEAD:
                self._refuse_head()
                raise _TooLongError  # or the parser would go on
            super().on_headers_complete()

        def _get_upgrade(self) -> bytes | None:
            """Return what is to be spoken next; uvicorn's own looks at the last field `Connection` alone."""
            named = [
                item.strip() for name, value in self.headers if name == b"connection" for item in value.split(b",")
            ]
            asked = [value for name, value in self.headers if name == b"upgrade"]
            return asked[-1].lower() if asked and b"upgrade" in map(bytes.lower, named) else None

        def connection_lost(self, exc: Exception | None) -> None:
            step.leave(self.transport)
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            if not self.transport.is_closing():  # it is answered
                step.leave(self.transport)
                super().send_400_response(msg)

    if sockets is None:
        return WatchedHttp
    taking: FastSockets = sockets

    class Newcomer(_Newcomer):
        __slots__ = ()
        _step, _sockets, _http = step, taking, WatchedHttp

    return Newcomer


class _TooLongError(Exception):
    """A request head is too long, and was answered."""


class _Newcomer(asyncio.Protocol):
    """A connection until its first bytes come; then whoever is to read them takes its place."""

    __slots__ = ("_app_state", "_config", "_state", "_transport")
    _step: Doorstep
    _sockets: FastSockets
    _http: type[HttpToolsProtocol]

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: object = None
    ) -> None:
        self._config, self._state, self._app_state = config, server_state, app_state
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's only act like one
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._step.arrive(self._transport)

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        self._state.connections.discard(self)
        upgrade = read_plain(data) if len(data) <= MOST_HEAD else None
        if upgrade is not None and self._sockets.takes(upgrade.path):
            self._step.leave(transport)
            socket = self._sockets(self._config, self._state, self._app_state)
            transport.set_protocol(cast(asyncio.Protocol, socket))
            socket.connection_made(transport)
            socket.begin(upgrade)
        else:
            http = self._http(self._config, self._state, self._app_state)
            transport.set_protocol(http)
            http.connection_made(transport)
            http.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._step.leave(self._transport)

    def shutdown(self) -> None:
        self._transport.close()
