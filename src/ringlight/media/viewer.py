"""One viewer behind the shared port: its handshake, its tracks, its reports. Does no I/O.

Datagrams go in, datagrams come out; the port (port.py) carries them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ringlight.errors import RingError
from ringlight.media import rtcp, rtp, srtp, stun
from ringlight.media.dtls import Dtls, Role
from ringlight.media.forward import Batch, Outlet
from ringlight.media.line import LOSS, QUEUE, Line
from ringlight.media.quality import Quality
from ringlight.media.rtp import Packet
from ringlight.media.transport_wide import TransportFeedback

GONE_AFTER = 14.0  # seconds without a sign of life; browsers check consent every five (RFC 7675)
DOUBT = 6.0  # seconds that are left for a sign of life when a viewer seems to have said goodbye
ALERT = 21  # the type of a DTLS record (RFC 6347 section 4.1)
REPORT_EVERY = 2.0  # seconds between sender reports
CATCH_UP_BATCHES = 2  # parts of the running group that go out at once; the port asks for more every few ms
REPEATS = 400  # packets sent again between two ticks, a second apart: more would only feed the congestion
HEAVY_LOSS = 0.08  # share of its packets; above, a repeat is as likely lost, and browsers ask anew after 100 ms only
UDP_FIRST = 5.0  # seconds since UDP was nominated in which TCP does not take over: some browsers nominate every pair


class TcpAddress(NamedTuple):
    """The other end of a TCP connection; never equal to an address of UDP."""

    host: str
    port: int
    transport: str = "tcp"


Address = tuple[str, int] | tuple[str, int, int, int] | TcpAddress
Runs = tuple[tuple[int, int], ...]


def _never() -> bool:
    return False


def _nowhere(*_: object) -> None:
    """Take what is left over from a viewer that has ended."""


def _no_clock() -> float:
    return 0.0


@dataclass(slots=True, eq=False)
class Viewer:
    """A browser or player that watches.

    Attributes:
        ufrag: Our ICE user fragment for it; the port finds it by this.
        pwd: Our ICE password for it. Both change with an ICE restart, once the viewer nominates by the new ones.
        fingerprint: Of the viewer's certificate, from its offer.
        outlets: What it gets, by kind of track.
        cname: Binds its tracks together.
        send: Carries a datagram to the viewer.
        send_all: Carries RTP packets, and the stretches of them that may leave in one call.
        on_key_frame: Called when the viewer needs a key frame.
        on_closed: Called once when it ends, with a fault code or `None`.
        born: When it was made, on the clock of `now`.
        is_full: Whether so much waits to be sent that live packets are left out until the next key frame.
        sound_type: Payload type of the sound that it may send; `None` where it may send none.
        on_sound: Called with each packet of that sound; must not raise.
        role: Whether we wait for the handshake, or begin it because the viewer only answers.
        clock: Tells the time of `now` where packets leave; asked only where the viewer gives transport-wide feedback.
        quality: How the packets arrive there.
        line: What the way to it carries; `None` where it gives no such feedback, and before the channel is open.
        repeated: Packets that were sent again.
        unsigned: Connectivity checks with a wrong password.
    """

    ufrag: str
    pwd: str
    fingerprint: str
    outlets: dict[str, Outlet]
    cname: str
    send: Callable[[bytes], None]
    send_all: Callable[[list[bytes], Runs], None]
    on_key_frame: Callable[[], None]
    on_closed: Callable[[str | None], None]
    born: float
    is_full: Callable[[], bool] = _never
    sound_type: int | None = None
    on_sound: Callable[[Packet], None] | None = None
    role: Role = Role.SERVER
    clock: Callable[[], float] = _no_clock
    address: Address | None = None
    closed: bool = False
    failed: str | None = None
    quality: Quality = field(default_factory=Quality)
    line: Line | None = None
    repeated: int = 0
    unsigned: int = 0
    _next: tuple[str, str] | None = None
    _dtls: Dtls | None = None
    _sender: srtp.Sender | None = None
    _receiver: srtp.Receiver | None = None
    _heard: float | None = None
    _reported: float = float("-inf")
    _udp_at: float = float("-inf")
    _skipped: bool = False
    _full: bool = False
    _behind: deque[tuple[Outlet, Batch]] = field(default_factory=deque)
    _repeats_left: int = REPEATS

    # ---- what the camera sends ----

    def join(self, kind: str) -> None:
        """Begin with the running group of pictures, if the channel is open; else it goes out when it opens."""
        if self.connected:
            self._catch_up(kind)

    def packets(self, kind: str, batch: Batch) -> None:
        """Take live packets; nothing is kept while the channel is not open."""
        outlet = self.outlets.get(kind)
        if outlet is None or self._sender is None or self.closed or self._skips():
            return
        wanted = outlet.take(batch)
        if wanted is None:
            return
        if self._behind:
            self._behind.append((outlet, wanted))
        else:
            self._transmit(outlet, wanted)

    def _skips(self) -> bool:
        """Whether to leave out what comes; asks for a key frame once the way is free again.

        Not where it is the line that was too thin: it would have to carry the key frame too, and it is for all viewers.
        The camera's own next one will do.
        """
        full = self.is_full()
        if full or (self.line is not None and self.line.holds(self.clock())):
            for outlet in self.outlets.values():
                outlet.skip()
            self._behind.clear()
            self._skipped = True
            self._full |= full
        elif self._skipped:
            if self._full:
                self.on_key_frame()
            self._skipped = self._full = False
        return self._skipped

    @property
    def behind(self) -> bool:
        """Whether more of the running group waits to go out; `catch_up` sends the next part."""
        return bool(self._behind)

    def catch_up(self) -> None:
        """Send the next part of what waits. A whole group at once would overflow a home's router.

        Who tells what has arrived is sent no more than can be on the way.
        """
        if self.line is not None and self._behind and not self.line.takes(self.clock()):
            return
        for _ in range(min(CATCH_UP_BATCHES, len(self._behind))):
            self._transmit(*self._behind.popleft())

    def _catch_up(self, kind: str) -> None:
        outlet = self.outlets.get(kind)
        if outlet is None:
            return
        group = outlet.join()
        self._behind.extend((outlet, batch) for batch in group)
        self.catch_up()
        if outlet.track.video and not outlet.started:
            self.on_key_frame()

    def _transmit(self, outlet: Outlet, batch: Batch) -> None:
        if self._sender is not None:
            headers = batch.headers(outlet.payload_type) if outlet.stamp is None else self._asking(outlet, batch)
            outlet.count(batch)
            self.send_all(
                self._sender.protect_all(outlet.track.ssrc, headers, batch.payloads, batch.indexes), batch.runs
            )

    def _asking(self, outlet: Outlet, batch: Batch) -> list[bytes]:
        """Return the headers; while an answer is wanted, those that ask when the packets arrive."""
        now = self.clock()
        if self.line is None:
            self.line = Line(now)
        if outlet.stamp is None or not self.line.asks(now):
            return batch.headers(outlet.payload_type)
        self.line.left(batch.indexes, batch.octets, now)
        return batch.stamped(outlet.payload_type, outlet.stamp)

    def _repeat(self, media: int, missing: tuple[int, ...], now: float) -> None:
        """Send packets again that the viewer misses, as many as is sensible.

        Twice where much is lost, unless it is lost because the line is full; not at all while that is to get free.
        """
        outlet = next((outlet for outlet in self.outlets.values() if outlet.track.ssrc == media), None)
        if outlet is None or self._sender is None or (self.line is not None and self.line.holds(now)):
            return
        queues = self.line is not None and self.line.queues
        times = 2 if self.quality.lost_fraction > HEAVY_LOSS and not queues else 1
        allowed = missing[: self._repeats_left // times] * times
        self._repeats_left -= len(allowed)
        for header, payload, index in outlet.again(allowed):
            self.repeated += 1
            if index is None:  # under an SSRC of its own, of which no report of ours speaks
                self.send(self._sender.protect(header + payload))
            else:
                outlet.packets, outlet.octets = outlet.packets + 1, outlet.octets + len(payload)
                self.send(*self._sender.protect_all(media, (header,), (payload,), (index,)))

    # ---- what somebody else carries: a server that we publish to, whose path has an agent of its own ----

    def secured(self, sender: srtp.Sender) -> None:
        """Begin: the channel was opened elsewhere (peer.py), and `sender` encrypts for it."""
        self._sender = sender
        for kind in self.outlets:
            self._catch_up(kind)

    def alive(self, now: float) -> None:
        """Take note that it is there, as its agent knows."""
        self._heard = now

    def reports(self, compound: bytes, now: float) -> None:
        """Take a compound RTCP packet, opened."""
        for report in rtcp.parse(compound):
            self._reported_by_viewer(report, now)

    # ---- what the viewer sends ----

    def restart(self, ufrag: str, pwd: str) -> None:
        """Take new ICE credentials beside those in use, which hold until the viewer nominates by the new ones.

        So the pictures go on by the old path for as long as there is no other (RFC 8445 section 9). A second
        restart before that takes the place of the first.
        """
        self._next = (ufrag, pwd)

    def begin(self) -> None:
        """Begin the handshake where that is our part; call it when there is a way to the viewer."""
        if self.role is Role.CLIENT and self._dtls is None and not self.closed:
            self._dtls = Dtls(self.role, self.fingerprint)
            self._dtls.start()
            self._flush()

    def check(self, request: stun.Request, address: Address, now: float) -> bytes:
        """Answer a connectivity check; adopt the address that the viewer nominates.

        A viewer is told apart by its user fragment at first and by its address after, so a change of
        network (a phone that leaves the Wi-Fi) is followed at once.
        """
        fresh = self._next if self._next and request.username.partition(":")[0] == self._next[0] else None
        pwd = fresh[1] if fresh else self.pwd
        if not request.is_signed_with(pwd):
            self.unsigned += 1
            return stun.error(request.transaction, 401, "Unauthorized")
        self._heard = now
        adopted = request.nominates
        if fresh and adopted:
            self.ufrag, self.pwd, self._next = *fresh, None
            self._udp_at = float("-inf")  # it has left that path behind
        if isinstance(address, TcpAddress):
            adopted &= now - self._udp_at >= UDP_FIRST
        elif request.nominates:
            self._udp_at = now
        if adopted or self.address is None:
            self.address = address
        return stun.success(request.transaction, pwd, (address[0], address[1]))

    def leave(self, address: Address) -> None:
        """Take note that the connection from this address has ended; a viewer may come back by another."""
        if self.address == address:
            self.address = None

    def receive(self, data: bytes, now: float) -> None:
        """Take a datagram that is no connectivity check. Only what was made with its keys is a sign of life."""
        first = data[0] if data else 0
        if 20 <= first <= 63:
            self._handshake(data, now)
        elif 128 <= first <= 191 and self._receiver is not None and rtp.is_rtcp(data):
            plain = self._receiver.unprotect_rtcp(data)
            if plain is not None:
                self._heard = now
                self._take_reports(plain, now)
        elif 128 <= first <= 191 and self._receiver is not None and self.on_sound is not None:
            self._listen(self._receiver, data, self.on_sound, now)

    def _listen(self, receiver: srtp.Receiver, data: bytes, on_sound: Callable[[Packet], None], now: float) -> None:
        """Hand up a packet of sound; what is forged, doubled, of another kind or no RTP is dropped."""
        plain = receiver.unprotect(data)
        if plain is None:
            return
        self._heard = now
        try:
            packet = rtp.parse(plain)
        except RingError:
            return
        if packet.payload_type == self.sound_type:
            on_sound(packet)

    def _take_reports(self, compound: bytes, now: float) -> None:
        if self._dtls is not None:
            self._dtls.settle()  # who encrypts has finished the handshake
        self.reports(compound, now)

    def _handshake(self, data: bytes, now: float) -> None:
        if self._dtls is not None and self._dtls.settled:
            if data[0] == ALERT:
                # Most likely its goodbye. We can no longer read it, and anybody may have written it: the next
                # sign of life, due within five seconds, proves it wrong.
                self._heard = now - GONE_AFTER + DOUBT
            return
        if self._dtls is None:
            # Wherever it may we answered `passive`: as the server we choose the SRTP profile, so GCM is taken.
            self._dtls = Dtls(self.role, self.fingerprint)
        try:
            self._dtls.receive(data)
        except RingError as error:
            self.close(error.code)
            return
        self._flush()
        if self._dtls.closed:
            self.close(None)
        elif self._dtls.keys is not None and self._sender is None:
            is_client = self.role is Role.CLIENT
            self._sender = srtp.sender(self._dtls.keys, is_client=is_client)
            self._receiver = srtp.receiver(self._dtls.keys, is_client=is_client)
            self._heard = now
            for kind in self.outlets:
                self._catch_up(kind)

    def _reported_by_viewer(self, report: rtcp.Report, now: float) -> None:
        match report:
            case rtcp.KeyFrameRequest():
                self.on_key_frame()
            case rtcp.Nack(_, media, missing):
                self._repeat(media, missing, now)
            case TransportFeedback() if self.line is not None:
                self.line.heard(report, now)
            case rtcp.ReceiverReport(_, blocks) | rtcp.SenderReport(blocks=blocks):
                for block in blocks:
                    self._judged(block, now)
            case rtcp.Bye():
                self.close(None)

    def _judged(self, block: rtcp.ReportBlock, now: float) -> None:
        """Take a report about one of our tracks."""
        video = self.outlets.get("video")
        if video is not None and block.ssrc == video.track.ssrc:
            self.quality.take_video(block, video.track.clock_rate)
        self.quality.take_echo(block, now)
        if self.line is not None and (self.quality.lost_fraction > LOSS or self.quality.slower > QUEUE):
            self.line.worry(now)

    @property
    def forged(self) -> int:
        """Checks and packets that were not made with its password or keys."""
        return self.unsigned + (self._receiver.forged if self._receiver is not None else 0)

    @property
    def replayed(self) -> int:
        """Packets that had come before."""
        return self._receiver.replayed if self._receiver is not None else 0

    # ---- time and the end ----

    @property
    def connected(self) -> bool:
        """Whether the encrypted channel is open."""
        return self._sender is not None and not self.closed

    def tick(self, now: float, wall: float) -> None:
        """Do what time asks for; call about once a second, more often while the handshake runs.

        Args:
            now: On the clock of `born`.
            wall: Seconds since 1970, for sender reports.
        """
        if self.closed:
            return
        # Checks alone are no sign of life: until the channel is open, all that counts is how long it takes.
        since = self._heard if self.connected and self._heard is not None else self.born
        if now - since > GONE_AFTER:
            self.close(None if self.connected else "VIEWER-UDP")
            return
        if self._dtls is not None and self._dtls.keys is None and self._dtls.timeout() == 0:
            try:
                self._dtls.retransmit()
            except RingError as error:
                self.close(error.code)
                return
            self._flush()
        self._repeats_left = REPEATS
        if self.connected and now - self._reported >= REPORT_EVERY:
            self._reported = now
            self._report(now, wall)

    def _report(self, now: float, wall: float) -> None:
        ntp = rtcp.ntp_time(wall)
        self.quality.sent(ntp, now)
        for outlet in self.outlets.values():
            if self._sender is not None and outlet.started:
                ssrc, clock = outlet.track.ssrc, outlet.track.time(now)
                report = rtcp.SenderReport(ssrc, ntp, clock, outlet.packets, outlet.octets)
                compound = rtcp.write(report) + rtcp.source_description(ssrc, self.cname)
                self.send(self._sender.protect_rtcp(compound))

    def close(self, code: str | None) -> None:
        """Say goodbye and end; `code` is the fault, `None` for a regular end."""
        if self.closed:
            return
        if self._sender is not None:
            sources = tuple(outlet.track.ssrc for outlet in self.outlets.values())
            self.send(self._sender.protect_rtcp(rtcp.write(rtcp.Bye(sources))))
        if self._dtls is not None:
            self._dtls.close()
            self._flush()
        self.closed, self.failed = True, code
        self._behind.clear()
        self.on_closed(code)
        # Who carries for it holds it, and it holds them: nothing would be freed until the collector comes by.
        self.send, self.send_all, self.is_full, self.on_closed = _nowhere, _nowhere, _never, _nowhere

    def _flush(self) -> None:
        if self._dtls is not None:
            for datagram in self._dtls.outgoing():
                self.send(datagram)
