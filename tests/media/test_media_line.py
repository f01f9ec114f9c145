"""What a viewer's line carries, on lines made by hand: so many bytes a second, a queue, and a clock of its own."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.media.line import (
    FIRST_FLIGHT,
    FIRST_LOOK,
    LOOK_EVERY,
    LOOK_FOR,
    PAUSE,
    QUEUE,
    REMEMBERED,
    THIN,
    Line,
)
from ringlight.media.rtp import SEQUENCES
from ringlight.media.transport_wide import TICK, TransportFeedback

PACKET = 1100  # bytes
RATE = 15  # pictures a second
CAMERA = 180_000  # bytes a second, 1.44 Mbit/s
TELL_EVERY = 0.06  # seconds; so does Chromium
SECOND = 1_000_000  # microseconds


@dataclass
class Way:
    """A line with a queue: carries `rate` bytes a second, drops what would wait longer than `buffer` seconds.

    `skew` is where the viewer's clock stands beside ours, in seconds.
    """

    rate: float
    buffer: float = 3.0
    delay: float = 0.02
    skew: float = 5000.0
    loss: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    busy: float = 0.0
    arrived: list[tuple[int, float]] = field(default_factory=list)
    sent: int = 0
    dropped: int = 0

    def carry(self, number: int, octets: int, now: float) -> None:
        self.sent += 1
        start = max(self.busy, now)
        if start - now > self.buffer or self.dice.random() < self.loss:
            self.dropped += 1
            return
        self.busy = start + octets / self.rate
        self.arrived.append((number, self.busy + self.delay))


@dataclass
class Watching:
    """A camera that sends over a way, and a viewer that tells what arrives."""

    way: Way
    line: Line = field(default_factory=lambda: Line(100.0))
    now: float = 100.0
    number: int = 65_000
    asked: int = 0
    held: float = 0.0
    tells: bool = True
    _told: float = 100.0
    _next: int = 65_000
    _wait_for_key: bool = False

    def send(self, packets: int) -> None:
        """Send a picture now."""
        numbers = tuple(range(self.number, self.number + packets))
        self.number += packets
        if self.line.asks(self.now):
            self.asked += 1
            self.line.left(numbers, packets * PACKET, self.now)
        for number in numbers:
            self.way.carry(number, PACKET, self.now)

    def watch(self, seconds: float, camera: int = CAMERA, group: int = 30) -> None:
        """Let the camera run, a picture of some packets fifteen times a second, a large one each two seconds."""
        packets = max(1, camera // RATE // PACKET)
        for at in range(int(seconds * RATE)):
            until = self.now + 1 / RATE
            if self.line.holds(self.now):
                self._wait_for_key, self.held = True, self.held + 1 / RATE
            elif at % group == 0:
                self._wait_for_key = False
            if not self._wait_for_key:
                self.send(packets * 3 if at % group == 0 else packets)
            self.let_tell(until)

    def let_tell(self, until: float) -> None:
        """Let the time pass; the viewer tells of what has come."""
        while self._told + TELL_EVERY <= until:
            self._told += TELL_EVERY
            self.now = self._told
            come = sorted(one for one in self.way.arrived if one[1] <= self.now - self.way.delay)
            self.way.arrived = [one for one in self.way.arrived if one[1] > self.now - self.way.delay]
            if come and self.tells:
                self.line.heard(told(self._next, come, self.way.skew), self.now)
                self._next = max(self._next, come[-1][0] + 1)
        self.now = until


def told(first: int, come: list[tuple[int, float]], skew: float = 0.0) -> TransportFeedback:
    """What a viewer tells of arrivals: from the first number that it has not told of."""
    first = min(first, come[0][0])
    stamps = tuple((number - first, round((at + skew) * SECOND / TICK) * TICK) for number, at in come)
    return TransportFeedback(1, 77, first % SEQUENCES, come[-1][0] - first + 1, stamps)


def test_a_wide_line_is_measured_and_never_held() -> None:
    watching = Watching(Way(rate=2_000_000))
    watching.watch(60)
    assert watching.line.rate == pytest.approx(CAMERA, rel=0.35), "what the camera sends, and no more can be known"
    assert watching.line.loss == 0
    assert watching.line.queue < QUEUE
    assert (watching.line.held, watching.held) == (0, 0)
    assert not watching.line.is_thin(watching.now)


def test_packets_ask_at_first_and_then_for_a_moment_each_time() -> None:
    """It is the answers that cost."""
    watching = Watching(Way(rate=2_000_000))
    watching.watch(FIRST_LOOK)
    assert watching.asked == FIRST_LOOK * RATE
    before = watching.asked
    watching.watch(60)
    assert (watching.asked - before) / (60 * RATE) == pytest.approx(LOOK_FOR / LOOK_EVERY, rel=0.4)


@pytest.mark.parametrize("share", [0.5, 0.7, 0.85])
def test_a_line_that_is_too_thin_is_held_before_its_queue_overflows(share: float) -> None:
    """Pictures are left out, but those that come are not seconds old, and none is lost on the way."""
    watching = Watching(Way(rate=CAMERA * share))
    watching.watch(6)
    waits = []
    for _ in range(240):
        watching.watch(0.25, group=8)
        waits.append(max(0.0, watching.way.busy - watching.now))
    assert watching.line.is_thin(watching.now)
    assert watching.line.held > 3
    assert watching.way.dropped == 0
    assert sum(waits) / len(waits) < 1.2


def test_a_line_that_nobody_watches_overflows() -> None:
    """The same without answers: this is what holding is for, and that the test above can fail."""
    watching = Watching(Way(rate=CAMERA * 0.7), tells=False)
    watching.watch(30)
    assert watching.way.dropped > 100
    assert watching.line.held == 0


def test_a_line_that_became_thin_is_noticed_and_is_told_for_a_while_after() -> None:
    watching = Watching(Way(rate=2_000_000))
    watching.watch(20)
    watching.way.rate = CAMERA * 0.6
    watching.watch(8)
    assert watching.line.is_thin(watching.now)
    assert watching.line.rate == pytest.approx(CAMERA * 0.6, rel=0.2), "now it is the line that is measured"
    watching.way.rate = 2_000_000
    watching.watch(10)
    assert watching.line.is_thin(watching.now), "it may come back"
    watching.watch(REMEMBERED)
    assert not watching.line.is_thin(watching.now)


def test_loss_without_a_queue_is_told_and_holds_nothing() -> None:
    """A Wi-Fi that loses is helped by sending again, not by sending less."""
    watching = Watching(Way(rate=2_000_000, loss=0.2))
    watching.watch(20)
    assert watching.line.loss == pytest.approx(0.2, abs=0.15)
    assert watching.line.held == 0
    assert watching.line.asks(watching.now), "it is looked at closely"


def test_one_short_halt_on_the_way_holds_nothing() -> None:
    """A phone changes the base station: packets wait, then come all at once."""
    watching = Watching(Way(rate=2_000_000))
    watching.watch(FIRST_LOOK + 0.05)
    watching.line.worry(watching.now)
    watching.way.busy = watching.now + 0.35
    watching.watch(2)
    assert watching.line.held == 0


def test_a_longer_way_from_now_on_becomes_the_measure_in_time() -> None:
    watching = Watching(Way(rate=2_000_000))
    watching.watch(10)
    watching.way.delay += 0.15
    watching.watch(60)
    assert watching.line.queue < 0.02


def test_another_clock_is_no_queue() -> None:
    """The viewer's clock goes round after twelve days."""
    watching = Watching(Way(rate=2_000_000))
    watching.watch(10)
    watching.way.skew -= 64e-3 * (1 << 24)
    watching.watch(10)
    assert watching.line.queue < QUEUE
    assert watching.line.held == 0


