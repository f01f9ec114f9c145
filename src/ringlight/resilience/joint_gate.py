"""One process's part in a gate that many share: what it asks the store, and how it goes on where that is away. Pure.

The store runs one script (`http/shared_gate.lua`), which is `Gate` with the store's clock. Where it does not answer,
each process keeps to its own share of the limit, and asks again once a second; so the calls go on, and all processes
together stay below the limit. Only a process that alone has lost the store adds its share to what the others do.
"""

from ringlight.resilience.actions import NoPlace, Place
from ringlight.resilience.gate import Gate
from ringlight.resilience.operation import Lane

__all__ = ["JointGate", "Question", "share"]

_TRY_EVERY = 1.0  # seconds between two tries to reach a store that is away
_MICRO = 1e6

Question = list[str]  # the script's arguments after the time and before the process


def share(rate: float, burst: int, among: int) -> tuple[float, int]:
    """Return one process's rate and burst, so that all together let no more through in a second than one gate would."""
    whole = (rate + burst) / among
    own_burst = max(1, burst // among)
    return max(whole - own_burst, whole / 2), own_burst


class JointGate:
    """Decides whether to ask the store, and stands in for it.

    A shell asks `question` first; if there is one, it runs the script and says `answered` or `failed`. Where there is
    none, or it failed, `alone` gives the turn.

    Attributes:
        among: How many processes share the gate, as far as is known.

    Args:
        rate: Calls per second of all processes together.
        burst: Calls that may leave at once after a rest.
        among: How many processes there may be, until the store has said how many there are.
    """

    def __init__(self, rate: float, burst: int, among: int) -> None:
        self._full_rate, self._burst = rate, burst
        self._rate = rate
        self.among = among
        self._own: Gate | None = None  # stands in while the store is away
        self._try_at = float("-inf")
        self._paused_until = float("-inf")
        self._given_up: list[int] = []

    @property
    def is_alone(self) -> bool:
        """Whether the store is away."""
        return self._own is not None

    def question(
        self, now: float, lane: Lane | None = None, within: float = 0.0, place: int | None = None, pause: float = 0.0
    ) -> Question | None:
        """Return what the script is to be asked, or `None` where the store is left alone for now.

        Args:
            now: Monotonic seconds.
            lane: Who goes first; `None` asks for no turn.
            within: Seconds that may be waited.
            place: The number that was given before; `None` at first.
            pause: Seconds for which the gate is to be closed.
        """
        returns = 0
        if self._own is not None:
            if now < self._try_at:
                return None
            self._try_at = now + _TRY_EVERY  # also keeps the others from trying meanwhile
            returns, pause = self.among, max(pause, self._paused_until - now)
        given_up, self._given_up = self._given_up, []
        known = str(place) if place is not None and place > 0 else ""
        return [
            "note" if lane is None else "ask",
            *(repr(float(number)) for number in (self._rate, self._burst, self._full_rate)),
            str(returns), str(max(round(pause * _MICRO), 0)), ",".join(map(str, given_up)),
            str(int(lane or 0)), repr(within * _MICRO), known,
        ]  # fmt: skip

    def answered(self, said: list[int], now: float) -> Place | NoPlace:
        """Take the script's answer: the store is there."""
        wait, number, refused, paused, among = said
        self._own = None
        self.among = max(among, 1)
        self._paused_until = now + paused / _MICRO
        return NoPlace(wait / _MICRO) if refused else Place(wait / _MICRO, number)

    def failed(self, now: float) -> None:
        """Note that the store did not answer."""
        if self._own is None:
            self._begin(now)
        self._try_at = now + _TRY_EVERY

    def alone(self, lane: Lane, now: float, within: float, place: int | None = None) -> Place | NoPlace:
        """Give a turn of the own share. Its numbers are negative, so that nobody takes them for the store's."""
        own = self._own or self._begin(now)
        said = own.reserve(lane, now, within, -place if place is not None and place < 0 else None)
        if isinstance(said, NoPlace):
            return NoPlace(said.wait, self.among)
        return Place(said.wait, -(said.number or 0), self.among)

    def release(self, place: int) -> None:
        """Give a place up: here at once, at the store with the next question."""
        if place > 0:
            self._given_up.append(place)
        elif self._own is not None:
            self._own.release(-place)

    def pause(self, seconds: float, now: float) -> None:
        """Close the own gate; the store is told by a question."""
        self._paused_until = max(self._paused_until, now + seconds)
        if self._own is not None:
            self._own.pause_until(self._paused_until)

    def set_rate(self, per_second: float, now: float) -> None:
        """Change the rate of all; the store hears of it with the next question, and the slowest process counts."""
        self._rate = per_second
        if self._own is not None:
            self._own.set_rate(self._share_of(per_second), now)

    def _share_of(self, rate: float) -> float:
        return share(self._full_rate, self._burst, self.among)[0] * rate / self._full_rate

    def _begin(self, now: float) -> Gate:
        """Make the own gate. In the last second the store may have let through what all may send together."""
        own = self._own = Gate(*share(self._full_rate, self._burst, self.among))
        own.set_rate(self._share_of(self._rate), now)
        own.spend(now)
        own.pause_until(self._paused_until)
        return own
