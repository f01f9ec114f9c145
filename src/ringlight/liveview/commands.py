"""What was asked of a camera in one dialog: JSON-RPC inside of `rpc` messages, and the halts that answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ringlight.foreign import one_line
from ringlight.liveview import ptz
from ringlight.liveview.events import Action, CommandDone, Halted, Note

MAX_UNANSWERED = 32  # commands whose answers are still waited for; older ones will get none
MAX_SAID = 200  # characters shown of a text that the other side chose


@dataclass(slots=True)
class Commands:
    """The commands that turn a camera and are not answered yet, and why it halted under one of them."""

    _turning: dict[str, ptz.Axis] = field(default_factory=dict)  # oldest first
    _halts: dict[str, str] = field(default_factory=dict)

    def ask(self, identifier: str, method: str, params: Mapping[str, Any], session: str) -> dict[str, Any]:
        """Return the command as it is sent. `session` is the answer's own, a third id beside the two others."""
        axis = ptz.axis_of(method)
        if axis is not None:
            self._turning[identifier] = axis
        for old in list(self._turning)[:-MAX_UNANSWERED]:
            del self._turning[old]
            self._halts.pop(old, None)
        named = {**params, "sessionId": session, "version": 1}
        return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": named}

    def hear(self, command: Mapping[str, Any]) -> list[Action]:
        """Take what the camera said: an answer, a halt, or news of its own."""
        identifier, method = command.get("id"), command.get("method")
        if isinstance(method, str):
            halted = ptz.halt(command)
            return [self._halted(*halted)] if halted else [Note(f"the camera says {one_line(method, MAX_SAID)}")]
        if not isinstance(identifier, str):
            return [Note("an rpc that answers nothing")]
        error = command.get("error")
        self._turning.pop(identifier, None)
        refused = one_line(str(error), MAX_SAID) if error is not None else None
        return [CommandDone(identifier, refused, self._halts.pop(identifier, None))]

    def _halted(self, axis: ptz.Axis, reason: str) -> Halted:
        """Keep a halt for the command that led to it: the oldest of its axis, whose answer comes after the halt."""
        said = one_line(reason, MAX_SAID) or "it does not say why"
        waiting = (name for name, turned in self._turning.items() if turned == axis and name not in self._halts)
        first = next(waiting, None)
        if first is not None:
            self._halts[first] = said
        return Halted(axis, said)
