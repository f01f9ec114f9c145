"""Text files: our JSON lines, and logs of anybody's program, pasted or whole, with whatever stands around the messages.

A log shows what its program chose to show. What is known of those of python-ring-doorbell, ring-client-api, websockets
and browsers is in the tables below; any other line counts by the object that it shows.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from ringlight.doctor.traces.entries import MAX_FRAME, Ended, Entry, Opened, Other, Place, Said
from ringlight.doctor.traces.literals import find_object, is_open
from ringlight.doctor.traces.speech import is_message, of_client

__all__ = ["read_lines"]

MAX_OBJECT = 256 * 1024  # characters of an object that is spread over lines
MAX_OBJECT_LINES = 400
MAX_SECONDS = 1e9  # a time beyond is none
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?")
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,6}))?(?: ?([AP]M))?")
_OUT = re.compile(r"\b(?:send|sending|sent|outgoing|out|tx|to server)\b|->|→|⬆|^\s*>", re.IGNORECASE)
_IN = re.compile(r"\b(?:receiv\w+|recv|incoming|got|in|rx|from server|message:)\b|<-|←|⬇|^\s*<", re.IGNORECASE)
_URL = re.compile(r"""\bwss?:(?://)?[^\s'"<>)\]]+""")
_UPGRADE = re.compile(r'"WebSocket (/[^\s"]*)"?[^\n]{0,40}?(\[accepted\]|\b\d{3}\b)?$')
_FRAME = re.compile(r"(?:^|\s)([<>]) (?:TEXT|CONT) '(.*)' \[\d+ bytes")
_CLOSE_FRAME = re.compile(r"(?:^|\s)([<>]) CLOSE (\d{4}) \([^)]*\) ?(.*?)(?: \[\d+ bytes\])?$")
_CLOSED = re.compile(
    r"(?:closed|close code|closed with|closed:|received|close event)\W{0,3}(?:with|code)?\W{0,4}"
    r"(1\d{3}|4\d{3})\b(?: \([a-z ]+\))?[:, ]*(.*)$",
    re.IGNORECASE,
)
_CLOSE_CODES = frozenset((*range(1000, 1016), *range(4000, 5000)))
_METHOD = re.compile(r'"(method|t|type)": ?"([a-z_-]{2,40})"')
_CODE = re.compile(r'"code": ?"([A-Z]+(?:-[A-Z0-9]+)+)"')
_RID = re.compile(r'"rid": ?(\d{1,9})\b')
_OURS = re.compile(r"\bring\.live\b.*?\b(out|in) ([a-z_]{2,40})$")

_Told = tuple[bool, dict[str, Any], bool]  # whether sent, the message, whether it is a part only


def _whole(out: bool) -> Callable[[re.Match[str], Mapping[str, Any] | None], _Told | None]:
    return lambda _, shown: (out, dict(shown), False) if shown is not None else None


def _part(out: bool, method: str, **body: Any) -> Callable[[re.Match[str], Mapping[str, Any] | None], _Told | None]:
    return lambda _, __: (out, {"method": method, "body": body}, True)


# python-ring-doorbell, at DEBUG: the offer, activation and speaker whole, the rest by name.
_KNOWN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Mapping[str, Any] | None], _Told | None]], ...] = (
    (re.compile(r"sending live_view offer msg: "), _whole(True)),
    (re.compile(r"Sending activate_session message: "), _whole(True)),
    (re.compile(r"Sending camera options: "), _whole(True)),
    (re.compile(r"Received notification: "), _whole(False)),
    (re.compile(r"Notification received: (\S+)"),
     lambda found, _: (False, {"method": "notification", "body": {"is_ok": True, "text": found[1]}}, True)),
    (re.compile(r"Sending ice candidate for mlineindex (\d{1,9}): (.*)$"),
     lambda found, _: (True, {"method": "ice", "body": {"ice": found[2], "mlineindex": int(found[1])}}, True)),
    (re.compile(r"SDP answer received: "), _part(False, "sdp", sdp="v=0")),
    (re.compile(r"Session created: \S+___\S+"), _part(False, "session_created")),
    (re.compile(r"Pong message received"), _part(False, "pong")),
    (re.compile(r"camera_started message received"), _part(False, "camera_started")),
    (re.compile(r"Close message received: "),
     lambda _, shown: (False, {"method": "close", "body": {"reason": dict(shown)}}, True) if shown else None),
    # ring-client-api prints the body of Ring's close after this line, and this line once the answer is applied.
    (re.compile(r"Activating Session\b"), _part(True, "activate_session")),
)  # fmt: skip


