"""No regular expression of ours takes long for any text: a page of it costs milliseconds, whoever wrote it."""

import time
from pathlib import Path

import pytest
from regular_expressions import Expression, attacks, expressions

import ringlight

FOUND = list(expressions(Path(ringlight.__file__).parent))
# The first is for those whose time doubles with each character; they would take for ever for the second, which is for
# those whose time grows as its square.
LENGTHS = (26, 16_000)
SOON = 0.1  # seconds of CPU; what is linear takes a tenth of it at most


def test_all_of_them_are_found() -> None:
    """Each module that imports `re` has at least one; those that write patterns in another way show here."""
    assert len(FOUND) > 90
    silent = {
        path.name
        for path in Path(ringlight.__file__).parent.rglob("*.py")
        if "import re\n" in path.read_text(encoding="utf-8")
    } - {Path(one.where.partition(":")[0]).name for one in FOUND}
    assert silent == set()


@pytest.mark.parametrize("one", FOUND, ids=lambda one: one.where)
def test_it_takes_no_long_time(one: Expression) -> None:
    find = one.pattern.match if one.anchored else one.pattern.search
    for length in LENGTHS:
        for text in attacks(one.pattern, length):
            began = time.thread_time()
            find(text)
            one.pattern.fullmatch(text)
            taken = time.thread_time() - began
            assert taken < SOON, f"{taken:.2f} s for {length} characters like {text[:40]!r}"
