"""Ringlight as somebody has it who installed the wheel: programs in an environment of their own, far from this tree."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLDEST = (3, 11)
_ASK = "import sys; print(sys.executable, *sys.version_info[:2], sys.implementation.name)"
_REGISTRY = ("PIP_", "UV_", "SSL_", "HTTP", "NO_PROXY", "REQUESTS_")  # how this machine reaches its registry
_PATIENCE = 600  # seconds; a registry may be far
# Says which modules lack what.
EVERY_MODULE = """
import importlib, pkgutil, ringlight
for found in pkgutil.walk_packages(ringlight.__path__, "ringlight."):
    try:
        found.name.endswith("__main__") or importlib.import_module(found.name)
    except ModuleNotFoundError as error:
        print(found.name, "needs", error.name)
"""
# These are for those alone who have what they need.
NEEDY = """
ringlight.http.session_driver needs aiohttp
ringlight.store.answering needs psycopg
ringlight.testing.plugin needs pytest
"""


def build_wheel(out: Path, *, compiled: bool = False) -> Path:
    """Build the wheel of this tree, with compiled cores or without, and return where it is."""
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(ROOT)]
    asked = {**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "1" if compiled else ""}
    subprocess.run([sys.executable, *build], env=asked, check=True)
    (made,) = out.glob("*.whl")
    return made


def pythons() -> dict[str, Path]:
    """Return the CPythons of this machine that Ringlight is for, by version: those in the PATH, and pyenv's."""
    folders = [Path(entry) for entry in os.get_exec_path()]
    folders += sorted((Path.home() / ".pyenv" / "versions").glob("*/bin"))
    found: dict[tuple[int, int], Path] = {}
    for folder in folders:
        for place in sorted(folder.glob("python3*")):
            if not re.fullmatch(r"python3(\.\d+)?", place.name) or not os.access(place, os.X_OK):
                continue
            run = subprocess.run([str(place), "-c", _ASK], capture_output=True, text=True, check=False)
            executable, major, minor, kind = (run.stdout.rsplit(maxsplit=3) + [""] * 4)[:4]
            if run.returncode == 0 and kind == "cpython" and (version := (int(major), int(minor))) >= OLDEST:
                found.setdefault(version, Path(executable))
    return {f"{major}.{minor}": found[major, minor] for major, minor in sorted(found)}


def nobodys_environment(home: Path) -> dict[str, str]:
    """Return an environment with nothing of this one's in it, but the way to the registry."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name.startswith(_REGISTRY)}
    return {**kept, "HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", "NO_COLOR": "1",
            "RINGLIGHT_STATE_DIR": str(home / "state")}  # fmt: skip


def call(*command: str | Path, environment: dict[str, str], at: Path, typed: str = "") -> str:
    """Run a command to its end; return what it printed.

    Raises:
        AssertionError: It failed; with all that it said.
    """
    run = subprocess.run(
        [str(word) for word in command], env=environment, cwd=at, input=typed, capture_output=True, text=True,
        check=False, timeout=_PATIENCE,
    )  # fmt: skip
    assert run.returncode == 0, f"{command}: {run.returncode}\n{run.stdout}\n{run.stderr}"
    return run.stdout


@contextlib.contextmanager
def demo(*ringlight: str | Path, environment: dict[str, str], at: Path) -> Iterator[tuple[str, str]]:
    """Run `ringlight demo`; yield its address and that of the Ring that it simulates. It has to end well.

    Warnings of Python about our own code are failures too.
    """
    said = at / "demo.log"
    with said.open("w", encoding="utf-8") as log:
        program = subprocess.Popen(
            [*(str(word) for word in ringlight), "demo", "--port", "0"], cwd=at, stdout=subprocess.PIPE, stderr=log,
            env={**environment, "PYTHONWARNINGS": "default"}, text=True,
        )  # fmt: skip
    assert program.stdout is not None
    try:
        line = program.stdout.readline()
        ring = re.search(r"RINGLIGHT_RING_URL=(\S+)", said.read_text(encoding="utf-8"))
        assert line.startswith("ready http://"), line + said.read_text(encoding="utf-8")
        assert ring is not None
        yield line.split()[1], ring[1]
    finally:
        program.terminate()
        program.communicate(timeout=60)
    text = said.read_text(encoding="utf-8")
    assert program.returncode == 0, text
    assert not re.search(r"/ringlight/\S+\.py:\d+: \w*Warning", text), text
