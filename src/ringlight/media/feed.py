"""What goes to one viewer: the running group, live packets, what it missed, our reports. Does no I/O.

What is encrypted here is carried by whoever made the viewer (port.py, or a publication's own path).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ringlight.media import rtcp, srtp
from ringlight.media.forward import Batch
from ringlight.media.line import LOSS, QUEUE, Line
from ringlight.media.outlet import Outlet
from ringlight.media.quality import Quality
from ringlight.media.transport_wide import TransportFeedback

__all__ = ["CATCH_UP_BATCHES", "REPEATS", "Feed", "Runs", "never", "no_clock", "nowhere"]

CATCH_UP_BATCHES = 2  # parts of the running group that go out at once; the port asks for more every few ms
REPEATS = 400  # packets sent again between two ticks, a second apart: more would only feed the congestion
HEAVY_LOSS = 0.08  # share of its packets; above, a repeat is as likely lost, and browsers ask anew after 100 ms only

Runs = tuple[tuple[int, int], ...]


def never() -> bool:
    """Say no: what has no queue is never full."""
    return False


def nowhere(*_: object) -> None:
    """Take what is left over for a viewer that has ended."""


def no_clock() -> float:
    """Stand still, where nobody asks for the time."""
    return 0.0


@dataclass(slots=True, eq=False)
class Feed:
    """A viewer's tracks as they leave; nothing leaves before `secured` and after `end`.

    Attributes:
        outlets: What it gets, by kind of track.
        cname: Binds its tracks together.
        send: Carries a datagram to the viewer.
        send_all: Carries RTP packets, and the stretches of them that may leave in one call.
        on_key_frame: Called when the viewer needs a key frame.
        is_full: Whether so much waits to be sent that live packets are left out until the next key frame.
        clock: Tells the time where packets leave; asked only where the viewer gives transport-wide feedback.
        quality: How the packets arrive there.
        line: What the way to it carries; `None` where it gives no such feedback, and before the channel is open.
        repeated: Packets that were sent again.
        ended: Whether nothing is sent any more.
    """

    outlets: dict[str, Outlet]
    cname: str
    send: Callable[[bytes], None]
    send_all: Callable[[list[bytes], Runs], None]
    on_key_frame: Callable[[], None]
    is_full: Callable[[], bool] = never
    clock: Callable[[], float] = no_clock
    quality: Quality = field(default_factory=Quality)
    line: Line | None = None
    repeated: int = 0
    ended: bool = False
    _sender: srtp.Sender | None = None
    _skipped: bool = False
    _full: bool = False
    _behind: deque[tuple[Outlet, Batch]] = field(default_factory=deque)
    _repeats_left: int = REPEATS

    # ---- beginning and end ----

    @property
    def secure(self) -> bool:
        """Whether there are keys to encrypt with, also after the end."""
        return self._sender is not None

    def secured(self, sender: srtp.Sender) -> None:
        """Begin with the running group of each track; `sender` encrypts for the viewer."""
        self._sender = sender
        for kind in self.outlets:
            self._catch_up(kind)

    def say_bye(self) -> None:
        """Tell that the tracks end."""
        if self._sender is not None:
            sources = tuple(outlet.track.ssrc for outlet in self.outlets.values())
            self.send(self._sender.protect_rtcp(rtcp.write(rtcp.Bye(sources))))

    def end(self) -> None:
        """Send nothing any more, and let go of whoever carried it."""
        self.ended = True
        self._behind.clear()
        # Who carries for it holds it, and it holds them: nothing would be freed until the collector comes by.
        self.send, self.send_all, self.is_full = nowhere, nowhere, never

    # ---- what the camera sends ----

    def join(self, kind: str) -> None:
        """Begin with the running group of pictures, if the channel is open; else it goes out when it opens."""
        if self._sender is not None and not self.ended:
            self._catch_up(kind)

    def packets(self, kind: str, batch: Batch) -> None:
        """Take live packets; nothing is kept while the channel is not open."""
        outlet = self.outlets.get(kind)
        if outlet is None or self._sender is None or self.ended or self._skips():
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

    # ---- what the viewer says of it, and what we report ----

    def heard(self, report: rtcp.Report, now: float) -> None:
        """Take one of its reports; a goodbye is not for here."""
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

    def _judged(self, block: rtcp.ReportBlock, now: float) -> None:
        """Take a report about one of our tracks."""
        video = self.outlets.get("video")
        if video is not None and block.ssrc == video.track.ssrc:
            self.quality.take_video(block, video.track.clock_rate)
        self.quality.take_echo(block, now)
        if self.line is not None and (self.quality.lost_fraction > LOSS or self.quality.slower > QUEUE):
            self.line.worry(now)

    def tick(self) -> None:
        """Let packets be sent again that were too many since the last tick."""
        self._repeats_left = REPEATS

    def report(self, now: float, wall: float) -> None:
        """Say what has left of each track so far, and which picture's time is which time of the day."""
        ntp = rtcp.ntp_time(wall)
        self.quality.sent(ntp, now)
        for outlet in self.outlets.values():
            if self._sender is not None and outlet.started:
                ssrc, clock = outlet.track.ssrc, outlet.track.time(now)
                report = rtcp.SenderReport(ssrc, ntp, clock, outlet.packets, outlet.octets)
                compound = rtcp.write(report) + rtcp.source_description(ssrc, self.cname)
                self.send(self._sender.protect_rtcp(compound))
