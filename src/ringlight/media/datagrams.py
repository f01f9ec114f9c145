"""Datagrams of the shared port as the kernel carries them: from the address that was asked, many in one call."""

import asyncio
import errno
import logging
import socket
import struct
import sys
from collections.abc import Callable, Sequence

__all__ = ["Control", "Datagrams", "control", "segment", "segments_refused"]

log = logging.getLogger("ringlight.media")
READS = 64  # datagrams taken before others get their turn
_UDP, _SEGMENT = 17, 103  # SOL_UDP and UDP_SEGMENT (Linux 4.18): the kernel cuts one call into packets
_LINUX = sys.platform == "linux"
_PKTINFO = 8  # IP_PKTINFO: which of our addresses a datagram came to
_PKTINFO6, _RECVPKTINFO6 = 50, 49  # IPV6_PKTINFO, and what asks for it
Address = tuple[str, int] | tuple[str, int, int, int]
Control = list[tuple[int, int, bytes]]


class Datagrams:
    """The UDP sockets of the port.

    Args:
        on_datagram: Called with each datagram, the address it came from, and ours as the kernel wants it back.

    Attributes:
        segments: Whether the kernel takes many packets in one call; known once it is open.
        unsent: Packets that the kernel did not take.
    """

    def __init__(self, on_datagram: Callable[[bytes, Address, bytes], None]) -> None:
        self._on_datagram = on_datagram
        self._sockets: Sequence[socket.socket] = ()
        self.segments = False
        self.unsent = 0

    def open(self, sockets: Sequence[socket.socket]) -> None:
        """Read from these: one for IPv4, then one for IPv6 where there is one. Whoever made them closes them."""
        self._loop, self._sockets = asyncio.get_running_loop(), sockets
        for bound in sockets:
            if _LINUX and bound.family == socket.AF_INET:
                bound.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
            elif _LINUX:
                bound.setsockopt(socket.IPPROTO_IPV6, _RECVPKTINFO6, 1)
            self._loop.add_reader(bound, self._readable, bound)
        self.segments = segments_refused(sockets[0]) is None

    def close(self) -> None:
        """Read no more."""
        for bound in self._sockets:
            self._loop.remove_reader(bound)

    def send(self, data: bytes, address: Address, control: Control) -> None:
        """Send a datagram; what the kernel does not take is lost, as any may be."""
        try:
            self._sockets[":" in address[0]].sendmsg([data], control, 0, address)
        except OSError:  # a full buffer or a route that is gone
            self.unsent += 1

    def send_run(self, packets: list[bytes], address: Address, control: Control) -> None:
        """Send packets of the length of the first, the last may be shorter, in one call where the kernel takes that."""
        if len(packets) == 1 or not self.segments:
            for packet in packets:
                self.send(packet, address, control)
            return
        try:
            self._sockets[":" in address[0]].sendmsg(packets, (*control, segment(len(packets[0]))), 0, address)
        except BlockingIOError:  # a full buffer: lost, as any may be; the viewer asks again
            self.unsent += len(packets)
        except OSError as error:
            # EIO: this network card takes no segments. EINVAL: not of this size over this route.
            self.segments = self.segments and error.errno != errno.EIO
            for packet in packets:
                self.send(packet, address, control)

    def _readable(self, bound: socket.socket) -> None:
        for _ in range(READS):
            try:
                data, ancillary, _flags, address = bound.recvmsg(2048, 64)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP error of an earlier send; the viewer's own timeout will tell
                continue
            try:
                self._on_datagram(data, address, _own_address(ancillary))
            except Exception:
                # Whatever a stranger sends, everybody else's pictures go on.
                log.exception("a datagram of %d bytes could not be handled", len(data))


def _own_address(ancillary: list[tuple[int, int, bytes]]) -> bytes:
    """Return the address of ours to which a datagram came; empty where the system does not tell."""
    for level, kind, value in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _PKTINFO):
            return value[4:8]
        if (level, kind) == (socket.IPPROTO_IPV6, _PKTINFO6):
            return value[:16]
    return b""


def control(own: bytes) -> Control:
    """Let the kernel answer from the address that was asked, or the viewer's ICE takes it for somebody else's."""
    if len(own) == 16:
        return [(socket.IPPROTO_IPV6, _PKTINFO6, own + bytes(4))]
    return [(socket.IPPROTO_IP, _PKTINFO, struct.pack("=I4s4s", 0, own, bytes(4)))] if own else []


def segment(length: int) -> tuple[int, int, bytes]:
    """Return what `sendmsg` is told so that the kernel cuts what it is given into packets of this length."""
    return _UDP, _SEGMENT, struct.pack("=H", length)


def segments_refused(udp: socket.socket) -> str | None:
    """Return why the kernel cuts no long datagram into packets for us; `None` where it does (Linux since 4.18)."""
    if sys.platform != "linux":
        return f"{sys.platform} has no UDP_SEGMENT"
    try:
        udp.getsockopt(_UDP, _SEGMENT)
    except OSError as error:
        return f"the kernel refuses UDP_SEGMENT: {error.strerror}"
    return None
