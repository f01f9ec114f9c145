"""The simulated Ring with something in between: single addresses of it are answered by somebody else."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from patients import foreign
from ringlight.simulator.app import create_app
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing


@dataclass(frozen=True)
class Crossed:
    """A simulated Ring.

    Attributes:
        ring: It, at an address by which what is in between is passed.
        answers: What answers in its place, by a part of the address.
    """

    ring: SimulatedRing
    answers: dict[str, Any] = field(default_factory=dict)

    def trouble(self, on: Iterable[str] = (), answers: Mapping[str, Any] | None = None) -> None:
        """Throw switches, and put something in between."""
        self.ring.world.switch(list(on))
        self.answers.update(answers or {})

    def mend(self) -> None:
        """Take all of that away."""
        self.answers.clear()
        self.ring.world.switch([])


@contextlib.asynccontextmanager
async def crossed(world: World | None = None) -> AsyncIterator[Crossed]:
    """Run one, with nothing in between yet."""
    world, answers = world or World(), dict[str, Any]()
    async with foreign(in_place_of(create_app(world), answers)) as where:
        yield Crossed(SimulatedRing(f"http://{where}", world), answers)


def in_place_of(real: Any, answers: Mapping[str, Any]) -> Any:
    """Return an ASGI application of which single addresses are answered by others, for as long as they are there."""

    async def either(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        chosen = next((answer for part, answer in answers.items() if part in path), real)
        await chosen(scope, receive, send)

    return either


def leads_to(location: str) -> Any:
    """An ASGI application that sends everybody elsewhere."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 303, "headers": [(b"location", location.encode())]})
        await send({"type": "http.response.body", "body": b""})

    return app


def breaks_off(scope: Any, receive: Any, send: Any) -> Any:
    """Begin a picture and cut the connection: an ASGI application."""

    async def app() -> None:
        while (await receive()).get("more_body"):
            pass
        head = [(b"content-type", b"image/jpeg"), (b"content-length", b"90000")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"\xff\xd8\xff" + b"x" * 2000})

    return app()
