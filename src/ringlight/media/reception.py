"""What a receiver keeps of one source for its reports (RFC 3550 appendix A). Pure."""

from dataclasses import dataclass

from ringlight.media.rtcp import ReportBlock, SenderReport
from ringlight.media.rtp import SEQUENCES, Packet, distance


@dataclass(slots=True)
class Reception:
    """Counts, loss and jitter of one source.

    Attributes:
        ssrc: The source.
        clock_rate: In Hz.
        received: Packets that came.
    """

    ssrc: int
    clock_rate: int
    received: int = 0
    _first: int = 0
    _highest: int = 0
    _jitter: float = 0.0
    _transit: float | None = None
    _expected_before: int = 0
    _received_before: int = 0
    _report: tuple[int, float] | None = None

    def note(self, packet: Packet, now: float) -> None:
        """Count a packet that came at `now` seconds."""
        if not self.received:
            self._first = self._highest = packet.sequence
        ahead = distance(packet.sequence, self._highest % SEQUENCES)
        self._highest = max(self._highest, self._highest + ahead)
        self.received += 1
        transit = now * self.clock_rate - packet.timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < self.clock_rate:  # a jump of a second is another clock, not jitter
                self._jitter += (change - self._jitter) / 16
        self._transit = transit

    def heard(self, report: SenderReport, now: float) -> None:
        """Keep when the last sender report came."""
        self._report = (report.ntp >> 16 & 0xFFFFFFFF, now)

    @property
    def lost(self) -> int:
        """Packets that never came, so far; doubles make it smaller."""
        return self._highest - self._first + 1 - self.received if self.received else 0

    def block(self, now: float) -> ReportBlock:
        """Return the report since the last one."""
        expected = self._highest - self._first + 1
        interval = expected - self._expected_before
        lost = interval - (self.received - self._received_before)
        self._expected_before, self._received_before = expected, self.received
        fraction = min(255, (lost << 8) // interval) if interval > 0 and lost > 0 else 0
        last, delay = 0, 0
        if self._report is not None:
            last, delay = self._report[0], int((now - self._report[1]) * 65536)
        total = max(-(1 << 23), min(self.lost, (1 << 23) - 1))
        return ReportBlock(self.ssrc, fraction, total, self._highest & 0xFFFFFFFF, int(self._jitter), last, delay)
