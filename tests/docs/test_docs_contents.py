"""The list of all pages: nothing in docs/ is left out of it, so that everything is three steps from the README."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
APART = ("decisions/", "reference/faults/", "_site/")  # they have a list of their own, which is on this one


def test_every_page_is_listed() -> None:
    linked = set(re.findall(r"\]\(([^)#]+\.md)", (DOCS / "contents.md").read_text()))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"contents.md"}
    assert {page for page in pages if not page.startswith(APART)} - linked == set()
    assert all((DOCS / page).is_file() for page in linked)


def test_the_readme_leads_there() -> None:
    assert "(docs/contents.md)" in (DOCS.parent / "README.md").read_text()
