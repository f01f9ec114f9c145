"""How the packets arrive at a viewer, from what it reports (RFC 3550 section 6.4.1). Pure."""

from dataclasses import dataclass, field

from ringlight.media.rtcp import ReportBlock

REPORTS_KEPT = 4  # sender reports whose echo still tells the round trip


@dataclass(slots=True)
class Quality:
    """What a viewer's reports come to.

    Attributes:
        lost_fraction: Of its video, between its last two reports: 0 to 1.
        lost: Packets of its video that it has missed so far, by its last report.
        jitter: Of its video, in seconds, by its last report.
        round_trip: Seconds to it and back, by its last report; `None` before one.
    """

    lost_fraction: float = 0.0
    lost: int = 0
    jitter: float = 0.0
    round_trip: float | None = None
    _least: float = float("inf")
    _sent: dict[int, float] = field(default_factory=dict)

    def sent(self, ntp: int, now: float) -> None:
        """Take note of a sender report with this NTP time, which the viewer will echo."""
        self._sent = dict([*self._sent.items(), (ntp >> 16 & 0xFFFFFFFF, now)][-REPORTS_KEPT:])

    def take_video(self, block: ReportBlock, clock_rate: int) -> None:
        """Take a report about the video."""
        self.lost_fraction, self.lost = block.lost_fraction / 256, max(0, block.lost_total)
        self.jitter = block.jitter / clock_rate

    def take_echo(self, block: ReportBlock, now: float) -> None:
        """Take the echo of a sender report, whatever it is about; one that was never sent tells nothing."""
        sent = self._sent.get(block.last_report)
        if sent is not None:
            self.round_trip = max(0.0, now - sent - block.delay / 65536)
            self._least = min(self._least, self.round_trip)

    @property
    def slower(self) -> float:
        """Seconds that the last round trip took beyond the shortest."""
        return 0.0 if self.round_trip is None else self.round_trip - self._least
