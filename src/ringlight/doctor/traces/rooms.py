"""The judge of the rooms' two protocols. What a page sends is put to a room of its own: to the server's own rules."""

from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ringlight.doctor.traces.entries import Ended, Opened, Said
from ringlight.doctor.traces.findings import Judged, Silence
from ringlight.doctor.traces.speech import decoded
from ringlight.errors import RingError
from ringlight.faults import FAULTS, find
from ringlight.rooms import messages
from ringlight.rooms.address import read_address
from ringlight.rooms.connections import Heard
from ringlight.rooms.connections import Opened as HouseOpened
from ringlight.rooms.events import Action, Close, Send, Tick
from ringlight.rooms.house import House
from ringlight.rooms.people import Dialect
from ringlight.rooms.signals import Exchange, candidate_complaint, description_complaint
from ringlight.settings import RoomSettings

__all__ = ["RoomJudge"]

_PATHS = {Dialect.OWN: "/ws/v2", Dialect.SEED: "/ws/signaling/recorded/doctor"}
# What does not depend on who else is there: the room of the judge is empty.
_OF_THE_PAGE = {
    "ROOM-MESSAGE", "ROOM-HELLO", "ROOM-SIZE", "ROOM-RATE", "ROOM-SILENT", "ROOM-PATH", "ROOM-ID", "ROOM-ROLE",
}  # fmt: skip
_SEED_TYPES = ("offer", "answer", "ice-candidate")
MAX_UNANSWERED = 1000


