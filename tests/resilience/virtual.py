"""A world without clocks: runs many calls through the pure pipeline against a server that is a function.

Time jumps to the next thing that is due. `World` plays the shell; a real shell is tested with the same servers.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ringlight.errors import RingError, fault_error
from ringlight.resilience.actions import (
    Action,
    Answered,
    Authorize,
    Bearer,
    Failed,
    Fate,
    Outcome,
    Pause,
    Rejected,
    Reserve,
    Result,
    Send,
    SetRate,
    Sleep,
)  # fmt: skip
from ringlight.resilience.events import Event, TokenRefreshed
from ringlight.resilience.operation import Lane, Operation, Repeat
from ringlight.resilience.pipeline import Done, Pipeline, run
from ringlight.resilience.shared import Shared
from ringlight.resilience.stale import Key, Kind
from ringlight.resilience.token_state import LOST, Later, Lost, TokenState, Use
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings

OPERATION = Operation("devices.list")
ONCE = Operation("live.offer", Repeat.ONCE, Lane.LIVE)
KEY = Key("ada", Kind.DEVICES)
OFFLINE = b'{"errors": [{"status": "503", "title": "Device Unavailable", "detail": "Device is currently offline"}]}'

# What a server does with an attempt: the seconds that it takes, and the outcome.
Served = tuple[float, Outcome]
Server = Callable[[float, Send, Operation], Served]
# What the token endpoint does: the seconds, and the token's lifetime or the error.
Renew = Callable[[float], tuple[float, float | RingError]]


def answered(status: int, body: bytes = b"", value: Any = "value", **fields: Any) -> Answered:
    """An answer; the names of header fields with `_` for `-`."""
    headers = {name.replace("_", "-"): text for name, text in fields.items()}
    return Answered(status, headers, body, value if status < 400 else None)


def failed(fate: Fate = Fate.MAYBE_SENT, code: str = "NET-UNREACHABLE", **more: Any) -> Failed:
    return Failed(fate, fault_error(code), **more)


def up(now: float, send: Send, operation: Operation) -> Served:
    return 0.05, answered(200)


def down(now: float, send: Send, operation: Operation) -> Served:
    return 0.05, answered(503)


def status(operation: str, device: str) -> Operation:
    return Operation(operation, device=device)


@dataclass
class Task:
    """One call of the world."""

    operation: Operation
    began: float
    pipeline: Pipeline
    done: Done | None = None
    error: RingError | None = None
    ended: float | None = None
    actions: list[tuple[float, Action]] = field(default_factory=list)

    def times(self, kind: type) -> list[float]:
        """When it asked for this."""
        return [at for at, action in self.actions if isinstance(action, kind)]

    @property
    def sent(self) -> list[float]:
        return self.times(Send)

    @property
    def code(self) -> str:
        """What it came to: `good`, or the code of its error."""
        assert self.ended is not None, "it has not ended"
        return "good" if self.error is None else self.error.code


class Keeper:
    """Plays the keeper of one account's tokens, by the pure state."""

    def __init__(self, world: "World", renew: Renew, settings: ResilienceSettings, lifetime: float | None) -> None:
        self._world = world
        self._renew = renew
        self._error = fault_error("AUTH-UNAVAILABLE")
        self._waiting: list[Task] = []
        self.renewals: list[float] = []
        self.state = TokenState(
            advisory=settings.refresh_advisory,
            mandatory=settings.refresh_mandatory,
            pause=settings.refresh_pause,
        )
        if lifetime is not None:
            self.state.renewed(lifetime, world.now)

    def authorize(self, task: Task) -> None:
        now = self._world.now
        step = self.state.ask(now)
        if isinstance(step, (Later, Lost)):
            self._world.step(task, self._error)
            return
        if step.renew:
            self._begin(now)
        if isinstance(step, Use):
            self._world.step(task, Bearer(step.id, Secret(f"token-{step.id}"), self.state.expires))
        else:
            self._waiting.append(task)

    def _begin(self, now: float) -> None:
        self.renewals.append(now)
        self._world.log.append((now, None, "renew"))
        seconds, result = self._renew(now)
        self._world.at(now + seconds, lambda: self._end(now, result))

    def _end(self, began: float, result: float | RingError) -> None:
        waiting, self._waiting = self._waiting, []
        if isinstance(result, RingError):
            self._error = result
            self.state.failed(self._world.now, lost=result.code in LOST)
            self._told(result.code)
            for task in waiting:
                step = self.state.ask(self._world.now)
                assert not isinstance(step, Use) or not step.renew
                self.authorize(task)
        else:
            self.state.renewed(result, began)
            self._told(None)
            for task in waiting:
                self.authorize(task)

    def _told(self, code: str | None) -> None:
        self._world.shared.outbox.put(TokenRefreshed(self._world.now, self.state.id, code))


