"""A span for each connection to a room, from its opening to the first answer: the way in, as traces show it."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from ringlight import spans

if TYPE_CHECKING:
    from ringlight.rooms.porter import Socket

__all__ = ["Joining"]


class Joining:
    """A socket until its first answer; then the socket takes its place again. Made only where spans are.

    Args:
        socket: The socket.
        traceparent: Of the page; empty where it sent none.
        on_answered: Called with the socket when that has come.
    """

    def __init__(self, socket: "Socket", traceparent: str, on_answered: "Callable[[Socket], None]") -> None:
        self._socket, self._on_answered = socket, on_answered
        self._span = spans.begin("room join", traceparent=traceparent, is_server=True)

    def send(self, frame: bytes) -> None:
        """Send it, and end the span: with the fault's code where it is a refusal."""
        try:
            said = json.loads(frame)
            code = said.get("code") if isinstance(said, dict) else None
        except ValueError:
            code = None
        self._span.end(code if isinstance(code, str) else None)
        self._on_answered(self._socket)
        self._socket.send(frame)

    def close(self, code: int, reason: str) -> None:
        """Close it, and end the span, which had no answer."""
        self._span.end(reason or str(code))
        self._socket.close(code, reason)

    def gone(self) -> None:
        """Note that the connection broke before any answer."""
        self._span.end("lost")
