"""The border to the MQTT broker: its address, and its errors in our words."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ringlight.errors import RingError, fault_error
from ringlight.http.trust import distrust_in
from ringlight.secrets import Secret

if TYPE_CHECKING:
    import aiomqtt

__all__ = ["Broker", "Message", "connected"]

PORTS = {"mqtt": 1883, "mqtts": 8883}
TIMEOUT = 10.0  # seconds for the broker to answer
_REFUSED = ("bad user name or password", "not authorized", "unsupported protocol version")


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody published.

    Attributes:
        topic: Where.
        payload: What.
        retained: It is an old one, which the broker kept.
    """

    topic: str
    payload: bytes
    retained: bool


class Broker:
    """An open connection. Every method raises MQTT-BROKER when it is lost."""

    def __init__(self, client: "aiomqtt.Client", where: str) -> None:
        self._client, self._where = client, where

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish, and wait until the broker has it."""
        with _border(self._where):
            await self._client.publish(topic, payload, qos=1, retain=retain)

    async def subscribe(self, topics: str) -> None:
        """Ask for messages of topics."""
        with _border(self._where):
            await self._client.subscribe(topics, qos=1)

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what comes."""
        with _border(self._where):
            async for one in self._client.messages:
                payload = one.payload if isinstance(one.payload, bytes) else b""
                yield Message(one.topic.value, payload, bool(one.retain))


@asynccontextmanager
async def connected(url: Secret, status: str) -> AsyncIterator[Broker]:
    """Open a connection.

    Args:
        url: `mqtt://user:password@host:port` or `mqtts://…`.
        status: The topic on which the broker says `offline` when this connection is gone.

    Raises:
        SetupError: CFG-DEPENDENCY, aiomqtt is not installed.
        NetworkError: MQTT-BROKER, it cannot be reached or went away; MQTT-LOGIN, it refuses us; NET-TLS, its
            certificate is not accepted.
    """
    try:
        import aiomqtt  # noqa: PLC0415 - an extra
    except ImportError:
        raise fault_error("CFG-DEPENDENCY", "pip install 'ringlight[mqtt]'") from None
    parts = urlsplit(url.reveal())
    host, port = parts.hostname or "localhost", parts.port or PORTS[parts.scheme]
    with _border(f"{host}:{port}"):
        async with aiomqtt.Client(
            host, port, username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None, timeout=TIMEOUT, keepalive=30,
            will=aiomqtt.Will(status, b"offline", qos=1, retain=True),
            tls_context=ssl.create_default_context() if parts.scheme == "mqtts" else None,
        ) as client:  # fmt: skip
            yield Broker(client, f"{host}:{port}")


@contextmanager
def _border(where: str) -> Iterator[None]:
    import aiomqtt  # noqa: PLC0415

    problem: RingError | None = None
    try:
        yield
    except aiomqtt.MqttError as error:
        said, distrust = str(error), distrust_in(error)
        refused = any(words in said.casefold() for words in _REFUSED)
        code = "NET-TLS" if distrust else "MQTT-LOGIN" if refused else "MQTT-BROKER"
        problem = fault_error(code, f"{where}: {distrust or said[:120]}")
    if problem is not None:
        raise problem
