"""Dumps of mitmproxy: one flow after the other as tagged netstrings, of which only the WebSockets are read.

`LENGTH:payload` and a letter that says what it is. Lengths let everything else be passed over without reading it.
"""

import re
from collections.abc import Iterator
from itertools import islice
from math import isfinite
from typing import BinaryIO

from ringlight.doctor.traces.entries import MAX_FRAME, Ended, Entry, Opened, Other, Place, Said

__all__ = ["looks_like_a_dump", "read_dump"]

_DIGITS = 12
_HEAD = re.compile(rb"[1-9]\d{0,11}:[1-9]\d?:[a-z_]+[;,]")
_KINDS = b",;#^!~}]"
_SHORT = 4096  # bytes of a field that is read whole
_MOST_FIELDS = 256  # of a dictionary; flows have twenty
_Part = tuple[int, int, bytes]  # where a payload begins and ends, and the letter of its kind


class _CutError(Exception):
    """The file ends, or is none of the kind."""


def looks_like_a_dump(head: bytes) -> bool:
    """Whether a file that begins so is a dump: a netstring that begins with the name of a field."""
    return _HEAD.match(head) is not None


def read_dump(file: BinaryIO) -> Iterator[Entry]:
    """Yield what the sockets of a dump say. A file that is cut yields what is whole. Never raises."""
    number, connection = 0, 0
    while True:
        try:
            length = _length(file)
        except _CutError:
            return
        end = file.tell() + length
        connection += 1
        try:
            for entry in _flow(file, end, number, connection):
                number = max(number, entry.place.number)
                yield entry
        except _CutError:
            yield Other(Place(number + 1, connection=connection))
            return
        file.seek(end)
        if file.read(1) != b"}":
            return


def _flow(file: BinaryIO, end: int, number: int, connection: int) -> Iterator[Entry]:
    """Read one flow: first where each part lies, then the parts in the order of time."""
    parts = dict(_fields(file, end))
    if "websocket" not in parts or parts["websocket"][2] != b"}":
        return
    request = _small(file, parts.get("request"))
    response = _small(file, parts.get("response"))
    began = _number(request.get("timestamp_start"))
    scheme = "wss" if request.get("scheme") == "https" else "ws"
    url = f"{scheme}://{request.get('host', '')}:{request.get('port', '')}{request.get('path', '')}"
    status = _number(response.get("status_code"))
    yield Opened(Place(number + 1, 0.0, connection), url, int(status) if status is not None else None)
    start, stop, _ = parts["websocket"]
    file.seek(start)
    socket = dict(_fields(file, stop))
    if "messages" in socket and socket["messages"][2] == b"]":
        for entry in _messages(file, socket["messages"], began, number, connection):
            number = entry.place.number
            yield entry
    end_of = _small_fields(file, socket)
    code = _number(end_of.get("close_code"))
    at = _number(end_of.get("timestamp_end"))
    if code is not None or at is not None:
        ours = end_of.get("closed_by_client")
        yield Ended(Place(number, _since(at, began), connection), int(code) if code is not None else None,
                    str(end_of.get("close_reason") or ""), ours if isinstance(ours, bool) else None)  # fmt: skip


def _messages(file: BinaryIO, part: _Part, began: float | None, number: int, connection: int) -> Iterator[Entry]:
    start, stop, _ = part
    file.seek(start)
    while file.tell() < stop:
        _, first, last = number, *_next(file, stop)[:2]
        after = file.tell()
        number += 1
        fields = list(islice(_items(file, first, last), 6))
        # type, from_client, content, timestamp, …
        at = _since(_number(fields[3]) if len(fields) > 3 else None, began)
        place = Place(number, at, connection)
        content = fields[2] if len(fields) > 2 else None
        if len(fields) > 2 and isinstance(fields[1], bool) and isinstance(content, str) and fields[0] == 1:
            yield Said(place, fields[1], content)
        else:
            yield Other(place)
        file.seek(after)


def _items(file: BinaryIO, start: int, stop: int) -> Iterator[object]:
    file.seek(start)
    while file.tell() < stop:
        first, last, kind = _next(file, stop)
        after = file.tell()
        yield _scalar(file, first, last, kind, MAX_FRAME)
        file.seek(after)


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[str, _Part]]:
    """Yield the names of a dictionary, each with where its value lies."""
    for _ in range(_MOST_FIELDS):
        if file.tell() >= end:
            return
        first, last, kind = _next(file, end)
        after = file.tell()
        name = _scalar(file, first, last, kind, _SHORT)
        file.seek(after)
        yield str(name), _next(file, end)


def _small(file: BinaryIO, part: _Part | None) -> dict[str, object]:
    """Read the short fields of a dictionary."""
    if part is None or part[2] != b"}":
        return {}
    file.seek(part[0])
    return _small_fields(file, dict(_fields(file, part[1])))


def _small_fields(file: BinaryIO, fields: dict[str, _Part]) -> dict[str, object]:
    return {name: _scalar(file, *where, _SHORT) for name, where in fields.items() if where[2] in b",;#^!"}


def _next(file: BinaryIO, end: int) -> _Part:
    """Pass over one netstring; return where its payload begins and ends, and its letter."""
    length = _length(file)
    start = file.tell()
    if start + length + 1 > end:
        raise _CutError
    file.seek(start + length)
    kind = file.read(1)
    if len(kind) != 1 or kind not in _KINDS:
        raise _CutError
    return start, start + length, kind


def _length(file: BinaryIO) -> int:
    digits = b""
    while (sign := file.read(1)) != b":":
        digits += sign
        if not sign.isdigit() or len(digits) > _DIGITS:
            raise _CutError
    if not digits:
        raise _CutError
    return int(digits)


def _scalar(file: BinaryIO, start: int, stop: int, kind: bytes, most: int) -> object:
    if kind in b"}]~" or stop - start > most:
        return None
    file.seek(start)
    payload = file.read(stop - start)
    if len(payload) < stop - start:
        raise _CutError
    text = payload.decode("utf-8", "replace")
    if kind == b"!":
        return text == "true"
    if kind in b"#^":
        value = _number(text)
        return int(value) if kind == b"#" and value is not None else value
    return text


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and isfinite(number) else None


def _since(at: float | None, began: float | None) -> float | None:
    return None if at is None or began is None else round(at - began, 4)
