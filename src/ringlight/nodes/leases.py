"""Who of several nodes holds which camera: the rules of one node. Pure.

A node shows itself in Redis once a second, and what it holds is its own for as long as it does. Whoever wants a camera
asks Redis, which gives it to one node only and numbers each giving (the token grows, also over a Redis that lost all).
The reasons are told in docs/decisions/0011-one-node-holds-a-camera.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "Action", "Beat", "Beaten", "Claim", "Claimed", "Cut", "Drop", "End", "Event", "Holder", "Leases", "Leave", "Open",
    "Refuse", "Release", "Tell", "Tick", "Want",
]  # fmt: skip

LASTS = 2.0  # seconds that a node counts as there after it has shown itself
BEAT = LASTS / 4  # seconds between two signs of life: three may be lost
AGAIN = 0.5  # seconds between two tries to reach a Redis that is away


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a camera.

    Attributes:
        node: Its number, as text.
        url: Where its viewers find it, without a slash at the end.
        token: Of this giving; each later one has a higher.
    """

    node: str
    url: str
    token: int


# What happens


@dataclass(frozen=True, slots=True)
class Want:
    """A view is about to open here. `number` is another one each time."""

    number: int
    camera: str


@dataclass(frozen=True, slots=True)
class Drop:
    """A view has closed, or nobody wants it any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """Redis has answered a `Claim`.

    Attributes:
        camera: Which was claimed.
        asked: When it was asked.
        token: Of this node's lease; 0 where another node has it.
        holder: That other node.
    """

    camera: str
    asked: float
    token: int
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class Beaten:
    """Redis has answered a `Beat`.

    Attributes:
        asked: When it was asked.
        own: The cameras that Redis has as this node's, with their tokens.
        lost: Those that it believed to hold, under these tokens, and another node does.
        others: All cameras that other nodes hold.
        nodes: The addresses of all nodes.
    """

    asked: float
    own: Mapping[str, int]
    lost: Mapping[str, int]
    others: Mapping[str, Holder]
    nodes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cut:
    """Redis does not answer."""


@dataclass(frozen=True, slots=True)
class Leave:
    """This node is about to stop: others shall go on."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline has come."""


Event = Want | Drop | Claimed | Beaten | Cut | Leave | Tick

# What is to be done


@dataclass(frozen=True, slots=True)
class Claim:
    """Ask Redis for a camera. A new token shall be higher than `token`."""

    camera: str
    token: int


@dataclass(frozen=True, slots=True)
class Beat:
    """Show this node in Redis, and ask whether what it holds is still its own."""

    held: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Tell Redis that a camera is free, if it is still held under this token."""

    camera: str
    token: int


@dataclass(frozen=True, slots=True)
class Open:
    """Let a view open."""

    number: int
    token: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """Let it not: another node holds the camera, or `code` says why."""

    number: int
    code: str
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class End:
    """End a view that runs."""

    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell people that this node does not reach Redis, or does again."""

    alone: bool


Action = Claim | Beat | Release | Open | Refuse | End | Tell


@dataclass(slots=True)
class _Mine:
    """A camera that this node holds; under token 0 without Redis having said so."""

    token: int
    numbers: set[int] = field(default_factory=set)