class RoomJudge:
    """Judges what is said on one socket of a room.

    Args:
        dialect: Which of the two protocols.
        settings: The server's limits.
    """

    def __init__(self, dialect: Dialect, settings: RoomSettings | None = None) -> None:
        self._dialect = dialect
        self._settings = settings or RoomSettings()
        self._house: House | None = None
        self._path = _PATHS[dialect]
        self._opened_at: float | None = None
        self._now = 0.0
        self._exchanges: dict[str, Exchange] = {}
        self._taken = 0
        self._owed: dict[int, float | None] = {}  # numbered messages that were not answered
        self._hello: float | None = None
        self._is_blind = False  # once a message was shown in part, since what it described is not known
        self._state = "opened"  # then hello, welcome, inside or waiting, over
        self._offered_at: dict[str, float | None] = {}

    # ---- the socket ----

    def opened(self, entry: Opened) -> list[Judged]:
        """Judge the address and the answer to the upgrade."""
        path = urlsplit(entry.url).path if "//" in entry.url else entry.url
        self._opened_at = entry.place.at
        try:
            read_address(path)
        except RingError as error:
            return [(error.code, error.detail or "")]
        self._path = path
        if entry.status in (None, 101):
            return []
        code = {401: "ROOM-TOKEN-NEEDED", 403: "ROOM-ORIGIN", 404: "ROOM-PATH"}.get(entry.status or 0, "REACH-PROXY")
        return [(code, f"the upgrade was answered with HTTP {entry.status}")]

    def ended(self, entry: Ended) -> list[Judged]:
        """Judge the close code, where the other side closed without a word before."""
        over, self._state = self._state == "over", "over"
        if entry.code is None or entry.ours or over:
            return []
        said = f"the socket was closed with {entry.code}" + (f": {entry.reason}" if entry.reason else "")
        code = find("room", entry.code, entry.reason) or next(
            (fault.code for fault in FAULTS.values() for seen in fault.seen
             if seen.at in ("room", "websocket") and seen.number == entry.code), None,
        )  # fmt: skip
        code = code or ("SIG-DROPPED" if entry.code == 1006 else None)
        return [(code, said)] if code is not None else []

    # ---- messages ----

    def said(self, entry: Said) -> list[Judged]:
        """Judge one message."""
        if self._opened_at is None:
            self._opened_at = entry.place.at
        message = decoded(entry.frame)
        frame = entry.frame.encode("utf-8", "replace") if isinstance(entry.frame, str) else msgspec.json.encode(message)
        if entry.out is None:
            return []
        if entry.partial:
            return self._said_in_part(message, entry.place.at, out=entry.out)
        if entry.out:
            return self._page_rules(message, frame, entry.place.at) or self._sent(message, entry.place.at)
        return self._came(message, frame, entry.place.at)

    def _said_in_part(self, message: dict[str, Any], at: float | None, *, out: bool) -> list[Judged]:
        """Take a message without its middle: what it is counts, and what would be said in it is taken for right."""
        self._is_blind = True
        if not out:
            return self._came(message, b"", at, partial=True)
        if self._dialect is Dialect.SEED:
            return []
        judged = self._page_rules({"t": "hello", "v": 2}, b"", at) if message.get("t") == "hello" else []
        return judged or self._said_again(message) or self._sent(message, at, partial=True)

    def _page_rules(self, message: Any, frame: bytes, at: float | None) -> list[Judged]:
        """Put a frame of the page to a room, and return what the room refuses."""
        timed = at is not None
        self._now = max(self._now, at if at is not None else self._now + 1)
        actions: list[Action] = []
        if self._house is None:
            self._house = House(self._settings, lambda: "1")
            began = self._opened_at if timed and self._opened_at is not None else self._now
            actions += self._house.receive(
                HouseOpened(1, self._path, host="localhost", local=True, peer="127.0.0.1"), began
            )
        if timed:
            actions += self._house.receive(Tick(), self._now)
        again = self._said_again(message)
        if isinstance(message, dict) and message.get("t") == "hello" and self._dialect is Dialect.OWN:
            frame = msgspec.json.encode(_anybody(message))
        if not any(type(action) is Close for action in actions):
            actions += self._house.receive(Heard(1, frame), self._now)
        if any(type(action) is Close for action in actions):
            self._house = None  # the next message is put to a new one
        refused = [refusal for action in actions if type(action) is Send for refusal in _refusals(action.frame)]
        return refused or again

    def _said_again(self, message: Any) -> list[Judged]:
        """A number that does not grow is taken for a message that is sent again, and nothing is done."""
        rid = message.get("rid") if isinstance(message, dict) else None
        if self._dialect is not Dialect.OWN or not isinstance(rid, int):
            return []
        last, self._taken = self._taken, max(self._taken, rid)
        return [] if rid > last else [("ROOM-MESSAGE", f"rid {rid} after {last}: a room takes it for the one before")]

    def _sent(self, message: Any, at: float | None, *, partial: bool = False) -> list[Judged]:
        if self._dialect is Dialect.SEED:
            return self._seed_signal(message, at, ours=True)
        kind = message.get("t")
        if kind == "hello":
            self._state, self._hello = "hello", at
        elif kind == "bye":
            self._state = "over"
        rid = message.get("rid")
        if isinstance(rid, int) and len(self._owed) < MAX_UNANSWERED:
            self._owed[rid] = at
        return self._signal(message, message.get("to"), at, ours=True) if kind == "signal" and not partial else []

    def _came(self, message: Any, frame: bytes, at: float | None, *, partial: bool = False) -> list[Judged]:
        kind = message.get("type" if self._dialect is Dialect.SEED else "t") if isinstance(message, dict) else None
        if not isinstance(kind, str):
            return [("ROOM-MESSAGE", "what came is no message of a room's server")]
        if kind == "error":
            code = message.get("code")
            if isinstance(code, str) and code in FAULTS:
                return [(code, str(message.get("detail") or "the server says so"))]
            return []
        if self._dialect is Dialect.SEED and kind in ("user-joined", "user-left"):
            self._exchanges.clear()
            self._offered_at.clear()
            return [] if partial else self._judge_shape(messages.parse_told_seed, frame)
        if self._dialect is Dialect.SEED:
            return [] if partial else self._seed_signal(message, at, ours=False)
        self._note(kind, message)
        if partial:
            return []
        complaints = [] if kind in _UNKNOWN_TO_US else self._judge_shape(messages.parse_told, frame)
        if kind == "signal" and not complaints:
            complaints = self._signal(message, message.get("from"), at, ours=False)
        return complaints

    def _judge_shape(self, parse: Any, frame: bytes) -> list[Judged]:
        try:
            parse(frame)
        except RingError as error:
            unknown = "Invalid value" in (error.detail or "") and "`$.t`" in (error.detail or "")
            return [] if unknown else [(error.code, f"what came from the server: {error.detail}")]
        return []

    def _note(self, kind: str, message: dict[str, Any]) -> None:
        match kind:
            case "welcome":
                self._state = "welcome"
                if not message.get("resumed"):
                    self._exchanges.clear()
                    self._offered_at.clear()
                    self._owed.clear()
            case "roster":
                self._state = "inside"
            case "waiting":
                self._state = "waiting"
            case "ok":
                self._owed.pop(message.get("rid", 0), None)
            case "joined" | "left":
                person = message.get("person")
                name = person.get("id") if isinstance(person, dict) else message.get("id")
                if kind == "joined" or not message.get("grace_s"):
                    self._exchanges.pop(str(name), None)
                    self._offered_at.pop(str(name), None)
            case "bye":
                self._state = "over"
            case _:
                pass

    # ---- negotiation between two pages ----

    def _seed_signal(self, message: Any, at: float | None, *, ours: bool) -> list[Judged]:
        kind = message.get("type")
        if kind == "ice-candidate":
            complaint = _without(message, "candidate") or candidate_complaint(message.get("candidate"))
            return self._moment("", "candidate", complaint, message.get("candidate"), at, ours=ours)
        if kind in ("offer", "answer"):
            complaint = _without(message, kind) or description_complaint(message.get(kind), kind)
            return self._moment("", kind, complaint, message, at, ours=ours)
        near = get_close_matches(str(kind), _SEED_TYPES, 1, 0.6)
        return (
            [("ROOM-MESSAGE", f"the type {str(kind)[:40]!r} is passed on, and no page knows it; it is {near[0]!r}")]
            if near
            else []
        )

    def _signal(self, message: dict[str, Any], person: object, at: float | None, *, ours: bool) -> list[Judged]:
        name = person if isinstance(person, str) else ""
        if "description" in message:
            description = message["description"]
            kind = description.get("type") if isinstance(description, dict) else ""
            return self._moment(name, str(kind), description_complaint(description), description, at, ours=ours)
        candidate = message.get("candidate")
        return self._moment(name, "candidate", candidate_complaint(candidate), candidate, at, ours=ours)

    def _moment(
        self, person: str, kind: str, complaint: str | None, value: object, at: float | None, *, ours: bool
    ) -> list[Judged]:
        if complaint is not None:
            return [("ROOM-MESSAGE", complaint)]
        if (kind == "candidate" and value is None) or self._is_blind:
            return []
        exchange = self._exchange(person)
        if ours and kind == "offer":
            self._offered_at[person] = at
        elif kind == "answer":
            self._offered_at.pop(person, None)
            self._offered_at.pop("", None)
        to_all = self._exchanges.get("")
        if kind == "answer" and not ours and to_all is not None and to_all.ours:
            exchange = to_all
        wrong = exchange.take(kind, ours=ours)
        return [("ROOM-ORDER", wrong)] if wrong else []

    def _exchange(self, person: str) -> Exchange:
        """Return what was exchanged with somebody; an offer to all is one to whoever answers it."""
        known = self._exchanges.get(person)
        if known is None:
            to_all = self._exchanges.get("")
            known = Exchange(self._dialect is Dialect.OWN)
            if to_all is not None:
                known.ours, known.theirs, known.described = to_all.ours, to_all.theirs, to_all.described
            if len(self._exchanges) < MAX_UNANSWERED:
                self._exchanges[person] = known
        return known

    # ---- silence ----

    def silence(self) -> Silence | None:
        """Return who was to speak next."""
        match self._state:
            case "over":
                return None
            case "hello":
                return Silence("the server", "`welcome`", self._hello)
            case "welcome":
                return Silence("the server", "`roster` or `waiting`")
            case "waiting":
                return Silence("somebody inside", "to let this page in (`admit`)")
        for at in self._offered_at.values():
            return Silence("the other page", "its answer", at)
        if any(exchange.theirs for exchange in self._exchanges.values()):
            return Silence("this page", "its answer")
        for at in self._owed.values():
            return Silence("the server", "`ok` or `error`", at)
        if self._dialect is Dialect.SEED and not self._exchanges and not self._is_blind:
            return Silence("the other page", "its coming: nobody was announced, and nobody has offered")
        return None


_UNKNOWN_TO_US = frozenset({"other"})  # what pages of another kind say is theirs


def _anybody(message: dict[str, Any]) -> dict[str, Any]:
    """Return a hello with which anybody may enter the judge's room: its form is judged, not who says it."""
    kept = {name: value for name, value in message.items() if name not in ("token", "session", "resume", "seq")}
    return {**kept, "room": "recorded", "role": "clinician"}


def _refusals(frame: bytes) -> list[Judged]:
    said = decoded(frame.decode())
    if isinstance(said, dict) and "error" in (said.get("t"), said.get("type")) and said.get("code") in _OF_THE_PAGE:
        return [(said["code"], said.get("detail") or FAULTS[said["code"]].title)]
    return []


def _without(message: dict[str, Any], name: str) -> str | None:
    return None if name in message else f"the field {name!r} is missing"
