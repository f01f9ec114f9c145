"""Where the log of a command goes. Every start loads it, so it needs neither the settings nor what prints tables."""

import logging
import sys
from typing import TYPE_CHECKING

from ringlight.logs import ConsoleLines, JsonLines

if TYPE_CHECKING:
    from ringlight.settings import LogSettings

__all__ = ["LOG", "log_as", "set_up_logging"]


class _Log:
    """To stderr, as lines to read until the settings say otherwise."""

    def __init__(self) -> None:
        self.handler = logging.StreamHandler(sys.stderr)
        self.handler.setFormatter(ConsoleLines())
        self.verbose = logging.WARNING

    @property
    def is_json(self) -> bool:
        return isinstance(self.handler.formatter, JsonLines)

    def say(self, level: int, text: str, **values: object) -> None:
        """Write a line that no level holds back."""
        self.handler.handle(logging.makeLogRecord(
            {"name": "ringlight.cli", "levelno": level, "levelname": logging.getLevelName(level), "msg": text, **values}
        ))  # fmt: skip


LOG = _Log()


def set_up_logging(verbose: int) -> None:
    """Send our log to stderr: warnings, with `-v` what happens, with `-vv` every message's name."""
    LOG.verbose = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    if not logging.getLogger().handlers:  # in somebody else's program, its own stay
        logging.getLogger().addHandler(LOG.handler)
    _set_level(LOG.verbose)


def log_as(settings: "LogSettings") -> None:
    """Let a program log as its settings say; `-v` may say more. Called again, it takes other settings."""
    LOG.handler.setFormatter(JsonLines() if settings.format == "json" else ConsoleLines())
    _set_level(min(LOG.verbose, logging.getLevelNamesMapping()[settings.level.upper()]))


def _set_level(level: int) -> None:
    for name in ("ringlight", "ring.live"):
        logging.getLogger(name).setLevel(level)
