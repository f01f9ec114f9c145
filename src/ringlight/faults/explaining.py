"""What a code, a number, the text of an error or a piece of a log may mean: ranked, with the reason for each.

Says nothing where nothing is known: a word alone is never enough, nor is a number that could be anything. A text is
searched for literal words, line by line, so that the time grows with its length only.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from http import HTTPStatus
from math import log

from ringlight.faults.catalogue import FAULTS
from ringlight.faults.fault import Fault, Seen
from ringlight.faults.sayings import SAYINGS, Saying

__all__ = ["MAX_TEXT", "Explanation", "Match", "explain", "look_up"]

MAX_TEXT = 4 * 1024 * 1024  # characters; of a longer text the beginning is read
MAX_MATCHES = 20
_WINDOW = 400  # characters before and after, where a line is longer than that
_TRIES = 50  # places looked at for one saying: in a log it is the first that counts
_NUMBERS = 4000  # numbers looked at
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?)")
_CODE = re.compile(r"(?<![\w-])[a-z]{2,9}(?:-[a-z0-9]+)+(?![\w-])")
_STATUSES = (
    r"bad request|unauthori[sz]ed|forbidden|not found|not acceptable|precondition failed|too many requests|gone|"
    r"unprocessable|too early|internal server error|bad gateway|service unavailable|gateway timeout"
)
_STATUS_ALONE = {status.phrase.lower(): status.value for status in HTTPStatus if status >= 400}
_NUMBER = re.compile(  # a number that a word before it or after it makes one of ours
    r"(?:http(?:/[\d.]+)?|status(?:[ _]?code)?|response|answered|received|reason|closed?|websocket|got|sent)"
    r"[^\w\n]{0,6}(?:(?:with|code|status|error|http)[^\w\n]{0,6}){0,2}(?P<after>\d{1,4})(?![\w]|[.,:]\d)"
    rf"|(?<![\w.:])(?P<before>\d{{3,4}})(?= (?:{_STATUSES}|"
    r"\((?:private use|normal|going away|abnormal|message too big)))"
)
_SHORT = 12  # words of a question
_STEM = 5  # letters by which two words count as one
_RARE = 4  # rows that a word may stand in to be a question by itself
_ASKING = (
    "http https status code codes error errors close closed closing reason ring rings with websocket socket ws wss "
    "upgrade handshake ticket token oauth login session device devices camera api clients_api partner amazonvision "
    "room rooms signaling signalling connection answer answered from at the what is does mean why and of client server "
    "unexpected"
)
_ASKING_WORDS = frozenset(_ASKING.split())
_IDLE = (
    "error errors failed fails that this with from have cannot could does what when which will "
    "would there their them they then than some only just into been were your yours ringlight"
)
_IDLE_STEMS = frozenset(word[:_STEM] for word in _IDLE.split())
_PLACES = {  # by which people and libraries call a step
    "token": ("oauth", "token", "login", "sign-in", "sign in"),
    "session": ("clients_api/session", "registration"),
    "clients_api": ("clients_api", "api.ring.com", "ring_devices", "api"),
    "device": ("doorbots/", "device"),
    "ticket": ("ticket", "signalsocket"),
    "upgrade": ("upgrade", "websocket", "handshake", "wss://", "a2z.com"),
    "close": ("close", "reason"),
    "socket": ("websocket", "socket", "close", "private use", "received", "code"),
    "websocket": ("websocket", "socket", "close", "received", "code"),
    "room": ("/ws/signaling", "/ws/v2", "room", "websocket", "socket", "close", "code"),
    "old_live_view": ("/live_view", "/vod"),
    "partner": ("partner", "amazonvision", '"errors"'),
}
_FAMILIES = (  # words that say in whose area a text was written, and the codes of that area
    (("amazonvision", "partner"), ("PARTNER-", "LINK-", "HOOK-", "CALL-")),
    (("/ws/signaling", "/ws/v2", "localhost", "127.0.0.1", "://192.168."), ("ROOM-", "REACH-", "SERVER-", "WEB-")),
    (("oauth.ring.com",), ("AUTH-", "NET-")),
    (("rings.solutions", "a2z.com", "api.ring.com"), ("SIG-", "RING-", "TICKET-", "ACCOUNT-", "NET-", "AUTH-")),
)
# What anybody's program may say: counts together with its number only.
_ANYBODY = frozenset({"authentication failed", "service unavailable", "hardware id", "hardware_id", "access_denied"})
_OF_NUMBER = {"close": "close reason", "socket": "WebSocket close code", "websocket": "WebSocket close code",
              "room": "WebSocket close code"}  # fmt: skip
_NAMES = {"token": "the sign-in", "session": "the registration", "clients_api": "the device API", "device": "a device",
          "ticket": "the ticket", "upgrade": "the upgrade", "partner": "the Partner API",
          "old_live_view": "the old live view"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """One row that may be meant.

    Attributes:
        fault: The row.
        why: What in the text speaks for it.
        line: Where that stands, from 1; `None` where the text has one line.
        score: How strongly; above 100 the code itself was named, from 60 its words, below that a number or likeness.
    """

    fault: Fault
    why: str
    line: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a text may mean.

    Attributes:
        matches: The likeliest first; empty where nothing is known.
        near: Codes that look like what was asked for, where there is no match.
    """

    matches: tuple[Match, ...] = ()
    near: tuple[str, ...] = ()


