"""The wheel works on every Python of this machine that it is for, installed fresh, as its users install it.

`make long` runs them. A version that the machine does not have is not tried; which ones were, the names tell.
"""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import fresh
import httpx2
import pytest

from ringlight.simulator.world import World

pytestmark = [pytest.mark.long, pytest.mark.program]
PYTHONS = fresh.pythons()
PROJECT = tomllib.loads((fresh.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What each extra is for, as a line that needs its libraries.
USES = {
    "aiohttp": "import aiohttp, ringlight.http.session_driver",
    "keyring": "import ringlight.store.pair_keyring, keyring.backends.SecretService",
    "mqtt": "import ringlight.home.broker, aiomqtt",
    "otel": "from ringlight.server.exporting import exporting_spans as e\n"
    "with e({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:9'}): pass",
    "postgres": "from ringlight.store.database import Database; import psycopg; print(psycopg.pq.__impl__)",
    "redis": "from ringlight.http.redis import redis_package; redis_package(); import hiredis",
}


@dataclass(frozen=True)
class Installed:
    """One Python with the wheel in an environment of its own."""

    version: str
    python: Path
    environment: dict[str, str]
    at: Path

    @property
    def ringlight(self) -> Path:
        return self.python.with_name("ringlight")

    def call(self, *command: str | Path, typed: str = "", **more: str) -> str:
        return fresh.call(*command, environment={**self.environment, **more}, at=self.at, typed=typed)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fresh.build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module", params=PYTHONS)
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """`python -m venv` and `pip install`, and no extra."""
    place = tmp_path_factory.mktemp(f"python{request.param}")
    environment = fresh.nobodys_environment(place / "home")
    fresh.call(PYTHONS[request.param], "-m", "venv", place / "venv", environment=environment, at=place)
    made = Installed(request.param, place / "venv" / "bin" / "python", environment, place)
    made.call(made.python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", wheel)
    return made


def test_what_was_installed_fits_together_and_every_module_loads(installed: Installed) -> None:
    """Without any extra; what Python says of our own code while it compiles it is an error."""
    assert "No broken requirements" in installed.call(installed.python, "-m", "pip", "check")
    assert installed.call(installed.ringlight, "--version").startswith(f"ringlight {PROJECT['version']}")
    strict = {"PYTHONPYCACHEPREFIX": str(installed.at / "anew"), "PYTHONWARNINGS": "default"}
    run = subprocess.run(
        [str(installed.python), "-c", fresh.EVERY_MODULE], env={**installed.environment, **strict}, cwd=installed.at,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout.strip()) == (0, fresh.NEEDY.strip()), run.stderr
    assert not re.search(r"/ringlight/\S+\.py:\d+: \w*Warning", run.stderr), run.stderr


def test_its_demo_is_seen_by_its_own_commands(installed: Installed) -> None:
    """Sign in, list, look what is wrong, take a still: pages, database, sockets and codecs are all there."""
    known = World()
    with fresh.demo(installed.ringlight, environment=installed.environment, at=installed.at) as (url, ring):
        assert "<title>" in httpx2.get(url, timeout=60).text
        cameras = httpx2.get(f"{url}api/cameras", timeout=60).json()["cameras"]
        assert [one["id"] for one in cameras][:1] == ["front-door"]
        beside = {"RINGLIGHT_RING_URL": ring}
        typed = f"{known.password}\n{known.code}\n"
        installed.call(installed.ringlight, "login", "--email", known.email, typed=typed, **beside)
        assert "Front Door" in installed.call(installed.ringlight, "devices", "--json", **beside)
        still = installed.at / "door.jpg"
        installed.call(installed.ringlight, "snapshot", "Front Door", still, **beside)
        assert still.read_bytes()[:3] == b"\xff\xd8\xff"
        said = installed.call(installed.ringlight, "doctor", url, "account", "Front Door", **beside)
        assert "FAIL" not in said, said


@pytest.mark.parametrize("extra", sorted(USES))
@pytest.mark.parametrize("version", PYTHONS)
def test_each_extra_can_be_installed_alone_and_used(version: str, extra: str, wheel: Path, tmp_path: Path) -> None:
    """By uv, which takes two seconds where pip takes a minute. Only wheels: nobody has to compile."""
    uv = Path(sys.executable).with_name("uv")
    environment = {**fresh.nobodys_environment(tmp_path / "home"), "UV_CACHE_DIR": str(wheel.parent / "uv")}
    python = tmp_path / "venv" / "bin" / "python"
    for command in (
        (uv, "venv", "--quiet", "--python", PYTHONS[version], tmp_path / "venv"),
        (uv, "pip", "install", "--quiet", "--only-binary=:all:", "--python", python, f"ringlight[{extra}] @ {wheel}"),
        (python, "-c", USES[extra]),
    ):
        fresh.call(*command, environment=environment, at=tmp_path)


def test_uvx_runs_the_demo_on_a_machine_that_has_never_seen_it(wheel: Path, tmp_path: Path) -> None:
    """One command from the wheel to the page, as the README has it; SIGTERM reaches the program through uvx."""
    uvx = Path(sys.executable).with_name("uvx")
    environment = fresh.nobodys_environment(tmp_path / "home") | {"UV_PYTHON_DOWNLOADS": "never"}
    command: list[str | Path] = [uvx, "--python", Path(sys.executable).resolve(), "--from", wheel, "ringlight"]
    with fresh.demo(*command, environment=environment, at=tmp_path) as (url, _):
        still = httpx2.get(f"{url}api/cameras/front-door/snapshot.jpg", timeout=60)
        assert (still.status_code, still.content[:3]) == (200, b"\xff\xd8\xff")


def test_every_extra_for_users_is_tried() -> None:
    assert set(USES) == set(PROJECT["optional-dependencies"]) - {"dev", "audit", "fuzz"}
