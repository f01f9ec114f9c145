"""Finding a row by what was seen on the wire."""

from ringlight.faults.fault import Fault


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
