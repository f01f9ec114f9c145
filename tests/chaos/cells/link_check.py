"""Cells of `partner link-check`: an app that makes one mistake at a time, and what the command says of it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from troubles.crossed import in_place_of

from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command
from cells.partner import environment
from linking_app import PASSWORD, app_with_form
from patients import foreign, says
from ringlight.testing import SimulatedRing, simulator

FORM = "<form method=post><input name=password></form>"


@dataclass(frozen=True)
class Wrong:
    """A mistake of an app.

    Attributes:
        code: The fault.
        what: In words.
        answers: What answers in place of our router, by a part of the address.
    """

    code: str
    what: str
    answers: dict[str, Any] = field(default_factory=dict)


WRONGS = (
    Wrong("LINK-CHECK-TOKEN", "its Token Exchange URL fails", {"/ring/token": says(500, {})}),
    Wrong("LINK-CHECK-TOKEN", "it takes a code and exchanges nothing", {"/ring/token": says(200, {})}),
    Wrong("LINK-CHECK-PAGE", "it claims at once", {"/ring/link": says(200, "Linked!", media="text/html")}),
    Wrong("LINK-CHECK-NONCE", "it asks for no nonce", {"/ring/link": says(200, FORM, media="text/html")}),
    Wrong("LINK-CHECK-HOME", "its home page fails", {"/ring/home": says(500, {})}),
    Wrong("LINK-CHECK-CLAIM", "it never completes the link"),
)


@contextlib.asynccontextmanager
async def _app(lab: Lab, ring: SimulatedRing, answers: dict[str, Any]) -> AsyncIterator[str]:
    app = in_place_of(app_with_form(ring, lab.folder / "app.db"), answers)
    async with foreign(app) as where:
        yield f"http://{where}/ring"


def command_checks(wrong: Wrong) -> Run:
    """It walks through linking with somebody's name; with the app as it should be, it finds nothing."""

    async def run(lab: Lab) -> Outcome:
        answers = dict(wrong.answers)
        async with simulator() as ring, _app(lab, ring, answers) as url:
            ring.world.speed = 30.0
            env = environment(lab, ring, RINGLIGHT_LINK_PASSWORD=PASSWORD)
            wanted = ("partner", "link-check", url, "--name", "ada")
            if wrong.code == "LINK-CHECK-CLAIM":
                env["RINGLIGHT_LINK_PASSWORD"] = "another"
            first = await command(*wanted, env=env, cwd=lab.folder)
            assert "Traceback" not in first.err, first.err
            answers.clear()
            env["RINGLIGHT_LINK_PASSWORD"] = PASSWORD
            again = await command(*wanted, env=env, cwd=lab.folder)
            return first.then(again)

    return run


def link_check_cells() -> Iterator[Cell]:
    for wrong in WRONGS:
        yield Cell(wrong.code, Met.COMMAND, f"`partner link-check`: {wrong.what}", command_checks(wrong))
