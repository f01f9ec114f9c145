"""Pan and tilt as JSON-RPC inside of `rpc` messages: what is asked, and what is answered. Pure.

Recorded from Ring's own app (observed-protocol.md#messages).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

__all__ = [
    "DIRECTIONS",
    "LIMIT_REACHED",
    "Axis",
    "Direction",
    "Order",
    "axis_of",
    "continuous",
    "halt",
    "order",
    "step",
]

Direction = Literal["left", "right", "up", "down"]
Axis = Literal["pan", "tilt"]
DIRECTIONS: tuple[Direction, ...] = ("left", "right", "up", "down")
LIMIT_REACHED = "LIMIT_REACHED"  # the only reason for a halt that was ever seen
_METHOD = re.compile(r"PTZ\.(Pan|Tilt)\.(Step|Continuous|Halted)")


@dataclass(frozen=True, slots=True)
class Order:
    """What a camera is told.

    Attributes:
        axis: What turns.
        direction: Where to.
        speed: 0 (stop) to 1 for a turning that goes on; `None` for one step.
    """

    axis: Axis
    direction: Direction
    speed: float | None = None


def step(direction: Direction) -> tuple[str, dict[str, Any]]:
    """Return method and parameters of one step."""
    return f"PTZ.{_word(direction)}.Step", {"direction": direction.upper()}


def continuous(direction: Direction, speed: float) -> tuple[str, dict[str, Any]]:
    """Return method and parameters of a turning that goes on; speed 0 stops it, 1 is the fastest."""
    return f"PTZ.{_word(direction)}.Continuous", {"direction": direction.upper(), "speed": speed}


def axis_of_direction(direction: Direction) -> Axis:
    """Return what turns in a direction."""
    return "pan" if direction in ("left", "right") else "tilt"


def axis_of(method: str) -> Axis | None:
    """Return what a method turns; `None` for one that turns nothing."""
    found = _METHOD.fullmatch(method)
    return cast(Axis, found[1].lower()) if found else None


def halt(command: Mapping[str, Any]) -> tuple[Axis, str] | None:
    """Read the camera's own call that it has halted: what, and why; `None` for anything else."""
    method, params = command.get("method"), command.get("params")
    axis = axis_of(method) if isinstance(method, str) and method.endswith(".Halted") else None
    reason = params.get("reason") if isinstance(params, dict) else None
    return (axis, reason if isinstance(reason, str) else "") if axis is not None else None


def order(command: Mapping[str, Any]) -> Order | None:
    """Read a command as the camera gets it; `None` for one that turns nothing, or is in no known form."""
    found = _METHOD.fullmatch(str(command.get("method")))
    params = command.get("params")
    if found is None or not isinstance(params, dict):
        return None
    named, speed = params.get("direction"), params.get("speed")
    direction = next((one for one in DIRECTIONS if one.upper() == named), None)
    if direction is None or _word(direction) != found[1] or found[2] == "Halted":
        return None
    if found[2] == "Step":
        return Order(cast(Axis, found[1].lower()), direction)
    if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not 0 <= speed <= 1:
        return None
    return Order(cast(Axis, found[1].lower()), direction, float(speed))


def _word(direction: Direction) -> str:
    return axis_of_direction(direction).title()