class Leases:
    """What one node holds.

    Args:
        alone_for: Seconds beyond what Redis has granted for which a node that does not reach it goes on as if it held
            what it shows, and opens what nobody is known to hold. 0: no second session with Ring, ever.
        now: The time.

    Attributes:
        alone: Whether Redis is out of reach.
        others: The cameras that other nodes hold, as far as is known.
        nodes: The addresses of all nodes, as far as is known.
        deadline: When a `Tick` is wanted.
    """

    def __init__(self, *, alone_for: float, now: float) -> None:
        self.alone = False
        self.others: dict[str, Holder] = {}
        self.nodes: dict[str, str] = {}
        self.deadline: float | None = now
        self._alone_for = alone_for
        self._certain_until = now  # so long nobody else gets what we hold, by our own clock
        self._beat_at: float | None = now
        self._mine: dict[str, _Mine] = {}
        self._waiting: dict[str, list[int]] = {}  # for Redis's answer to a claim
        self._leaving = self._has_answered = False

    @property
    def held(self) -> dict[str, int]:
        """The cameras that are held here, with their tokens."""
        return {camera: mine.token for camera, mine in self._mine.items()}

    def receive(self, event: Event, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. Never raises."""
        match event:
            case Want():
                actions = self._want(event, now)
            case Drop():
                actions = self._drop(event)
            case Claimed():
                actions = self._claimed(event)
            case Beaten():
                actions = self._beaten(event, now)
            case Cut():
                actions = self._cut(now)
            case Leave():
                actions = self._leave()
            case Tick():
                actions = self._tick(now)
        self.deadline = self._next(now)
        return actions

    def _want(self, event: Want, now: float) -> list[Action]:
        if self._leaving:
            return [Refuse(event.number, "NODE-LEAVING")]
        mine = self._mine.get(event.camera)
        if mine is not None:
            mine.numbers.add(event.number)
            return [Open(event.number, mine.token)]
        if self.alone:
            return self._want_alone(event.number, event.camera, now)
        waiting = self._waiting.setdefault(event.camera, [])
        waiting.append(event.number)
        known = self.others.get(event.camera)
        return [Claim(event.camera, known.token if known else 0)] if len(waiting) == 1 else []

    def _want_alone(self, number: int, camera: str, now: float) -> list[Action]:
        holder = self.others.get(camera)
        if holder is not None:  # it goes on with what it has, as we do
            return [Refuse(number, "CAM-ELSEWHERE", holder)]
        if now >= self._ends_at or not self._alone_for:
            return [Refuse(number, "NODE-ALONE")]
        mine = self._mine.setdefault(camera, _Mine(0))
        mine.numbers.add(number)
        return [Open(number, mine.token)]

    def _drop(self, event: Drop) -> list[Action]:
        for waiting in self._waiting.values():
            if event.number in waiting:
                waiting.remove(event.number)
                return []
        for camera, mine in self._mine.items():
            if event.number in mine.numbers:
                mine.numbers.remove(event.number)
                if not mine.numbers:
                    del self._mine[camera]
                    return [Release(camera, mine.token)]
                return []
        return []

    def _claimed(self, event: Claimed) -> list[Action]:
        waiting = self._waiting.pop(event.camera, [])
        if event.holder is not None:
            self.others[event.camera] = event.holder
            return [Refuse(number, "CAM-ELSEWHERE", event.holder) for number in waiting]
        self.others.pop(event.camera, None)
        self._certain_until = max(self._certain_until, event.asked + LASTS)
        mine = self._mine.get(event.camera)
        if mine is not None:  # opened alone meanwhile
            mine.token = event.token
        elif not waiting:
            return [Release(event.camera, event.token)]
        else:
            mine = self._mine[event.camera] = _Mine(event.token)
        mine.numbers.update(waiting)
        return [Open(number, mine.token) for number in waiting]

    def _beaten(self, event: Beaten, now: float) -> list[Action]:
        actions: list[Action] = [Tell(alone=False)] if self.alone or not self._has_answered else []
        self.alone, self._has_answered = False, True
        self._certain_until = max(self._certain_until, event.asked + LASTS)
        self._beat_at = max(now, event.asked + BEAT)
        self.others, self.nodes = dict(event.others), dict(event.nodes)
        for camera, token in event.own.items():
            mine = self._mine.get(camera)
            if mine is not None:
                mine.token = max(token, mine.token)
            elif camera not in self._waiting:  # it was dropped while we asked, or while Redis was away
                actions.append(Release(camera, token))
        for camera, token in event.lost.items():
            if self.held.get(camera) == token:  # or it was given to us again while the answer came
                actions += self._end(camera, "CAM-MOVED")
        return actions

    def _cut(self, now: float) -> list[Action]:
        self._beat_at = None if self._leaving else now + AGAIN
        if self.alone:
            return []
        self.alone = True
        actions: list[Action] = [Tell(alone=True)]
        waiting, self._waiting = self._waiting, {}
        for camera, numbers in waiting.items():
            for number in numbers:
                actions += self._want_alone(number, camera, now)
        return actions

    def _leave(self) -> list[Action]:
        self._leaving, self._beat_at = True, None
        actions: list[Action] = [
            Refuse(number, "NODE-LEAVING") for numbers in self._waiting.values() for number in numbers
        ]
        self._waiting.clear()
        # Freed first: whoever is told to go looks for it elsewhere at once.
        actions += [Release(camera, mine.token) for camera, mine in self._mine.items()]
        for camera in list(self._mine):
            actions += self._end(camera, "CAM-MOVED")
        return actions

    def _tick(self, now: float) -> list[Action]:
        actions: list[Action] = []
        if self.alone and now >= self._ends_at:
            for camera in list(self._mine):
                actions += self._end(camera, "NODE-ALONE")
        if self._beat_at is not None and now >= self._beat_at:
            self._beat_at = None  # until there is an answer
            actions.append(Beat(tuple((camera, mine.token) for camera, mine in self._mine.items())))
        return actions

    def _end(self, camera: str, code: str) -> list[Action]:
        mine = self._mine.pop(camera, None)
        return [End(number, code) for number in sorted(mine.numbers)] if mine is not None else []

    @property
    def _ends_at(self) -> float:
        return self._certain_until + self._alone_for

    def _next(self, now: float) -> float | None:
        wanted = [] if self._beat_at is None else [self._beat_at]
        if self.alone and self._mine:
            wanted.append(max(now, self._ends_at))
        return min(wanted, default=None)