@dataclass(slots=True)
class _Reader:
    """Reads lines one by one; an object may be spread over several."""

    pending: list[str] = field(default_factory=list)
    pending_from: int = 0
    size: int = 0
    connection: int = 0
    began: float | None = None
    at: float | None = None
    day: float = 0.0

    def read(self, number: int, line: str) -> Iterator[Entry]:
        """Read one line."""
        text = _ANSI.sub("", line.rstrip("\r\n"))
        own = _own_line(text, number, self.connection)
        if own is not None:
            yield from self.give_up()
            yield own
            return
        stamped = self._take_time(text)
        if self.pending:
            if not stamped and not text.startswith('{"') and len(self.pending) < MAX_OBJECT_LINES:
                self.pending.append(text)
                self.size += len(text)
                if "}" in text and self.size <= MAX_OBJECT and not is_open("\n".join(self.pending)):
                    whole, self.pending = "\n".join(self.pending), []
                    yield from self._line(self.pending_from, whole)
                return
            yield from self.give_up()
        if "{" in text and is_open(text):
            self.pending, self.pending_from, self.size = [text], number, len(text)
            return
        yield from self._line(number, text)

    def give_up(self) -> Iterator[Entry]:
        """Take what was the beginning of an object for what it is: a line."""
        if self.pending:
            first, self.pending = self.pending[0], []
            yield from self._line(self.pending_from, first)

    def _line(self, number: int, text: str) -> Iterator[Entry]:
        place = Place(number, self.at, self.connection)
        found = find_object(text) if "{" in text else None
        shown, begins = found if found is not None else (None, len(text))
        before = text[:begins]
        if shown is not None and not is_message(shown):
            inner = next(
                (shown[key] for key in ("message", "msg", "event", "log") if isinstance(shown.get(key), str)), None
            )
            if inner is not None and before.strip() == "":  # a log whose lines are JSON themselves
                yield from self._line(number, inner[:MAX_FRAME].rstrip("\n"))
                return
        told = _told(text, shown)
        if told is not None:
            yield Said(place, told[0], told[1], partial=told[2])
        elif (ended := _ended(text, place)) is not None:
            yield ended
        elif (frame := _FRAME.search(text)) is not None:
            yield _shortened(frame, place)
        elif shown is not None and (is_message(shown) or (_is_speech(shown) and _words(before) is not None)):
            yield Said(place, _direction(before, shown), shown)
        elif (url := _address(text)) is not None:
            if url[1] is not None or self.connection == 0 or "onnect" in text:
                self.connection += 1
            yield Opened(Place(number, self.at, self.connection), *url)
        else:
            yield Other(place)

    def _take_time(self, text: str) -> bool:
        """Read the time that a line begins with; return whether there is one."""
        head = text[:64]
        seconds = _seconds(head)
        if seconds is None:
            return False
        if self.began is None:
            self.began = seconds
        at = seconds - self.began + self.day
        if self.at is not None and at < self.at - 43_200:  # a clock without a date has passed midnight
            self.day += 86_400
            at += 86_400
        self.at = round(at, 4)
        return True


