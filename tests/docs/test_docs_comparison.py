"""The comparison with others: every "yes" of ours names a test, and the test is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "comparison.md"
PROOF = re.compile(r"^yes: \[test\]\(\.\./\.\./(tests/[\w/]+\.py)\) `(\w+)`$")
OTHERWISE = re.compile(r"^(no|Python, browser|sync and async|between the people|\[yes\]\(measured\.md\): .+)$")


def ours() -> list[tuple[str, str]]:
    """Give each row's name and our cell; heads and rules of the tables left out."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [(row[0].strip(), row[1].strip()) for row in rows]
    return [(name, cell) for name, cell in cells if name and not name.startswith("---")]


def names(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
    return found | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_each_yes_names_a_test_that_there_is() -> None:
    rows = ours()
    assert len(rows) > 50
    wrong = []
    for name, cell in rows:
        proof = PROOF.match(cell)
        if proof is None:
            if not OTHERWISE.match(cell):
                wrong.append(f"{name}: {cell!r} is neither a proven yes nor a plain answer")
        elif not (ROOT / proof[1]).is_file() or proof[2] not in names(ROOT / proof[1]):
            wrong.append(f"{name}: {proof[1]} has no {proof[2]}")
    assert not wrong, "\n".join(wrong)


def test_what_we_do_not_have_is_said() -> None:
    assert sum(cell == "no" for _, cell in ours()) >= 5
