"""What an app does with events: an async function for each type."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ringlight.partner.webhooks.events import Event

__all__ = ["ANY", "Handler", "Handlers"]

ANY = "*"
Function = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function, and whether it may be run again where nobody knows how far it came."""

    function: Function
    repeatable: bool = False


class Handlers:
    """The functions of an app, by event type.

        handlers = Handlers()

        @handlers.on("motion_detected")
        async def motion(event: MotionDetected) -> None: ...

    An exception means that the event is to be tried again. Events of a device wait for each other; events that no
    function is for are kept for a while like those that were handled.
    """

    def __init__(self) -> None:
        self._known: dict[str, Handler] = {}

    def on(self, *types: str, repeatable: bool = False) -> Callable[[Callable[..., Awaitable[None]]], Function]:
        """Register the function below for some types; without any, for all that have no function of their own.

        Args:
            types: Ring's names of events.
            repeatable: Whether the function may run twice for the same event. Where the process is killed inside of
                it, such an event is handled again; otherwise it goes to the dead letters (HOOK-INTERRUPTED).

        Raises:
            ValueError: A type has a function already: it would not be known which of two has failed.
        """

        def register(function: Callable[..., Awaitable[None]]) -> Function:
            for name in types or (ANY,):
                if name in self._known:
                    raise ValueError(f"{name} has a handler already")
                self._known[name] = Handler(function, repeatable)
            return function

        return register

    def find(self, kind: str) -> Handler | None:
        """Return what handles a type, or `None`."""
        return self._known.get(kind) or self._known.get(ANY)
