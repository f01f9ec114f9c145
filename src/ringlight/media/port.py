"""The one port that all viewers share, UDP and TCP, as ICE-lite: the shell around viewer.py.

A viewer is told apart by its ICE user fragment at first and by its address after. No agent and no
socket for each of them (but one where UDP is blocked), one number for all in a firewall.
"""

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ringlight.media import stun
from ringlight.media.addresses import bind_all, candidates, own_addresses
from ringlight.media.connections import Connections
from ringlight.media.datagrams import Control, Datagrams, control
from ringlight.media.dtls import Role, own_certificate
from ringlight.media.feed import Runs
from ringlight.media.forward import Track
from ringlight.media.negotiate import Seat
from ringlight.media.nomination import Address, TcpAddress
from ringlight.media.outlet import Outlet
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Transport
from ringlight.media.viewer import Viewer
from ringlight.settings import MediaSettings

log = logging.getLogger("ringlight.media")
CATCH_UP_EVERY = 0.004  # seconds between two parts of a group that a newcomer gets
_Path = tuple[Address, bytes]  # the viewer's address, and our own as the kernel wants it back


class ViewerPort:
    """The sockets, and who is behind which address. Use with `async with`.

    Attributes:
        unknown: Datagrams of strangers.
        faults: Viewers that ended with a fault, by its code.
    """

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._viewers: dict[str, Viewer] = {}
        self._restarting: dict[str, Viewer] = {}
        self._paths: dict[Address, tuple[Viewer, Control]] = {}
        self._ticker: asyncio.TimerHandle | None = None
        self._behind: dict[Viewer, None] = {}
        self._catching_up: asyncio.TimerHandle | None = None
        self._datagrams = Datagrams(lambda data, address, own: self._receive(data, (address, own)))
        self.unknown = 0
        self._connections = Connections(lambda data, address: self._receive(data, (address, b"")), self._ended)
        self.faults: Counter[str] = Counter()
        self._forged = self._replayed = 0

    async def __aenter__(self) -> "ViewerPort":
        self._loop = asyncio.get_running_loop()
        self._sockets = bind_all(self._settings.port, tcp=self._settings.tcp)
        self._datagrams.open(self._sockets.udp)
        await self._connections.open(self._sockets.tcp)
        self._tick()
        return self

    async def __aexit__(self, *_: object) -> None:
        for viewer in tuple(self._viewers.values()):
            viewer.close(None)
        for timer in (self._ticker, self._catching_up):
            if timer is not None:
                timer.cancel()
        self._datagrams.close()
        await self._connections.close()
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

    @property
    def segments(self) -> bool:
        """Whether the kernel takes many packets in one call; known once the port is open."""
        return self._datagrams.segments

    @property
    def unsent(self) -> int:
        """Packets that the kernel did not take, or that too many others were before."""
        return self._datagrams.unsent + self._connections.unsent

    # ---- what comes and goes ----

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
            self._transmit(answer, address, control(own))
            if stun.is_success(answer):
                self._connections.admit(address, viewer)
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
        self._paths[path[0]] = (viewer, control(path[1]))

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
            self._connections.send(viewer.address, *packets)
            return
        for start, end in runs:
            self._datagrams.send_run(packets[start:end], viewer.address, known[1])

    def _transmit(self, data: bytes, address: Address, ours: Control) -> None:
        if isinstance(address, TcpAddress):
            self._connections.send(address, data)
        else:
            self._datagrams.send(data, address, ours)

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
        self._connections.forget(viewer)

    def _reject(self, address: Address) -> None:
        """Count what nobody expects."""
        self.unknown += 1
        self._connections.reject(address)

    def _ended(self, address: TcpAddress) -> None:
        if address in self._paths:
            self._paths.pop(address)[0].leave(address)

    def _is_full(self, viewer: Viewer) -> bool:
        if not isinstance(viewer.address, TcpAddress):
            return viewer.address is None  # its connection has ended; it may come back by another
        return self._connections.is_full(viewer.address)
