"""The topics of one bridge: where it tells of its cameras, and where it is told what to do."""

import re
from dataclasses import dataclass
from typing import Literal

from ringlight.errors import fault_error

__all__ = ["Command", "Topics", "What"]

What = Literal["light", "siren", "picture", "turn"]
_WORDS: dict[str, frozenset[str]] = {
    "light": frozenset({"ON", "OFF"}),
    "siren": frozenset({"ON", "OFF"}),
    "picture": frozenset({"PRESS"}),
    "turn": frozenset({"left", "right", "up", "down"}),
}
_CAMERA = re.compile(r"[a-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asks of a camera.

    Attributes:
        camera: Its id in addresses.
        what: Which of its parts.
        word: `ON` or `OFF`, `PRESS`, or a direction.
    """

    camera: str
    what: What
    word: str


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of topics.

    Attributes:
        prefix: What they all begin with.
    """

    prefix: str

    @property
    def status(self) -> str:
        """Where it says `online`, and the broker says `offline` in its stead."""
        return f"{self.prefix}/status"

    @property
    def commands(self) -> str:
        """The filter under which all commands come."""
        return f"{self.prefix}/+/+/set"

    def of(self, camera: str, part: str) -> str:
        """Return a camera's topic: `state`, `image`, `bell`, `motion`, or `light/set` and the like."""
        return f"{self.prefix}/{camera}/{part}"

    def read(self, topic: str, payload: bytes) -> Command:
        """Read a command.

        Args:
            topic: Where it came.
            payload: What was sent.

        Raises:
            UsageError: REQUEST-INVALID, there is no such command, or no such word for it.
        """
        camera, _, rest = topic.removeprefix(f"{self.prefix}/").partition("/")
        what = rest.removesuffix("/set")
        if not topic.startswith(f"{self.prefix}/") or not rest.endswith("/set") or what not in _WORDS:
            raise fault_error("REQUEST-INVALID", f"{topic[:120]!r} is no topic for commands")
        if not _CAMERA.fullmatch(camera):
            raise fault_error("REQUEST-INVALID", f"{camera[:60]!r} is no camera's id")
        word = payload[:20].decode("utf-8", "replace")
        if word not in _WORDS[what]:
            raise fault_error("REQUEST-INVALID", f"{what} knows {', '.join(sorted(_WORDS[what]))}, not {word!r}")
        return Command(camera, what, word)  # type: ignore[arg-type]  # it is one of the keys
