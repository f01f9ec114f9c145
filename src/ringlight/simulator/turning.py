"""How a simulated camera turns: steps, and the end of its way. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringlight.liveview.ptz import LIMIT_REACHED, Axis, Direction

LIMIT = 2  # steps to each side
FASTEST = 0.25  # seconds for one step at speed 1; at the app's 0.5 it takes twice as long
_STEPS: dict[Direction, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "up": (0, 1), "down": (0, -1)}


@dataclass(frozen=True, slots=True)
class Facing:
    """Where a camera looks: steps to the right and up, negative to the left and down."""

    pan: int = 0
    tilt: int = 0

    def turned(self, direction: Direction) -> tuple["Facing", bool]:
        """Return where it looks one step on, and whether the end of its way kept it from going there."""
        right, up = _STEPS[direction]
        wanted = Facing(self.pan + right, self.tilt + up)
        if max(abs(wanted.pan), abs(wanted.tilt)) > LIMIT:
            return self, True
        return wanted, False


def seconds_for_a_step(speed: float) -> float:
    """Return how long a camera that turns on and on takes for one step; the speed is above 0."""
    return FASTEST / speed


def answer(command: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return the result of a command. `now` in milliseconds."""
    params = command.get("params")
    session = params.get("sessionId") if isinstance(params, dict) else None
    result = {"sessionId": session, "timestamp": now, "version": 1.0}
    return {"jsonrpc": "2.0", "id": command.get("id"), "result": result}


def halted(axis: Axis, identifier: str) -> dict[str, Any]:
    """Return the camera's own call at the end of its way."""
    params = {"reason": LIMIT_REACHED}
    return {"jsonrpc": "2.0", "id": identifier, "method": f"PTZ.{axis.title()}.Halted", "params": params}