@dataclass(slots=True)
class _Ranking:
    text: str
    best: dict[str, tuple[float, int, int, str]] = field(default_factory=dict)

    def add(self, code: str, score: float, at: int, why: str, *, reach: int = 0) -> None:
        known = self.best.get(code)
        if known is None or (score, -at, reach) > (known[0], -known[1], known[2]):
            self.best[code] = (score, at, reach, why)


def look_up(text: str) -> Explanation:
    """Return the rows that a code, a number, an error's text or a piece of a log may mean, each with the reason.

    Never raises.
    """
    plain = _plain(text)
    if plain.strip().upper() in FAULTS:
        code = plain.strip().upper()
        return Explanation((Match(FAULTS[code], "its code", None, 300.0),))
    ranking = _Ranking(plain)
    _find_codes(ranking)
    for saying in SAYINGS:
        _find_saying(saying, ranking)
    _find_signs(ranking)
    short = len(plain) < 200 and len(plain.split()) <= _SHORT
    if short and not ranking.best:
        _find_likeness(ranking)
    _prefer_families(ranking)
    if not ranking.best:
        return Explanation(near=tuple(_near(plain)) if short else ())
    ranked = sorted(ranking.best.items(), key=lambda item: (-item[1][0], item[1][1], -item[1][2]))[:MAX_MATCHES]
    lines = "\n" in plain.strip()
    return Explanation(
        tuple(
            Match(FAULTS[code], why, plain.count("\n", 1, at) + 1 if lines else None, score)
            for code, (score, at, _, why) in ranked
        )
    )


def explain(query: str) -> list[Fault]:
    """Return the rows of `look_up` alone, best first; none where nothing is known."""
    return [match.fault for match in look_up(query).matches]


def _plain(text: str) -> str:
    """Return a text in small letters, without colours and escapes of JSON; it begins and ends with a line's end."""
    text = _ANSI.sub("", text[:MAX_TEXT]).replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace('\\"', '"').replace("\\n", "\n").replace("\u2019", "'").replace("\x00", "")
    return f"\n{text.lower()}\n"


def _find_codes(ranking: _Ranking) -> None:
    for found in _CODE.finditer(ranking.text):
        code = found[0].upper()
        if code in FAULTS and code not in ranking.best:
            ranking.add(code, 200, found.start(), "its code")


def _find_saying(saying: Saying, ranking: _Ranking) -> None:
    first = max(saying.words, key=len)
    for at in _places(ranking.text, first):
        line = _line_around(ranking.text, at) if len(saying.words) > 1 else ""
        if all(word is first or word in line for word in saying.words):
            shown = " … ".join(f"“{word.strip()}”" for word in saying.words)
            score = (45 if saying.vague else 60) + min(sum(map(len, saying.words)), 39) * (0.3 if saying.vague else 0.5)
            for rank, code in enumerate(saying.codes):
                ranking.add(code, score - 4 * rank, at, f"{shown}, as {saying.speaker} says it")
            return


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    for _ in range(_TRIES):
        if at < 0:
            return
        yield at
        at = text.find(word, at + len(word))


def _line_around(text: str, at: int) -> str:
    begin = max(text.rfind("\n", max(0, at - _WINDOW), at), at - _WINDOW, 0)
    end = text.find("\n", at, at + _WINDOW)
    return text[begin : end if end >= 0 else at + _WINDOW]


def _find_signs(ranking: _Ranking) -> None:
    """Look for what Ring itself says, and for numbers with the step that they belong to."""
    numbers = list(_numbers(ranking.text))
    for fault in FAULTS.values():
        for seen in fault.seen:
            if seen.text and seen.text.lower() not in _ANYBODY and _is_telling(seen):
                at = ranking.text.find(seen.text.lower())
                if at >= 0:
                    ranking.add(fault.code, 62 + min(len(seen.text), 39) * 0.5, at, f"“{seen.text}”, as Ring says it")
            for number, at, alone in numbers:
                line = _line_around(ranking.text, at)
                score, why = _number_score(seen, number, alone, line)
                if score:
                    ranking.add(fault.code, score, at, why, reach=_reach(seen, line))


def _is_telling(seen: Seen) -> bool:
    """Whether the text alone is enough; those of 4002 are single words of the protocol."""
    return (seen.at not in ("socket", "room")) and (len(seen.text) >= 12 or seen.text.isupper())


