"""Holding a conversation with the API without a network: answers come from a function, as tests want them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from ringlight.errors import RingError, StatusError, fault_error
from ringlight.faults import find
from ringlight.http.flow import Response
from ringlight.partner.call import Call, Conversation

T = TypeVar("T")


def hold(conversation: Conversation[T], answer: Callable[[Call[Any]], Response | RingError]) -> T:
    """Run a conversation; statuses from 400 on are raised in it, as the client does."""
    try:
        call = next(conversation)
        while True:
            try:
                value = reply(call, answer)
            except RingError as error:
                call = conversation.throw(error)
            else:
                call = conversation.send(value)
    except StopIteration as end:
        result: T = end.value
        return result


def outcome(conversation: Conversation[T], answer: Callable[[Call[Any]], Response | RingError]) -> T | RingError:
    """Run a conversation and return what it came to, an error too; any other exception is one of the test."""
    try:
        return hold(conversation, answer)
    except RingError as error:
        return error


def reply(call: Call[T], answer: Callable[[Call[Any]], Response | RingError]) -> T:
    said = answer(call)
    if isinstance(said, RingError):
        raise said
    if said.status >= 400:
        raise refusal(said.status, said.text)
    return call.decode(said)


def refusal(status: int, text: str = "") -> RingError:
    error = fault_error(find("partner", status, text) or "PARTNER-STATUS", f"HTTP {status}")
    if isinstance(error, StatusError):
        error.status = status
    return error


def json(body: object, status: int = 200, **headers: str) -> Response:
    fields: Mapping[str, str] = {"Content-Type": "application/json", "X-Request-Id": "r-1"} | headers
    return Response(status, fields, msgspec.json.encode(body))


def always(response: Response | RingError) -> Callable[[Call[Any]], Response | RingError]:
    return lambda _call: response
