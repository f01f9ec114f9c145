"""One viewer behind the shared port: its handshake, its tracks, its reports. Does no I/O.

Datagrams go in, datagrams come out; the port (port.py) carries them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ringlight.errors import RingError
from ringlight.media import rtcp, rtp, srtp, stun
from ringlight.media.dtls import Dtls, Role
from ringlight.media.forward import Outlet, Source
from ringlight.media.rtp import Packet

GONE_AFTER = 15.0  # seconds without a sign of life; browsers check consent every five (RFC 7675)
REPORT_EVERY = 2.0  # seconds between sender reports
KEPT = 1500  # packets that may come during a handshake; of a longer group none is kept
Address = tuple[str, int]


@dataclass(slots=True)
class Viewer:
    """A browser or player that watches.

    Attributes:
        ufrag: Our ICE user fragment for it; the port finds it by this.
        pwd: Our ICE password for it.
        fingerprint: Of the viewer's certificate, from its offer.
        outlets: What it gets, by kind of track.
        cname: Binds its tracks together.
        send: Carries a datagram to the viewer.
        on_key_frame: Called when the viewer needs a key frame.
        on_closed: Called once when it ends, with a fault code or `None`.
        born: When it was made, on the clock of `now`.
    """

    ufrag: str
    pwd: str
    fingerprint: str
    outlets: dict[str, Outlet]
    cname: str
    send: Callable[[bytes], None]
    on_key_frame: Callable[[], None]
    on_closed: Callable[[str | None], None]
    born: float
    address: Address | None = None
    closed: bool = False
    failed: str | None = None
    lost_fraction: float = 0.0
    _dtls: Dtls | None = None
    _sender: srtp.Sender | None = None
    _receiver: srtp.Receiver | None = None
    _heard: float | None = None
    _reported: float = float("-inf")
    _missed: dict[str, Source] = field(default_factory=dict)

    # ---- what the camera sends ----

    def join(self, kind: str, group: list[Packet]) -> None:
        """Take the running group of pictures; it goes out as soon as the channel is open."""
        outlet = self.outlets.get(kind)
        if outlet is None or self.closed:
            return
        if self._sender is not None:
            self._protect(outlet.join(group))
        else:
            self._missed[kind] = Source(outlet.video, len(group) + KEPT, list(group))

    def packets(self, kind: str, batch: list[Packet]) -> None:
        """Take live packets."""
        outlet = self.outlets.get(kind)
        if outlet is None or self.closed:
            return
        if self._sender is not None:
            self._protect(outlet.write(batch))
        else:
            # Keep the running group until the channel is open, so that the first picture comes with it.
            missed = self._missed.setdefault(kind, Source(outlet.video, KEPT))
            for packet in batch:
                missed.keep(packet)

    def _catch_up(self) -> None:
        for kind, outlet in self.outlets.items():
            missed = self._missed.get(kind)
            if missed is not None and missed.group:
                self._protect(outlet.join(missed.group))
            elif outlet.video:
                self.on_key_frame()
        self._missed.clear()

    def _protect(self, packets: Iterable[bytes]) -> None:
        if self._sender is not None:
            for packet in packets:
                self.send(self._sender.protect(packet))

    # ---- what the viewer sends ----

    def check(self, request: stun.Request, address: Address, now: float) -> bytes:
        """Answer a connectivity check; adopt the address that the viewer nominates.

        A viewer is told apart by its user fragment at first and by its address after, so a change of
        network (a phone that leaves the Wi-Fi) is followed at once.
        """
        if not request.is_signed_with(self.pwd):
            return stun.error(request.transaction, 401, "Unauthorized")
        self._heard = now
        if request.nominates or self.address is None:
            self.address = address
        return stun.success(request.transaction, self.pwd, address)

    def receive(self, data: bytes, now: float) -> None:
        """Take a datagram that is no connectivity check."""
        self._heard = now
        first = data[0] if data else 0
        if 20 <= first <= 63:
            self._handshake(data)
        elif 128 <= first <= 191 and self._receiver is not None and rtp.is_rtcp(data):
            plain = self._receiver.unprotect_rtcp(data)
            for report in rtcp.parse(plain) if plain is not None else ():
                self._reported_by_viewer(report)

    def _handshake(self, data: bytes) -> None:
        if self._dtls is None:
            # We answered `passive`: as the server we choose the SRTP profile, so GCM is taken.
            self._dtls = Dtls(Role.SERVER, self.fingerprint)
        try:
            self._dtls.receive(data)
        except RingError as error:
            self.close(error.code)
            return
        self._flush()
        if self._dtls.closed:
            self.close(None)
        elif self._dtls.keys is not None and self._sender is None:
            self._sender = srtp.sender(self._dtls.keys, is_client=False)
            self._receiver = srtp.receiver(self._dtls.keys, is_client=False)
            self._catch_up()

    def _reported_by_viewer(self, report: rtcp.Report) -> None:
        match report:
            case rtcp.KeyFrameRequest():
                self.on_key_frame()
            case rtcp.ReceiverReport(_, blocks) | rtcp.SenderReport(blocks=blocks):
                for block in blocks:
                    self.lost_fraction = block.lost_fraction / 256
            case rtcp.Bye():
                self.close(None)

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
        if self.connected and now - self._reported >= REPORT_EVERY:
            self._reported = now
            self._report(wall)

    def _report(self, wall: float) -> None:
        for outlet in self.outlets.values():
            if self._sender is not None and outlet.started:
                report = rtcp.SenderReport(
                    outlet.ssrc, rtcp.ntp_time(wall), outlet.timestamp, outlet.packets, outlet.octets
                )
                compound = rtcp.write(report) + rtcp.source_description(outlet.ssrc, self.cname)
                self.send(self._sender.protect_rtcp(compound))

    def close(self, code: str | None) -> None:
        """Say goodbye and end; `code` is the fault, `None` for a regular end."""
        if self.closed:
            return
        if self._sender is not None:
            sources = tuple(outlet.ssrc for outlet in self.outlets.values())
            self.send(self._sender.protect_rtcp(rtcp.write(rtcp.Bye(sources))))
        if self._dtls is not None:
            self._dtls.close()
            self._flush()
        self.closed, self.failed = True, code
        self._missed.clear()
        self.on_closed(code)

    def _flush(self) -> None:
        if self._dtls is not None:
            for datagram in self._dtls.outgoing():
                self.send(datagram)
