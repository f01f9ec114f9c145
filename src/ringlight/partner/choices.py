"""What may be chosen for a client, and again for some of its calls."""

from dataclasses import replace
from enum import Enum
from typing import Final, Literal, TypeAlias

from ringlight.errors import fault_error
from ringlight.resilience.options import BARE, Options, Strategies

__all__ = ["Fallback", "Off", "Switch", "chosen"]

Fallback: TypeAlias = Literal["stale", "never"]


class Switch(Enum):
    """Whether calls survive by our rules."""

    OFF = "off"


Off: Final = Switch.OFF


def chosen(
    options: Options,
    *,
    timeout: float | None = None,
    retries: int | None = None,
    fallback: Fallback | None = None,
    resilience: Strategies | Switch | None = None,
) -> Options:
    """Return the options with what was chosen in place of what was there; `None` leaves a thing as it was.

    Raises:
        UsageError: PARTNER-ARGUMENT, a time or a number that makes no sense.
    """
    if timeout is not None and not timeout > 0:
        raise fault_error("PARTNER-ARGUMENT", "`timeout` is in seconds, and more than 0")
    if retries is not None and retries < 0:
        raise fault_error("PARTNER-ARGUMENT", "`retries` is 0 or more")
    if resilience is Off:
        options = replace(options, strategies=BARE, gate=False, attempts=1)
    elif isinstance(resilience, Strategies):
        options = replace(options, strategies=resilience)
    return replace(
        options,
        total=options.total if timeout is None else timeout,
        attempts=options.attempts if retries is None else retries + 1,
        fallback=options.fallback if fallback is None else fallback,
    )
