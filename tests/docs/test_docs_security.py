"""The page about security: each test that it names is there, in the file that it names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "security.md"
NAMED = re.compile(r"\[(test_\w+)\]\(\.\./\.\./(tests/[\w/]+\.py)\)")


def test_each_test_that_the_page_names_is_there() -> None:
    named = NAMED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 50
    missing = [name for name, file in named if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")]
    assert missing == []


def test_what_is_not_defended_is_said() -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("## What is not defended")
    assert rest.count("\n- **") >= 8
