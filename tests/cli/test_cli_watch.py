"""`watch`: the page of the server that runs, on one camera."""

import json
import subprocess
from collections.abc import Callable

import pytest

from conftest import RINGLIGHT, Program
from ringlight.http.serving import listen

pytestmark = pytest.mark.program


def _watch(environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RINGLIGHT), "watch", *args, "--no-browser"], env=environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_a_camera_is_found_by_its_name_and_by_its_id(
    environment: dict[str, str], start: Callable[..., Program]
) -> None:
    house = start("demo", "--port", "0").url
    asked = {**environment, "RINGLIGHT_SERVER__PORT": house.rstrip("/").rpartition(":")[2]}
    assert _watch(asked, "front DOOR").stdout == f"{house}#front-door\n"
    assert json.loads(_watch(asked, "front-door", "--json").stdout) == {"url": f"{house}#front-door"}
    unknown = _watch(asked, "Attic")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("CAM-UNKNOWN: ")


def test_without_a_server_it_says_so(environment: dict[str, str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    gone = _watch({**environment, "RINGLIGHT_SERVER__PORT": str(port)}, "front-door")
    assert gone.returncode == 1
    assert gone.stderr.startswith("SERVER-GONE: ")
