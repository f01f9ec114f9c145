"""How packets reach a player: between the text of its connection, or by UDP from ports of our own."""

import asyncio
import socket
from collections.abc import Callable, Sequence

from ringlight.errors import fault_error
from ringlight.server.rtsp.messages import interleaved

FULL, DRAINED = 512 * 1024, 64 * 1024  # bytes that wait: from the first on a connection is full, below the second not
TRIES = 20  # pairs of ports that are tried until one is free
READS = 16  # reports taken before others get their turn
REFUSED, LULL = 5.0, 2.0  # seconds in which a player's port has refused packets, never so long apart


class Between:
    """Between the text (RFC 2326 section 10.12).

    Args:
        write: Sends bytes over the connection.
        is_full: Whether too much waits there.
        channels: Of RTP and of RTCP.
    """

    def __init__(self, write: Callable[[bytes], None], is_full: Callable[[], bool], channels: tuple[int, int]) -> None:
        self._write, self._is_full, self._channels = write, is_full, channels

    @property
    def full(self) -> bool:
        """Whether live packets are left out for now."""
        return self._is_full()

    def send(self, packets: Sequence[bytes]) -> None:
        """Send packets of RTP."""
        self._write(interleaved(self._channels[0], *packets))

    def report(self, packet: bytes) -> None:
        """Send one of RTCP."""
        self._write(interleaved(self._channels[1], packet))


class Ports:
    """Two ports of ours for one track of one player, connected to its own: strangers do not reach them.

    Args:
        own: Our address, as the player reached it; packets leave from there.
        host: The player's.
        ports: The player's, of RTP and of RTCP.
        on_report: Called with each packet of RTCP; must not raise.

    Raises:
        RingError: SERVER-ERROR where none can be had.
    """

    full = False

    def __init__(self, own: str, host: str, ports: tuple[int, int], on_report: Callable[[bytes], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_report = on_report
        self._refused = self._refused_last = float("-inf")
        try:
            self._rtp, self._rtcp = _pair(own)
            for bound, port in ((self._rtp, ports[0]), (self._rtcp, ports[1])):
                bound.connect((host, port))
        except OSError as error:
            self.close()
            raise fault_error("SERVER-ERROR", f"no UDP ports for a player: {error.strerror}") from error
        self._loop.add_reader(self._rtcp, self._readable)

    @property
    def numbers(self) -> tuple[int, int]:
        """Ours, of RTP and of RTCP."""
        return self._rtp.getsockname()[1], self._rtcp.getsockname()[1]

    def send(self, packets: Sequence[bytes]) -> None:
        """Send packets of RTP; one that the kernel does not take is lost, as any may be."""
        for packet in packets:
            self._send(self._rtp, packet)

    def report(self, packet: bytes) -> None:
        """Send one of RTCP."""
        self._send(self._rtcp, packet)

    def refuses(self, now: float) -> bool:
        """Whether nobody listens at the player's ports any more."""
        return now - self._refused_last < LULL and self._refused_last - self._refused > REFUSED

    def close(self) -> None:
        """Give the ports back."""
        for name in ("_rtcp", "_rtp"):
            bound = getattr(self, name, None)
            if bound is not None and bound.fileno() >= 0:
                self._loop.remove_reader(bound)
                bound.close()

    def _send(self, bound: socket.socket, packet: bytes) -> None:
        try:
            bound.send(packet)
        except ConnectionRefusedError:  # of an earlier one: the answer of the player's machine
            now = self._loop.time()
            self._refused = now if now - self._refused_last > LULL else self._refused
            self._refused_last = now
        except OSError:
            pass  # a full buffer, or a route that is gone

    def _readable(self) -> None:
        for _ in range(READS):
            try:
                data = self._rtcp.recv(2048)
            except OSError:
                return
            self._on_report(data)


def _pair(own: str) -> tuple[socket.socket, socket.socket]:
    """Bind an even port and the one behind it (RFC 3550 section 11)."""
    family = socket.AF_INET6 if ":" in own else socket.AF_INET
    for attempt in range(1, TRIES + 1):
        first = socket.socket(family, socket.SOCK_DGRAM)
        second = socket.socket(family, socket.SOCK_DGRAM)
        try:
            first.bind((own, 0))
            number = first.getsockname()[1]
            if number % 2:
                raise OSError(None, "no even port")
            second.bind((own, number + 1))
        except OSError:
            first.close()
            second.close()
            if attempt == TRIES:
                raise
        else:
            for bound in (first, second):
                bound.setblocking(False)
            return first, second
    raise AssertionError
