"""The TCP connections to the shared port, and whose they are: for viewers where UDP is blocked."""

import socket
from collections.abc import Callable, Sequence

from ringlight.media.nomination import Address, TcpAddress
from ringlight.media.tcp import Listener, Stream
from ringlight.media.viewer import Viewer

__all__ = ["Connections"]

STREAMS_PER_VIEWER = 16  # a browser opens one for each pair of addresses


class Connections:
    """Those that are open.

    Args:
        on_datagram: Called with each datagram, and the address it came from.
        on_ended: Called once when a connection has ended.

    Attributes:
        unsent: Packets dropped because too much waited, of connections that have ended.
    """

    def __init__(
        self, on_datagram: Callable[[bytes, TcpAddress], None], on_ended: Callable[[TcpAddress], None]
    ) -> None:
        self._on_datagram, self._on_ended = on_datagram, on_ended
        self._streams: dict[Address, Stream] = {}
        self._owners: dict[Stream, Viewer] = {}
        self.unsent = 0

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Take connections on these. Whoever made them closes them."""
        self._listener = Listener(self._take, self._end)
        await self._listener.open(sockets)

    async def close(self) -> None:
        """End all."""
        await self._listener.close()

    def send(self, address: TcpAddress, *packets: bytes) -> None:
        """Send packets; those for a connection that has ended are lost."""
        if address in self._streams:
            self._streams[address].send(*packets)

    def admit(self, address: Address, viewer: Viewer) -> None:
        """Keep the connection from this address, if it is one: it has brought a valid check of a viewer's."""
        stream = self._streams.get(address)
        if stream is None or stream in self._owners:
            return
        if sum(owner is viewer for owner in self._owners.values()) >= STREAMS_PER_VIEWER:
            stream.close()
            return
        self._owners[stream] = viewer
        self._listener.prove(stream)

    def reject(self, address: Address) -> None:
        """End the connection from this address, if it is one, unless a viewer's other one is in use."""
        stream = self._streams.get(address)
        if stream is not None:
            owner = self._owners.get(stream)
            if owner is None or owner.closed:
                stream.abort()

    def forget(self, viewer: Viewer) -> None:
        """End a viewer's connections."""
        for stream in [stream for stream, owner in self._owners.items() if owner is viewer]:
            stream.close()

    def is_full(self, address: TcpAddress) -> bool:
        """Whether so much waits to be sent that live video should pause; also where the connection has ended."""
        stream = self._streams.get(address)
        return stream is None or stream.full

    def _take(self, stream: Stream, data: bytes) -> None:
        address = TcpAddress(*stream.address)
        self._streams[address] = stream
        self._on_datagram(data, address)

    def _end(self, stream: Stream) -> None:
        address = TcpAddress(*stream.address)
        self.unsent += stream.unsent
        self._owners.pop(stream, None)
        if self._streams.pop(address, None) is not None:
            self._on_ended(address)
