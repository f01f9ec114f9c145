"""Sound of ours on its way to a camera: under numbers that run on, whoever speaks. Pure."""

from dataclasses import dataclass, field, replace

from ringlight.media import rtcp
from ringlight.media.forward import Track
from ringlight.media.outlet import Outlet
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec

REPORT_EVERY = 1.0  # seconds between sender reports while there is sound


@dataclass(slots=True)
class Voice:
    """The one source of sound that a camera hears.

    Attributes:
        codec: With the payload type that the camera answered.
        ssrc: Ours; the offer names it.
        start: The first sequence number, and timestamp: any.
    """

    codec: Codec
    ssrc: int
    start: int = 0
    _outlet: Outlet = field(init=False)
    _reported: float = float("-inf")

    def __post_init__(self) -> None:
        track = Track(False, self.ssrc, self.codec.clock_rate, index=self.start, timestamp=self.start)
        self._outlet = Outlet(track, self.codec.payload_type)

    def write(self, packet: Packet, now: float) -> list[bytes]:
        """Write a packet that came from elsewhere; a new SSRC goes on where the one before ended."""
        begins = packet if self._outlet.started else replace(packet, marker=True)
        batch = self._outlet.track.push(begins, now)
        if batch is None or self._outlet.take(batch) is None:
            return []
        self._outlet.count(batch)
        headers = batch.headers(self.codec.payload_type)
        return [header + payload for header, payload in zip(headers, batch.payloads, strict=True)]

    def report(self, now: float, wall: float) -> bytes | None:
        """Write a sender report if one is due; `wall` is seconds since 1970. Ask after each packet."""
        if now - self._reported < REPORT_EVERY:
            return None
        self._reported = now
        outlet, clock = self._outlet, self._outlet.track.time(now)
        report = rtcp.SenderReport(self.ssrc, rtcp.ntp_time(wall), clock, outlet.packets, outlet.octets)
        return rtcp.write(report) + rtcp.source_description(self.ssrc, "ringlight")
