"""The one port that all viewers share, UDP and TCP, as ICE-lite: the shell around viewer.py.

A viewer is told apart by its ICE user fragment at first and by its address after. No agent and no
socket for each of them (but one where UDP is blocked), one number for all in a firewall.
"""

import asyncio
import errno
import logging
import secrets
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ringlight.media import stun
from ringlight.media.addresses import bind_all, candidates, own_addresses
from ringlight.media.dtls import Role, own_certificate
from ringlight.media.forward import Outlet, Track
from ringlight.media.negotiate import Seat
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Transport
from ringlight.media.tcp import Listener, Stream
from ringlight.media.viewer import Address, Runs, TcpAddress, Viewer
from ringlight.settings import MediaSettings

log = logging.getLogger("ringlight.media")
READS = 64  # datagrams taken before others get their turn
STREAMS_PER_VIEWER = 16  # TCP connections; a browser opens one for each pair of addresses
CATCH_UP_EVERY = 0.004  # seconds between two parts of a group that a newcomer gets
_UDP, _SEGMENT = 17, 103  # SOL_UDP and UDP_SEGMENT (Linux 4.18): the kernel cuts one call into packets
_LINUX = sys.platform == "linux"
_PKTINFO = 8  # IP_PKTINFO: which of our addresses a datagram came to
_PKTINFO6, _RECVPKTINFO6 = 50, 49  # IPV6_PKTINFO, and what asks for it
_Path = tuple[Address, bytes]  # the viewer's address, and our own as the kernel wants it back
_Control = list[tuple[int, int, bytes]]


