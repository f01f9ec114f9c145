"""Connections to PostgreSQL that do not wait for ever for one that is there and says nothing.

Its kernel goes on to take note of what is sent, so that no timeout of TCP helps; and its own `statement_timeout` is not
looked at by a server that stands still.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any

import psycopg

__all__ = ["AnsweringConnection", "NoAnswerError"]


class NoAnswerError(psycopg.OperationalError):
    """Nothing has come for too long; the connection is closed."""


class AnsweringConnection(psycopg.Connection[Any]):
    """Ends when an answer does not come.

    Attributes:
        silence: Seconds of it that end the connection; `None` waits for ever.
    """

    silence: float | None = None

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **options: Any) -> Any:
        """Wait as psycopg does, and not longer."""
        if self.silence is None:
            return super().wait(gen, *args, **options)
        try:
            return super().wait(_answered(gen, self.silence), *args, **options)
        except NoAnswerError:
            self.pgconn.finish()  # it may yet answer, and whoever asks next would take that for theirs
            raise


def _answered(gen: Generator[Any, Any, Any], silence: float) -> Generator[Any, Any, Any]:
    """Pass a conversation with libpq on; psycopg says ten times a second that nothing has come."""
    until = monotonic() + silence
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                until = monotonic() + silence
            elif monotonic() >= until:
                raise NoAnswerError(f"no answer within {silence:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value
