"""Presses of bells, told to all nodes: a webhook comes to one of them, and people wait in rooms at every one."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import msgspec

from ringlight.beside import beside
from ringlight.http.redis import redis_client, redis_package
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["Presses", "telling_all"]

log = logging.getLogger("ringlight.nodes")
CHANNEL = "ringlight:1:presses"
PATIENCE = 1.0  # seconds for Redis to answer
AGAIN = 0.5  # seconds between two tries to reach a Redis that is away
_read = msgspec.json.Decoder(tuple[str, str]).decode


class Presses:
    """Tells and hears while inside `running`. What is told while Redis is away is heard at this node only.

    Args:
        url: Of Redis.
        hear: Called with the camera's id in addresses and the name of the press, with its own too; more than once for
            the same.
    """

    def __init__(self, url: Secret, hear: Callable[[str, str], None]) -> None:
        self._url, self._hear = url, hear
        self._away = (redis_package().RedisError, OSError, TimeoutError, EOFError)
        self._client: Redis = redis_client(url, PATIENCE, connect=PATIENCE)
        self._telling: set[asyncio.Task[None]] = set()
        self.is_listening = asyncio.Event()

    def tell(self, camera: str, press: str) -> None:
        """Tell of a press; it is heard here at once."""
        self._hear(camera, press)
        task = asyncio.create_task(self._tell(msgspec.json.encode((camera, press))), name="presses: tell")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear of presses inside of the `async with`."""
        try:
            async with beside(self._listen(), "presses: listen"):
                yield
        finally:
            if self._telling:
                await asyncio.wait(self._telling)
            with contextlib.suppress(*self._away):
                await self._client.aclose()

    async def _tell(self, said: bytes) -> None:
        try:
            await self._client.publish(CHANNEL, said)
        except self._away as error:
            log.warning("a press was told to no other server: Redis does not answer (%s)", type(error).__name__)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*self._away):
                async with redis_client(self._url, None, connect=PATIENCE) as client, client.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    self.is_listening.set()
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
                        if message is not None:
                            self._take(message["data"])
            self.is_listening.clear()
            await asyncio.sleep(AGAIN)

    def _take(self, said: bytes) -> None:
        try:
            camera, press = _read(said)
        except (msgspec.MsgspecError, UnicodeError):
            return  # a newer server says more
        self._hear(camera, press)


@contextlib.asynccontextmanager
async def telling_all(
    url: Secret | None, hear: Callable[[str, str], None]
) -> AsyncIterator[Callable[[str, str], None]]:
    """Give what tells all nodes of a press; without Redis there is this one only, and it is `hear` itself."""
    if url is None:
        yield hear
        return
    presses = Presses(url, hear)
    async with presses.running():
        yield presses.tell
