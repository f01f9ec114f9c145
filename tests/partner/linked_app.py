"""An app that links Ring accounts, as processes that may be killed before any of their steps.

Started once, it has everything imported; each line on stdin makes a child, which serves until it is killed.
"""

import asyncio
import importlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

BEFORE = ("alembic.command", "alembic.config", "ringlight.http.serving", "ringlight.partner.fastapi")
STEPS = {
    "_rows": ("begin", "keep", "adopt", "change"),
    "_calls": ("exchange", "whose", "confirm", "complete"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """Attributes: `die_before`, counted from 0, is the step before which the process kills itself; -1 never."""

    database: str
    ring: str
    port: int
    die_before: int = -1

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


class Mortal:
    """Counts what is before and after each step, and dies at one of those points."""

    def __init__(self, die_before: int) -> None:
        self.left = die_before

    def point(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.point()
            done = function(*args)
            self.point()
            return done

        async def wait(*args: Any) -> Any:
            self.point()
            done = await function(*args)
            self.point()
            return done

        return wait if asyncio.iscoroutinefunction(function) else call


async def serve(order: Order) -> None:
    from fastapi import FastAPI

    from ringlight.http.serving import listen, serving
    from ringlight.partner.fastapi import SignIn, router
    from ringlight.partner.link_desk import LinkDesk
    from ringlight.partner.linking import Person, masked
    from ringlight.secrets import Secret

    async def check(name: str, password: Secret) -> Person | None:
        return Person(name, masked(name)) if password == Secret("open sesame") else None

    desk = LinkDesk(
        client_id="sim-client", client_secret="sim-secret", hmac_keys=["c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="],
        database=order.database, base_url=order.ring,
    )  # fmt: skip
    mortal = Mortal(order.die_before)
    for part, names in STEPS.items():
        for name in names:
            owner = getattr(desk._steps, part)
            setattr(owner, name, mortal.wrap(getattr(owner, name)))
    app = FastAPI()
    app.include_router(router(links=desk, sign_in=SignIn(check=check), name="Shop"))
    answered: Awaitable[None] = asyncio.Event().wait()  # type: ignore[assignment]
    async with serving(app, listen("127.0.0.1", order.port)):
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        await answered


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that end leave nothing behind
    for line in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                asyncio.run(serve(Order(**json.loads(line))))
            finally:  # it could not begin; whoever started it would wait for ever
                sys.stdout.write("0\n")
                sys.stdout.flush()
            os._exit(0)


if __name__ == "__main__":
    for name in BEFORE:
        importlib.import_module(name)
    main()
