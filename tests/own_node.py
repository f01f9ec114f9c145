"""A Node.js that is new enough: the machine's, or else the one inside of Playwright."""

import shutil
import subprocess
from pathlib import Path

import playwright


def node(at_least: int = 20) -> str:
    """Return the program. Debian 12 has Node.js 18, which is enough for npm only."""
    for program in (shutil.which("node"), str(Path(playwright.__file__).parent / "driver" / "node")):
        if program is not None and Path(program).is_file() and _major_version(program) >= at_least:
            return program
    raise AssertionError(f"this test needs Node.js {at_least} or newer; Playwright brings one on most machines")


def _major_version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    return int(said.strip().removeprefix("v").split(".")[0])
