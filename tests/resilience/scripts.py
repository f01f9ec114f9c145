"""Reads the acceptance scripts of `scripts/`: what the server does at which time, and what the client must do.

A script is run here over the pure pipeline (`play`). A shell runs the same script by answering its requests from
`Script.server`, letting `Script.calls` begin at their times, and giving what it saw to `Script.judge`.

    stake = "what is at stake, in a sentence"
    dice = 0.5                                 # every throw
    settings = { attempts = 3 }                # of `ResilienceSettings`
    calls = [ { at = 0.0, name = "devices.list", … } ]   # fields of Operation and Options; `keep`, `bearer`
    steps = [
        { at = 0.00, does = "send", answer = { status = 503 } },
        { at = 0.05, does = "send", answer = { status = 200, takes = 0.1 } },
        { at = 0.15, does = "end", with = "good" },
    ]
    events = ["RetryScheduled"]                # all that happen, `Attempt` left out; a missing list is not looked at

What the client does is `send`, `renew` (the token) and `end`; `call` is the number of the call, 0 if left out.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from virtual import Served, Task, World, answered, failed

from ringlight.errors import RingError, fault_error
from ringlight.resilience import events
from ringlight.resilience.actions import Fate, Outcome, Send
from ringlight.resilience.operation import Family, Lane, Operation, Repeat
from ringlight.resilience.options import Options
from ringlight.resilience.stale import Key, Kind

FOLDER = Path(__file__).with_name("scripts")


@dataclass(frozen=True)
class Begin:
    """One call of a script."""

    at: float
    operation: Operation
    total: float | None
    fallback: Any
    fresh_for: float | None
    keep: Key | None
    bearer: bool

    def options(self, began: float) -> Options:
        """Its options, on a clock by which the script began at `began`."""
        until = None if self.fresh_for is None else began + self.at + self.fresh_for
        return Options(total=self.total, fallback=self.fallback, fresh_until=until)


@dataclass(frozen=True)
class Step:
    """One thing that the client does, and what the server does with it."""

    at: float
    does: str
    call: int
    end: str
    takes: float
    answer: dict[str, Any]

    @property
    def seen(self) -> str:
        """As a line, for comparing."""
        return f"{self.at:.3f} {self.call} {self.does} {self.end}".strip()


@dataclass
class Script:
    """One file."""

    stake: str
    dice: float
    settings: dict[str, Any]
    lifetime: float | None
    calls: list[Begin]
    steps: list[Step]
    events: list[str] | None
    webhooks: dict[str, float]
    _next: int = field(default=0, repr=False)
    _renewal: int = field(default=0, repr=False)

    def server(self) -> tuple[float, Outcome]:
        """What the server does with the next request: the seconds it takes, and what comes of it."""
        sends = [step for step in self.steps if step.does == "send"]
        assert self._next < len(sends), "one request more than the script has"
        step = sends[self._next]
        self._next += 1
        return step.takes, _outcome(step.answer)

    def renew(self) -> tuple[float, float | RingError]:
        """What the token endpoint does with the next renewal: the seconds, and a lifetime or an error."""
        renewals = [step for step in self.steps if step.does == "renew"]
        assert self._renewal < len(renewals), "one renewal more than the script has"
        step = renewals[self._renewal]
        self._renewal += 1
        fault = step.answer.get("fault")
        return step.takes, float(step.answer.get("lifetime", 14_400.0)) if fault is None else fault_error(fault)

    def judge(self, seen: Sequence[str], told: Sequence[str], within: float = 0.001) -> None:
        """Compare what the client did (lines as `Step.seen`) and the names of its events with the script.

        Args:
            seen: In the order of time.
            told: In the order of time.
            within: Seconds by which a time may differ.
        """
        expected = [step.seen for step in self.steps]
        assert [line.partition(" ")[2] for line in seen] == [line.partition(" ")[2] for line in expected], "\n".join(
            seen
        )
        for line, wanted in zip(seen, expected, strict=True):
            assert abs(float(line.split()[0]) - float(wanted.split()[0])) <= within, f"{line}, expected {wanted}"
        if self.events is not None:
            assert [name for name in told if name != "Attempt"] == self.events


def read(path: Path) -> Script:
    """Read one script."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = found.keys() - {"stake", "dice", "settings", "lifetime", "calls", "steps", "events", "webhooks"}
    assert not unknown, f"a script has no {unknown}"
    lifetime = found.get("lifetime", 14_400.0)
    return Script(
        found["stake"], found.get("dice", 0.5), found.get("settings", {}), lifetime or None,
        [_begin(one) for one in found.get("calls", [{}])], [_step(one) for one in found["steps"]], found.get("events"),
        found.get("webhooks", {}),
    )  # fmt: skip


def play(script: Script) -> None:
    """Run a script over the pure pipeline and judge it."""

    def server(now: float, send: Send, operation: Operation) -> Served:
        return script.server()

    def renew(now: float) -> tuple[float, float | RingError]:
        return script.renew()

    world = World(server, dice=lambda: script.dice, renew=renew, lifetime=script.lifetime, **script.settings)
    for begin in script.calls:
        world.call(
            begin.operation, after=begin.at, options=begin.options(world.began), keep=begin.keep, bearer=begin.bearer
        )
    for device, at in script.webhooks.items():
        world.at(world.began + at, partial(_webhook, world, device))
    world.run()
    seen = [
        f"{at - world.began:.3f} {world.tasks.index(task) if task else 0} {does} {_end(task) if does == 'end' else ''}"
        for at, task, does in world.log
    ]
    script.judge([line.strip() for line in seen], [_name(one) for one in world.events])


def _webhook(world: World, device: str) -> None:
    world.shared.device_online(device, world.now)


def _end(task: Task | None) -> str:
    assert task is not None
    return "stale" if task.done is not None and task.done.stale else task.code


def _name(event: events.Event) -> str:
    if isinstance(event, events.Notice):
        return f"Notice {event.topic} {'over' if event.over else 'begun'}"
    return type(event).__name__


def _begin(one: dict[str, Any]) -> Begin:
    known = {"at", "name", "repeat", "lane", "family", "device", "total", "fallback", "fresh_for", "keep", "bearer"}
    assert not one.keys() - known, f"a call has no {one.keys() - known}"
    operation = Operation(
        one.get("name", "devices.list"), Repeat(one.get("repeat", "safe")), Lane[one.get("lane", "read").upper()],
        Family(one.get("family", "api")), one.get("device"),
    )  # fmt: skip
    keep = Key("ada", Kind(one["keep"]), operation.name, operation.device) if "keep" in one else None
    return Begin(
        one.get("at", 0.0), operation, one.get("total"), one.get("fallback"), one.get("fresh_for"), keep,
        one.get("bearer", False),
    )  # fmt: skip


def _step(one: dict[str, Any]) -> Step:
    assert not one.keys() - {"at", "does", "call", "with", "answer"}, f"not a step: {one}"
    assert one["does"] in {"send", "renew", "end"}, f"not a step: {one}"
    answer = dict(one.get("answer", {}))
    return Step(one["at"], one["does"], one.get("call", 0), one.get("with", ""), answer.pop("takes", 0.0), answer)


def _outcome(answer: dict[str, Any]) -> Outcome:
    if "cut" in answer:
        return failed(
            Fate(answer["cut"]), answer.get("code", "NET-UNREACHABLE"), reused=answer.get("reused", False),
            own=answer.get("own", False), status=answer.get("status"),
        )  # fmt: skip
    fields = {name.replace("-", "_"): value for name, value in answer.get("fields", {}).items()}
    return answered(answer["status"], answer.get("body", "").encode(), **fields)
