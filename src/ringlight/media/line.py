"""What the way to one viewer carries, from its transport-wide feedback. Pure.

Nothing is encoded here, so a line that is too thin cannot be sent fewer bits for each picture. What can be done is to
notice it before packets are lost, to leave out pictures instead of letting the delay grow, and to send a newcomer's
group no faster than it arrives.

A packet is numbered in the header extension only while an answer is wanted, since it is the answers that cost: ten or
twenty a second from each viewer (docs/decisions/0009-asked-by-stamping.md).
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from ringlight.media.rtp import SEQUENCES, distance
from ringlight.media.transport_wide import TransportFeedback

FIRST_LOOK = 3.0  # seconds after the start in which all packets ask
LOOK_EVERY, LOOK_FOR = 3.0, 0.3  # seconds: later, so long of each of these
WORRY = 3.0  # seconds that all packets ask after something was wrong
WINDOW = 0.2  # seconds of arrivals that are judged together; some four pictures
PAUSE = 0.5  # seconds without an arrival, after which a window begins anew
RATES = 5  # windows that the rate is taken of
BASES = 50  # windows whose least delay is that of the empty line
QUEUE = 0.1  # seconds that every packet of a window waited on the way: a queue that stands (RFC 8289 section 3)
THIN = 0.3  # seconds of such a queue, twice in a row, at which pictures are left out
LONGEST_HOLD = 5.0  # seconds
REMEMBERED = 30.0  # seconds for which a line counts as thin after it was
ANOTHER_CLOCK = 30.0  # seconds: what jumps so far is no delay
LOSS = 0.03  # share of packets that did not come; more is looked into
KEPT = 10.0  # seconds after which nothing is told of a packet any more; queues of some seconds are real
FIRST_FLIGHT = 128 * 1024  # bytes that a newcomer is sent before it has told that any came
LEAST_FLIGHT = 32 * 1024  # bytes


class _Departure(NamedTuple):
    """A batch that left: its numbers without the circle, its bytes, and when, in seconds."""

    numbers: tuple[int, ...]
    octets: int
    at: float


@dataclass(slots=True)
class _Window:
    """Arrivals that are judged together; `left` is when the first of them left, on our clock."""

    begins: float
    ends: float
    left: float
    octets: int = 0
    told: int = 0
    came: int = 0
    least: float = float("inf")


@dataclass(slots=True)
class Line:
    """The way to one viewer.

    Attributes:
        opened: When the first packet could leave, on the clock of `now`.
        rate: Bytes a second that arrived when it was looked at last; `None` before. No more than was sent: the most
            that a line can carry shows only where that is less.
        loss: Share of packets that did not come, 0 to 1, before any was sent again.
        queue: Seconds that packets waited on the way, beyond the least that was seen.
        held: How often pictures were left out until what waited on the way had arrived.
    """

    opened: float
    rate: float | None = None
    loss: float = 0.0
    queue: float = 0.0
    held: int = 0
    _departures: deque[_Departure] = field(default_factory=deque)
    _newest: int = 0
    _told: int = -1
    _window: _Window | None = None
    _base: float = float("inf")
    _bases: deque[float] = field(default_factory=lambda: deque(maxlen=BASES))
    _rates: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=RATES))
    _queued: bool = False
    _worried: float = float("-inf")
    _thin: float = float("-inf")
    _free: float = float("-inf")
    _flight: int = FIRST_FLIGHT

    def asks(self, now: float) -> bool:
        """Whether a packet that leaves now should ask when it arrives."""
        since = now - self.opened
        return since < FIRST_LOOK or now < self._worried or since % LOOK_EVERY < LOOK_FOR or self.is_thin(now)

    def worry(self, now: float) -> None:
        """Look closely for a while: something seems wrong."""
        self._worried = now + WORRY

    def is_thin(self, now: float) -> bool:
        """Whether it has carried less than the camera sends, lately."""
        return now - self._thin < REMEMBERED

    @property
    def queues(self) -> bool:
        """Whether packets wait on the way: what is sent twice would only make them wait longer."""
        return self.queue >= QUEUE

    def holds(self, now: float) -> bool:
        """Whether to send nothing now, so that what waits on the way can arrive."""
        return now < self._free

    def takes(self, now: float) -> bool:
        """Whether more of the past may follow: not so much is on the way that it would overflow somewhere."""
        # Who says nothing for so long will say nothing: some agree to feedback and give none.
        silent = not self._departures or now - self._departures[-1].at >= PAUSE
        return silent or self._on_the_way() < self._flight

    def _on_the_way(self) -> int:
        """Bytes that left asking and are not told of."""
        octets = 0
        for departure in reversed(self._departures):
            if departure.numbers[-1] <= self._told:
                break
            octets += departure.octets
        return octets

    def left(self, numbers: tuple[int, ...], octets: int, now: float) -> None:
        """Take note of packets that leave now and ask; their numbers are without the circle."""
        departures = self._departures
        departures.append(_Departure(numbers, octets, now))
        while now - departures[0].at > KEPT:
            departures.popleft()
        self._newest = max(self._newest, numbers[-1])

    def heard(self, feedback: TransportFeedback, now: float) -> None:
        """Take what the viewer tells of its arrivals."""
        base = self._newest + distance(feedback.base, self._newest % SEQUENCES)
        end = base + feedback.count
        arrived = {base + offset: at / 1e6 for offset, at in feedback.arrived}
        while self._departures and self._departures[0].numbers[-1] < base:
            self._departures.popleft()  # it has been told of
        clean, octets_told, waited = True, 0, float("inf")
        for one in self._departures:
            if one.numbers[0] >= end:
                break
            told = [number for number in one.numbers if base <= number < end]
            if not told:
                continue
            came = [arrived[number] for number in told if number in arrived]
            clean &= len(came) == len(told)
            octets = one.octets * len(came) // len(one.numbers)
            if came:
                self._base = min(self._base, came[0] - one.at)
                waited = min(waited, came[0] - one.at - self._base)
            self._note(came, len(told), octets, one.at, now)
            if told[-1] > self._told:
                self._told = told[-1]
                octets_told += octets
        if not clean:
            self._flight = max(LEAST_FLIGHT, self._flight // 2)
        elif waited < QUEUE:
            self._flight += octets_told
        elif waited < ANOTHER_CLOCK:
            self.worry(now)

    def _note(self, came: list[float], told: int, octets: int, left: float, now: float) -> None:
        window = self._window
        if came and window is not None and not -PAUSE < came[0] - window.ends < PAUSE:
            window = None  # nothing was asked meanwhile, or its clock has gone round
        if window is None:
            if not came:
                return
            window = self._window = _Window(came[0], came[0], left)
        window.told, window.came = window.told + told, window.came + len(came)
        if not came:
            return
        # Of a batch the first: the others wait for each other, on any line.
        window.least = min(window.least, came[0] - left)
        window.ends = max(window.ends, *came)
        window.octets += octets
        if window.ends - window.begins >= WINDOW:
            self._window = None
            self._judge(window, now)

    def _judge(self, window: _Window, now: float) -> None:
        if self._bases and abs(window.least - self._bases[-1]) > ANOTHER_CLOCK:
            self._bases.clear()
        self._bases.append(window.least)
        self._base = min(self._bases)
        self._rates.append((window.octets, window.ends - window.begins))
        self.rate = sum(octets for octets, _ in self._rates) / sum(seconds for _, seconds in self._rates)
        self.loss = max(0.0, 1 - window.came / window.told)
        self.queue = window.least - self._base
        if self.queues or self.loss > LOSS:
            self.worry(now)
        before, self._queued = self._queued, self.queue >= THIN
        # What left before the last halt ended tells of the queue that it was for.
        if before and self._queued and window.left >= self._free:
            self._thin, self.held = now, self.held + 1
            carries = window.octets / (window.ends - window.begins)  # all that it can, while a queue stands
            self._free = now + min(LONGEST_HOLD, max(self.queue, self._on_the_way() / carries))
