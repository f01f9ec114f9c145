"""One media connection with a full ICE agent: towards a camera, and the simulator's towards us."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import aioice

from ringlight.errors import RingError, fault_error
from ringlight.media import rtp, srtp
from ringlight.media.dtls import Dtls, Role, own_certificate
from ringlight.media.sdp import Transport

log = logging.getLogger("ringlight.media")
LOOPBACK = "127.0.0.1"


class _Agent(aioice.Connection):
    """aioice's agent, which also works where the only address is loopback (it leaves that one out)."""

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's own signature
    ) -> list[aioice.Candidate]:
        return await super().get_component_candidates(component, addresses or [LOOPBACK], timeout)


class Peer:
    """ICE by aioice, DTLS and SRTP by ours. One bundle, one component.

    Args:
        controlling: Whether we made the offer.
        on_rtp: Called with each RTP packet, opened.
        on_rtcp: Called with each compound RTCP packet, opened.
        on_closed: Called once with a fault code when the path is lost, `None` when the other side
            said goodbye; never after `close`.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        on_rtp: Callable[[bytes], None],
        on_rtcp: Callable[[bytes], None],
        on_closed: Callable[[str | None], None],
    ) -> None:
        self._agent = _Agent(ice_controlling=controlling)
        self._on_rtp, self._on_rtcp, self._on_closed = on_rtp, on_rtcp, on_closed
        self._dtls: Dtls | None = None
        self._sender: srtp.Sender | None = None
        self._receiver: srtp.Receiver | None = None
        self._reading: asyncio.Task[None] | None = None
        self._secured: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = self._told = False
        self.dropped = 0

    async def gather(self) -> Transport:
        """Collect our addresses; return what the SDP says of us, `setup` still open."""
        await self._agent.gather_candidates()
        lines = tuple(f"candidate:{candidate.to_sdp()}" for candidate in self._agent.local_candidates)
        return Transport(
            self._agent.local_username,
            self._agent.local_password,
            own_certificate().fingerprint,
            "actpass",
            lines,
        )

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
        try:
            await self._agent.connect()
        except ConnectionError as error:
            raise fault_error("MEDIA-UDP", "no pair of addresses worked") from error
        self._dtls = Dtls(role, remote.fingerprint)
        self._secured = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(), name="ringlight peer")
        self._dtls.start()
        self._flush()
        await self._secured

    async def add_candidate(self, line: str) -> bool:
        """Take an address of the other side; return whether it can be used (UDP only, for now)."""
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
        await self._agent.close()

    async def _read(self) -> None:
        try:
            while True:
                self._receive(await self._agent.recv())
        except ConnectionError:
            if not self._break_off(fault_error("MEDIA-UDP", "the path was lost during the handshake")):
                self._lost("MEDIA-STALLED")
        except RingError as error:
            if not self._break_off(error):
                self._lost(error.code)

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
