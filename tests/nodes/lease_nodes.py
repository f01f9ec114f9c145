"""Several nodes without a network: Redis in memory, and a clock that stands until it is moved."""

from collections import deque
from dataclasses import dataclass, field

from ringlight.nodes.leases import (
    LASTS,
    Action,
    Beat,
    Beaten,
    Claim,
    Claimed,
    Cut,
    Drop,
    End,
    Event,
    Holder,
    Leases,
    Leave,
    Open,
    Refuse,
    Release,
    Tell,
    Tick,
    Want,
)

STEP = 0.1  # seconds


@dataclass
class Redis:
    """What leases.lua does."""

    holders: dict[str, tuple[int, str]] = field(default_factory=dict)
    nodes: dict[str, float] = field(default_factory=dict)

    def take(self, camera: str, above: int, node: str, now: float) -> int:
        last, _ = self.holders.get(camera, (0, "-"))
        token = max(int(now * 1000), last + 1, above + 1)
        self.holders[camera] = (token, node)
        return token

    def anothers(self, camera: str, node: str, now: float) -> Holder | None:
        token, holder = self.holders.get(camera, (0, "-"))
        is_there = holder not in ("-", node) and self.nodes.get(holder, 0.0) > now
        return Holder(holder, f"/{holder}", token) if is_there else None


class Node:
    """One node, its way to Redis and the views that it has open."""

    def __init__(self, name: str, nodes: "Nodes") -> None:
        self.name, self.nodes = name, nodes
        self.rules = Leases(alone_for=nodes.alone_for, now=nodes.now)
        self.is_cut = self.is_paused = False
        self.asked: deque[tuple[float, Claim | Beat | Release]] = deque()
        self.answers: deque[Event] = deque()
        self.views: dict[int, str] = {}
        self.wanted: dict[int, str] = {}
        self.refused: dict[int, Refuse] = {}
        self.ended: dict[int, str] = {}
        self.told: list[bool] = []

    def want(self, camera: str) -> int:
        number = self.nodes.number = self.nodes.number + 1
        self.wanted[number] = camera
        self.feed(Want(number, camera))
        return number

    def close(self, number: int) -> None:
        self.views.pop(number, None)
        self.feed(Drop(number))

    def feed(self, event: Event) -> None:
        for action in self.rules.receive(event, self.nodes.now):
            self.do(action)

    def do(self, action: Action) -> None:
        match action:
            case Claim() | Beat() | Release():
                self.asked.append((self.nodes.now, action))
            case Open(number, token):
                self.views[number] = camera = self.wanted.pop(number)
                self.nodes.opened(camera, self.name, token)
            case Refuse(number):
                del self.wanted[number]
                self.refused[number] = action
            case End(number, code):
                self.ended[number] = code
                self.close(number)
            case Tell(alone):
                self.told.append(alone)

    def step(self) -> None:
        """Let a tenth of a second's work be done: read what was answered, ask, and look at the clock."""
        if self.is_paused:
            return
        while self.answers:
            self.feed(self.answers.popleft())
        if self.rules.deadline is not None and self.nodes.now >= self.rules.deadline:
            self.feed(Tick())
        if (self.is_cut or self.nodes.redis is None) and self.asked:
            self.asked.clear()
            self.feed(Cut())
        while self.asked:
            self.answers.extend(self.reach(*self.asked.popleft()))

    def reach(self, asked: float, action: Claim | Beat | Release) -> list[Event]:
        redis, now = self.nodes.redis, self.nodes.now
        assert redis is not None
        match action:
            case Claim(camera, above):
                other = redis.anothers(camera, self.name, now)
                if other is not None:
                    return [Claimed(camera, asked, 0, other)]
                redis.nodes[self.name] = now + LASTS
                token, node = redis.holders.get(camera, (0, "-"))
                mine = token if node == self.name else redis.take(camera, above, self.name, now)
                return [Claimed(camera, asked, mine)]
            case Beat(held):
                redis.nodes[self.name] = now + LASTS
                lost = dict[str, int]()
                for camera, before in held:
                    if redis.anothers(camera, self.name, now) is not None:
                        lost[camera] = before
                    elif redis.holders.get(camera, (0, "-"))[1] != self.name:
                        redis.take(camera, before, self.name, now)
                others = {camera: redis.anothers(camera, self.name, now) for camera in redis.holders}
                there = {node: f"/{node}" for node, ends in redis.nodes.items() if ends > now}
                known = {camera: other for camera, other in others.items() if other is not None}
                own = {camera: token for camera, (token, node) in redis.holders.items() if node == self.name}
                return [Beaten(asked, own, lost, known, there)]
            case Release(camera, token):
                if redis.holders.get(camera) == (token, self.name):
                    redis.holders[camera] = (token, "-")
                return []


class Nodes:
    """Some nodes, and how long two of them had the same camera at once."""

    def __init__(self, *names: str, alone_for: float = 600.0) -> None:
        self.now = 1000.0
        self.alone_for = alone_for
        self.number = 0
        self.redis: Redis | None = Redis()
        self.all = {name: Node(name, self) for name in names}
        self.tokens: dict[str, tuple[int, str]] = {}
        self.given: set[tuple[str, int, str]] = set()
        self.together: dict[str, float] = {}
        self.longest = 0.0

    def opened(self, camera: str, node: str, token: int) -> None:
        """A later giving has a higher token; a node may open again under the one that it believes to have."""
        if not token or (camera, token, node) in self.given:
            return
        last, holder = self.tokens.get(camera, (0, ""))
        assert token > last, (camera, node, token, last, holder)
        self.tokens[camera] = (token, node)
        self.given.add((camera, token, node))

    def with_view(self, camera: str) -> list[str]:
        return [node.name for node in self.all.values() if camera in node.views.values()]

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            for node in list(self.all.values()):
                node.step()
            cameras = {camera for node in self.all.values() for camera in node.views.values()}
            for camera in cameras | self.together.keys():
                awake = [name for name in self.with_view(camera) if not self.all[name].is_paused]
                self.together[camera] = self.together.get(camera, 0.0) + STEP if len(awake) > 1 else 0.0
                self.longest = max(self.longest, self.together[camera])

    def kill(self, name: str) -> None:
        del self.all[name]

    def leave(self, name: str) -> None:
        self.all[name].feed(Leave())
