"""Raising our errors without the foreign one behind them: it may hold what was to be kept."""

from typing import NoReturn

from ringlight.errors import RingError

__all__ = ["raise_alone"]


def raise_alone(error: RingError) -> NoReturn:
    """Raise an error with neither cause nor context, also where another is being handled further out.

    A crash report follows them, and shows the variables of every frame on the way.
    """
    try:
        raise error
    except RingError as ours:
        ours.__cause__ = ours.__context__ = None
        raise
