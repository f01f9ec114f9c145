"""The one UDP port that all viewers share, as ICE-lite: the shell around viewer.py.

A viewer is told apart by its ICE user fragment at first and by its address after. No agent and no
socket for each of them, one firewall rule for all.
"""

import asyncio
import errno
import logging
import secrets
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping

import ifaddr

from ringlight.errors import fault_error
from ringlight.media import stun
from ringlight.media.dtls import own_certificate
from ringlight.media.forward import Outlet, Track
from ringlight.media.negotiate import Seat
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Transport
from ringlight.media.viewer import Address, Runs, Viewer
from ringlight.settings import MediaSettings

log = logging.getLogger("ringlight.media")
BUFFER = 4 * 1024 * 1024  # bytes asked of the kernel for each direction
READS = 64  # datagrams taken before others get their turn
CATCH_UP_EVERY = 0.004  # seconds between two parts of a group that a newcomer gets
_UDP, _SEGMENT = 17, 103  # SOL_UDP and UDP_SEGMENT (Linux 4.18): the kernel cuts one call into packets
_PKTINFO = 8 if sys.platform == "linux" else None  # IP_PKTINFO: which of our addresses a datagram came to
_Path = tuple[Address, bytes]  # the viewer's address, and our own as the kernel wants it back
_Control = list[tuple[int, int, bytes]]


