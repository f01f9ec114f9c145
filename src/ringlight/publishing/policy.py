"""When a camera is published, and when again after it broke off. Pure: clock and dice are arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from ringlight.faults import FAULTS, Retry
from ringlight.resilience.backoff import backoff

__all__ = [
    "Action", "Answered", "Begin", "End", "Event", "Failed", "Opened", "Policy", "Start", "State", "Stop", "Tick",
    "Watching",
]  # fmt: skip

FIRST_PAUSE = 1.0  # seconds; the upper end of the first pause
PAUSE_CAP = 60.0  # seconds; nobody sits and waits, and a server that comes back is not overrun
LOOK_AGAIN = 300.0  # seconds; what a person has to mend is looked at again, as nobody restarts us for it
SPREAD = 0.2  # of a wait that was asked for, so that not all who got the same answer come back together
PATH_WITHIN = 15.0  # seconds from the answer to the open channel
HEALTHY_AFTER = 30.0  # seconds of a publication after which earlier failures count no more

# What no time mends: settings are read at the start, and a view that may not be renewed is not opened anew for nobody.
_FINAL = frozenset({"PUBLISH-BATTERY", "SIG-TIME-LIMIT"})


class State(Enum):
    """Where a publication stands."""

    OFF = "off"  # not begun, or ended for good
    OPENING = "opening"  # the camera's view is being opened
    OFFERED = "offered"  # the media server was asked
    CONNECTING = "connecting"  # it has answered; the channel is being opened
    LIVE = "live"
    WAITING = "waiting"  # for the next try


@dataclass(frozen=True, slots=True)
class Start:
    """It is wanted."""


@dataclass(frozen=True, slots=True)
class Watching:
    """The camera's view is open."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The media server has answered the offer."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The encrypted channel is open; packets go out."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The try has ended. `retry_after`: seconds that the server asked us to wait."""

    code: str
    detail: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline has come."""


@dataclass(frozen=True, slots=True)
class Stop:
    """It is wanted no more."""


Event: TypeAlias = Start | Watching | Answered | Opened | Failed | Tick | Stop


@dataclass(frozen=True, slots=True)
class Begin:
    """Try: open the view, ask the server, open the channel; tell each step."""


@dataclass(frozen=True, slots=True)
class End:
    """Take back whatever the try has come to."""


Action: TypeAlias = Begin | End


class Policy:
    """One camera's publication. Whether another try can help is said by the catalogue; here is when.

    Args:
        dice: Source of numbers in [0, 1); tests pass their own.

    Attributes:
        state: Where it stands.
        deadline: When `Tick` is due, on the clock of `now`; `None` waits for ever.
        failure: How the last try ended; `None` before, and while it is live.
        since: When the state was entered.
    """

    def __init__(self, *, dice: Callable[[], float]) -> None:
        self._dice = dice
        self.state = State.OFF
        self.deadline: float | None = None
        self.failure: Failed | None = None
        self.since = 0.0
        self._at_once = True
        self._pauses = backoff(FIRST_PAUSE, PAUSE_CAP, rand=dice)

    def receive(self, event: Event, *, now: float) -> list[Action]:
        """Feed one event; return what to do, in order. What comes too late changes nothing."""
        match event:
            case Start() if self.state is State.OFF:
                return self._begin(now)
            case Watching() if self.state is State.OPENING:
                self._enter(State.OFFERED, now)
            case Answered() if self.state is State.OFFERED:
                self._enter(State.CONNECTING, now, now + PATH_WITHIN)
            case Opened() if self.state is State.CONNECTING:
                self._enter(State.LIVE, now)
                self.failure = None
            case Failed() if self._is_trying:
                return self._fail(event, now)
            case Tick() if self.deadline is not None and now >= self.deadline:
                if self.state is State.WAITING:
                    return self._begin(now)
                return self._fail(Failed("PUBLISH-PATH", f"none within {PATH_WITHIN:g} s"), now)
            case Stop() if self.state is not State.OFF:
                trying = self._is_trying
                self._enter(State.OFF, now)
                return [End()] if trying else []
        return []

    @property
    def _is_trying(self) -> bool:
        return self.state not in (State.OFF, State.WAITING)

    def _begin(self, now: float) -> list[Action]:
        self._enter(State.OPENING, now)
        return [Begin()]

    def _enter(self, state: State, now: float, deadline: float | None = None) -> None:
        self.state, self.since, self.deadline = state, now, deadline

    def _fail(self, failure: Failed, now: float) -> list[Action]:
        if self.state is State.LIVE and now - self.since >= HEALTHY_AFTER:
            self._at_once, self._pauses = True, backoff(FIRST_PAUSE, PAUSE_CAP, rand=self._dice)
        self.failure = failure
        pause = self._pause(failure)
        if pause is None:
            self._enter(State.OFF, now)
        else:
            self._enter(State.WAITING, now, now + pause)
        return [End()]

    def _pause(self, failure: Failed) -> float | None:
        retry = FAULTS[failure.code].retry
        if retry is Retry.NEVER or failure.code in _FINAL:
            return None
        if retry is Retry.AFTER_FIX:
            pause = LOOK_AGAIN * (1 + SPREAD * self._dice())
        elif retry is Retry.NOW and self._at_once:
            self._at_once, pause = False, 0.0
        else:
            pause = next(self._pauses)
        if failure.retry_after is not None:
            pause = max(pause, failure.retry_after * (1 + SPREAD * self._dice()))
        return pause
