"""The comparison with others: every "yes" of ours names tests, and they are there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "comparison.md"
ONE = r"\[test\]\(\.\./\.\./(tests/[\w/]+\.py)\) `(test_\w+)`"
PROOF = re.compile(rf"^yes: {ONE}(?:, {ONE})*$")
OTHERWISE = re.compile(r"^(no|Python, browser|sync and async|between the people|\[yes\]\(measured\.md\): .+)$")


def ours() -> list[tuple[str, str]]:
    """Give each row's name and our cell; heads and rules of the tables left out."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [(row[0].strip(), row[1].strip()) for row in rows]
    return [(name, cell) for name, cell in cells if name and not name.startswith("---")]


def names(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_each_yes_names_a_test_that_there_is() -> None:
    rows = ours()
    assert len(rows) > 50
    wrong = []
    for name, cell in rows:
        if not PROOF.match(cell) and not OTHERWISE.match(cell):
            wrong.append(f"{name}: {cell!r} is neither a proven yes nor a plain answer")
        wrong += [
            f"{name}: {file} has no {test}"
            for file, test in re.findall(ONE, cell)
            if not (ROOT / file).is_file() or test not in names(ROOT / file)
        ]
    assert not wrong, "\n".join(wrong)


def test_what_we_do_not_have_is_said() -> None:
    assert sum(cell == "no" for _, cell in ours()) >= 5
