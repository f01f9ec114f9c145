"""Both clients behind one face, so that one suite talks with either."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ringlight.partner import AsyncClient, Client

KINDS = ("sync", "async")


class Either:
    """A client of one kind. `do` calls a method of it and returns what came, whichever kind it is."""

    def __init__(self, client: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        self.client = client
        self._loop = loop

    def do(self, method: Callable[[Any], Any]) -> Any:
        """Call `method` with the client, and wait for what it gives; a list in pages becomes a list."""
        came = method(self.client)
        if self._loop is None:
            return list(came) if hasattr(came, "pages") else came
        if hasattr(came, "pages"):
            return self._loop.run_until_complete(_all(came))
        return self._loop.run_until_complete(came) if inspect.isawaitable(came) else came

    def pages(self, paged: Any) -> list[Any]:
        """Go through a list page by page."""
        if self._loop is None:
            return list(paged.pages())
        return self._loop.run_until_complete(_all(paged.pages()))

    def but(self, **options: Any) -> "Either":
        """The same with other options."""
        return Either(self.client.with_options(**options), self._loop)


async def _all(items: Any) -> list[Any]:
    return [item async for item in items]


@contextmanager
def either(kind: str, **given: Any) -> Iterator[Either]:
    """Open a client of a kind."""
    if kind == "sync":
        with Client(**given) as client:
            yield Either(client, None)
        return
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        asyncio_client = AsyncClient(**given)
        try:
            yield Either(asyncio_client, loop)
        finally:
            loop.run_until_complete(asyncio_client.aclose())
