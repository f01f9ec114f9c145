"""The fault lab: some of its cells run here, and the page that the whole of it has written says all there is to say."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import reliability_page
from cells import Cell, Lab, Met, Outcome, judge, run_cell
from cells.page import lines_of, until_told
from fault_lab import GROUPS, all_cells, asked_for
from playwright.async_api import Browser, async_playwright
from record import Row
from sense import makes_sense, rule_of, uncovered

from conftest import CHROMIUM_FLAGS
from ringlight.faults import FAULTS

pytestmark = pytest.mark.anyio
QUICK = [cell for cell in all_cells() if cell.is_quick]
IN_BROWSER = (Met.PAGE, Met.ROOM_PAGE)


def _named(cells: list[Cell]) -> list[object]:
    return [pytest.param(cell, id=f"{cell.fault} x {cell.met.value}") for cell in cells]


@pytest.fixture
async def chromium_now() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


@pytest.mark.long
@pytest.mark.parametrize("cell", _named([cell for cell in QUICK if cell.met not in IN_BROWSER]))
async def test_who_meets_a_fault_is_told_it_first_and_comes_back(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await run_cell(cell, Lab(tmp_path, monkeypatch))
    assert result.wrong == "", result.outcome


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize("cell", _named([cell for cell in QUICK if cell.met in IN_BROWSER]))
async def test_who_meets_a_fault_in_a_browser_reads_it_and_comes_back(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chromium_now: Browser
) -> None:
    result = await run_cell(cell, Lab(tmp_path, monkeypatch, chromium=chromium_now))
    assert result.wrong == "", result.outcome


def test_everybody_has_a_quick_cell_but_the_doctor_whose_scenarios_all_run_anyway() -> None:
    assert {cell.met for cell in QUICK} == set(Met) - {Met.DOCTOR}


def test_every_cell_is_of_a_fault_there_is_and_of_somebody_who_can_meet_it() -> None:
    assert uncovered() == []
    senseless = [(cell.fault, cell.met.value) for cell in all_cells() if not makes_sense(cell.fault, cell.met)]
    assert senseless == [], "a cell shows that the rule is wrong"
    keys = [(cell.fault, cell.met, cell.how) for cell in all_cells()]
    assert len(keys) == len(set(keys))


CELL = next(cell for cell in QUICK if cell.fault == "SIG-TICKET")
ROW = FAULTS["SIG-TICKET"]


@pytest.mark.parametrize(
    ("outcome", "wrong"),
    [
        (Outcome("SIG-TICKET", ROW.title, 1.0, "by itself", 1.0), ""),
        (Outcome("SIG-AUTH", ROW.title), "named SIG-AUTH"),
        (Outcome(None, ""), "named nothing"),
        (Outcome("SIG-TICKET", ROW.cause, 1.0, "not yet"), "did not come back"),
        (Outcome("SIG-TICKET", "timeout error"), "said neither"),
    ],
)
def test_what_is_not_as_it_must_be_is_noticed(outcome: Outcome, wrong: str) -> None:
    assert judge(CELL, outcome).startswith(wrong)
    assert bool(judge(CELL, outcome)) == bool(wrong)


async def test_a_cell_that_hangs_or_breaks_is_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr("cells.HANGS_AFTER", 0.01)

    async def hangs(_: Lab) -> Outcome:
        await asyncio.Event().wait()
        return Outcome(None, "")

    async def breaks(_: Lab) -> Outcome:
        raise ValueError("the lab itself")

    lab = Lab(tmp_path, monkeypatch)
    assert (await run_cell(Cell("SIG-TICKET", Met.VIEW, "", hangs), lab)).wrong.startswith("hung")
    assert (await run_cell(Cell("SIG-TICKET", Met.VIEW, "", breaks), lab)).wrong == "broke: ValueError: the lab itself"


class _Page:
    """A page that is looked at again and again: each time it reads as the next of these, and then as the last."""

    def __init__(self, *looks: tuple[str, str | None]) -> None:
        self._looks = list(looks)

    async def evaluate(self, _: str) -> dict[str, str | None]:
        text, code = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        return {"state": "failed" if code else "playing", "code": code, "card": code or "", "text": text}


async def test_what_befell_a_view_before_the_trouble_is_not_taken_for_it() -> None:
    """Opened on a busy machine it may have been tried again, and its story says so for as long as it runs."""
    opened = "Front Door\nSIG-NO-SESSION: Ring created no session. Trying again in 0.4 s."
    page = _Page((opened, None), (opened, None), (opened, "SIG-REJECTED"))
    known = await lines_of(page)  # type: ignore[arg-type]
    assert (await until_told(page, within=9, known=known))[0] == "SIG-REJECTED"  # type: ignore[arg-type]
    again = _Page((opened, None), (opened + opened.removeprefix("Front Door"), None))
    known = await lines_of(again)  # type: ignore[arg-type]
    assert (await until_told(again, within=9, known=known))[0] == "SIG-NO-SESSION"  # type: ignore[arg-type]


# ---- the page ----


def test_every_fault_has_its_row_on_the_page() -> None:
    page = reliability_page.PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z0-9-]+)` \|", page.partition("## What is wrong")[0], re.MULTILINE)
    assert set(FAULTS) - set(rows) == set(), "run `make reliability`"
    assert set(rows) - set(FAULTS) == set(), "the page has rows of faults that are gone"


def test_the_pages_say_what_the_labs_have_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing on them is written by hand, so that writing them anew changes nothing but which tests name what."""

    def without_tests(text: str) -> str:
        return re.sub(r"^\| `[A-Z0-9-]+` \| [^|]+ \| `tests/.*\n", "", text, flags=re.MULTILINE)

    kept = {path: path.read_text(encoding="utf-8") for path in (reliability_page.PAGE, reliability_page.RUNS)}
    monkeypatch.setattr(reliability_page, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(reliability_page, "RUNS", tmp_path / "runs.md")
    reliability_page.write_pages()
    for path, again in zip(kept, ("page.md", "runs.md"), strict=True):
        written = (tmp_path / again).read_text(encoding="utf-8")
        assert without_tests(written) == without_tests(kept[path]), "run `fault_lab.py none`"


def test_a_fault_that_no_run_reaches_has_a_test_or_a_reason() -> None:
    rows, _ = reliability_page.found()
    reached = {row.fault for each in rows.values() for row in each}
    named = reliability_page.tests_that_name()
    assert [code for code in FAULTS if code not in reached | set(named) | set(reliability_page.REASONS)] == []
    assert set(reliability_page.REASONS) & (reached | set(named)) == set(), "it is brought about by now"


def test_no_run_is_told_of_whose_cell_is_gone() -> None:
    rows, _ = reliability_page.found()
    ran = {(row.fault, row.met, row.how) for each in rows.values() for row in each}
    assert ran - {(cell.fault, cell.met.value, cell.how) for cell in all_cells()} == set(), "run `make reliability`"


def test_nothing_is_kept_that_does_not_fit_the_rules() -> None:
    rows, _ = reliability_page.found()
    for (code, met), each in rows.items():
        assert Met(met) in rule_of(code).met_by
        assert all(isinstance(row, Row) and row.fault == code for row in each)


def test_without_a_word_the_whole_lab_runs() -> None:
    assert asked_for([]) == (list(GROUPS), "")
    assert asked_for(["page", "room", "--only", "SIG-TICKET"]) == (["page", "room"], "SIG-TICKET")
    assert asked_for(["none"]) == (["none"], ""), "the page alone"
