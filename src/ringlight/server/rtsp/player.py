"""A player as it takes a camera's packets: unchanged, between the text or by UDP, with reports of its clock."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ringlight.media import rtcp
from ringlight.media.forward import Batch, Track
from ringlight.media.outlet import Outlet
from ringlight.media.rtp import TIMESTAMPS, distance

REPORT_EVERY = 2.0  # seconds between two sender reports
STUCK_AFTER = 10.0  # seconds in which a player takes nothing: it is gone, or was paused without saying so
YOUNG = 0.5  # seconds that a group may have run to be sent: some players stay behind by as much
PARTS, PART_EVERY = 2, 0.004  # how much of the running group goes out at once, and after how many seconds more
SLEW = 0.005  # seconds in a second by which a later report may move the clock; players move what follows by it


class Way(Protocol):
    """How one track reaches a player. Neither call may wait or raise."""

    @property
    def full(self) -> bool:
        """Whether so much waits that live packets are left out until the next key frame."""

    def send(self, packets: Sequence[bytes]) -> None:
        """Send packets of RTP."""

    def report(self, packet: bytes) -> None:
        """Send one of RTCP."""


@dataclass(slots=True)
class _Lane:
    outlet: Outlet
    way: Way
    reported: tuple[int, float] | None = None  # the track's time in the newest report, and when


class Player:
    """Takes what a camera sends, as a sink of its broadcast.

    Args:
        on_key_frame: Called when the player needs a key frame.
        cname: Binds its tracks together.

    Attributes:
        stuck: Whether it has taken nothing for `STUCK_AFTER` seconds.
        sent: Packets that went out.
    """

    def __init__(self, on_key_frame: Callable[[], None], cname: str) -> None:
        self._on_key_frame, self._cname = on_key_frame, cname
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[str, _Lane] = {}
        self._behind: deque[tuple[_Lane, Batch]] = deque()
        self._catching_up: asyncio.TimerHandle | None = None
        self._skipped = False
        self._full_since: float | None = None
        self._reported = float("-inf")
        self.sent = 0

    def seat(self, kind: str, track: Track, payload_type: int, way: Way) -> None:
        """Send it a track from now on."""
        self._lanes[kind] = _Lane(Outlet(track, payload_type), way)

    def join(self, kind: str) -> None:
        """Begin with the running group if it is young; the clock comes first, or the player would jump later."""
        lane = self._lanes.get(kind)
        if lane is None:
            return
        group = lane.outlet.join(young=YOUNG)
        if group:
            self._report(lane, self._loop.time())
            self._behind.extend((lane, batch) for batch in group)
            self._catch_up()
        elif lane.outlet.track.video:
            self._on_key_frame()

    def packets(self, kind: str, batch: Batch) -> None:
        """Take live packets."""
        lane = self._lanes.get(kind)
        if lane is None:
            return
        now = self._loop.time()
        if self._skips(now):
            return
        begun, wanted = lane.outlet.started, lane.outlet.take(batch)
        if wanted is None:
            return
        if not begun:
            self._report(lane, now)
        if self._behind:
            self._behind.append((lane, wanted))
        else:
            self._transmit(lane, wanted)

    def tick(self, now: float) -> None:
        """Do what time asks for; call about once a second."""
        if now - self._reported >= REPORT_EVERY:
            self._reported = now
            for lane in self._lanes.values():
                if lane.outlet.started:
                    self._report(lane, now)

    def stuck(self, now: float) -> bool:
        """Whether it has taken nothing for a while."""
        if not any(lane.way.full for lane in self._lanes.values()):
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now
        return self._full_since is not None and now - self._full_since > STUCK_AFTER

    def pause(self) -> None:
        """Forget what waits; what comes later begins with a key frame."""
        self._behind.clear()
        if self._catching_up is not None:
            self._catching_up.cancel()
            self._catching_up = None
        for lane in self._lanes.values():
            lane.outlet.skip()

    def goodbye(self) -> None:
        """Say that nothing more comes."""
        self.pause()
        for lane in self._lanes.values():
            lane.way.report(self._compound(lane, rtcp.Bye((lane.outlet.track.ssrc,))))

    def _skips(self, now: float) -> bool:
        """Whether to leave out what comes; asks for a key frame once the way is free again."""
        if any(lane.way.full for lane in self._lanes.values()):
            self.pause()
            self._skipped = True
            self._full_since = now if self._full_since is None else self._full_since
        elif self._skipped:
            self._skipped, self._full_since = False, None
            self._on_key_frame()
        return self._skipped

    def _catch_up(self) -> None:
        self._catching_up = None
        free = not any(lane.way.full for lane in self._lanes.values())
        for _ in range(min(PARTS, len(self._behind)) if free else 0):
            self._transmit(*self._behind.popleft())
        if self._behind:
            self._catching_up = self._loop.call_later(PART_EVERY, self._catch_up)

    def _transmit(self, lane: _Lane, batch: Batch) -> None:
        headers = batch.headers(lane.outlet.payload_type)
        lane.outlet.count(batch)
        self.sent += len(batch)
        lane.way.send([header + payload for header, payload in zip(headers, batch.payloads, strict=True)])

    def _report(self, lane: _Lane, now: float) -> None:
        lane.way.report(self._compound(lane, None, now))

    def _compound(self, lane: _Lane, last: rtcp.Bye | None, now: float | None = None) -> bytes:
        """Write a sender report, with whose it is, and a goodbye behind it if that is all."""
        now, outlet = self._loop.time() if now is None else now, lane.outlet
        stamp, ssrc = steadily(lane.reported, outlet.track.time(now), now, outlet.track.clock_rate), outlet.track.ssrc
        lane.reported = (stamp, now)
        report = rtcp.SenderReport(ssrc, rtcp.ntp_time(time.time()), stamp, outlet.packets, outlet.octets)
        compound = rtcp.write(report) + rtcp.source_description(ssrc, self._cname)
        return compound + (rtcp.write(last) if last else b"")


def steadily(before: tuple[int, float] | None, stamp: int, now: float, rate: int) -> int:
    """Return the time to report where `stamp` is measured: never far from where the last report leads.

    Args:
        before: What was reported last, and when; `None` takes what is measured.
        stamp: A track's time.
        now: When that is.
        rate: Of its clock, in Hz.
    """
    if before is None:
        return stamp
    passed = now - before[1]
    expected = before[0] + round(passed * rate)
    most = round(SLEW * passed * rate)
    return (expected + max(-most, min(most, distance(stamp, expected % TIMESTAMPS, TIMESTAMPS)))) % TIMESTAMPS
