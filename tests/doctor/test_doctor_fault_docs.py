"""The pages about the faults are those that the catalogue makes today."""

from pathlib import Path

import pytest

from ringlight.doctor import fault_docs
from ringlight.doctor.checks import CHECKS
from ringlight.faults import AREAS, FAULTS

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "faults"


def test_the_pages_are_current() -> None:
    """`make faults` writes them."""
    made = fault_docs.pages()
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*")}
    assert sorted(kept) == sorted(made)
    assert [name for name in made if kept[name] != made[name]] == []


def test_every_row_stands_in_one_area() -> None:
    assert [fault.code for rows in AREAS.values() for fault in rows] == list(FAULTS)
    assert all(area and not area.startswith("Faults") for area in AREAS)


@pytest.mark.parametrize("code", FAULTS)
def test_a_page_tells_cause_fix_another_try_and_where_it_was_seen(code: str) -> None:
    text = fault_docs.page(FAULTS[code])
    fault = FAULTS[code]
    for told in (fault.title, fault.cause, fault.fix, "## How to see it", "## Where it was observed"):
        assert told in text


def test_a_page_names_the_checks_that_find_it_and_what_others_say() -> None:
    text = fault_docs.page(FAULTS["CFG-PORT"])
    assert f"Check [`port`](../checks.md) (`ringlight doctor server`): {CHECKS['port'].looks_at}" in text
    assert "- A server says `address already in use`, `eaddrinuse`, " in text
    assert "`ringlight explain --trace FILE`" not in text
    ticket = fault_docs.page(FAULTS["SIG-TICKET"])
    assert "On the wire: HTTP 404 at the upgrade to a WebSocket." in ticket
    assert "](../observed-protocol.md#upgrade)" in ticket


def test_writing_removes_pages_of_faults_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "OLD-ROW.md").write_text("x")
    fault_docs.main(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(fault_docs.pages())
