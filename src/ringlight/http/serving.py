"""Running an ASGI application inside a program: on a port that is known to be free, until told to stop."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvicorn

from ringlight.errors import fault_error
from ringlight.http.doorstep import Doorstep, doorstep
from ringlight.http.websocket.protocol import FastSockets, Listener

GRACE = 2  # seconds that open requests get when the program stops

LARGEST_FRAME = 512 * 1024  # bytes; no protocol of ours has larger ones, and each may be held in memory


@dataclass(frozen=True, slots=True)
class Serving:
    """Where an application answers."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The base URL, ending in a slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/"


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server shows that speaks TLS: two files in PEM form."""

    certificate: Path
    key: Path


def listen(host: str, port: int) -> socket.socket:
    """Take a TCP port; 0 picks a free one.

    Raises:
        SetupError: CFG-PORT where it is taken, or the address is not this machine's.
        RingError: REACH-SANDBOX where the system lets this program have no socket at all.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what is accepted; without, answers wait 40 ms.
    try:
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except PermissionError as error:
        raise fault_error("REACH-SANDBOX", f"a socket for {host} port {port}: {error.strerror}") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        why = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise fault_error("CFG-PORT", f"{host} port {port}: {why}") from error
    return listening


@contextlib.asynccontextmanager
async def serving(
    app: Any, listening: socket.socket, tls: Tls | None = None, *, sockets: Listener | None = None
) -> AsyncIterator[Serving]:
    """Serve an application on a socket that listens; it is answering inside the `async with`.

    Args:
        app: Any ASGI application.
        listening: From `listen`; closed at the end.
        tls: The server's certificate; `None` speaks plain HTTP.
        sockets: Gets the WebSockets of its paths without ASGI; all others go to the application.
    """
    own = FastSockets(sockets) if sockets is not None else None
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, http=doorstep(Doorstep(), own),
        ws=cast(type[asyncio.Protocol], own) if own is not None else "websockets-sansio", ws_per_message_deflate=False,
        ws_max_size=LARGEST_FRAME,
        timeout_graceful_shutdown=GRACE, server_header=False,
        proxy_headers=False,  # whom to believe is said in the settings, and judged by proxies.py
        ssl_certfile=tls.certificate if tls else None, ssl_keyfile=tls.key if tls else None,
    )  # fmt: skip
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]), name="http server")
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn tells by a flag only
            await asyncio.sleep(0.005)
        if running.done():
            await running
        host, port = listening.getsockname()[:2]
        yield Serving(str(host), int(port), "https" if tls else "http")
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await running
        listening.close()


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out what uvicorn 0.54 says after every refused upgrade, although the refusal was complete.

    And after an answer without end that was ended here, because its reader had stopped to read.
    """
    said = record.getMessage()
    return "without completing handshake" not in said and "without completing response" not in said


logging.getLogger("uvicorn.error").addFilter(_is_news)


class _Server(uvicorn.Server):
    """Leaves signals to the program around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield
