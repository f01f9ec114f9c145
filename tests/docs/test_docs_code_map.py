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


def sentence(file: Path) -> str:
    about = ast.get_docstring(ast.parse(file.read_text())) or ""
    return about.partition("\n\n")[0].replace("\n", " ")


def test_every_folder_is_on_the_map_with_its_own_sentence() -> None:
    """So that whatever is in no flow is found too: from the README to the map, to a folder, to a module."""
    source = ROOT / "src" / "ringlight"
    folders = {path.parent for path in source.rglob("*.py")} - {source, source / "store/migrations/versions"}
    wanted = {
        f"| [{path.relative_to(source)}/](../../{path.relative_to(ROOT)}) | {sentence(path / '__init__.py')} |"
        for path in folders
    } | {
        f"| [{path.name}](../../{path.relative_to(ROOT)}) | {sentence(path)} |"
        for path in source.glob("*.py")
        if path.name != "__init__.py"
    }
    table = PAGE.read_text().partition("## Every folder")[2].splitlines()
    assert {line for line in table if line.startswith("| [")} == wanted


def test_each_step_is_where_the_map_says() -> None:
    steps = STEP.findall(PAGE.read_text().partition("## Every folder")[0])
    assert len(steps) > 40
    missing = [file for file, _ in steps if not (ROOT / file).is_file()]
    missing += [f"{file} {name}" for file, name in steps if name and name not in defined(ROOT / file)]
    assert not missing
