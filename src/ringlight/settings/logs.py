"""Options of the log."""

from typing import Literal

from pydantic import Field

from ringlight.settings.kinds import Area

__all__ = ["LogSettings"]


class LogSettings(Area):
    """What the running programs log, on stderr."""

    format: Literal["console", "json"] = Field(
        "console", description="How a line looks: `console` to read it, `json` for what collects logs."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "warning",
        description="From which level on: `info` has a line for each view, room, call and request, `debug` one for "
        "each message of a camera's signaling too.",
    )
