"""A storage that plays every trick on a download, and a shell that runs the plan against it without a network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from talking_to_the_api import refusal

from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Response
from ringlight.partner.call import Call
from ringlight.partner.download import Open, Plan, Read, Restart, Saved, Sink, Wait, Write
from ringlight.partner.media import Head

PIECE = 16 * 1024
NOW = 1_790_000_100.0  # seconds since 1970
SIGNED = "https://download-eu.media.example/v1/download?security_token=canary&n="


@dataclass
class Storage:
    """Answers the API's POST with an address that allows for a while, and that address with the file.

    Attributes:
        content: The file.
        cut: After how many bytes of each answer the line breaks; `None` never.
        etag: Its mark.
        change: Is told each time that the file is opened, and may change the storage.
        good_for: How many times an address works.
        refuses: Answers given to the next calls in place of its own.
        status: Of the redirect; 200 and 206 give the file at once.
        fields: Further header fields of the file.
        knows_length: Whether it says how long a body is.
        ranges: Whether it knows ranges.
    """

    content: bytes
    cut: int | None = None
    etag: str | None = '"one"'
    change: Callable[["Storage"], None] = lambda _storage: None
    good_for: int = 1_000_000
    refuses: list[RingError] = field(default_factory=list)
    status: int = 303
    fields: dict[str, str] = field(default_factory=dict)
    knows_length: bool = True
    ranges: bool = True
    calls: list[Call[Any]] = field(default_factory=list)
    sent: int = 0
    addresses: int = 0
    opened: int = 0

    def answer(self, call: Call[Any]) -> tuple[Response, bytes] | RingError:
        """Return head and body of what this call is answered with."""
        self.calls.append(call)
        if self.refuses:
            return self.refuses.pop(0)
        if not call.request.url.startswith(SIGNED) and self.status >= 300:
            self.addresses += 1
            self.opened = 0
            return Response(self.status, {"Location": f"{SIGNED}{self.addresses}"}), b""
        self.opened += 1
        if self.opened > self.good_for:
            return refusal(403)
        self.change(self)
        return self._file({name.lower(): str(value) for name, value in call.request.headers.items()})

    def _file(self, asked: dict[str, str]) -> tuple[Response, bytes] | RingError:
        first = 0
        status, fields = (200 if self.status >= 300 else self.status), dict(self.fields)
        if self.etag is not None:
            fields["ETag"] = self.etag
        if self.ranges and "range" in asked and asked["if-range"] == self.etag:
            first = int(asked["range"].removeprefix("bytes=").removesuffix("-"))
            if first >= len(self.content):
                return refusal(416)
            status = 206
            fields["Content-Range"] = f"bytes {first}-{len(self.content) - 1}/{len(self.content)}"
        body = self.content[first:]
        if self.knows_length:
            fields["Content-Length"] = str(len(body))
        return Response(status, fields), body

    def pieces(self, body: bytes) -> Iterator[bytes]:
        """Yield the body as it comes through the line."""
        end = len(body) if self.cut is None else min(self.cut, len(body))
        for start in range(0, end, PIECE):
            piece = body[start : min(start + PIECE, end)]
            self.sent += len(piece)
            yield piece
        if end < len(body):
            raise fault_error("NET-UNREACHABLE", "the connection was cut")


@dataclass
class Shell:
    """Runs a plan: what the client's shells do, with a storage for a network and a clock that jumps."""

    storage: Storage
    now: float = NOW
    waits: list[float] = field(default_factory=list)
    progress: list[tuple[int, int | None]] = field(default_factory=list)

    def run(self, plan: Plan, sink: Sink) -> Saved:
        body: Iterator[bytes] = iter(())
        said: Head | RingError | bytes | None = None
        try:
            step = next(plan)
            while True:
                said = None
                if isinstance(step, Open):
                    said, body = self._open(step)
                elif isinstance(step, Read):
                    said = self._read(body)
                elif isinstance(step, Restart):
                    sink.restart()
                elif isinstance(step, Write):
                    sink.write(step.piece)
                    self.progress.append((step.done, step.total))
                elif isinstance(step, Wait):
                    self.waits.append(step.seconds)
                    self.now += step.seconds
                step = plan.send((self.now, said))
        except StopIteration as end:
            sink.finish()
            saved: Saved = end.value
            return saved
        except BaseException:
            sink.discard()
            raise

    def _open(self, step: Open) -> tuple[Head | RingError, Iterator[bytes]]:
        answer = self.storage.answer(step.call)
        if isinstance(answer, RingError):
            return answer, iter(())
        response, body = answer
        try:
            return step.call.decode(response), self.storage.pieces(body)
        except RingError as error:
            return error, iter(())

    @staticmethod
    def _read(body: Iterator[bytes]) -> bytes | RingError | None:
        try:
            return next(body, None)
        except RingError as error:
            return error
