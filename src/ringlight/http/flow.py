"""Requests and answers as data, and flows: call logic that asks for requests instead of sending them.

A flow is a generator. It yields a `Request`, is sent the `Response`, and returns its result; so the
same logic is run by any driver and tested without one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from ringlight.errors import RingError, fault_error
from ringlight.secrets import Secret

__all__ = [
    "MAX_BODY",
    "Driver",
    "Flow",
    "Headers",
    "NotJson",
    "Request",
    "Response",
    "Streamed",
    "StreamedNow",
    "drive",
    "drive_waiting",
    "unreadable",
]

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")

MAX_BODY = 4 * 1024 * 1024  # bytes; a list of a hundred devices takes half a MiB

# An answer that cannot be read is a fault of the step that it belongs to.
_UNREADABLE = {
    "token": "AUTH-ANSWER", "ticket": "TICKET-ANSWER", "partner": "PARTNER-ANSWER", "publish": "PUBLISH-ANSWER",
}  # fmt: skip


class NotJson(ValueError):  # noqa: N818 - it says what the body is
    """The body is no JSON. Carries nothing of the body, which may hold secrets."""


class Headers(Mapping[str, str]):
    """Header fields of an answer, found without regard to case (RFC 9110 section 5.1)."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, not yet sent.

    Attributes:
        method: The HTTP method in capitals.
        url: The address at Ring, also where the simulator stands in for it.
        headers: Further header fields; a value that is a secret stays a `Secret`.
        json: The JSON body, `Secret`s allowed inside; `None` sends none.
        form: The form body, where there is no `json`; `None` sends none.
        content: The body as it is, where there is neither; its Content-Type is among `headers`.
        at: The step of the dialog, as in `Seen.at` of the catalogue.
        bearer: The access token, or `None` for a request without one.
        limit: The longest answer in bytes that is read; more is a fault of the step.
        timeout: Seconds for the whole exchange; `None` is the driver's own.
        hidden: Whether the path of the address is as secret as its query.
        foreign: Whether somebody else has named the address, so that it may not lead into our own network.
    """

    method: str
    url: str = field(repr=False)  # what it asks for may be allowed by the address alone
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    json: object = field(default=None, repr=False)
    form: Mapping[str, str | Secret] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    at: str = "clients_api"
    bearer: Secret | None = None
    limit: int = MAX_BODY
    timeout: float | None = None
    hidden: bool = False
    foreign: bool = False

    def secrets(self) -> Iterator[Secret]:
        """Yield every secret in it, so that none is repeated from an answer that echoes the request."""
        yield from _secrets_in([self.bearer, self.headers, self.json, self.form])


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, read whole. Its repr shows the status only: body and cookies may hold tokens.

    Attributes:
        status: The HTTP status.
        headers: The header fields, found without regard to case.
        body: The body.
        set_cookies: The values of `Set-Cookie`, each for itself: unlike other fields they cannot be joined
            (RFC 9110 section 5.3).
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    set_cookies: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", Headers(self.headers))

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode(errors="replace")

    def json(self) -> object:
        """Return the body as JSON.

        Raises:
            NotJson: It is something else, such as a page of HTML.
        """
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise NotJson("the body is no JSON") from None


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is still on its way.

    Attributes:
        status: The HTTP status.
        headers: The header fields, found without regard to case.
        pieces: The body, to be read once.
    """

    status: int
    headers: Headers = field(repr=False)
    pieces: AsyncIterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamedNow:
    """As `Streamed`, for programs without an event loop."""

    status: int
    headers: Headers = field(repr=False)
    pieces: Iterator[bytes] = field(repr=False)


Flow: TypeAlias = Generator[Request, Response, T]


class Driver(Protocol):
    """Whatever runs flows: `AsyncDriver` over the network, `ScriptedDriver` from a function."""

    async def run(self, flow: Flow[T]) -> T:
        """Run the flow to its end and return its result."""

    def stream(self, request: Request) -> AbstractAsyncContextManager[Streamed]:
        """Send one request and read its answer piece by piece."""


async def drive(flow: Generator[A, B, T], send: Callable[[A], Awaitable[B]]) -> T:
    """Run a flow with any way of sending.

    A `RingError` of `send` is raised in the flow, at its `yield`: there it may ask elsewhere. Any other
    exception ends the flow.
    """
    try:
        request = next(flow)
        while True:
            failed: RingError | None = None
            try:
                response = await send(request)
            except RingError as error:
                failed = error
            # Outside the `except`, so that what the flow raises instead does not carry this one along.
            request = flow.send(response) if failed is None else flow.throw(failed)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


def drive_waiting(flow: Generator[A, B, T], send: Callable[[A], B]) -> T:
    """Do as `drive` does, without an event loop."""
    try:
        request = next(flow)
        while True:
            failed: RingError | None = None
            try:
                response = send(request)
            except RingError as error:
                failed = error
            request = flow.send(response) if failed is None else flow.throw(failed)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


def unreadable(at: str, detail: str) -> RingError:
    """Make the error for an answer that is not in the known form, by the step of the dialog."""
    return fault_error(_UNREADABLE.get(at, "ACCOUNT-ANSWER"), detail)


def _secrets_in(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        yield from _secrets_in(list(value.values()))
    elif isinstance(value, list):
        for part in value:
            yield from _secrets_in(part)
