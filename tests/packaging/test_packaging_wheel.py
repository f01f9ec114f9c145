"""The wheel is whole: what it installs runs where this repository is not."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fresh import build_wheel

import ringlight

pytestmark = pytest.mark.program
SOURCE = Path(ringlight.__file__).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as the wheel unpacks it; what it depends on is that of these tests."""
    place = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)
    return place


@pytest.fixture(scope="module")
def demo(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    environment = {**kept, "PYTHONPATH": str(installed), "RINGLIGHT_STATE_DIR": str(elsewhere / "state")}
    program = subprocess.Popen(
        [sys.executable, "-m", "ringlight.cli", "demo", "--port", "0"], cwd=elsewhere, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    yield program.stdout.readline().removeprefix("ready ").strip()
    program.terminate()
    _, said = program.communicate(timeout=15)
    assert program.returncode == 0, said


def _files(place: Path) -> set[str]:
    return {
        str(path.relative_to(place)) for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_has_every_file_of_the_package(installed: Path) -> None:
    """The page, the scripts for Redis, scenarios and migrations are no modules, and easily forgotten."""
    assert _files(installed / "ringlight") == _files(SOURCE)


def test_the_demo_runs_from_it(demo: str, installed: Path) -> None:
    assert demo.startswith("http://127.0.0.1:")
    names = [camera["id"] for camera in httpx2.get(f"{demo}api/cameras").json()["cameras"]]
    assert names[:3] == ["front-door", "back-yard", "driveway"]
    page = installed / "ringlight" / "web" / "page"
    for path in page.glob("*.js"):
        assert httpx2.get(f"{demo}page/{path.name}").content == path.read_bytes()


def test_the_camera_of_the_demo_gives_a_picture(demo: str) -> None:
    """Real media from the installed package: codecs and their libraries are there."""
    still = httpx2.get(f"{demo}api/cameras/front-door/snapshot.jpg", timeout=60)
    assert (still.status_code, still.headers["content-type"]) == (200, "image/jpeg")
    assert still.content[:3] == b"\xff\xd8\xff"
