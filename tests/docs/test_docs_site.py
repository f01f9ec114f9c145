"""The documentation as a site: it builds without a broken link, and has every public name, command and setting."""

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ringlight.cli.app import COMMANDS
from ringlight.settings.sources import effective_settings

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    built = subprocess.run(
        build, cwd=ROOT, capture_output=True, text=True, check=False, env={**settings, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return out


def _page(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_every_link_leads_somewhere(site: Path) -> None:
    """A link or an anchor that leads nowhere ends the build; so does a page that cannot be made."""
    assert "Ringlight puts cameras and people into a browser" in _page(site, "index.html")
    assert {path.name for path in (site / "how-to").glob("*.html")} == {
        f"{path.stem}.html" for path in (ROOT / "docs" / "how-to").glob("*.md")
    }


def _pages_module() -> Any:
    """Return what makes the pages, which is no part of a package."""
    found = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "_site" / "pages.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


PAGES = _pages_module()


@pytest.mark.parametrize("package", PAGES.PUBLIC)
def test_every_public_name_is_on_a_page(package: str, site: Path) -> None:
    page = _page(site, f"reference/python/{package}.html")
    module = importlib.import_module(package)
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if isinstance(value, type) and value.__module__ == package
    ]
    assert names
    assert [name for name in names if f">{name}<" not in page] == []


def test_every_name_that_a_how_to_imports_is_on_a_page(site: Path) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (site / "reference" / "python").glob("*.html"))
    used = set(PAGES.used())
    assert ("ringlight.store", "open_pairs") in used
    assert sorted(name for _, name in used if f">{name}<" not in pages) == []


def test_every_module_is_on_a_page_with_its_sentence(site: Path) -> None:
    page = _page(site, "reference/modules.html")
    for path in (ROOT / "src" / "ringlight").rglob("*.py"):
        assert f"<code>{path.name}</code>" in page, path
    assert "PKCE, state and nonce" in page


def test_every_command_and_every_setting_is_on_a_page(site: Path) -> None:
    commands, settings = _page(site, "reference/commands.html"), _page(site, "reference/settings.html")
    assert [name for group in COMMANDS.values() for name in group if f"ringlight {name}" not in commands] == []
    known = [one.name for one in effective_settings() if not one.name.startswith("cameras.")]
    assert [name for name in known if f"<code>{name}</code>" not in settings] == []
