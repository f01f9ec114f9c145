"""One media connection with a full ICE agent: towards a camera, and the simulator's towards us."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

import aioice

from ringlight.errors import RingError, fault_error
from ringlight.media import rtp, srtp
from ringlight.media.agent import Agent
from ringlight.media.dtls import Dtls, Role, own_certificate
from ringlight.media.ice_servers import IceServer
from ringlight.media.sdp import Transport
from ringlight.media.tcp_path import Login, TcpPath, active_line, passive_address

log = logging.getLogger("ringlight.media")


class Peer:
    """ICE by aioice over UDP and by ours over TCP; DTLS and SRTP by ours. One bundle, one component.

    The first way that works is taken, and kept.

    Args:
        controlling: Whether we made the offer.
        on_rtp: Called with each RTP packet, opened.
        on_rtcp: Called with each compound RTCP packet, opened.
        on_closed: Called once with a fault code when the path is lost, `None` when the other side
            said goodbye; never after `close`.
        tcp_after: Seconds that UDP gets alone before TCP is tried too.
        listens: Whether we take TCP connections, rather than make them, as Ring's media servers do.

    Attributes:
        dropped: Packets that could not be opened.
        over_tcp: Whether the path that is open leads over TCP.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        on_rtp: Callable[[bytes], None],
        on_rtcp: Callable[[bytes], None],
        on_closed: Callable[[str | None], None],
        tcp_after: float = 2.0,
        listens: bool = False,
    ) -> None:
        self._agent = Agent(ice_controlling=controlling)
        self._tcp = TcpPath(
            Login(self._agent.local_username, self._agent.local_password),
            controlling=controlling, on_datagram=self._take, on_lost=self._tcp_lost,
        )  # fmt: skip
        self._tcp_after, self._listens = 0.0 if listens else tcp_after, listens
        self.over_tcp = False
        self._on_rtp, self._on_rtcp, self._on_closed = on_rtp, on_rtcp, on_closed
        self._dtls: Dtls | None = None
        self._sender: srtp.Sender | None = None
        self._receiver: srtp.Receiver | None = None
        self._reading: asyncio.Task[None] | None = None
        self._secured: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = self._told = self._broken = False
        self.dropped = 0

    async def gather(self) -> Transport:
        """Collect our addresses; return what the SDP says of us, `setup` still open."""
        await self._agent.gather_candidates()
        lines = [f"candidate:{candidate.to_sdp()}" for candidate in self._agent.local_candidates]
        hosts = list(dict.fromkeys(c.host for c in self._agent.local_candidates if c.type == "host"))
        if self._listens:
            lines += await self._tcp.listen(hosts)
        else:
            lines += [active_line(100 + at, at, host) for at, host in enumerate(hosts)]
        return Transport(
            self._agent.local_username,
            self._agent.local_password,
            own_certificate().fingerprint,
            "actpass",
            tuple(lines),
        )

    async def gather_by(self, servers: Iterable[IceServer], *, within: float = 3.0) -> list[str]:
        """Collect more addresses of ours by servers, before `connect`; return their lines.

        Args:
            servers: STUN and TURN. One that does not answer is left out.
            within: Seconds that they have.
        """
        return [f"candidate:{candidate.to_sdp()}" for candidate in await self._agent.gather_by(servers, within)]

    async def connect(self, remote: Transport, role: Role) -> None:
        """Open the path: ICE, then DTLS in our role.

        Waits for more candidates until the caller gives up; deadlines are the session's. A path that is lost
        during the handshake is told at once.

        Raises:
            MediaError: MEDIA-UDP or MEDIA-DTLS.
        """
        self._agent.remote_username, self._agent.remote_password = remote.ufrag, remote.pwd
        for line in remote.candidates:
            await self.add_candidate(line)
        if remote.complete:
            await self._agent.add_remote_candidate(None)
        self._dtls = Dtls(role, remote.fingerprint)
        self._secured = asyncio.get_running_loop().create_future()
        self.over_tcp = await self._find_way(remote)
        if self.over_tcp:
            await self._agent.close()
        else:
            await self._tcp.close()
            self._reading = asyncio.create_task(self._read(), name="ringlight peer")
        self._dtls.start()
        self._flush()
        await self._secured

    async def _find_way(self, remote: Transport) -> bool:
        """Try UDP, then TCP beside it; return whether TCP was first to work."""
        udp = asyncio.create_task(self._agent.connect(), name="ringlight udp")
        tcp = asyncio.create_task(self._try_tcp(udp, remote), name="ringlight tcp")
        waiting: set[asyncio.Task[None]] = {udp, tcp}
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for way in (udp, tcp):
                    if way in done and not way.cancelled() and way.exception() is None:
                        return way is tcp
        finally:
            udp.cancel()
            tcp.cancel()
            await asyncio.gather(udp, tcp, return_exceptions=True)  # how the other one ended is of no interest
        raise fault_error("MEDIA-UDP", "no pair of addresses worked, over UDP or TCP") from udp.exception()

    async def _try_tcp(self, udp: "asyncio.Task[None]", remote: Transport) -> None:
        await asyncio.wait({udp}, timeout=self._tcp_after)
        if udp.done() and udp.exception() is None:
            return  # nothing to do: UDP is looked at first
        await self._tcp.connect(Login(remote.ufrag, remote.pwd), complete=remote.complete)

    async def add_candidate(self, line: str) -> bool:
        """Take an address of the other side; return whether it can be used: UDP, or TCP where it listens."""
        listening = passive_address(line)
        if listening is not None:
            return not self._listens and self._tcp.add(*listening)
        try:
            candidate = aioice.Candidate.from_sdp(line.removeprefix("a=").removeprefix("candidate:"))
            if candidate.transport.lower() != "udp" or candidate.component != 1 or not 0 < candidate.port < 65536:
                return False
            await self._agent.add_remote_candidate(candidate)
        except (ValueError, AssertionError, IndexError, OSError):  # OSError: no network takes multicast DNS
            return False
        return True

    def send(self, packet: bytes) -> None:
        """Send an RTP packet with a header of 12 bytes; dropped while the path is not open."""
        if self._sender is not None:
            self._transmit(self._sender.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Send a compound RTCP packet; dropped while the path is not open."""
        if self._sender is not None:
            self._transmit(self._sender.protect_rtcp(packet))

    @property
    def protector(self) -> srtp.Sender | None:
        """What encrypts for the other side, for who numbers packets itself; `None` while the path is not open."""
        return self._sender

    @property
    def is_full(self) -> bool:
        """Whether so much waits to be sent that live video should pause; over UDP nothing ever waits."""
        return self.over_tcp and self._tcp.is_full

    def carry(self, datagram: bytes) -> None:
        """Send what `protector` has encrypted; dropped while the path is not open."""
        if self._sender is not None:
            self._transmit(datagram)

    async def close(self) -> None:
        """Say goodbye and free everything."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._dtls is not None:
            self._dtls.close()
            self._flush()
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self._tcp.close()
        await self._agent.close()

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._agent.recv())
        except ConnectionError:
            if not self._break_off(fault_error("MEDIA-UDP", "the path was lost during the handshake")):
                self._lost("MEDIA-STALLED")

    def _take(self, data: bytes) -> None:
        if self._broken:
            return
        try:
            self._receive(data)
        except RingError as error:
            self._fail(error)

    def _fail(self, error: RingError) -> None:
        """Tell whoever waits for the handshake, or who uses the path; the first failure counts."""
        self._broken = True
        if not self._break_off(error):
            self._lost(error.code)

    def _tcp_lost(self) -> None:
        if self._broken:
            return
        if self._sender is None:
            self._fail(fault_error("MEDIA-DTLS", "the TCP connection was closed in the middle of the handshake"))
        else:
            self._lost("MEDIA-STALLED")

    def _break_off(self, error: RingError) -> bool:
        """Let `connect` fail; whether it still waits for the handshake."""
        if self._secured is None or self._secured.done():
            return False
        self._secured.set_exception(error)
        return True

    def _receive(self, data: bytes) -> None:
        first = data[0] if data else 0
        if 20 <= first <= 63:
            self._handshake(data)
        elif 128 <= first <= 191 and self._receiver is not None:
            rtcp = rtp.is_rtcp(data)
            plain = self._receiver.unprotect_rtcp(data) if rtcp else self._receiver.unprotect(data)
            if plain is None:
                self.dropped += 1
            else:
                (self._on_rtcp if rtcp else self._on_rtp)(plain)

    def _handshake(self, data: bytes) -> None:
        dtls = self._dtls
        if dtls is None:
            return
        dtls.receive(data)
        self._flush()
        if dtls.closed:
            if not self._break_off(fault_error("MEDIA-DTLS", "the other side left during the handshake")):
                self._lost(None)
        elif dtls.keys is not None and self._sender is None:
            is_client = dtls.role is Role.CLIENT
            self._sender = srtp.sender(dtls.keys, is_client=is_client)
            self._receiver = srtp.receiver(dtls.keys, is_client=is_client)
            if self._secured is not None and not self._secured.done():
                self._secured.set_result(None)

    def _flush(self) -> None:
        if self._dtls is None:
            return
        for datagram in self._dtls.outgoing():
            self._transmit(datagram)
        if self._timer is not None:
            self._timer.cancel()
        delay = self._dtls.timeout()
        if delay is not None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(delay, self._retransmit)

    def _retransmit(self) -> None:
        if self._dtls is None or self._closed:
            return
        try:
            self._dtls.retransmit()
        except RingError as error:
            self._break_off(error)
            return
        self._flush()

    def _transmit(self, data: bytes) -> None:
        if self._tcp.is_open:  # and not `over_tcp`: the other side's first words may come before we know
            self._tcp.send(data)
            return
        # aioice's `send` never waits: it hands the datagram to the transport. Drive it by one step.
        step = self._agent.send(data)
        try:
            step.send(None)
        except (StopIteration, ConnectionError):
            pass
        finally:
            step.close()

    def _lost(self, code: str | None) -> None:
        if not self._closed and not self._told:
            self._told = True
            log.debug("media path lost: %s", code)
            self._on_closed(code)
