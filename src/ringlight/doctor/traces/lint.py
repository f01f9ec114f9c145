"""The lint of a recorded dialog: recognises form and protocol, and names the first message that breaks it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import msgspec

from ringlight.doctor.traces.entries import Ended, Entry, Opened, Other, Said
from ringlight.doctor.traces.findings import Judge, Judged, Silence
from ringlight.doctor.traces.har import read_har
from ringlight.doctor.traces.lines import read_lines
from ringlight.doctor.traces.mitmproxy import looks_like_a_dump, read_dump
from ringlight.doctor.traces.ring import RingJudge
from ringlight.doctor.traces.rooms import RoomJudge
from ringlight.doctor.traces.speech import Protocol, decoded, of_client, protocol_of, protocol_of_url
from ringlight.doctor.traces.texts import text_chunks, text_lines
from ringlight.faults import FAULTS, Explanation, look_up
from ringlight.liveview.trace import redact
from ringlight.rooms.people import Dialect

__all__ = ["Report", "TraceFinding", "lint"]

MAX_FINDINGS = 100
MAX_SOCKETS = 500  # judged at once
HEAD = 64 * 1024  # bytes by which the form is recognised, and in which a file without messages is searched for words
EVIDENCE = 400  # characters shown of a message


@dataclass(frozen=True, slots=True)
class TraceFinding:
    """One thing that is wrong.

    Attributes:
        where: `line 12`, or `message 3` where the file has no lines.
        at: Seconds since the beginning of the recording; `None` where it does not say.
        who: `out`, `in` or `socket`.
        method: Of the message, as far as it could be read.
        code: The fault.
        detail: What was seen and what was expected.
        evidence: The message, without secrets, shortened.
    """

    where: str
    at: float | None
    who: str
    method: str
    code: str
    detail: str
    evidence: str


@dataclass(slots=True)
class Report:
    """What was found in a recording.

    Attributes:
        form: Of the file, in words.
        protocols: Those that were spoken, in words.
        messages: How many were judged.
        others: How many lines or messages were none of these protocols.
        seconds: How long the recording is; `None` where it does not say.
        findings: What is wrong, in order; the first is the one to look at.
        silence: Who was to speak next; `None` if nobody.
        waited: For how many seconds they did not.
        last: What the last message was: `out ping`, `in close`, …
        hint: What the words of a file without messages may mean.
    """

    form: str
    protocols: list[str] = field(default_factory=list)
    messages: int = 0
    others: int = 0
    seconds: float | None = None
    findings: list[TraceFinding] = field(default_factory=list)
    silence: Silence | None = None
    waited: float | None = None
    last: str = ""
    hint: Explanation = field(default_factory=Explanation)

    @property
    def is_late(self) -> bool:
        """Whether whoever was to speak had the time for it."""
        within = self.silence.within if self.silence is not None else None
        return within is not None and self.waited is not None and self.waited >= within

    @property
    def code(self) -> str | None:
        """The fault to look at first; `None` where nothing is wrong."""
        if self.findings:
            return self.findings[0].code
        return self.silence.code if self.silence is not None and self.is_late else None

    @property
    def verdict(self) -> str:
        """The whole in a few sentences."""
        if self.findings:
            first = self.findings[0]
            return f"{first.where.capitalize()} is the first that is wrong: {first.code}, {FAULTS[first.code].title}."
        if not self.messages:
            return f"This is {self.form}, and nothing in it is a message of Ring's socket or of a room. {_EXPECTED}"
        right = f"All {self.messages} messages are right as far as they go." if self.messages > 1 else "It is right."
        return f"{right} {self._end}".strip()

    @property
    def _end(self) -> str:
        if self.silence is None:
            return ""
        who, owes = self.silence.who, self.silence.owes
        waited = f"; {self.waited:.1f} s passed without it" if self.waited is not None and self.waited >= 0.1 else ""
        return f"Then silence: {who} was to speak next ({owes}){waited}. The last was `{self.last}`."

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "verdict": self.verdict,
            "fault": FAULTS[self.code].as_dict() if self.code else None,
            **{name: value for name, value in msgspec.to_builtins(self).items() if name != "hint"},
            "hint": [match.fault.code for match in self.hint.matches],
        }


_EXPECTED = (
    "Give a file of `--trace`, a HAR file of a browser's developer tools, a dump of mitmproxy, or a log with the "
    "messages in it."
)


def lint(file: BinaryIO) -> Report:
    """Judge a recording in whatever form; the file must allow to go back. Never raises for what is in it.

    Keeps what it must remember of open dialogs only, so that a file may have any length.
    """
    head = file.read(HEAD)
    file.seek(0)
    form, entries = _recognised(head, file)
    run = _Run(Report(form))
    for entry in entries:
        run.take(entry)
    run.finish()
    if not run.report.messages and not run.report.findings:
        run.report.hint = look_up(head.decode("utf-8", "replace"))
    return run.report


def _recognised(head: bytes, file: BinaryIO) -> tuple[str, Iterable[Entry]]:
    if not head.strip():
        return "an empty file", ()
    if head[:4] in _CAPTURES:
        return "a capture of packets, in which all that is said is encrypted", ()
    if looks_like_a_dump(head):
        return "a dump of mitmproxy", read_dump(file)
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a binary file that is not known", ()
    if re.match(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:\s*\{', head):
        return "a HAR file", read_har(text_chunks(file))
    form = "lines of JSON" if re.match(rb'(?:\xef\xbb\xbf)?\s*\{[^\n]{0,200}"dir"', head) else "a log"
    return form, read_lines(text_lines(file))


# libpcap in both orders of bytes and with nanoseconds, pcapng (Wireshark's own)
_CAPTURES = {b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a"}


@dataclass(slots=True)
class _Run:
    report: Report
    judges: dict[tuple[int, Protocol], Judge] = field(default_factory=dict)
    last_at: dict[int, float] = field(default_factory=dict)
    lines: bool = False
    offers: dict[int, bool] = field(default_factory=dict)  # whose the first offer was, where a log does not say

    def __post_init__(self) -> None:
        self.lines = self.report.form in ("a log", "lines of JSON")

    def take(self, entry: Entry) -> None:
        connection, at = entry.place.connection, entry.place.at
        if at is not None:
            self.report.seconds = max(self.report.seconds or 0.0, at)
            if len(self.last_at) > MAX_SOCKETS:
                self.last_at.clear()
            self.last_at[connection] = at
        match entry:
            case Said():
                self._said(entry)
            case Opened():
                self._opened(entry)
            case Ended():
                self._end(entry)
            case Other():
                self.report.others += 1

    def _opened(self, entry: Opened) -> None:
        protocol = protocol_of_url(entry.url)
        if protocol is None:
            return  # what is said on it may still be known
        judged = self._judge(entry.place.connection, protocol).opened(entry)
        if not judged and entry.status is None and entry.error:
            why = look_up(entry.error).matches
            judged = [(why[0].fault.code, f"the socket did not open: {entry.error[:80]}")] if why else []
        self._found(judged, entry, "socket", "opened", _shown_url(entry))

    def _said(self, entry: Said) -> None:
        message = decoded(entry.frame)
        connection = entry.place.connection
        known = next((protocol for number, protocol in self.judges if number == connection), None)
        protocol = protocol_of(message) if isinstance(message, Mapping) else None
        protocol = protocol or (known if entry.out is not None else None)
        if protocol is None:
            self.report.others += 1
            return
        if entry.out is None and isinstance(message, Mapping):
            entry = Said(entry.place, self._side(message, connection), entry.frame, entry.partial)
        judge = self._judge(connection, protocol)
        self.report.messages += 1
        name = _name(message)
        who = {True: "out", False: "in", None: "?"}[entry.out]
        self.report.last = f"{who} {name}"
        self._found(judge.said(entry), entry, who, name, _evidence(message, entry.frame))

    def _side(self, message: Mapping[str, Any], connection: int) -> bool | None:
        """Guess who says something: of two pages that negotiate, the first offer is taken for ours."""
        kind, offered = message.get("type"), self.offers.get(connection)
        if kind == "offer" and "t" not in message:
            self.offers[connection] = offered is None
            return True if offered is None else None
        if kind == "answer" and "t" not in message:
            return None if offered is None else not offered
        return of_client(message)

    def _judge(self, connection: int, protocol: Protocol) -> Judge:
        key = (connection, protocol)
        judge = self.judges.get(key)
        if judge is None:
            while len(self.judges) >= MAX_SOCKETS:
                self.judges.pop(next(iter(self.judges)))
            judge = _make(protocol)
            self.judges[key] = judge
            if protocol.value not in self.report.protocols:
                self.report.protocols.append(protocol.value)
        return judge

    def _end(self, entry: Ended) -> None:
        connection = entry.place.connection
        for (number, _), judge in list(self.judges.items()):
            if number == connection:
                said = f"{entry.code or ''} {entry.reason}".strip()
                self._found(judge.ended(entry), entry, "socket", "closed", said)

    def _found(self, judged: list[Judged], entry: Entry, who: str, name: str, evidence: str) -> None:
        place = entry.place
        where = f"{'line' if self.lines else 'message'} {place.number}"
        for code, detail in judged:
            if len(self.report.findings) < MAX_FINDINGS:
                self.report.findings.append(TraceFinding(where, place.at, who, name, code, detail, evidence))

    def finish(self) -> None:
        """Say who was to speak next on the socket that was used last."""
        for (connection, _), judge in reversed(self.judges.items()):
            silence = judge.silence()
            if silence is not None:
                self.report.silence = silence
                at = self.last_at.get(connection)
                if self.lines and self.report.seconds is not None:
                    at = self.report.seconds
                if at is not None and silence.since is not None:
                    self.report.waited = round(at - silence.since, 3)
                return


def _make(protocol: Protocol) -> Judge:
    match protocol:
        case Protocol.RING:
            return RingJudge()
        case Protocol.OWN:
            return RoomJudge(Dialect.OWN)
        case Protocol.SEED:
            return RoomJudge(Dialect.SEED)


def _name(message: object) -> str:
    if not isinstance(message, Mapping):
        return "?"
    named = (message.get(key) for key in ("method", "t", "type"))
    return next((name[:40] for name in named if isinstance(name, str)), "?")


def _evidence(message: object, frame: object) -> str:
    """Return a message as it may be shown: no secrets, no long descriptions, not too long."""
    if not isinstance(message, Mapping):
        return f"{len(frame)} characters that are no JSON object" if isinstance(frame, str) else ""
    text = msgspec.json.encode(_short(redact(message))).decode()
    return text if len(text) <= EVIDENCE else text[: EVIDENCE - 1] + "…"


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key)[:40]: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value[:8]]
    if isinstance(value, str) and len(value) > 80:
        return f"{value[:40]}… ({len(value)} characters)"
    return value


def _shown_url(entry: Opened) -> str:
    parts = urlsplit(entry.url)
    status = f" HTTP {entry.status}" if entry.status is not None else ""
    return (
        f"{parts.scheme}://{parts.hostname or ''}{parts.path}{status}" if parts.scheme else entry.url.partition("?")[0]
    )
