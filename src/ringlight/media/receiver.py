"""The receiving end of a camera's media: into order, asked for again where lost, reported upon."""

import asyncio
import secrets
from collections.abc import Callable

from ringlight.errors import RingError
from ringlight.media import rtcp, rtp
from ringlight.media.negotiate import Agreed
from ringlight.media.reception import Reception
from ringlight.media.reorder import Reorder
from ringlight.media.rtp import Packet

REPORT_EVERY = 1.0  # seconds between receiver reports
ANOTHER_AFTER = 0.5  # seconds of silence of one video source, after which another one is taken
MOST_SOURCES = 31  # that fit into a report
KEY_FRAME_EVERY = 1.0  # seconds between two requests because of loss: one takes about a round trip


class Receiver:
    """Takes datagrams of one session, opened; hands on its packets, video in order.

    Args:
        agreed: What the camera sends.
        send_rtcp: Carries a compound RTCP packet to the camera's side.
        on_packet: Called with each packet, of video in order; packets that were sent again are in their place.
    """

    def __init__(self, agreed: Agreed, send_rtcp: Callable[[bytes], None], on_packet: Callable[[Packet], None]) -> None:
        self._rates = {codec.payload_type: codec.clock_rate for codec in agreed.codecs.values()}
        self._video_type = agreed.codecs["video"].payload_type
        self._repairs = agreed.repairs
        self._send_rtcp, self._on_packet = send_rtcp, on_packet
        self._loop = asyncio.get_running_loop()
        self._ours = secrets.randbits(32)
        self._receptions: dict[int, Reception] = {}
        self._video: int | None = None
        self._reorder = Reorder()
        self._asked_at = self._heard_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._reports = self._loop.call_later(REPORT_EVERY, self._report)
        self._closed = False
        self.dropped = 0

    @property
    def lost(self) -> int:
        """Packets of video that never came."""
        return self._reorder.lost

    @property
    def repaired(self) -> int:
        """Packets of video that were missing and came in time."""
        return self._reorder.repaired

    def receive_rtp(self, data: bytes) -> None:
        """Take an RTP packet; what is none, or of a type that was not agreed on, is counted and dropped."""
        if self._closed:
            return
        try:
            packet = rtp.parse(data)
        except RingError:
            self.dropped += 1
            return
        now = self._loop.time()
        original = self._repairs.get(packet.payload_type)
        if original is not None:
            self._repair(packet, original, now)
            return
        rate = self._rates.get(packet.payload_type)
        if rate is None:
            self.dropped += 1
            return
        reception = self._receptions.get(packet.ssrc)
        if reception is None:
            if len(self._receptions) >= MOST_SOURCES:
                self.dropped += 1
                return
            reception = self._receptions[packet.ssrc] = Reception(packet.ssrc, rate)
        reception.note(packet, now)
        if packet.payload_type == self._video_type:
            self._see(packet, now)
        else:
            self._on_packet(packet)

    def receive_rtcp(self, data: bytes) -> None:
        """Take a compound RTCP packet."""
        for report in rtcp.parse(data):
            if isinstance(report, rtcp.SenderReport) and report.ssrc in self._receptions:
                self._receptions[report.ssrc].heard(report, self._loop.time())

    def ask_key_frame(self) -> None:
        """Send a PLI for the video; nothing before its first packet."""
        if self._video is not None:
            self._asked_at = self._loop.time()
            self._tell(rtcp.KeyFrameRequest(self._ours, self._video))

    def close(self) -> None:
        """Stop reporting and waiting; what comes now is dropped."""
        self._closed = True
        self._reports.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _see(self, packet: Packet, now: float) -> None:
        if packet.ssrc != self._video:
            if now - self._heard_at < ANOTHER_AFTER:
                return  # a second size of the same picture (simulcast): one is enough
            self._video, self._reorder = packet.ssrc, Reorder(self._reorder.repaired, self._reorder.lost)
        self._heard_at = now
        before = self._reorder.gaps
        for ready in self._reorder.push(packet, now):
            self._on_packet(ready)
        self._mend(before, now)
        self._wait()

    def _repair(self, packet: Packet, payload_type: int, now: float) -> None:
        """Put a packet that was sent again into its place (RFC 4588 section 4: its old number comes first)."""
        if self._video is None or len(packet.payload) <= 2:
            return  # without payload it only probes the bandwidth
        sequence, payload = int.from_bytes(packet.payload[:2], "big"), packet.payload[2:]
        self._see(Packet(payload_type, packet.marker, sequence, packet.timestamp, self._video, payload), now)

    def _wait(self) -> None:
        """Wait for what is missing, if anything is."""
        if self._timer is None and (due := self._reorder.deadline) is not None:
            self._timer = self._loop.call_at(due, self._due)

    def _due(self) -> None:
        self._timer = None
        now, before = self._loop.time(), self._reorder.gaps
        wanted = self._reorder.wanted(now)
        if wanted and self._video is not None:
            self._tell(rtcp.Nack(self._ours, self._video, wanted))
        for ready in self._reorder.tick(now):
            self._on_packet(ready)
        self._mend(before, now)
        self._wait()

    def _mend(self, gaps_before: int, now: float) -> None:
        """Ask for a key frame where packets are missing for good: the pictures are broken until one comes."""
        if self._reorder.gaps > gaps_before and now - self._asked_at >= KEY_FRAME_EVERY:
            self.ask_key_frame()

    def _report(self) -> None:
        self._reports = self._loop.call_later(REPORT_EVERY, self._report)
        now = self._loop.time()
        blocks = tuple(reception.block(now) for reception in self._receptions.values())
        if blocks:
            report = rtcp.write(rtcp.ReceiverReport(self._ours, blocks))
            self._send_rtcp(report + rtcp.source_description(self._ours, "ringlight"))

    def _tell(self, report: rtcp.KeyFrameRequest | rtcp.Nack) -> None:
        self._send_rtcp(rtcp.write(rtcp.ReceiverReport(self._ours)) + rtcp.write(report))