def _numbers(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield numbers with their place, and whether nothing but the number was asked for."""
    if (status := _STATUS_ALONE.get(text.strip(" .:!\n"))) is not None:
        yield status, 1, True
        return
    words = re.findall(r"[a-z_./:-]+|\d+", re.sub(_STATUSES, "", text)) if len(text) < 200 else []
    if words and len(words) <= _SHORT and all(word.isdigit() or word.strip(":.-/") in _ASKING_WORDS for word in words):
        for found in re.finditer(r"(?<![\w.])\d{1,4}(?!\w|\.\d)", text):
            yield int(found[0]), found.start(), True
        return
    seen: set[tuple[int, str]] = set()
    for count, found in enumerate(_NUMBER.finditer(text)):
        if count > _NUMBERS:
            return
        line = _line_around(text, found.start())[:_WINDOW]
        key = int(found["after"] or found["before"]), re.sub(r"\d+", "", line)
        if key not in seen:  # the same line again, of a program that tries again
            seen.add(key)
            yield key[0], found.start(), False


def _number_score(seen: Seen, number: int, alone: bool, line: str) -> tuple[float, str]:
    """Return how well a number fits a sign: with its step beside it, or asked for alone."""
    if seen.number is None:
        unlisted = seen.at == "close" and not seen.text and number < 100 and "close" in line
        return (22, f"close reason {number}, which nobody has documented") if unlisted else (0, "")
    if seen.number != number:
        return 0, ""
    if seen.at == "close" and not alone and "reason" not in line and "close" not in line:
        return 0, ""
    placed = any(word in line for word in _PLACES[seen.at])
    if not placed and not alone:
        return 0, ""
    kind = _OF_NUMBER.get(seen.at)
    why = f"{kind} {number}" if kind else f"HTTP {number}" + (f" at {_NAMES[seen.at]}" if placed else "")
    if seen.text and seen.text.lower() in line:
        return 50 + min(len(seen.text), 39) * 0.5, f"{why} with “{seen.text}”"
    if seen.text:
        return (20, f"{why}, if it says “{seen.text}”") if alone else (0, "")
    return (40 if placed else 25), why


def _reach(seen: Seen, line: str) -> int:
    """Return how far into an address of the line the step of a sign leads: of two steps in it, the longer is meant."""
    longest = 0
    for word in _PLACES[seen.at]:
        at = line.rfind(word)
        if at >= 0:
            begin = 1 + max(line.rfind(end, 0, at) for end in " \n\"'")
            longest = max(longest, at + len(word) - begin)
    return longest


def _find_likeness(ranking: _Ranking) -> None:
    """Compare the words of a question with those of the rows: most of them must be there, and more than one."""
    asked = _words(ranking.text)
    if not asked:
        return
    rows = {code: _words(f"{code} {fault.title} {fault.cause}".lower()) for code, fault in FAULTS.items()}
    weight = _weights(rows)
    whole = sum(weight(word) for word in asked)
    for code, own in rows.items():
        shared = sorted(word for word in asked if word in own)
        ratio = sum(weight(word) for word in shared) / whole
        alone = len(asked) == 1 and len(shared) == 1 and _is_rare(rows, shared[0])
        if ratio > 0.6 and (len(shared) > 1 or alone):
            ranking.add(code, 10 * ratio, 0, f"like it in words: {', '.join(shared)}")


def _is_rare(rows: dict[str, set[str]], word: str) -> bool:
    return len(word) == _STEM and sum(word in own for own in rows.values()) <= _RARE


def _weights(rows: dict[str, set[str]]) -> Callable[[str], float]:
    def weight(word: str) -> float:
        return log(1 + len(rows) / (1 + sum(word in own for own in rows.values())))

    return weight


def _words(text: str) -> set[str]:
    """Return the beginnings of the longer words: `refused`, `refuses` and `refusal` are one."""
    return {word[:_STEM] for word in re.findall(r"[a-z]{4,}", text)} - _IDLE_STEMS


def _prefer_families(ranking: _Ranking) -> None:
    for words, prefixes in _FAMILIES:
        if any(word in ranking.text for word in words):
            for code, (score, at, reach, why) in ranking.best.items():
                if code.startswith(prefixes) and score < 200:
                    ranking.best[code] = (score + 4.5, at, reach, why)


def _near(text: str) -> list[str]:
    """Return codes that look like what was asked for."""
    found: list[str] = []
    for word in re.findall(r"[a-z]+(?:-[a-z]+)*", text)[:_SHORT]:
        if len(word) >= 4:
            found += get_close_matches(word.upper(), FAULTS, n=3, cutoff=0.75)
            found += [code for code in FAULTS if word.upper() in code.split("-")]
    for number in map(int, re.findall(r"(?<![\w.])\d{1,4}(?![\w.])", text)):
        known = (
            (abs(seen.number - number), bool(seen.text), code)
            for code, fault in FAULTS.items()
            for seen in fault.seen
            if seen.number is not None and seen.at in _OF_NUMBER
        )
        found += [code for distance, _, code in sorted(known) if distance <= 1]
    return list(dict.fromkeys(found))[:5]
