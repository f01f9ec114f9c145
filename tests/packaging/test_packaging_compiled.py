"""The wheel whose cores are compiled is the same product: the tests of rooms and frames pass with it too."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
from fresh import ROOT, build_wheel

pytestmark = [
    pytest.mark.program,
    pytest.mark.skipif(
        shutil.which("cc") is None or not (Path(sysconfig.get_path("include")) / "Python.h").exists(),
        reason="there is no C compiler here, or Python's headers are not",
    ),
]
MODULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
    "wheel"
]["hooks"]["custom"]["modules"]
# What judges them: everything of rooms that needs no browser, and the frames with their bad input.
THEIRS = ["tests/rooms", "tests/http/test_websocket_frames.py", "tests/http/test_websocket_sockets.py"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, place = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("compiled")
    wheel = build_wheel(out, compiled=True)
    assert "-none-any" not in wheel.name, "it is for this kind of machine, and says so"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
    return place


def _run(compiled: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RINGLIGHT_"))}
    return subprocess.run(
        [sys.executable, *arguments], env={**kept, "PYTHONPATH": str(compiled)}, cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip


def test_nothing_of_it_is_left_in_the_source(compiled: Path) -> None:
    assert not [*ROOT.glob("src/**/*.so"), *ROOT.glob("src/**/*.c")]


def test_python_takes_the_compiled_form_of_each(compiled: Path) -> None:
    ask = "import importlib, sys; [print(importlib.import_module(name).__file__) for name in sys.argv[1:]]"
    run = _run(compiled, "-c", ask, *MODULES)
    assert run.returncode == 0, run.stderr
    for path in run.stdout.split():
        assert path.startswith(str(compiled)), path
        assert path.endswith(sysconfig.get_config_var("EXT_SUFFIX")), path


def test_rooms_and_frames_pass_their_tests_with_it(compiled: Path) -> None:
    chosen = ["-m", "not browser and not long", "-p", "no:cacheprovider", "-p", "no:xdist"]
    run = _run(compiled, "-m", "pytest", "-q", *chosen, *THEIRS)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
