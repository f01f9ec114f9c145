"""How a simulated camera turns: steps, and the end of its way. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIMIT = 2  # steps to each side
_STEPS = {"LEFT": (-1, 0), "RIGHT": (1, 0), "UP": (0, 1), "DOWN": (0, -1)}


@dataclass(frozen=True, slots=True)
class Facing:
    """Where a camera looks: steps to the right and up, negative to the left and down."""

    pan: int = 0
    tilt: int = 0

    def turned(self, command: Mapping[str, Any]) -> tuple["Facing", bool]:
        """Return where it looks after a command, and whether it came to the end of its way."""
        params = command.get("params")
        direction = params.get("direction") if isinstance(params, dict) else None
        right, up = _STEPS.get(str(direction), (0, 0))
        if str(command.get("method")) not in ("PTZ.Pan.Step", "PTZ.Tilt.Step"):
            return self, False
        wanted = Facing(self.pan + right, self.tilt + up)
        if max(abs(wanted.pan), abs(wanted.tilt)) > LIMIT:
            return self, True
        return wanted, False


def answer(command: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return the result of a command. `now` in milliseconds."""
    params = command.get("params")
    session = params.get("sessionId") if isinstance(params, dict) else None
    result = {"sessionId": session, "timestamp": now, "version": 1.0}
    return {"jsonrpc": "2.0", "id": command.get("id"), "result": result}


def halted(command: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    """Return the camera's own call at the end of its way."""
    axis = "Tilt" if "Tilt" in str(command.get("method")) else "Pan"
    params = {"reason": "LIMIT_REACHED"}
    return {"jsonrpc": "2.0", "id": identifier, "method": f"PTZ.{axis}.Halted", "params": params}
