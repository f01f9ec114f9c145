"""`link`: an address for somebody without a key, made by the server that runs."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import RINGLIGHT, Program
from ringlight.store.camera_link_rows import CameraLinkRows, KeptCameraLink
from ringlight.store.database import Database

pytestmark = pytest.mark.program


def _link(environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RINGLIGHT), "link", *args], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def _links(environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RINGLIGHT), "links", *args], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_link_leads_to_its_camera(environment: dict[str, str], start: Callable[..., Program]) -> None:
    house = start("demo", "--port", "0").url
    asked = {**environment, "RINGLIGHT_SERVER__PORT": house.rstrip("/").rpartition(":")[2]}
    made = _link(asked, "Front Door", "--for", "30m", "--talk")
    assert made.stdout.startswith(f"{house}s/"), made.stderr
    with urllib.request.urlopen(made.stdout.strip(), timeout=20) as page:
        assert "#front-door" in page.read().decode()
    public = _link({**asked, "RINGLIGHT_PUBLIC_URL": "https://cams.example"}, "front-door", "--json")
    assert json.loads(public.stdout)["url"].startswith("https://cams.example/s/")
    unknown = _link(asked, "Attic")
    assert (unknown.returncode, unknown.stdout, unknown.stderr[:11]) == (1, "", "CAM-UNKNOWN")


def test_links_are_listed_and_taken_back(environment: dict[str, str], tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kept.db'}")
    CameraLinkRows(database).add(KeptCameraLink("lk_1", "front-door", True, time.time(), time.time() + 600))
    database.close()
    asked = {**environment, "RINGLIGHT_DATABASE_URL": f"sqlite:///{tmp_path / 'kept.db'}"}
    (kept,) = json.loads(_links(asked, "list", "--json").stdout)["links"]
    assert (kept["id"], kept["camera"], kept["talk"]) == ("lk_1", "front-door", True)
    assert "lk_1: front-door, to watch and talk; ends 20" in _links(asked, "list").stdout
    assert _links(asked, "revoke", "lk_1").returncode == 0
    again = _links(asked, "revoke", "lk_1")
    assert (again.returncode, again.stderr[:16]) == (2, "KEY-LINK-UNKNOWN")
    assert "lk_1" not in _links(asked, "list").stdout


@pytest.mark.parametrize("life", ["soon", "0s", "99d", "-1h"])
def test_a_time_that_is_none_is_refused(environment: dict[str, str], life: str) -> None:
    refused = _link(environment, "front-door", f"--for={life}")
    assert (refused.returncode, "expected 1h" in refused.stderr) == (2, True)
