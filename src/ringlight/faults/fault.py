"""The shape of a row in the catalogue: what went wrong, why, what to do, and how Ring says it."""

from dataclasses import dataclass
from enum import Enum


class Retry(Enum):
    """What another try is worth."""

    NOW = "now"  # at once, with something fresh (a new ticket, a new token)
    BACKOFF = "backoff"  # after a pause that grows
    AFTER_FIX = "after-fix"  # only after a person or a program has changed something
    NEVER = "never"  # the end was asked for, or is final


@dataclass(frozen=True, slots=True)
class Seen:
    """One sign by which a fault is recognised on the wire.

    Attributes:
        at: The step of the dialog: `token`, `session`, `clients_api`, `device`, `ticket`, `upgrade`
            (HTTP answers), `close` (reason code in Ring's close message), `socket` (close code of
            Ring's WebSocket), `old_live_view`; `partner` for every answer of the Partner API; `room` for
            the close code of a room's WebSocket, `websocket` for that of any (RFC 6455 section 7.4.1).
        number: HTTP status, reason code or close code; `None` fits any.
        text: Part of the answer's text, compared without regard to case; empty fits any.
    """

    at: str
    number: int | None = None
    text: str = ""

    def fits(self, at: str, number: int | None, text: str) -> bool:
        """Whether this sign is the one seen."""
        return (
            self.at == at and (self.number is None or self.number == number) and self.text.casefold() in text.casefold()
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the catalogue.

    Attributes:
        code: The name that programs compare. Never renumbered, never used again for something else.
        title: A headline of a few words.
        cause: What happened and why, in a sentence or two.
        fix: What to do about it, in the imperative.
        retry: Whether another try can help.
        http: The status with which our own server reports it.
        seen: The signs by which it is recognised on Ring's wire.
        source: The section of docs/reference/observed-protocol.md that records the observation; one of another
            page there is written `page.md#section`.
    """

    code: str
    title: str
    cause: str
    fix: str
    retry: Retry
    http: int
    seen: tuple[Seen, ...] = ()
    source: str = ""

    @property
    def page(self) -> str:
        """Where our server shows the row to people."""
        return f"/faults/{self.code}"

    def as_dict(self, detail: str | None = None) -> dict[str, str | None]:
        """Return the row as the page, the problem bodies and `--json` show it."""
        return {
            "code": self.code,
            "title": self.title,
            "cause": self.cause,
            "fix": self.fix,
            "retry": self.retry.value,
            "detail": detail,
            "help": self.page,
        }