class ViewerPort:
    """The socket, and who is behind which address. Use with `async with`.

    Attributes:
        segments: Whether the kernel takes many packets in one call; known once it is open.
        unknown: Datagrams of strangers.
        unsent: Packets that the kernel did not take.
    """

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._viewers: dict[str, Viewer] = {}
        self._paths: dict[Address, tuple[Viewer, _Control]] = {}
        self._ticker: asyncio.TimerHandle | None = None
        self._catching_up: asyncio.TimerHandle | None = None
        self.segments = False
        self.unknown = 0
        self.unsent = 0

    async def __aenter__(self) -> "ViewerPort":
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(("0.0.0.0", self._settings.port))
        except OSError as error:
            self._socket.close()
            raise fault_error("CFG-PORT", f"UDP port {self._settings.port}: {error.strerror}") from error
        self._socket.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        if _PKTINFO is not None:
            self._socket.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
        self.segments = _takes_segments(self._socket)
        self._loop.add_reader(self._socket, self._readable)
        self._tick()
        return self

    async def __aexit__(self, *_: object) -> None:
        for viewer in tuple(self._viewers.values()):
            viewer.close(None)
        for timer in (self._ticker, self._catching_up):
            if timer is not None:
                timer.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    @property
    def number(self) -> int:
        """The UDP port's number."""
        return int(self._socket.getsockname()[1])

    def transport(self) -> Transport:
        """Make fresh ICE credentials for one viewer, with our addresses; `setup` is passive."""
        return Transport(
            secrets.token_hex(4), secrets.token_hex(16), own_certificate().fingerprint, "passive",
            tuple(_candidates(self._settings.announce or own_addresses(), self.number)), complete=True,
        )  # fmt: skip

    def add(
        self,
        local: Transport,
        remote: Transport,
        seats: Mapping[str, Seat],
        tracks: Mapping[str, Track],
        cname: str,
        *,
        on_key_frame: Callable[[], None],
        on_closed: Callable[[str | None], None],
        on_sound: Callable[[Packet], None] | None = None,
    ) -> Viewer:
        """Expect a viewer that was answered with `local`; it connects by itself.

        Args:
            local: Ours, from `transport`.
            remote: The viewer's, from its offer.
            seats: What was agreed for each kind of track.
            tracks: The camera's.
            cname: Binds the tracks together, so that they play in time.
            on_key_frame: Called when the viewer needs a key frame.
            on_closed: Called once when it ends, with a fault code or `None`.
            on_sound: Called with each packet of the sound that it sends, if its seat says that it may.
        """
        outlets = {kind: Outlet(tracks[kind], seat.codec.payload_type, seat.rtx) for kind, seat in seats.items()}

        def closed(code: str | None) -> None:
            self._forget(viewer)
            on_closed(code)

        def send(data: bytes) -> None:
            self._send(viewer, data)

        def send_all(packets: list[bytes], runs: Runs) -> None:
            self._send_all(viewer, packets, runs)

        viewer = Viewer(
            local.ufrag,
            local.pwd,
            remote.fingerprint,
            outlets,
            cname,
            send,
            send_all,
            on_key_frame,
            closed,
            self._loop.time(),
            next((seat.codec.payload_type for seat in seats.values() if seat.hears), None),
            on_sound,
        )
        self._viewers[local.ufrag] = viewer
        return viewer

    def __len__(self) -> int:
        return len(self._viewers)

    # ---- the socket ----

    def _readable(self) -> None:
        for _ in range(READS):
            try:
                data, ancillary, _flags, address = self._socket.recvmsg(2048, 64)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP error of an earlier send; the viewer's own timeout will tell
                continue
            own = next((value[4:8] for level, kind, value in ancillary if (level, kind) == (0, _PKTINFO)), b"")
            try:
                self._receive(data, (address, own))
            except Exception:
                # Whatever a stranger sends, everybody else's pictures go on.
                log.exception("a datagram of %d bytes could not be handled", len(data))

    def _receive(self, data: bytes, path: _Path) -> None:
        address, own = path
        if data and data[0] < 4:
            request = stun.parse_request(data)
            viewer = self._viewers.get(request.username.partition(":")[0]) if request else None
            if request is None or viewer is None:
                self.unknown += 1
                return
            before = viewer.address
            answer = viewer.check(request, address, self._loop.time())
            if viewer.address != before or address not in self._paths:
                self._follow(viewer, before, path)
            self._transmit(answer, address, _control(own))
            return
        known = self._paths.get(address)
        if known is None:
            self.unknown += 1
            return
        viewer = known[0]
        viewer.receive(data, self._loop.time())
        if viewer.behind and self._catching_up is None:
            self._catching_up = self._loop.call_later(CATCH_UP_EVERY, self._catch_up)

    def _follow(self, viewer: Viewer, before: Address | None, path: _Path) -> None:
        if viewer.address != path[0]:
            return
        self._leave(viewer, before)
        self._paths[path[0]] = (viewer, _control(path[1]))

    def _leave(self, viewer: Viewer, address: Address | None) -> None:
        # Another viewer may have come from the same address since.
        if address is not None and self._paths.get(address, (None,))[0] is viewer:
            del self._paths[address]

    def _send(self, viewer: Viewer, data: bytes) -> None:
        known = self._paths.get(viewer.address) if viewer.address is not None else None
        if known is not None and viewer.address is not None:
            self._transmit(data, viewer.address, known[1])

    def _send_all(self, viewer: Viewer, packets: list[bytes], runs: Runs) -> None:
        known = self._paths.get(viewer.address) if viewer.address is not None else None
        if known is None or viewer.address is None:
            return
        for start, end in runs:
            if end - start == 1 or not self.segments:
                for packet in packets[start:end]:
                    self._transmit(packet, viewer.address, known[1])
            else:
                self._transmit_run(packets[start:end], viewer.address, known[1])

    def _transmit_run(self, packets: list[bytes], address: Address, control: _Control) -> None:
        segment = (_UDP, _SEGMENT, struct.pack("=H", len(packets[0])))
        try:
            self._socket.sendmsg(packets, (*control, segment), 0, address)
        except BlockingIOError:  # a full buffer: lost, as any may be; the viewer asks again
            self.unsent += len(packets)
        except OSError as error:
            # EIO: this network card takes no segments. EINVAL: not of this size over this route.
            self.segments = self.segments and error.errno != errno.EIO
            for packet in packets:
                self._transmit(packet, address, control)

    def _transmit(self, data: bytes, address: Address, control: _Control) -> None:
        try:
            self._socket.sendmsg([data], control, 0, address)
        except OSError:  # a full buffer or a route that is gone: this packet is lost, as any may be
            self.unsent += 1

    def _catch_up(self) -> None:
        """Send newcomers the next part of what they have missed."""
        self._catching_up = None
        for viewer in tuple(self._viewers.values()):
            if viewer.behind:
                viewer.catch_up()
        if any(viewer.behind for viewer in self._viewers.values()):
            self._catching_up = self._loop.call_later(CATCH_UP_EVERY, self._catch_up)

    def _tick(self) -> None:
        now, wall = self._loop.time(), time.time()
        busy = False
        for viewer in tuple(self._viewers.values()):
            try:
                viewer.tick(now, wall)
            except Exception:
                # One viewer's trouble must not stop the clock of all others.
                log.exception("a viewer could not be served")
                viewer.close("SERVER-ERROR")
            busy |= not viewer.connected and viewer.address is not None
        self._ticker = self._loop.call_later(0.05 if busy else 1.0, self._tick)

    def _forget(self, viewer: Viewer) -> None:
        self._viewers.pop(viewer.ufrag, None)
        self._leave(viewer, viewer.address)


def _control(own: bytes) -> _Control:
    """Let the kernel answer from the address that was asked, or the viewer's ICE takes it for somebody else's."""
    return [(socket.IPPROTO_IP, _PKTINFO, struct.pack("=I4s4s", 0, own, bytes(4)))] if own and _PKTINFO else []


def _takes_segments(udp: socket.socket) -> bool:
    """Whether the kernel cuts a long datagram into packets for us (Linux since 4.18)."""
    if sys.platform != "linux":
        return False
    try:
        udp.getsockopt(_UDP, _SEGMENT)
    except OSError:
        return False
    return True


def own_addresses() -> list[str]:
    """Return this machine's IPv4 addresses, loopback last: it serves a browser on the same machine."""
    found = [
        str(ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4 and not str(ip.ip).startswith(("127.", "169.254."))
    ]
    return [*found, "127.0.0.1"]


def _candidates(addresses: list[str], port: int) -> list[str]:
    """Write host candidates, the first address preferred (RFC 8445 section 5.1.2.1)."""
    return [
        f"candidate:{index + 1} 1 udp {126 << 24 | (65535 - index) << 8 | 255} {address} {port} typ host"
        for index, address in enumerate(addresses)
    ]
