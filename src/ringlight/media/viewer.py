"""One viewer behind the shared port: its handshake, its signs of life, its end. Does no I/O.

Datagrams go in, datagrams come out; the port (port.py) carries them. Where it is tells nomination.py; what goes to it,
feed.py.
"""

from collections.abc import Callable

from ringlight.errors import RingError
from ringlight.media import rtcp, rtp, srtp, stun
from ringlight.media.dtls import Dtls, Role
from ringlight.media.feed import Feed, Runs, never, no_clock, nowhere
from ringlight.media.forward import Batch
from ringlight.media.line import Line
from ringlight.media.nomination import Address, Nomination
from ringlight.media.outlet import Outlet
from ringlight.media.quality import Quality
from ringlight.media.rtp import Packet

__all__ = ["ALERT", "DOUBT", "GONE_AFTER", "REPORT_EVERY", "Viewer"]

GONE_AFTER = 14.0  # seconds without a sign of life; browsers check consent every five (RFC 7675)
DOUBT = 6.0  # seconds that are left for a sign of life when a viewer seems to have said goodbye
ALERT = 21  # the type of a DTLS record (RFC 6347 section 4.1)
REPORT_EVERY = 2.0  # seconds between sender reports


class Viewer:
    """A browser or player that watches.

    Args:
        ufrag: Our ICE user fragment for it; the port finds it by this.
        pwd: Our ICE password for it.
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

    Attributes:
        feed: What goes to it.
        nomination: Where it is.
        closed: Whether it has ended.
        failed: The fault that it ended with; `None` before the end, and where it left.
    """

    def __init__(
        self,
        ufrag: str,
        pwd: str,
        fingerprint: str,
        outlets: dict[str, Outlet],
        cname: str,
        send: Callable[[bytes], None],
        send_all: Callable[[list[bytes], Runs], None],
        on_key_frame: Callable[[], None],
        on_closed: Callable[[str | None], None],
        born: float,
        *,
        is_full: Callable[[], bool] = never,
        sound_type: int | None = None,
        on_sound: Callable[[Packet], None] | None = None,
        role: Role = Role.SERVER,
        clock: Callable[[], float] = no_clock,
    ) -> None:
        self.feed = Feed(outlets, cname, send, send_all, on_key_frame, is_full, clock)
        self.nomination = Nomination(ufrag, pwd)
        self.sound_type, self.on_sound, self.role = sound_type, on_sound, role
        self.closed = False
        self.failed: str | None = None
        self.fingerprint, self._on_closed, self._born = fingerprint, on_closed, born
        self._dtls: Dtls | None = None
        self._receiver: srtp.Receiver | None = None
        self._heard: float | None = None
        self._reported = float("-inf")

    # ---- what others ask about it ----

    @property
    def ufrag(self) -> str:
        """Our ICE user fragment for it; changes with an ICE restart, once the viewer nominates by the new one."""
        return self.nomination.ufrag

    @property
    def address(self) -> Address | None:
        """Where it is; `None` before its first check, and after its connection has ended."""
        return self.nomination.address

    @property
    def outlets(self) -> dict[str, Outlet]:
        """What it gets, by kind of track."""
        return self.feed.outlets

    @property
    def quality(self) -> Quality:
        """How the packets arrive there."""
        return self.feed.quality

    @property
    def line(self) -> Line | None:
        """What the way to it carries; `None` where it gives no transport-wide feedback."""
        return self.feed.line

    @property
    def repeated(self) -> int:
        """Packets that were sent again."""
        return self.feed.repeated

    @property
    def forged(self) -> int:
        """Checks and packets that were not made with its password or keys."""
        return self.nomination.unsigned + (self._receiver.forged if self._receiver is not None else 0)

    @property
    def replayed(self) -> int:
        """Packets that had come before."""
        return self._receiver.replayed if self._receiver is not None else 0

    @property
    def connected(self) -> bool:
        """Whether the encrypted channel is open."""
        return self.feed.secure and not self.closed

    # ---- what the camera sends ----

    def join(self, kind: str) -> None:
        """Begin with the running group of pictures, if the channel is open; else it goes out when it opens."""
        self.feed.join(kind)

    def packets(self, kind: str, batch: Batch) -> None:
        """Take live packets; nothing is kept while the channel is not open."""
        self.feed.packets(kind, batch)

    @property
    def behind(self) -> bool:
        """Whether more of the running group waits to go out; `catch_up` sends the next part."""
        return self.feed.behind

    def catch_up(self) -> None:
        """Send the next part of what waits."""
        self.feed.catch_up()

    # ---- what somebody else carries: a server that we publish to, whose path has an agent of its own ----

    def secured(self, sender: srtp.Sender) -> None:
        """Begin: the channel was opened elsewhere (peer.py), and `sender` encrypts for it."""
        self.feed.secured(sender)

    def alive(self, now: float) -> None:
        """Take note that it is there, as its agent knows."""
        self._heard = now

    def reports(self, compound: bytes, now: float) -> None:
        """Take a compound RTCP packet, opened."""
        for report in rtcp.parse(compound):
            if isinstance(report, rtcp.Bye):
                self.close(None)
            else:
                self.feed.heard(report, now)

    # ---- what the viewer sends ----

    def restart(self, ufrag: str, pwd: str) -> None:
        """Take new ICE credentials beside those in use, which hold until the viewer nominates by the new ones."""
        self.nomination.restart(ufrag, pwd)

    def begin(self) -> None:
        """Begin the handshake where that is our part; call it when there is a way to the viewer."""
        if self.role is Role.CLIENT and self._dtls is None and not self.closed:
            self._dtls = Dtls(self.role, self.fingerprint)
            self._dtls.start()
            self._flush()

    def check(self, request: stun.Request, address: Address, now: float) -> bytes:
        """Answer a connectivity check; adopt the address that the viewer nominates."""
        answer = self.nomination.check(request, address, now)
        if answer is None:
            return stun.error(request.transaction, 401, "Unauthorized")
        self._heard = now
        return answer

    def leave(self, address: Address) -> None:
        """Take note that the connection from this address has ended; a viewer may come back by another."""
        self.nomination.leave(address)

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
        elif self._dtls.keys is not None and not self.feed.secure:
            is_client = self.role is Role.CLIENT
            self._receiver = srtp.receiver(self._dtls.keys, is_client=is_client)
            self._heard = now
            self.feed.secured(srtp.sender(self._dtls.keys, is_client=is_client))

    # ---- time and the end ----

    def tick(self, now: float, wall: float) -> None:
        """Do what time asks for; call about once a second, more often while the handshake runs.

        Args:
            now: On the clock of `born`.
            wall: Seconds since 1970, for sender reports.
        """
        if self.closed:
            return
        # Checks alone are no sign of life: until the channel is open, all that counts is how long it takes.
        since = self._heard if self.connected and self._heard is not None else self._born
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
        self.feed.tick()
        if self.connected and now - self._reported >= REPORT_EVERY:
            self._reported = now
            self.feed.report(now, wall)

    def close(self, code: str | None) -> None:
        """Say goodbye and end; `code` is the fault, `None` for a regular end."""
        if self.closed:
            return
        self.feed.say_bye()
        if self._dtls is not None:
            self._dtls.close()
            self._flush()
        self.closed, self.failed = True, code
        self.feed.end()
        self._on_closed(code)
        self._on_closed = nowhere  # it holds us (see `Feed.end`)

    def _flush(self) -> None:
        if self._dtls is not None:
            for datagram in self._dtls.outgoing():
                self.feed.send(datagram)
