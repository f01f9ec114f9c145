"""The map of the code: every file and every name on it is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "code-map.md"
STEP = re.compile(r"\[[^\]]+\]\(\.\./\.\./(src/[^)]+)\)(?:\s+`(\w+)`)?")


def defined(file: Path) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds)}


def test_each_step_is_where_the_map_says() -> None:
    steps = STEP.findall(PAGE.read_text())
    assert len(steps) > 40
    missing = [file for file, _ in steps if not (ROOT / file).is_file()]
    missing += [f"{file} {name}" for file, name in steps if name and name not in defined(ROOT / file)]
    assert not missing
