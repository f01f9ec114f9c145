"""Datagrams over TCP: one connection, and the listener that keeps strangers within bounds (RFC 6544, RFC 4571).

Used on both sides: towards cameras (tcp_path.py) and for viewers on the shared port (port.py).
"""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

from ringlight.media.framing import Deframer, framed

log = logging.getLogger("ringlight.media")
FULL, DRAINED = 512 * 1024, 64 * 1024  # bytes that wait: from the first on a connection is full, below the second not
MOST = 4 * 1024 * 1024  # bytes that wait at most; a datagram more is dropped
IN_KERNEL = 64 * 1024  # bytes that the kernel may hold unsent: what waits there is old when it leaves
FAREWELL = 1.0  # seconds for the last words to somebody who does not read
PROVE_WITHIN = 5.0  # seconds until a connection must have brought a valid check
SILENT_AFTER = 40.0  # seconds without a datagram; consent is asked for every five (RFC 7675)
CONNECTIONS = 1024  # in all
STRANGERS_PER_ADDRESS = 32  # connections of one address that have brought no valid check yet


class Stream(asyncio.Protocol):
    """One TCP connection that carries datagrams.

    Args:
        on_datagram: Called with each one.
        on_lost: Called once when the connection has ended, whoever ended it.
        on_made: Called when it is open.

    Attributes:
        address: Of the other side.
        own: Our address on this connection.
        full: Whether so much waits that live video should pause.
        unsent: Datagrams dropped because too much waited.
        proven: Whether the other side has shown that it is expected.
        heard: When the last datagram came.
    """

    def __init__(
        self,
        on_datagram: "Callable[[Stream, bytes], None]",
        on_lost: "Callable[[Stream], None]",
        on_made: "Callable[[Stream], None] | None" = None,
    ) -> None:
        self._on_datagram, self._on_lost, self._on_made = on_datagram, on_lost, on_made
        self._deframer = Deframer()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._last_words: asyncio.TimerHandle | None = None
        self.gone = self._loop.create_future()
        self.address: tuple[str, int] = ("", 0)
        self.own: tuple[str, int] = ("", 0)
        self.full = self.closing = self.proven = False
        self.unsent = 0
        self.born = self.heard = self._loop.time()

    def send(self, *datagrams: bytes) -> None:
        """Send datagrams, none longer than `LONGEST`; dropped where the connection is closing or too much waits."""
        transport = self._transport
        if transport is None or self.closing:
            return
        if transport.get_write_buffer_size() > MOST:
            self.unsent += len(datagrams)
            return
        transport.write(b"".join(map(framed, datagrams)))

    def close(self) -> None:
        """Let what waits go out, for a moment at most, and end."""
        if self._transport is None or self.closing:
            return
        self.closing = True
        self._transport.close()
        self._last_words = self._loop.call_later(FAREWELL, self._transport.abort)

    def abort(self) -> None:
        """End at once."""
        self.closing = True
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio's side ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open connection."""
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=FULL, low=DRAINED)
        plain = transport.get_extra_info("socket")
        with contextlib.suppress(OSError, AttributeError):  # AttributeError: a system without it
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, IN_KERNEL)
        # `None` where the other side had gone before we looked.
        self.address = _two(transport.get_extra_info("peername"))
        self.own = _two(transport.get_extra_info("sockname"))
        if self._on_made is not None:
            self._on_made(self)

    def data_received(self, data: bytes) -> None:
        """Hand out each datagram that is whole."""
        for datagram in self._deframer.feed(data):
            if self.closing:
                return
            self.heard = self._loop.time()
            try:
                self._on_datagram(self, datagram)
            except Exception:
                # Whatever a stranger sends, everybody else's pictures go on.
                log.exception("a datagram of %d bytes could not be handled", len(datagram))
        if self._deframer.broken:
            self.abort()

    def pause_writing(self) -> None:
        """Note that the other side is too slow."""
        self.full = True

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self.full = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that it is over."""
        self.closing = True
        if self._last_words is not None:
            self._last_words.cancel()
        if not self.gone.done():
            self.gone.set_result(None)
        self._on_lost(self)


class Listener:
    """The passive side: takes connections, and ends those that do not prove in time that they are expected.

    Args:
        on_datagram: Called with each datagram; calls `prove` when it was a valid check.
        on_lost: Called when a connection has ended.
    """

    def __init__(self, on_datagram: Callable[[Stream, bytes], None], on_lost: Callable[[Stream], None]) -> None:
        self._on_datagram, self._on_lost = on_datagram, on_lost
        self._streams: set[Stream] = set()
        self._strangers: Counter[str] = Counter()
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False
        self._loop = asyncio.get_running_loop()

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Listen on sockets that are bound; they are ours from now on."""
        for bound in sockets:
            self._servers.append(await self._loop.create_server(self._welcome, sock=bound))
        self._sweep()

    async def close(self) -> None:
        """End everything; last words that wait may go out for a moment."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers:
            server.close()
        await close_all(self._streams)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def __len__(self) -> int:
        return len(self._streams)

    def prove(self, stream: Stream) -> None:
        """Keep a connection: whoever made it is expected."""
        if not stream.proven:
            stream.proven = True
            self._strangers[stream.address[0]] -= 1

    def _welcome(self) -> Stream:
        return Stream(self._on_datagram, self._ended, self._made)

    def _made(self, stream: Stream) -> None:
        host = stream.address[0]
        self._streams.add(stream)
        self._strangers[host] += 1
        full = len(self._streams) > CONNECTIONS or self._strangers[host] > STRANGERS_PER_ADDRESS
        if full or self._closed:  # closed: it was accepted just before, and nobody would ever sweep it out
            stream.abort()

    def _ended(self, stream: Stream) -> None:
        if stream not in self._streams:
            return
        self._streams.discard(stream)
        if not stream.proven:
            self._strangers[stream.address[0]] -= 1
        self._strangers = +self._strangers  # without those that have come to zero
        self._on_lost(stream)

    def _sweep(self) -> None:
        now = self._loop.time()
        for stream in tuple(self._streams):
            if now - stream.heard > SILENT_AFTER or (not stream.proven and now - stream.born > PROVE_WITHIN):
                stream.abort()
        self._sweeper = self._loop.call_later(1.0, self._sweep)


async def close_all(streams: "set[Stream] | Sequence[Stream]") -> None:
    """Close connections and wait until nothing is left of them."""
    ending = [stream for stream in streams if not stream.gone.done()]
    for stream in ending:
        stream.close()
    if ending:
        await asyncio.wait([stream.gone for stream in ending])


def _two(name: "tuple[str, int] | tuple[str, int, int, int] | None") -> tuple[str, int]:
    return (name[0], name[1]) if name else ("", 0)
