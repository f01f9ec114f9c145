"""HAR files of browsers and proxies, as far as their WebSockets go (`_webSocketMessages`)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ringlight.doctor.traces.entries import MAX_FRAME, Ended, Entry, Opened, Other, Place, Said
from ringlight.doctor.traces.json_walk import Path, walk

__all__ = ["read_har"]

_ENTRY = ("log", "entries", "*")
_MESSAGE: Path = (*_ENTRY, "_webSocketMessages", "*")
_FIELDS: dict[Path, str] = {
    (*_ENTRY, "_resourceType"): "kind", (*_ENTRY, "startedDateTime"): "began", (*_ENTRY, "time"): "lasted",
    (*_ENTRY, "request", "url"): "url", (*_ENTRY, "response", "status"): "status",
    (*_ENTRY, "response", "_error"): "error", (*_ENTRY, "_error"): "error",
}  # fmt: skip
LATEST = 1e12  # seconds or milliseconds; what is beyond is no time
_WANTED = frozenset({_MESSAGE, *_FIELDS})


@dataclass(slots=True)
class _Socket:
    """What is known of an entry so far; its fields come in any order, its messages before or after its address."""

    number: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    said: int = 0
    last: float | None = None
    told: bool = False

    @property
    def is_websocket(self) -> bool:
        """As far as can be told yet."""
        url = str(self.fields.get("url", ""))
        return bool(self.said) or self.fields.get("kind") == "websocket" or url.startswith(("ws:", "wss:"))


def read_har(chunks: Iterable[str]) -> Iterator[Entry]:
    """Yield what the sockets of a HAR file say. One that is cut yields what is whole. Never raises.

    Browsers write the messages of an entry before its address, so `Opened` may come late.
    """
    socket, number = _Socket(), 0
    for path, text in walk(chunks, _WANTED, _ENTRY, MAX_FRAME):
        if path == _MESSAGE:
            number += 1
            socket.said += 1
            yield _message(text, number, socket)
        elif path == _ENTRY:
            yield from _end(socket, number)
            socket = _Socket(socket.number + 1)
        else:
            socket.fields[_FIELDS[path]] = _decoded(text)
            if "url" in socket.fields and socket.fields.get("status") == 101:  # else its error may still come
                yield from _opened(socket, number)
    yield from _end(socket, number)


def _opened(socket: _Socket, number: int) -> Iterator[Entry]:
    if socket.told or not socket.is_websocket:
        return
    socket.told = True
    url, status = str(socket.fields.get("url", "")), socket.fields.get("status")
    seen = status if isinstance(status, int) and status > 0 else None
    yield Opened(Place(max(number, 1), 0.0, socket.number), url, seen, str(socket.fields.get("error") or ""))


def _end(socket: _Socket, number: int) -> Iterator[Entry]:
    yield from _opened(socket, number)
    lasted = _number(socket.fields.get("lasted"))
    seconds = lasted / 1000 if lasted is not None else -1.0
    if socket.said and socket.last is not None and seconds >= socket.last:  # some write the time of the upgrade alone
        yield Ended(Place(number, round(seconds, 4), socket.number), None)


def _message(text: str, number: int, socket: _Socket) -> Entry:
    message = _decoded(text)
    if not isinstance(message, dict):
        return Other(Place(number, None, socket.number))
    at, data = _number(message.get("time")), message.get("data")
    began = socket.fields.setdefault("first", at)  # the entry's own beginning may not have been read yet
    since = round(at - began, 4) if at is not None and began is not None else None
    socket.last = since
    place = Place(number, since, socket.number)
    if message.get("opcode", 1) != 1 or not isinstance(data, str):
        return Other(place)
    return Said(place, {"send": True, "receive": False}.get(str(message.get("type"))), data)


def _number(value: object) -> int | float | None:
    """Return a time; `None` for what is none. JSON may have whole numbers that no float can hold."""
    return value if isinstance(value, int | float) and abs(value) < LATEST else None


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None
