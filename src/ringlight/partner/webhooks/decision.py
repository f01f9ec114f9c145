"""How a delivery is judged and answered. A refusal is final for Ring: it is only for what Ring did not send. Pure."""

from dataclasses import dataclass

from ringlight.errors import RingError, WebhookRefused, fault_error
from ringlight.partner.webhooks.events import Event
from ringlight.partner.webhooks.signature import Verifier

__all__ = ["ANSWER_WITHIN", "MAX_BODY", "NOTICE_EVERY", "Answer", "Arrival", "Notices", "answer_to", "judge"]

ANSWER_WITHIN = 4.0  # seconds; Ring waits for five, and the way back takes some of them
MAX_BODY = 256 * 1024  # bytes; a delivery has some five hundred
NOTICE_EVERY = 60.0  # seconds between two notices of the same kind: a forger must not fill the log


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came.

    Attributes:
        body: Its bytes; cut off after `MAX_BODY` + 1.
        content_type: The field `Content-Type`, or `None`.
        signature: The field `X-Signature`, or `None`.
    """

    body: bytes
    content_type: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What Ring is told.

    Attributes:
        status: 200 once it is stored; 4xx for what Ring did not send, which ends it; 5xx, and Ring comes again.
        code: The fault, or `None`.
    """

    status: int
    code: str | None = None


def judge(arrival: Arrival, verifier: Verifier, *, now: float) -> Event:
    """Return what a delivery tells, or say why it is refused.

    Raises:
        WebhookRefused: HOOK-SIZE, HOOK-TYPE, or what `Verifier.verify` raises.
    """
    if len(arrival.body) > MAX_BODY:
        raise fault_error("HOOK-SIZE", f"more than {MAX_BODY} bytes")
    kind = (arrival.content_type or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise fault_error("HOOK-TYPE", f"{kind[:40] or 'none'}")
    return verifier.verify(arrival.body, arrival.signature, now=now)


def answer_to(error: RingError | None) -> Answer:
    """Return the answer: whatever is no refusal of ours is a failure of ours, and that is never a 4xx."""
    if error is None:
        return Answer(200)
    if isinstance(error, WebhookRefused):
        return Answer(error.fault.http, error.code)
    return Answer(503, error.code)


class Notices:
    """Says which of many alike are worth a line in the log."""

    def __init__(self, every: float = NOTICE_EVERY) -> None:
        self._every = every
        self._told: dict[str, float] = {}
        self._kept_back: dict[str, int] = {}

    def due(self, kind: str, now: float) -> int | None:
        """Note one more; return how many there were since the last notice, or `None` where it is too early."""
        count = self._kept_back.get(kind, 0) + 1
        if now - self._told.get(kind, -self._every) < self._every:
            self._kept_back[kind] = count
            return None
        self._told[kind], self._kept_back[kind] = now, 0
        return count
