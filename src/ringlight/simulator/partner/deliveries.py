"""When Ring sends a webhook, and what it makes of the answer: the documented schedule. Pure.

Times are seconds of a clock that may be sped up; only the answer's time is real.
"""

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ANSWER_WITHIN", "DELAYS", "Attempt", "Deliveries", "Delivery", "judge_answer", "sign"]

DELAYS = (0.0, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)  # before each attempt, after the one before
ANSWER_WITHIN = 5.0  # seconds
DEAD_KEPT = 72 * 3600.0
REFUSALS_ALLOWED, REFUSALS_WITHIN = 10, 24 * 3600.0  # so many in a row in such a time disable the address
HELD_BACK = 2.0  # seconds that every other event is late with `partner-webhook-reorder`
DELAYED = 10.0  # seconds that all are late with `partner-webhook-delay`
KEPT = 5000  # deliveries; the oldest go first
State = Literal["waiting", "sending", "delivered", "refused", "dead", "dropped", "withheld"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that it was sent.

    Attributes:
        at: When, by the clock of the simulator.
        seconds: How long the answer took.
        status: What was answered; `None` where nothing was.
        outcome: What it is for Ring.
        verdict: The same in words.
    """

    at: float
    seconds: float
    status: int | None
    outcome: Literal["delivered", "refused", "again"]
    verdict: str


@dataclass(slots=True)
class Delivery:
    """One event on its way to the app.

    Attributes:
        number: In the order of events.
        kind: What happened.
        body: Its bytes, the same each time.
        signature: The field `X-Signature`.
        due: When it is sent next.
        state: How far it is.
        attempts: How it went so far.
        tries: Attempts since it was last sent anew.
        given_up: When it became a dead letter.
    """

    number: int
    kind: str
    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    due: float
    state: State = "waiting"
    attempts: list[Attempt] = field(default_factory=list)
    tries: int = 0
    given_up: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return it as the controls show it."""
        attempts = [{"at": round(one.at, 3), "status": one.status, "seconds": round(one.seconds, 3),
                     "verdict": one.verdict} for one in self.attempts]  # fmt: skip
        return {"number": self.number, "type": self.kind, "state": self.state, "body": self.body.decode(),
                "due": self.due if self.state == "waiting" else None, "attempts": attempts}  # fmt: skip


class Deliveries:
    """All webhooks of one app.

    Attributes:
        url: The webhook's address as in the developer portal; `None` where there is none: then nothing is sent.
        disabled: Whether Ring sends nothing any more, because it was refused too often.
        changed: Called when something may be due.
    """

    def __init__(self) -> None:
        self.url: str | None = None
        self.disabled = False
        self.changed: Callable[[], None] = lambda: None
        self.all: deque[Delivery] = deque(maxlen=KEPT)
        self._numbers = 0
        self._refusals: deque[float] = deque(maxlen=REFUSALS_ALLOWED)
        self._holds_back = False

    def add(self, kind: str, body: bytes, key: str, now: float, on: Collection[str] = ()) -> None:
        """Send an event, as the switches that are on say."""
        due, state = now, "waiting"
        if self.disabled:
            state = "withheld"
        elif "partner-webhook-drop" in on:
            state = "dropped"
        if "partner-webhook-reorder" in on:
            self._holds_back = not self._holds_back
            due += HELD_BACK if self._holds_back else 0.0
        if "partner-webhook-delay" in on:
            due += DELAYED
        signature = sign(body, "somebody else's key" if "partner-webhook-forged" in on else key)
        for _ in range(2 if "partner-webhook-duplicate" in on else 1):
            self._numbers += 1
            self.all.append(Delivery(self._numbers, kind, body, signature, due, state))  # type: ignore[arg-type]
        self.changed()

    def start(self, now: float) -> list[Delivery]:
        """Return what is to be sent now; each is to be told of by `answered`."""
        started = [one for one in self.all if one.state == "waiting" and one.due <= now]
        for one in started:
            one.state = "sending"
        return sorted(started, key=lambda one: (one.due, one.number))

    @property
    def deadline(self) -> float | None:
        """When the next is due; `None` where none is."""
        return min((one.due for one in self.all if one.state == "waiting"), default=None)

    def answered(self, one: Delivery, status: int | None, seconds: float, now: float) -> Attempt:
        """Note an answer; `None` is none. `now` is when the attempt ended."""
        one.tries += 1
        last = one.tries >= len(DELAYS)
        attempt = judge_answer(status, seconds, None if last else DELAYS[one.tries], now)
        one.attempts.append(attempt)
        if attempt.outcome == "again":
            one.state, one.due = ("dead", one.due) if last else ("waiting", now + DELAYS[one.tries])
            one.given_up = now
        else:
            one.state = attempt.outcome
        self._count(attempt, now)
        self.changed()
        return attempt

    def dead(self, now: float) -> list[Delivery]:
        """Return the dead letters that are still kept."""
        return [one for one in self.all if one.state == "dead" and now - one.given_up < DEAD_KEPT]

    def replay(self, now: float) -> int:
        """Send the dead letters anew, as Ring does when one asks. Return how many there are."""
        letters = self.dead(now)
        for one in letters:
            one.state, one.due, one.tries = "waiting", now, 0
        self.changed()
        return len(letters)

    def enable(self) -> None:
        """Send again to an address that was disabled."""
        self.disabled = False
        self._refusals.clear()

    def _count(self, attempt: Attempt, now: float) -> None:
        if attempt.outcome != "refused":
            self._refusals.clear()
            return
        self._refusals.append(now)
        full = len(self._refusals) == REFUSALS_ALLOWED
        self.disabled = self.disabled or (full and now - self._refusals[0] <= REFUSALS_WITHIN)


def judge_answer(status: int | None, seconds: float, next_delay: float | None, now: float) -> Attempt:
    """Say what Ring makes of an answer.

    Args:
        status: The answer's; `None` where none came.
        seconds: How long it took.
        next_delay: Seconds until the next attempt, should there be one; `None` after the last.
        now: When the attempt ended.
    """
    then = "Ring would give up" if next_delay is None else f"Ring would retry in {_span(next_delay)}"
    if status is None:
        return Attempt(now, seconds, None, "again", f"no answer: {then}")
    said = f"answered {status} in {seconds:.1f} s"
    if seconds > ANSWER_WITHIN:
        return Attempt(now, seconds, status, "again", f"{said}, more than {ANSWER_WITHIN:g}: {then}")
    if 200 <= status < 300:
        return Attempt(now, seconds, status, "delivered", f"{said}: delivered")
    if 400 <= status < 500:
        return Attempt(now, seconds, status, "refused", f"{said}: final, Ring would never send it again")
    return Attempt(now, seconds, status, "again", f"{said}: {then}")


def sign(body: bytes, key: str) -> str:
    """Return the field `X-Signature` of a body."""
    return f"sha256={hmac.digest(key.encode(), body, hashlib.sha256).hex()}"


def _span(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"
