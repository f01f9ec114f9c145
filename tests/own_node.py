"""A Node.js that is new enough, the machine's or else the one inside of Playwright, and npm packages of others."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import playwright
from filelock import FileLock

PACKAGES = Path(__file__).parent / "peers"  # whose package-lock.json pins them


def node(at_least: int = 20) -> str:
    """Return the program. Debian 12 has Node.js 18, which is enough for npm only."""
    for program in (shutil.which("node"), str(Path(playwright.__file__).parent / "driver" / "node")):
        if program is not None and Path(program).is_file() and _major_version(program) >= at_least:
            return program
    raise AssertionError(f"this test needs Node.js {at_least} or newer; Playwright brings one on most machines")


def _major_version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    return int(said.strip().removeprefix("v").split(".")[0])


def install_npm_packages() -> None:
    """Install what package-lock.json names, unless it is there. Scripts of packages are not run."""
    npm = shutil.which("npm")
    assert npm, "this test needs Node.js with npm. On Debian or Ubuntu: sudo apt-get install nodejs npm"
    with FileLock(Path(tempfile.gettempdir()) / "ringlight-tests-npm.lock"):  # tests run in several processes
        lock, installed = PACKAGES / "package-lock.json", PACKAGES / "node_modules" / ".package-lock.json"
        if installed.is_file() and installed.stat().st_mtime > lock.stat().st_mtime:
            return
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=PACKAGES, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"npm could not install what the tests run; is its registry in reach?\n{done.stderr}"
