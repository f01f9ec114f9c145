"""What all calls with one client id share: the machines that the pipeline asks. Pure."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ringlight.resilience.events import Outbox
from ringlight.resilience.gate import Gate
from ringlight.resilience.stale import LastKnown, ages

if TYPE_CHECKING:
    from ringlight.settings import ResilienceSettings

__all__ = ["Shared"]


class Shared:
    """The machines of one client id.

    It takes no lock: whoever shares it between threads steps each pipeline under one.

    Attributes:
        gate: The rate gate; a shell asks it where the call yields `Reserve`, `Pause` and `SetRate`, unless the gate is
            shared with other processes.
        outbox: Events for the shell to hand on after each step, outside its lock.
        known: The last known good answers.

    Args:
        settings: The numbers.
        dice: Source of numbers in [0, 1).
    """

    def __init__(self, settings: "ResilienceSettings", dice: Callable[[], float]) -> None:
        self.settings = settings
        self.dice = dice
        self.gate = Gate(settings.gate_rate, settings.gate_burst)
        self.outbox = Outbox()
        self.known = LastKnown(ages(settings), settings.stale_entries)