def _caught_up(way: Way, packets: int = 680, *, tells: bool = True) -> tuple[float, Watching]:
    """Send a newcomer a group of so many packets as the port does; return how long that took."""
    watching = Watching(way, tells=tells)
    while watching.number < 65_000 + packets:
        if watching.line.takes(watching.now):
            watching.send(24)
            watching.send(24)
        watching.let_tell(watching.now + 0.004)
        assert watching.now < 130, "it must end"
    return watching.now - 100, watching


def test_a_newcomer_gets_its_group_no_faster_than_its_line_carries_it() -> None:
    """Four seconds of a camera at once would overflow a home's router: 256 kB wait there at most, say."""
    rate = 600_000
    took, watching = _caught_up(Way(rate=rate, buffer=256_000 / rate))
    assert watching.way.dropped == 0
    assert took < 680 * PACKET / rate * 1.6
    _, blind = _caught_up(Way(rate=rate, buffer=256_000 / rate), tells=False)
    assert blind.way.dropped > 0 or took > 1


def test_on_a_wide_line_the_group_is_there_soon() -> None:
    took, _ = _caught_up(Way(rate=12_000_000))
    assert took < 0.4


def test_who_agreed_to_tell_and_does_not_gets_its_group_all_the_same() -> None:
    took, watching = _caught_up(Way(rate=12_000_000), tells=False)
    assert took < (680 * PACKET / FIRST_FLIGHT + 1) * (PAUSE + 0.1) * 3
    assert watching.line.rate is None


def test_feedback_about_what_was_never_sent_is_nothing() -> None:
    line = Line(100.0)
    line.heard(told(5, [(5, 1.0), (6, 1.1)]), 100.0)
    line.left((70_000, 70_001), 2200, 100.0)
    line.heard(TransportFeedback(1, 77, 0, 0, ()), 100.1)
    line.heard(told(70_000 + 300, [(70_400, 1.0)]), 100.1)
    assert (line.rate, line.loss, line.queue, line.held) == (None, 0.0, 0.0, 0)


_events = st.lists(
    st.tuples(
        st.floats(0, 0.4), st.integers(-40, 40), st.integers(0, 300),
        st.lists(st.tuples(st.integers(0, 299), st.integers(-(1 << 40), 1 << 40)), max_size=20),
    ),
    max_size=60,
)  # fmt: skip


@given(_events)
@settings(max_examples=150)
def test_whatever_a_viewer_tells_it_is_never_held_for_long_and_nothing_grows(
    events: list[tuple[float, int, int, list[tuple[int, int]]]],
) -> None:
    """Lies cost the liar some pictures at most."""
    line, now, number = Line(100.0), 100.0, 65_500
    for pause, behind, count, arrived in events:
        now += pause
        line.left(tuple(range(number, number + 5)), 5 * PACKET, now)
        number += 5
        line.heard(TransportFeedback(1, 2, (number + behind) % SEQUENCES, count, tuple(arrived)), now)
        assert line.queue >= 0
        assert 0 <= line.loss <= 1
        assert line.rate is None or line.rate >= 0
        assert not line.holds(now + 5.1)
        line.takes(now)
    assert line.holds(now) <= (line.held > 0)


def test_a_queue_must_stand_to_count() -> None:
    """The packets of one large picture wait for each other on any line; only the first of a batch is looked at."""
    watching = Watching(Way(rate=CAMERA * 1.3))
    watching.watch(30)
    assert watching.line.queue < THIN
    assert watching.line.held == 0
