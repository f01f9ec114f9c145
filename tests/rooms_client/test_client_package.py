"""The client as an npm package: everything is in it, nothing else, it loads, and its types hold."""

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

import ringlight
from own_node import PACKAGES, install_npm_packages, node
from ringlight.web import PAGE, ROOMS_PAGE

WEB = PAGE.parent
_IMPORT = re.compile(r'(?:from|import\()\s*"(\.[^"]+)"')
OPTIONS = [
    *("--allowJs", "--checkJs", "--strict", "--noEmit", "--target", "es2022", "--module", "es2022"),
    *("--moduleResolution", "bundler", "--lib", "dom,dom.iterable,es2022"),
]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked where a program finds it."""
    npm = shutil.which("npm")
    assert npm, "this test needs Node.js with npm. On Debian or Ubuntu: sudo apt-get install nodejs npm"
    folder = tmp_path_factory.mktemp("npm")
    done = subprocess.run(
        [npm, "pack", "--json", "--pack-destination", str(folder)], cwd=WEB, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    [about] = json.loads(done.stdout)
    with tarfile.open(folder / about["filename"]) as archive:
        archive.extractall(folder, filter="data")
    modules = folder / "node_modules"
    modules.mkdir()
    return (folder / "package").rename(modules / "ringlight-rooms")


def test_every_module_that_is_imported_is_in_the_package(packed: Path) -> None:
    files = list(packed.rglob("*.js"))
    assert len(files) > 20
    for path in files:
        for name in _IMPORT.findall(path.read_text(encoding="utf-8")):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"


def test_nothing_else_is_in_it(packed: Path) -> None:
    kinds = {path.relative_to(packed).parts[0] for path in packed.rglob("*") if path.is_file()}
    assert kinds == {"package.json", "README.md", "rooms", "page"}
    assert not [path for path in packed.rglob("*") if path.suffix in {".css", ".html", ".py"}]


def test_a_program_imports_it_by_its_name(packed: Path) -> None:
    """Nothing in it touches a page when it is loaded: a server that renders pages may import it too."""
    script = """
      const all = await import("ringlight-rooms");
      const { signalingFault } = await import("ringlight-rooms/signaling-error.js");
      console.log(JSON.stringify([Object.keys(all).sort(), signalingFault === all.signalingFault]));
    """
    done = subprocess.run(
        [node(), "--input-type=module", "-e", script], cwd=packed.parents[1], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names, same = json.loads(done.stdout)
    assert {"Call", "CameraView", "Precall", "signalingFault"} <= set(names)
    assert same


def test_its_version_is_ours() -> None:
    assert json.loads((WEB / "package.json").read_text(encoding="utf-8"))["version"] == ringlight.__version__


def test_the_types_of_all_pages_hold() -> None:
    """JSDoc is checked as strictly as TypeScript; there is no build step in which that could happen."""
    install_npm_packages()
    files = [*sorted(map(str, PAGE.glob("*.js"))), *sorted(map(str, ROOMS_PAGE.rglob("*.js")))]
    done = subprocess.run(
        [node(), str(PACKAGES / "node_modules" / "typescript" / "bin" / "tsc"), *OPTIONS, *files],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
