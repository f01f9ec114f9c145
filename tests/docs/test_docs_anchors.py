"""Links in the documentation lead somewhere, and the code refers only to sections that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringlight.faults import FAULTS

ROOT = Path(__file__).parents[2]
OBSERVED = ROOT / "docs" / "reference" / "observed-protocol.md"
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]
PAGES = [page for page in PAGES if page.is_file()]
CODE = sorted(path for room in ("src", "tests", "examples") for path in (ROOT / room).rglob("*.py"))
FAULT_CODE = re.compile(r"`([A-Z]+(?:-[A-Z]+)+)`")


def without_code(text: str) -> str:
    """Blank out fenced blocks: neither their `#` lines are headings, nor their brackets links."""
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page as GitHub makes them: small letters, no punctuation, hyphens for spaces."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?)(?: +#+)?$", without_code(text), re.MULTILINE):
        shown = re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        if count:
            found[f"{slug}-{count}"] = 1
    return {*found, *re.findall(r'<a (?:id|name)="([^"]+)"', text)}


def links(text: str) -> Iterator[str]:
    """Yield the targets of a page's links and pictures, those of reference links and HTML included."""
    prose = re.sub(r"`[^`\n]*`", "", without_code(text))
    yield from re.findall(r"\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)", prose)
    yield from re.findall(r"^\[[^]]+]: +<?(\S+?)>?$", prose, re.MULTILINE)
    yield from re.findall(r"(?:href|src)=\"([^\"]+)\"", prose)


def broken_links(page: Path) -> list[str]:
    broken = []
    for link in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z][a-z0-9+.-]*:", link) or link.startswith("//"):
            continue  # another site; no test leaves this machine
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            broken.append(f"{link}: there is no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(f"{link}: there is no such heading")
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_resolves(page: Path) -> None:
    assert broken_links(page) == []


def test_every_fault_names_a_section_that_exists() -> None:
    """A row's `source` is where its observation is written down; one that leads nowhere is a rumour."""
    sources = {fault.code: fault.source for fault in FAULTS.values() if fault.source}
    pages = {source: source.rpartition("#") for source in sources.values()}
    broken = {
        source for source, (page, _, anchor) in pages.items()
        if anchor not in anchors((OBSERVED.parent / (page or OBSERVED.name)).read_text(encoding="utf-8"))
    }  # fmt: skip
    assert {code for code, source in sources.items() if source in broken} == set()


@pytest.mark.parametrize("page", ["observed-protocol.md", "partner-api.md"])
def test_every_section_that_the_code_refers_to_exists(page: str) -> None:
    known = anchors((OBSERVED.parent / page).read_text(encoding="utf-8"))
    used = {
        (str(path.relative_to(ROOT)), anchor)
        for path in CODE
        for anchor in re.findall(rf"{re.escape(page)}#([\w-]+)", path.read_text(encoding="utf-8"))
    }
    assert used
    assert {reference for reference in used if reference[1] not in known} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fault_that_a_page_names_is_in_the_catalogue(page: Path) -> None:
    """What looks like a code of ours is one: a reader will look it up with `ringlight explain`."""
    families = {code.partition("-")[0] for code in FAULTS}
    named = set(FAULT_CODE.findall(page.read_text(encoding="utf-8")))
    assert {code for code in named if code.partition("-")[0] in families and code not in FAULTS} == set()


def test_headings_become_anchors_as_on_github() -> None:
    page = "# Ring's app socket\n## HTTP statuses\n## The `a` & b\n```sh\n# no heading\n```\n## HTTP statuses\n"
    assert anchors(page) == {"rings-app-socket", "http-statuses", "the-a--b", "http-statuses-1"}


def test_links_are_found_and_code_is_left_out() -> None:
    page = 'See [a](b.md#c), ![d](e.png "f") and `[g](h)`.\n```\n[i](j)\n```\n[k]: l.md\n<img src="m.png">\n'
    assert list(links(page)) == ["b.md#c", "e.png", "l.md", "m.png"]


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Here\n")
    page = tmp_path / "page.md"
    page.write_text("[a](other.md#here) [b](other.md#there) [c](gone.md) [d](https://example.org/x)\n")
    assert broken_links(page) == ["other.md#there: there is no such heading", "gone.md: there is no such file"]
