"""Calls as data: what is asked, how its answer is read, and conversations of several calls."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from ringlight.errors import RingError
from ringlight.http.flow import Request, Response
from ringlight.resilience.operation import Operation

__all__ = ["Call", "Conversation", "ask"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call, not yet made. Attempts, tokens and waits are the client's business.

    Attributes:
        operation: What it may risk.
        request: What is sent, without a token.
        decode: Reads an answer of success; raises a `RingError` where it is not in a known form.
        bearer: Whether the account's token goes with it; never to another origin than the API's.
        refuse: Judges an answer where the API's own rules do not apply, as at the token service: the error for one
            that is no success, else `None`. Without it the client's rules judge.
    """

    operation: Operation
    request: Request
    decode: Callable[[Response], T] = field(repr=False)
    bearer: bool = True
    refuse: Callable[[Response], RingError | None] | None = field(default=None, repr=False)


# Yields calls, is sent what they came to, and returns its result; a `RingError` is raised at the `yield`.
Conversation: TypeAlias = Generator[Call[Any], Any, T]


def ask(call: Call[T]) -> Conversation[T]:
    """Hold the shortest conversation: one call, and what it came to."""
    answer: T = yield call
    return answer