class World:
    """Plays the shell of many calls."""

    def __init__(
        self,
        server: Server,
        *,
        dice: Callable[[], float] = lambda: 0.5,
        renew: Renew = lambda now: (0.1, 14_400.0),
        lifetime: float | None = 14_400.0,
        now: float = 1000.0,
        **settings: Any,
    ) -> None:
        self.began = self.now = now
        self.settings = ResilienceSettings(**settings)
        self.shared = Shared(self.settings, dice)
        self.shared.outbox.listening = True
        self.keeper = Keeper(self, renew, self.settings, lifetime)
        self.events: list[Event] = []
        self.tasks: list[Task] = []
        self.log: list[tuple[float, Task | None, str]] = []  # `send`, `renew` and `end`, as they happen
        self._server = server
        self._count = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at a time."""
        heapq.heappush(self._due, (when, next(self._count), do))

    def call(self, operation: Operation = OPERATION, *, after: float = 0.0, **more: Any) -> Task:
        """Begin a call `after` seconds from the world's beginning."""
        more.setdefault("bearer", False)
        began = self.began + after
        task = Task(operation, began, run(operation, self.shared, began, **more))
        self.tasks.append(task)
        self.at(began, lambda: self._advance(task, None))
        return task

    def cancel(self, task: Task) -> None:
        """Give a call up, as a shell does: by closing it."""
        if task.ended is None:
            task.ended = self.now
            task.pipeline.close()

    def run(self, until: float = float("inf")) -> "World":
        """Let time pass until nothing is due, or for `until` seconds from the beginning."""
        while self._due and self._due[0][0] <= self.began + until:
            self.now, _, do = heapq.heappop(self._due)
            do()
            self.events += self.shared.outbox.drain()
        return self

    def step(self, task: Task, result: Result) -> None:
        """Say something back to a call."""
        if task.ended is None:
            self._advance(task, (self.now, result))

    def _advance(self, task: Task, reply: tuple[float, Result] | None) -> None:
        try:
            action = next(task.pipeline) if reply is None else task.pipeline.send(reply)
        except StopIteration as end:
            task.done, task.ended = end.value, self.now
            self.log.append((self.now, task, "end"))
            return
        except RingError as error:
            task.error, task.ended = error, self.now
            self.log.append((self.now, task, "end"))
            return
        task.actions.append((self.now, action))
        self._perform(task, action)

    def _perform(self, task: Task, action: Action) -> None:
        gate = self.shared.gate
        match action:
            case Reserve(lane, within, place):
                self.step(task, gate.reserve(lane, self.now, within, place))
            case Sleep(seconds):
                self.at(self.now + seconds, lambda: self.step(task, None))
            case Authorize():
                self.keeper.authorize(task)
            case Rejected(id):
                self.keeper.state.rejected(id, self.now)
                self.step(task, None)
            case Send(timeout):
                self.log.append((self.now, task, "send"))
                seconds, outcome = self._server(self.now, action, task.operation)
                if seconds > timeout:
                    seconds, outcome = timeout, failed(code="NET-TIMEOUT")
                self.at(self.now + seconds, lambda: self.step(task, outcome))
            case Pause(seconds):
                gate.pause_until(self.now + seconds)
                self.step(task, None)
            case SetRate(rate):
                gate.set_rate(rate, self.now)
                self.step(task, None)


def most_in_a_second(times: list[float]) -> int:
    """The most of these in any window of one second."""
    times = sorted(times)
    first = most = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0 - 1e-9:
            first += 1
        most = max(most, last - first + 1)
    return most


class ExactLimit:
    """A server that takes `limit` calls in any second and answers 429 to the others."""

    def __init__(self, limit: int = 100, takes: float = 0.05, **fields: str) -> None:
        self.limit, self.takes, self.fields = limit, takes, dict[str, Any](fields)
        self.taken: list[float] = []
        self.refused: list[float] = []

    def __call__(self, now: float, send: Send, operation: Operation) -> Served:
        if len(self.taken) >= self.limit and self.taken[-self.limit] > now - 1.0:
            self.refused.append(now)
            return self.takes, answered(429, retry_after="1", **self.fields)
        self.taken.append(now)
        return self.takes, answered(200, **self.fields)
