"""The cells of the fault lab: a fault, who meets it, how it is brought about, and what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from own_coturn import SharedCoturn
from ringlight.faults import FAULTS

if TYPE_CHECKING:
    from playwright.async_api import Browser

HANGS_AFTER = 180.0  # seconds in which a cell must have ended, four commands on a busy machine among them

Back = Literal["by itself", "when asked again", "is final", "not yet"]


class Met(Enum):
    """Who meets a fault; the columns of the matrix."""

    PAGE = "page"
    VIEW = "live-view client"
    SYNC = "SDK, sync"
    ASYNC = "SDK, async"
    COMMAND = "command"
    ROOM_PAGE = "room client, browser"
    ROOM_SOCKET = "room client, Python"
    API = "server's API"
    DOCTOR = "doctor"


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        code: The fault that was named first; `None` where nobody was told of any.
        said: What the user read.
        named_after: Seconds until it was read.
        back: Whether what was wanted came about once the cause was gone; empty where there was nothing to come back to.
        back_after: Seconds from the end of the cause, or of the first attempt where it was got over by itself.
        virtual: Whether these are seconds of a clock that jumps.
    """

    code: str | None
    said: str
    named_after: float = 0.0
    back: Back | Literal[""] = ""
    back_after: float | None = None
    virtual: bool = False


@dataclass
class Lab:
    """What cells may use."""

    folder: Path
    patch: pytest.MonkeyPatch
    coturn: SharedCoturn = field(default_factory=SharedCoturn)
    chromium: "Browser | None" = None


Run = Callable[[Lab], Awaitable[Outcome]]


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix, or one of several in the same place.

    Attributes:
        fault: What must be named first.
        met: Who meets it.
        how: How it is brought about, in words.
        run: Does it.
        is_quick: Whether it is one of those that every run of the tests has.
    """

    fault: str
    met: Met
    how: str
    run: Run = field(repr=False)
    is_quick: bool = False


@dataclass(frozen=True)
class Result:
    """A cell that was run; `wrong` says what was not as it must be, and is empty where all was."""

    cell: Cell
    outcome: Outcome
    wrong: str = ""


async def run_cell(cell: Cell, lab: Lab) -> Result:
    """Run a cell and judge it: the right fault first, in words, and no hang."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(HANGS_AFTER):
            outcome = await cell.run(lab)
    except TimeoutError:
        return Result(cell, Outcome(None, ""), f"hung: nothing came of it in {HANGS_AFTER:g} s")
    except Exception as error:  # noqa: BLE001 - whatever it is belongs into the report
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        return Result(cell, Outcome(None, "", time.monotonic() - began), f"broke: {said}")
    return Result(cell, outcome, judge(cell, outcome))


def judge(cell: Cell, outcome: Outcome) -> str:
    """Return what is wrong, or an empty text."""
    if outcome.code != cell.fault:
        return f"named {outcome.code or 'nothing'}"
    if outcome.back == "not yet":
        return "did not come back"
    row = FAULTS[cell.fault]
    plain = _plain(outcome.said)
    is_note = plain.startswith(f"{cell.fault}: ")  # what is only worth knowing is told by its code and what was seen
    if not is_note and not any(_plain(known) in plain for known in (row.title, row.cause)):
        return f"said neither title nor cause: {outcome.said[:80]!r}"
    return ""


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split()).rstrip(".")