class ViewerPort:
    """The sockets, and who is behind which address. Use with `async with`.

    Attributes:
        segments: Whether the kernel takes many packets in one call; known once it is open.
        unknown: Datagrams of strangers.
        unsent: Packets that the kernel did not take.
        faults: Viewers that ended with a fault, by its code.
    """

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._viewers: dict[str, Viewer] = {}
        self._restarting: dict[str, Viewer] = {}
        self._paths: dict[Address, tuple[Viewer, _Control]] = {}
        self._streams: dict[Address, Stream] = {}
        self._owners: dict[Stream, Viewer] = {}
        self._ticker: asyncio.TimerHandle | None = None
        self._behind: dict[Viewer, None] = {}
        self._catching_up: asyncio.TimerHandle | None = None
        self.segments = False
        self.unknown = 0
        self.unsent = 0
        self.faults: Counter[str] = Counter()
        self._forged = self._replayed = 0

    async def __aenter__(self) -> "ViewerPort":
        self._loop = asyncio.get_running_loop()
        self._sockets = bind_all(self._settings.port, tcp=self._settings.tcp)
        self._listener = Listener(self._from_stream, self._stream_ended)
        for bound in self._sockets.udp:
            if _LINUX and bound.family == socket.AF_INET:
                bound.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
            elif _LINUX:
                bound.setsockopt(socket.IPPROTO_IPV6, _RECVPKTINFO6, 1)
            self._loop.add_reader(bound, self._readable, bound)
        self.segments = segments_refused(self._sockets.udp[0]) is None
        await self._listener.open(self._sockets.tcp)
        self._tick()
        return self

    async def __aexit__(self, *_: object) -> None:
        for viewer in tuple(self._viewers.values()):
            viewer.close(None)
        for timer in (self._ticker, self._catching_up):
            if timer is not None:
                timer.cancel()
        for bound in self._sockets.udp:
            self._loop.remove_reader(bound)
        await self._listener.close()
        self._sockets.close()

    @property
    def number(self) -> int:
        """The port's number."""
        return self._sockets.number

    def transport(self) -> Transport:
        """Make fresh ICE credentials for one viewer, with our addresses; `setup` is passive (see `negotiate`)."""
        addresses = self._settings.announce or own_addresses(ipv6=self._sockets.has_ipv6)
        return Transport(
            secrets.token_hex(4), secrets.token_hex(16), own_certificate().fingerprint, "passive",
            tuple(candidates(addresses, self.number, tcp=self._settings.tcp)), complete=True,
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
        outlets = {
            kind: Outlet(tracks[kind], seat.codec.payload_type, seat.rtx, seat.stamp) for kind, seat in seats.items()
        }

        def closed(code: str | None) -> None:
            if code is not None:
                self.faults[code] += 1
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
            is_full=lambda: self._is_full(viewer),
            sound_type=next((seat.codec.payload_type for seat in seats.values() if seat.hears), None),
            on_sound=on_sound,
            role=Role(local.setup),
            clock=self._loop.time,
        )
        self._viewers[local.ufrag] = viewer
        return viewer

    def restart(self, viewer: Viewer) -> Transport:
        """Return new ICE credentials for a viewer; the old ones hold until it nominates by these."""
        self._drop_restart(viewer)
        fresh = self.transport()
        viewer.restart(fresh.ufrag, fresh.pwd)
        self._restarting[fresh.ufrag] = viewer
        return fresh

    def _drop_restart(self, viewer: Viewer) -> None:
        for ufrag in [ufrag for ufrag, known in self._restarting.items() if known is viewer]:
            del self._restarting[ufrag]

    def __len__(self) -> int:
        return len(self._viewers)

    def counts(self) -> dict[str, Any]:
        """Return what is counted, for people who look for the cause of trouble."""
        return {
            "port": self.number,
            "viewers": len(self),
            "segments": self.segments,
            "unknown": self.unknown,
            "forged": self.forged,
            "replayed": self.replayed,
            "unsent": self.unsent,
            "faults": dict(self.faults),
        }

    @property
    def forged(self) -> int:
        """Checks and packets that were not made with a viewer's password or keys, of all viewers so far."""
        return self._forged + sum(viewer.forged for viewer in self._viewers.values())

    @property
    def replayed(self) -> int:
        """Packets of viewers that had come before, of all viewers so far."""
        return self._replayed + sum(viewer.replayed for viewer in self._viewers.values())

    # ---- the sockets ----

    def _readable(self, bound: socket.socket) -> None:
        for _ in range(READS):
            try:
                data, ancillary, _flags, address = bound.recvmsg(2048, 64)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP error of an earlier send; the viewer's own timeout will tell
                continue
            try:
                self._receive(data, (address, _own_address(ancillary)))
            except Exception:
                # Whatever a stranger sends, everybody else's pictures go on.
                log.exception("a datagram of %d bytes could not be handled", len(data))

    def _receive(self, data: bytes, path: _Path) -> None:
        address, own = path
        if data and data[0] < 4:
            request = stun.parse_request(data)
            viewer = self._expected(request)
            if request is None or viewer is None:
                self._reject(address)
                return
            before, ufrag = viewer.address, viewer.ufrag
            answer = viewer.check(request, address, self._loop.time())
            if viewer.ufrag != ufrag:
                self._drop_restart(viewer)
                self._viewers[viewer.ufrag] = self._viewers.pop(ufrag)
            if viewer.address != before or address not in self._paths:
                self._follow(viewer, before, path)
            self._transmit(answer, address, _control(own))
            self._admit(answer, address, viewer)
            viewer.begin()
            return
        known = self._paths.get(address)
        if known is None:
            self._reject(address)
            return
        viewer = known[0]
        viewer.receive(data, self._loop.time())
        if viewer.behind:
            self._behind[viewer] = None
            if self._catching_up is None:
                self._catching_up = self._loop.call_later(CATCH_UP_EVERY, self._catch_up)

    def _expected(self, request: stun.Request | None) -> Viewer | None:
        """Return whose check it is, by the user fragment that is in use or is to come."""
        if request is None:
            return None
        ufrag = request.username.partition(":")[0]
        return self._viewers.get(ufrag) or self._restarting.get(ufrag)

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
        if isinstance(viewer.address, TcpAddress):
            self._streams[viewer.address].send(*packets)
            return
        for start, end in runs:
            if end - start == 1 or not self.segments:
                for packet in packets[start:end]:
                    self._transmit(packet, viewer.address, known[1])
            else:
                self._transmit_run(packets[start:end], viewer.address, known[1])

    def _transmit_run(self, packets: list[bytes], address: Address, control: _Control) -> None:
        try:
            self._sockets.udp[":" in address[0]].sendmsg(packets, (*control, segment(len(packets[0]))), 0, address)
        except BlockingIOError:  # a full buffer: lost, as any may be; the viewer asks again
            self.unsent += len(packets)
        except OSError as error:
            # EIO: this network card takes no segments. EINVAL: not of this size over this route.
            self.segments = self.segments and error.errno != errno.EIO
            for packet in packets:
                self._transmit(packet, address, control)

    def _transmit(self, data: bytes, address: Address, control: _Control) -> None:
        if isinstance(address, TcpAddress):
            if address in self._streams:
                self._streams[address].send(data)
            return
        try:
            self._sockets.udp[":" in address[0]].sendmsg([data], control, 0, address)
        except OSError:  # a full buffer or a route that is gone: this packet is lost, as any may be
            self.unsent += 1

    def _catch_up(self) -> None:
        """Send newcomers the next part of what they have missed."""
        self._catching_up = None
        for viewer in tuple(self._behind):
            viewer.catch_up()
            if not viewer.behind:
                del self._behind[viewer]
        if self._behind:
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
        if self._viewers.pop(viewer.ufrag, None) is not None:
            self._forged, self._replayed = self._forged + viewer.forged, self._replayed + viewer.replayed
        self._drop_restart(viewer)
        self._behind.pop(viewer, None)
        self._leave(viewer, viewer.address)
        for stream in [stream for stream, owner in self._owners.items() if owner is viewer]:
            stream.close()

    # ---- TCP ----

    def _from_stream(self, stream: Stream, data: bytes) -> None:
        address = TcpAddress(*stream.address)
        self._streams[address] = stream
        self._receive(data, (address, b""))

    def _admit(self, answer: bytes, address: Address, viewer: Viewer) -> None:
        """Keep a connection that has brought a valid check of a viewer's."""
        stream = self._streams.get(address)
        if stream is None or stream in self._owners or not stun.is_success(answer):
            return
        if sum(owner is viewer for owner in self._owners.values()) >= STREAMS_PER_VIEWER:
            stream.close()
            return
        self._owners[stream] = viewer
        self._listener.prove(stream)

    def _reject(self, address: Address) -> None:
        """Count what nobody expects; on TCP it ends the connection, unless a viewer's other one is in use."""
        self.unknown += 1
        stream = self._streams.get(address)
        if stream is not None:
            owner = self._owners.get(stream)
            if owner is None or owner.closed:
                stream.abort()

    def _stream_ended(self, stream: Stream) -> None:
        address = TcpAddress(*stream.address)
        self.unsent += stream.unsent
        self._owners.pop(stream, None)
        if self._streams.pop(address, None) is not None and address in self._paths:
            self._paths.pop(address)[0].leave(address)

    def _is_full(self, viewer: Viewer) -> bool:
        if not isinstance(viewer.address, TcpAddress):
            return viewer.address is None  # its connection has ended; it may come back by another
        stream = self._streams.get(viewer.address)
        return stream is None or stream.full


def _own_address(ancillary: list[tuple[int, int, bytes]]) -> bytes:
    """Return the address of ours to which a datagram came; empty where the system does not tell."""
    for level, kind, value in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _PKTINFO):
            return value[4:8]
        if (level, kind) == (socket.IPPROTO_IPV6, _PKTINFO6):
            return value[:16]
    return b""


def _control(own: bytes) -> _Control:
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
