"""The house as it was drawn: imports go down, rooms have names and signs, the front doors open."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ringlight

SOURCE = Path(ringlight.__file__).parent
ROOT = SOURCE.parent.parent
MODULES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(path.relative_to(SOURCE)) for path in MODULES]
PUBLIC = {
    "ringlight": ["Account", "Camera", "LiveViewClient", "RingError", "Settings", "View", "load_settings"],
    "ringlight.liveview": ["LiveViewClient"],
    "ringlight.errors": ["RingError", "AuthError", "RateLimited", "SignalingError", "fault_error"],
    "ringlight.faults": [
        "AREAS",
        "FAULTS",
        "Explanation",
        "Fault",
        "Match",
        "Retry",
        "Seen",
        "explain",
        "find",
        "look_up",
    ],
    "ringlight.testing": ["simulator", "SimulatedRing"],
    "ringlight.settings": ["LiveViewSettings", "Settings", "load_settings"],
    "ringlight.secrets": ["Secret"],
}


def test_each_module_that_calls_itself_pure_is_held_to_it() -> None:
    """By the contract of the import linter, which says nothing of a module that its list has lost."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (held,) = [each["source_modules"] for each in contracts if each["name"].startswith("The pure cores")]
    assert len(held) == len(set(held)), "each is named once"
    for path in MODULES:
        name = ".".join(("ringlight", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if "Pure." in said:
            assert any(f"{name}.".startswith(f"{one}.") for one in held), name


@pytest.mark.program
def test_imports_go_down_the_floors_only() -> None:
    """`lint-imports` reads the contracts of pyproject.toml."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(command), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if path.stem == "__main__":
        return
    assert said
    first = said.split("\n\n")[0]
    assert first.endswith((".", ":"))


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert all((folder / "__init__.py").is_file() for folder in folders)


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_modules_are_named_by_the_domain(path: Path) -> None:
    for part in path.relative_to(SOURCE).with_suffix("").parts:
        assert part.strip("_").split("_")[-1] not in {
            "util", "utils", "helper", "helpers", "manager", "common", "misc", "const", "constants", "types", "base",
        }  # fmt: skip


@pytest.mark.parametrize("module", PUBLIC)
def test_what_the_documentation_names_can_be_imported(module: str) -> None:
    home = importlib.import_module(module)
    for name in PUBLIC[module]:
        assert getattr(home, name) is not None


def test_all_is_what_can_be_imported() -> None:
    assert sorted(ringlight.__all__) == ringlight.__all__
    assert set(ringlight.__all__) == set(PUBLIC["ringlight"])
    from ringlight.cameras import Account
    from ringlight.liveview import LiveViewClient

    assert ringlight.Account is Account
    assert ringlight.LiveViewClient is LiveViewClient
    with pytest.raises(AttributeError, match="no_such"):
        _ = ringlight.no_such


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_what_a_module_lists_in_all_is_there(path: Path) -> None:
    if path.stem == "__main__":
        return
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    missing = [name for name in getattr(module, "__all__", []) if not hasattr(module, name)]
    assert missing == []


def test_importing_the_package_alone_is_quick() -> None:
    """It loads nothing of what it offers until that is asked for."""
    code = "import sys, ringlight; print([m for m in sys.modules if m.startswith('ringlight.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['ringlight.lazy']"
