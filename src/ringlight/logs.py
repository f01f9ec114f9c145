"""How a line of the log looks, and of what it tells: which camera, room, call or trace.

The library only logs. Which lines go where is set by the command line, or by whoever's program this is a part of.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["ConsoleLines", "JsonLines", "about", "at_hand", "set_about"]

_NONE: dict[str, str] = {}
_about: ContextVar[dict[str, str]] = ContextVar("ringlight_log_about", default=_NONE)
# What a template says: `webhook_dead code=%s number=%d` names two values, and is the event `webhook_dead`.
_CONVERSION = re.compile(r"(?:(?<!\w)(\w+)=(?:…)?)?%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]|%%")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def set_about(**ids: str) -> None:
    """Let all lines of this task, and of those that it begins from now on, name these as well.

    Args:
        ids: `camera`, `room`, `call` or `trace`, and its id. Never a secret.
    """
    _about.set({**_about.get(), **ids})


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Let lines inside of the `with` name these as well; see `set_about`."""
    token = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


def at_hand() -> dict[str, str]:
    """Return what lines of this task name."""
    return dict(_about.get())


class ConsoleLines(logging.Formatter):
    """A line to read: time, logger, level, what happened, and of what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(name)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class names it
        """Return the line; what a peer has named breaks it into no second one."""
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        named = "".join(f" {name}={value}" for name, value in _about.get().items())
        return super().formatMessage(record) + named


class JsonLines(logging.Formatter):
    """A line to search: one JSON object, with time (UTC), level, logger, event, the event's values, and of what."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname.lower(), "logger": record.name,
            "event": record.getMessage(), **_values(record), **_about.get(),
        }  # fmt: skip
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _values(record: logging.LogRecord) -> dict[str, object]:
    """Return the values that the template names, so that a search need not cut them out of text."""
    args = record.args
    if not isinstance(args, tuple) or not isinstance(record.msg, str):
        return {}
    names = [match[1] for match in _CONVERSION.finditer(record.msg) if match[0] != "%%"]
    if len(names) != len(args):
        return {}
    return {name: value for name, value in zip(names, args, strict=True) if name}