def read_lines(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield what the lines of a text say. Never raises.

    Lines longer than `MAX_FRAME` are none of ours.
    """
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_FRAME:
            yield Other(Place(number, reader.at, reader.connection))
        elif line.strip():
            yield from reader.read(number, line)
    yield from reader.give_up()


def _own_line(text: str, number: int, connection: int) -> Entry | None:
    """Read a line of `--trace`."""
    if not text.startswith("{") or '"dir"' not in text:
        return None
    try:
        line = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None
    if (
        not isinstance(line, dict)
        or line.get("dir") not in ("in", "out", "note")
        or not isinstance(line.get("msg"), dict)
    ):
        return None
    at, message = line.get("at"), line["msg"]
    place = Place(number, float(at) if isinstance(at, int | float) and abs(at) < MAX_SECONDS else None, connection)
    if line["dir"] == "note":
        code, reason = message.get("code"), message.get("reason")
        if message.get("socket") == "closed" and isinstance(code, int):
            return Ended(place, code, str(reason or ""), ours=False)
        return Other(place)
    return Said(place, line["dir"] == "out", message)


def _told(text: str, shown: Mapping[str, Any] | None) -> _Told | None:
    """Read a line of a program whose lines are known."""
    ours = _OURS.search(text)
    if ours is not None:
        return ours[1] == "out", {"method": ours[2]}, True
    for pattern, read in _KNOWN:
        found = pattern.search(text)
        if found is not None:
            return read(found, shown)
    reason = shown.get("reason") if shown is not None else None
    if shown is not None and isinstance(reason, Mapping) and "code" in reason and "method" not in shown:
        return False, {"method": "close", "body": {"reason": dict(reason)}}, True  # as ring-client-api prints it
    return None


def _ended(text: str, place: Place) -> Ended | None:
    frame = _CLOSE_FRAME.search(text)
    if frame is not None:
        return Ended(place, int(frame[2]), frame[3], frame[1] == ">")
    if "{" in text:
        return None
    closed = _CLOSED.search(text)
    if closed is None or (not 1000 <= int(closed[1]) <= 1015 and not 4000 <= int(closed[1]) <= 4999):
        return None
    return Ended(place, int(closed[1]), closed[2].partition("; then sent")[0].strip(), ours=None)


def _shortened(frame: re.Match[str], place: Place) -> Entry:
    """Read a frame as websockets logs it: whole, or without its middle."""
    out, text = frame[1] == ">", frame[2].replace("\\'", "'")
    found = find_object(text) if "..." not in text else None  # its middle is left out
    if found is not None and is_message(found[0]):
        return Said(place, out, found[0])
    method = _METHOD.search(text)
    if method is None:
        return Other(place)
    shown: dict[str, Any] = {method[1]: method[2]}
    if method[1] != "method":  # a room's: its refusals and numbers stand near the beginning
        beginning = text.partition("...")[0]
        if (code := _CODE.search(beginning)) is not None:
            shown["code"] = code[1]
        if (rid := _RID.search(beginning)) is not None:
            shown["rid"] = int(rid[1])
    return Said(place, out, shown, partial=True)


def _address(text: str) -> tuple[str, int | None] | None:
    """Return the address of a socket that a line names, with the HTTP status where it tells one."""
    upgrade = _UPGRADE.search(text)
    if upgrade is not None:
        status = upgrade[2]
        return upgrade[1], 101 if status == "[accepted]" else int(status) if status else None
    url = _URL.search(text)
    return (url[0].rstrip(".,;:"), None) if url is not None else None


def _is_speech(shown: Mapping[str, Any]) -> bool:
    """Whether an object may be a message with a wrong name."""
    return any(isinstance(shown.get(name), str) for name in ("method", "action", "t", "type"))


def _words(before: str) -> bool | None:
    """Whether the words before a message say that it was sent; `None` where they say neither."""
    out, came = _OUT.search(before), _IN.search(before)
    return out is not None if (out is None) != (came is None) else None


def _direction(before: str, message: Mapping[str, Any]) -> bool | None:
    """Whether a message was sent: by the words before it, or by what it is."""
    said = _words(before)
    return of_client(message) if said is None else said


def _seconds(head: str) -> float | None:
    iso = _ISO.search(head)
    if iso is not None:
        try:
            whole = datetime.fromisoformat(f"{iso[1]}T{iso[2]}+00:00").timestamp()
        except (ValueError, OverflowError):
            return None
        return whole + float(f"0.{iso[3] or 0}")
    clock = _CLOCK.search(head)
    if clock is None:
        return None
    hours = int(clock[1]) % 12 + (12 if clock[5] == "PM" else 0) if clock[5] else int(clock[1])
    return hours * 3600 + int(clock[2]) * 60 + int(clock[3]) + float(f"0.{clock[4] or 0}")
