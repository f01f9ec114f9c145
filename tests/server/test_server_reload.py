"""Settings that change while the server runs."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from conftest import RINGLIGHT, Program
from ringlight.http.serving import listen

pytestmark = pytest.mark.program
BEFORE = """
allowed_origins = ["https://old.example"]
[rooms]
capacity = 3
[log]
level = "warning"
"""
AFTER = """
allowed_origins = ["https://new.example"]
[rooms]
capacity = 5
rate = 7
[log]
level = "info"
format = "json"
[media]
tcp = false
[cameras.front-door]
publish = "http://127.0.0.1:9/whip"
"""


def _free_port() -> str:
    with listen("127.0.0.1", 0) as taken:
        return str(taken.getsockname()[1])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "ringlight.toml"
    place.write_text(BEFORE)
    return place


def _until(holds: Callable[[], Any], within: float = 20.0) -> Any:
    ends = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.05)
    return found


def _origin(http: httpx2.Client, origin: str) -> int:
    return http.post("api/rooms", json={}, headers={"Origin": origin}).status_code


def _of_settings(http: httpx2.Client) -> list[dict[str, Any]]:
    return [one for one in http.get("api/status").json()["notices"] if one["subject"] == "settings"]


def test_sighup_changes_what_can_change_and_names_what_cannot(start: Callable[..., Program], file: Path) -> None:
    program = start("serve", "--port", _free_port(), "--config", str(file))
    with httpx2.Client(base_url=program.url, timeout=30) as http:
        assert _origin(http, "https://new.example") == 403
        made = http.post("api/rooms", json={"id": "old"}).json()
        file.write_text(AFTER)
        program.process.send_signal(signal.SIGHUP)
        _until(lambda: _origin(http, "https://new.example") == 201)
        assert _origin(http, "https://old.example") == 403
        (notice,) = _of_settings(http)
        assert (notice["code"], notice["detail"]) == ("CFG-RESTART", "media.tcp")
        (published,) = _until(lambda: http.get("api/publications").json()["publications"])
        assert published["camera"] == "front-door"
        assert made["id"] == "old"
    code, said = program.stop()
    assert code == 0
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    told = next(line for line in lines if line["event"].startswith("settings_read"))
    assert told["changed"].split(",") == [
        "allowed_origins", "cameras.front-door.publish", "cameras.front-door.publish_on_battery", "log.format",
        "log.level", "rooms.capacity", "rooms.rate",
    ]  # fmt: skip
    assert told["restart"] == "media.tcp"


def test_a_bad_file_leaves_everything_as_it_was(
    start: Callable[..., Program], file: Path, environment: dict[str, str]
) -> None:
    program = start("serve", "--port", _free_port(), "--config", str(file))
    asked = [str(RINGLIGHT), "config", "--reload", "--config", str(file)]
    port = {"RINGLIGHT_SERVER__PORT": program.url.rstrip("/").rpartition(":")[2]}

    def reload() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            asked, env={**environment, **port}, capture_output=True, text=True, check=False, timeout=60
        )

    with httpx2.Client(base_url=program.url, timeout=30) as http:
        good = file.read_text()
        assert reload().stderr == "Nothing has changed.\n"
        bad = file.with_name("bad.toml")
        bad.write_text(AFTER + "[rooms]\ncapacity = 0\n")  # a table twice: no TOML at all
        bad.replace(file)
        refused = http.post("api/config/reload")
        assert refused.json()["code"] == "CFG-INVALID"
        (notice,) = _of_settings(http)
        assert notice["code"] == "CFG-INVALID"
        assert _origin(http, "https://old.example") == 201
        assert _origin(http, "https://new.example") == 403
        file.write_text(good.replace("capacity = 3", "capacity = 4"))
        assert reload().stdout == "rooms.capacity has changed\n"
        assert _of_settings(http) == []


def test_the_time_to_drain_that_was_read_last_is_the_one_that_is_taken(
    start: Callable[..., Program], file: Path
) -> None:
    """`/ready` says no at once, and the rooms' people are sent away when that time is over: not before."""
    program = start("serve", "--port", _free_port(), "--config", str(file))
    with httpx2.Client(base_url=program.url, timeout=30) as http:
        assert http.get("ready").status_code == 200
        file.write_text(f"{BEFORE}\n[server]\ndrain = 3\n")
        assert http.post("api/config/reload").json()["changed"] == ["server.drain"]
        began = time.monotonic()
        program.process.terminate()
        _until(lambda: http.get("ready").status_code == 503)
    assert program.process.wait(60) == 0
    assert time.monotonic() - began >= 3
