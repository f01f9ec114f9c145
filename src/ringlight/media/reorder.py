"""What a receiver does about packets that are late or lost: wait a little, ask again, give up. Pure (RFC 4585).

In order, a packet passes at once and nothing is added to its way. Behind a gap packets are held, while the
missing ones are asked for; when they don't come in time, what is held goes on and the gap stays.
"""

from dataclasses import dataclass, field

from ringlight.media import rtp
from ringlight.media.rtp import SEQUENCES, Packet

PATIENCE = 0.25  # seconds that packets wait behind a gap: longer would be seen as a freeze of its own
ASK_AFTER = 0.005  # seconds that a packet may be late before it counts as missing: networks swap neighbours
ASK_EVERY = 0.05  # seconds between two requests for the same packet: some round trip to a server of Ring's
ASK_AT_MOST = 5  # times
MOST_HELD = 512  # packets; more behind one gap is another stream
MOST_MISSING = 128  # a longer gap is an outage: a key frame is the better thing to ask for


@dataclass(slots=True)
class _Missing:
    since: float
    asked: int = 0
    ask_at: float = 0.0


@dataclass(slots=True)
class Reorder:
    """Puts the packets of one source into order.

    Attributes:
        repaired: Packets that were missing and came.
        lost: Packets that were given up.
        gaps: How often packets went on behind a gap that stays.
    """

    repaired: int = 0
    lost: int = 0
    gaps: int = 0
    _next: int | None = None
    _stray: int | None = None
    _held: dict[int, Packet] = field(default_factory=dict)
    _missing: dict[int, _Missing] = field(default_factory=dict)

    def push(self, packet: Packet, now: float) -> list[Packet]:
        """Take a packet at `now` seconds; return those whose turn it is, in order."""
        if self._next is None:
            self._next = packet.sequence
        index = self._next + rtp.distance(packet.sequence, self._next % SEQUENCES)
        highest = max(self._held, default=self._next - 1)
        if not -MOST_HELD < index - highest <= MOST_MISSING:
            return self._jump(index, packet)
        if index < self._next or index in self._held:
            return []  # given up already, or doubled
        if self._missing.pop(index, None) is not None:
            self.repaired += 1
        if index > self._next:
            self._missing |= {gap: _Missing(now, ask_at=now + ASK_AFTER) for gap in range(highest + 1, index)}
            self._held[index] = packet
            return [] if len(self._held) < MOST_HELD else self._give_up()
        self._next = index + 1
        return [packet, *self._follow()]

    def tick(self, now: float) -> list[Packet]:
        """Give up what has been missing for too long; return the packets that need wait no longer."""
        out: list[Packet] = []
        while self._next in self._missing and now - self._missing[self._next].since >= PATIENCE:
            del self._missing[self._next]
            self.lost += 1
            self.gaps += 1
            self._next += 1
            out += self._follow()
        return out

    def wanted(self, now: float) -> tuple[int, ...]:
        """Return the sequence numbers to ask for now; each is asked for a few times."""
        due = [(index, gap) for index, gap in self._missing.items() if gap.asked < ASK_AT_MOST and gap.ask_at <= now]
        for _, gap in due:
            gap.asked, gap.ask_at = gap.asked + 1, now + ASK_EVERY
        return tuple(index % SEQUENCES for index, _ in due)

    @property
    def deadline(self) -> float | None:
        """When to call `wanted` and `tick` at the latest; `None` while nothing is missing."""
        times = [gap.since + PATIENCE for gap in self._missing.values()]
        times += [gap.ask_at for gap in self._missing.values() if gap.asked < ASK_AT_MOST]
        return min(times, default=None)

    def _follow(self) -> list[Packet]:
        out = []
        while self._next in self._held:
            out.append(self._held.pop(self._next))
            self._next += 1
        return out

    def _give_up(self) -> list[Packet]:
        """Let everything go that is held, and begin behind it."""
        self.lost += len(self._missing)
        self.gaps += 1
        self._missing.clear()
        out = [self._held[index] for index in sorted(self._held)]
        self._next = max(self._held, default=(self._next or 0) - 1) + 1
        self._held.clear()
        return out

    def _jump(self, index: int, packet: Packet) -> list[Packet]:
        """Take a number from far away: a stray packet, or two in a row that begin anew (RFC 3550 appendix A.1)."""
        if packet.sequence != self._stray:
            self._stray = (packet.sequence + 1) % SEQUENCES
            return []
        out = self._give_up()
        self._stray, self._next = None, index + 1
        return [*out, packet]
