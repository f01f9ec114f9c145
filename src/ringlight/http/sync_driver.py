"""The driver for programs without an event loop. Threads may share it."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from ringlight.http.address import rebase
from ringlight.http.border import USER_AGENT, Border, checked, too_long, whole
from ringlight.http.connections import asked_by, new_client
from ringlight.http.discretion import hiding
from ringlight.http.flow import Flow, Headers, Request, Response, StreamedNow, drive_waiting
from ringlight.http.reach import Patience, Remaining, Way
from ringlight.http.target import Target
from ringlight.http.translate import HTTPX2
from ringlight.resilience.actions import Failed

__all__ = ["SyncDriver"]

T = TypeVar("T")


class SyncDriver(Border):
    """Runs flows over one pool of connections. Close it with `with` or `close()`.

    Nothing can interrupt a thread that waits for a socket. So the time for an exchange is asked for between the
    pieces of an answer, and no part of an exchange may wait for longer than what is left: an answer that trickles ends
    at the latest one such wait after its time. An answer whose header alone trickles is the exception: it is held by
    `patience.read` from byte to byte.

    Args:
        timeout: Seconds for one whole exchange; a request may name its own.
        base_url: As for `AsyncDriver`.
        near: An address that decides about proxies as `base_url` does, while every request goes where it says.
        user_agent: Who we say we are.
        transport: Another way to the network, for tests; `None` is the real one.
        patience: Limits for the parts of an exchange.

    Raises:
        SetupError: CFG-INVALID, `base_url` or a proxy of the environment is no usable address.
    """

    def __init__(
        self,
        *,
        timeout: float = 15.0,
        base_url: str | None = None,
        near: str | None = None,
        user_agent: str = USER_AGENT,
        transport: httpx2.BaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._parts = patience or Patience()
        super().__init__(HTTPX2, timeout=timeout, base_url=base_url, user_agent=user_agent, patience=self._parts)
        self._client = new_client(httpx2.Client, transport, base_url or near, self._parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection. Requests after this fail."""
        self._client.close()

    def run(self, flow: Flow[T]) -> T:
        """Run the flow to its end and return its result.

        Raises:
            RingError: What the flow itself raises, or what `send` does.
        """
        return drive_waiting(flow, self.send)

    def send(self, request: Request) -> Response:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            NetworkError: NET-DNS, NET-UNREACHABLE, NET-TLS, NET-TIMEOUT or NET-POOL.
            RingError: The answer is too long or cannot be decoded; the code follows the step.
        """
        return whole(self.attempt(request))

    def attempt(self, request: Request) -> Response | Failed:
        """Do as `send` does, and return what is raised there for the network's sake, with how far the request came.

        Raises:
            RingError: The answer is too long.
        """
        url, way = rebase(request.url, self._base_url), Way()
        try:
            with hiding(request.hidden):
                return self._exchange(request, url, way)
        except self._dialect.foreign as error:
            return self._failed(error, request, url, way)

    @contextmanager
    def begin(self, request: Request) -> Iterator[StreamedNow | Failed]:
        """Send one request and read its answer piece by piece; its timeout is that of each piece.

        It gives what came of the request; while the body is read, a cut is raised.

        Raises:
            NetworkError: The connection was cut or fell silent while the body was read.
            RingError: The answer is longer than the request allows.
        """
        url, way = rebase(request.url, self._base_url), Way()
        limits = Remaining(self._parts, self._time_for(request))
        extensions: dict[str, Any] = {"trace": way.note, "timeout": limits}
        try:
            opened = self._client.stream(**asked_by(request, self._target(request, url), extensions))
            answer = opened.__enter__()
        except self._dialect.foreign as error:
            yield self._failed(error, request, url, way)
            return
        try:
            way.status = answer.status_code
            pieces = self._pieces(answer.iter_bytes(), request, url, way, limits)
            yield StreamedNow(answer.status_code, Headers(answer.headers), pieces)
        finally:
            opened.__exit__(None, None, None)

    def _target(self, request: Request, url: str) -> Target:
        """Do as the other drivers do: see `Sending`."""
        target = self._judged(request, url)
        if isinstance(target, Target):
            return target
        return self._pinned(request, url, socket.getaddrinfo(*target, type=socket.SOCK_STREAM))

    def _pieces(
        self, pieces: Iterator[bytes], request: Request, url: str, way: Way, limits: Remaining
    ) -> Iterator[bytes]:
        read = 0
        while True:
            limits.until = time.monotonic() + self._time_for(request)
            failed: Failed | None = None
            try:
                piece = next(pieces, None)
            except self._dialect.foreign as error:
                failed = self._failed(error, request, url, way)
            if failed is not None:
                raise failed.error
            if piece is None:
                return
            read += len(piece)
            if read > request.limit:
                raise too_long(request, url)
            yield piece

    def _exchange(self, request: Request, url: str, way: Way) -> Response:
        limits = Remaining(self._parts, self._time_for(request))
        body = bytearray()
        extensions: dict[str, Any] = {"trace": way.note, "timeout": limits}
        with self._client.stream(**asked_by(request, self._target(request, url), extensions)) as answer:
            way.status = answer.status_code
            for chunk in answer.iter_bytes():
                body += chunk
                checked(body, request, url)
                if limits.over:
                    raise httpx2.ReadTimeout("the answer trickles")
            cookies = tuple(answer.headers.get_list("set-cookie"))
            return Response(answer.status_code, dict(answer.headers), bytes(body), cookies)
