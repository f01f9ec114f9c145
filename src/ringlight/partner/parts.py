"""Parts of documents: typed where we know them, kept where we don't. Pure.

Absent, null and present are three things to this API, and fields come in other forms than documented
(partner-api.md#documents). So each known field is a value, `None` or `UNSET`; whatever has another name or another
form is kept in `extra`, as it came.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Any, Self, TypeAlias, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType

from ringlight.resilience.stale import Stale

__all__ = ["UNSET", "Maybe", "Part", "UnsetType", "plain"]

T = TypeVar("T")
P = TypeVar("P", bound="Part")

Maybe: TypeAlias = T | UnsetType | None

_OURS = {"extra", "stale"}  # fields that no answer sets
_WHOLE = re.compile(r"-?[0-9]{1,18}(\.0{1,9})?")

_Reader: TypeAlias = Callable[[Any], object]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What every document and every part of one has.

    Attributes:
        extra: Fields that are not known, or known in another form, as they came.
        stale: How old it is, and why, where the last known good answer stands in for one of now; else `None`.
    """

    extra: Mapping[str, object] = {}
    stale: Stale | None = None

    @classmethod
    def read(cls, value: object, **given: Any) -> Self:
        """Make one of a JSON object. No field of it can spoil the others.

        Args:
            value: The object.
            given: Fields that are known from elsewhere; those of the same name in the object go into `extra`.

        Raises:
            TypeError: It is no object.
        """
        if not isinstance(value, dict):
            raise TypeError("expected an object")
        readers, extra = _readers(cls), {}
        for name, item in value.items():
            reader = readers.get(name)
            if reader is None or name in given:
                extra[name] = item
                continue
            try:
                given[name] = reader(item)
            except (ValueError, TypeError, OverflowError, RecursionError):
                extra[name] = item
        return cls(extra=extra, **given)


def plain(value: Maybe[T]) -> T | None:
    """Return a field's value for those to whom absent is like null."""
    return None if isinstance(value, UnsetType) else value


@cache
def _readers(kind: type[Part]) -> dict[str, _Reader]:
    return {field.name: _reader(field.type) for field in msgspec.structs.fields(kind) if field.name not in _OURS}


def _reader(hint: Any) -> _Reader:
    """Return what reads a field of this type; it raises where the value is of another."""
    kinds = [kind for kind in get_args(hint) if kind not in {NoneType, UnsetType}] or [hint]
    one = _one(kinds[0])
    return (lambda value: None if value is None else one(value)) if NoneType in get_args(hint) else one


def _one(kind: Any) -> _Reader:
    if get_origin(kind) is tuple:
        each = _one(get_args(kind)[0])
        return lambda value: tuple(each(item) for item in _list(value))
    if isinstance(kind, type) and issubclass(kind, Part):
        return kind.read
    if kind is int:
        return _whole
    if kind is datetime:
        return _moment
    return lambda value: msgspec.convert(value, kind)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return value


def _whole(value: object) -> int:
    """Read a whole number, also one written as text or with a fraction of nothing."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value.partition(".")[0])
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise ValueError("expected a whole number")
    return int(value)


def _moment(value: object) -> datetime:
    moment = msgspec.convert(value, datetime)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
