"""Finding a row: by what was seen on the wire, by code, by number or by text."""

import re

from ringlight.faults.fault import Fault, Seen

_OTHER_WORDS = {  # by which people and libraries call a step
    "upgrade": ("websocket", "handshake"),
    "socket": ("websocket",),
    "clients_api": ("api",),
    "partner": ("amazonvision",),
}


def recognise(faults: dict[str, Fault], at: str, number: int | None, text: str) -> str | None:
    """Return the code of the row whose sign fits best, or `None` where no row has one.

    The longest text wins, then a sign that names the number: so `close 5` with a known sentence
    is told apart from `close 5` alone.
    """
    best: tuple[tuple[int, bool], str] | None = None
    for fault in faults.values():
        for seen in fault.seen:
            rank = (len(seen.text), seen.number is not None)
            if seen.fits(at, number, text) and (best is None or rank > best[0]):
                best = (rank, fault.code)
    return best[1] if best else None


def search(faults: dict[str, Fault], query: str) -> list[Fault]:
    """Return the rows that a code, a number or a piece of error text may mean, best first.

    Understands our codes (`SIG-TICKET`), Ring's close reasons (`26`, `close 5`), WebSocket codes
    (`4002`), HTTP statuses (`406`), and words. Returns an empty list when nothing fits.
    """
    query = query.strip()
    if query.upper() in faults:
        return [faults[query.upper()]]
    scores = {code: _score(fault, query) for code, fault in faults.items()}
    ranked = sorted((code for code in scores if scores[code] > 0), key=lambda code: -scores[code])
    return [faults[code] for code in ranked]


def _score(fault: Fault, query: str) -> float:
    numbers = {int(text) for text in re.findall(r"(?<![\w.])\d{1,5}(?![\w.])", query)}
    score = max((_sign_score(seen, numbers, query) for seen in fault.seen), default=0.0)
    if re.search(rf"(?<![\w-]){re.escape(fault.code)}(?![\w-])", query, re.IGNORECASE):
        score += 20
    words = set(re.findall(r"[a-z]{4,}|\d+", query.casefold()))
    own = set(re.findall(r"[a-z]{4,}|\d+", f"{fault.code} {fault.title} {fault.cause}".casefold()))
    if words and len(words & own) * 2 > len(words):
        score += len(words & own) / len(words)
    return score


def _sign_score(seen: Seen, numbers: set[int], query: str) -> float:
    score = 0.0
    if seen.text and seen.text.casefold() in query.casefold():
        score += 5 + len(seen.text) / 100
    if seen.number is not None and seen.number in numbers:
        places = (seen.at, *_OTHER_WORDS.get(seen.at, ()))
        score += 4 if any(place in query.casefold() for place in places) else 2
    return score
