"""One logical call on its way: what each attempt sends, and what its answer comes to. The shells share it."""

import logging
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from ringlight.errors import RingError, StatusError
from ringlight.http.flow import Request, Response
from ringlight.http.telemetry import Telemetry
from ringlight.resilience.actions import Answered, Failed, Fate, Outcome, Pause, Send, SetRate
from ringlight.resilience.gate import Gate
from ringlight.resilience.operation import Operation

__all__ = ["REQUEST_ID", "Asked", "Visit", "adjust"]

# Ring's gateway takes over the id that a request brings, and names it in its answer and in its logs.
REQUEST_ID = "X-Request-Id"
log = logging.getLogger("ringlight.partner")


class Asked(Protocol):
    """A call as data, as in `ringlight.partner.call`."""

    @property
    def operation(self) -> Operation:
        """What it may risk."""

    @property
    def request(self) -> Request:
        """What is sent, without a token."""

    @property
    def decode(self) -> Callable[[Response], Any]:
        """Read an answer of success."""

    @property
    def bearer(self) -> bool:
        """Whether the account's token goes with it."""

    @property
    def refuse(self) -> Callable[[Response], RingError | None] | None:
        """Judge an answer where the API's own rules do not apply."""


class Visit:
    """One logical call.

    Attributes:
        id: Goes with every attempt, so that Ring and we speak of the same call.
    """

    __slots__ = ("_asked", "_began", "_last", "_over", "_span", "id")

    def __init__(self, asked: Asked, telemetry: Telemetry | None) -> None:
        self._asked = asked
        self._last: Response | None = None
        self._began, self._over = time.monotonic(), False
        self.id = os.urandom(16).hex()
        self._span = telemetry.begin(asked.operation, self.id) if telemetry is not None else None

    def request(self, send: Send) -> Request:
        """Return what this attempt sends."""
        plain = self._asked.request
        self._last = None
        if self._span is not None:
            self._span.attempt(plain.method, plain.url, send.attempt)
        return Request(
            plain.method, plain.url, {**plain.headers, REQUEST_ID: self.id}, plain.json, plain.form,
            content=plain.content, at=plain.at, hidden=plain.hidden, foreign=plain.foreign,
            bearer=send.bearer.token if send.bearer is not None else None, limit=plain.limit,
            timeout=send.timeout if plain.timeout is None else min(send.timeout, plain.timeout),
        )  # fmt: skip

    def outcome(self, came: Response | Failed | RingError) -> Outcome:
        """Say what the attempt came to; a good answer is read here, as what cannot be read is broken."""
        if isinstance(came, Response):
            self._last = came
            outcome = self._read(came)
        else:
            outcome = came if isinstance(came, Failed) else Failed(Fate.BROKEN, came)
        if self._span is not None:
            self._span.attempted(outcome)
        return outcome

    def failed(self, error: RingError) -> RingError:
        """Return what is raised in the end, with what is known of the call."""
        refuse, last = self._asked.refuse, self._last
        judged = refuse(last) if refuse is not None and last is not None and isinstance(error, StatusError) else None
        if judged is not None:
            for note in getattr(error, "__notes__", ()):
                judged.add_note(note)
            judged.attempts = error.attempts
            error = judged
        error.operation = error.operation or self._asked.operation.name
        error.device = error.device or self._asked.operation.device
        error.request_id = error.request_id or self.id
        self.end(error.code)
        return error

    def end(self, code: str | None) -> None:
        """Note the end: our code for what went wrong, or `None`."""
        if self._over:
            return
        self._over = True
        level = logging.DEBUG if code is None else logging.INFO
        if log.isEnabledFor(level):
            took = (time.monotonic() - self._began) * 1000
            log.log(level, "call operation=%s call=%s code=%s ms=%.1f", self._asked.operation.name, self.id, code, took)
        if self._span is not None:
            self._span.end(code)
            self._span = None

    def close(self) -> None:
        """Note that nobody waits for it any more; after an end this does nothing."""
        self.end("cancelled")

    def _read(self, came: Response) -> Outcome:
        if came.status >= 400:
            return Answered(came.status, came.headers, came.body)
        try:
            return Answered(came.status, came.headers, value=self._asked.decode(came))
        except RingError as error:
            broken = error
        return Failed(Fate.BROKEN, broken, status=came.status)


def adjust(gate: Gate, action: Pause | SetRate, now: float) -> None:
    """Do to the gate of this process what the pipeline asks for."""
    if isinstance(action, Pause):
        gate.pause_until(now + action.seconds)
    else:
        gate.set_rate(action.per_second, now)
