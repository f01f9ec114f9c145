"""`status`: what the running server says of itself."""

import json
import subprocess
from collections.abc import Callable

import pytest
from rich.console import Console

from conftest import RINGLIGHT, Program
from ringlight.cli.status import shown
from ringlight.http.serving import listen

pytestmark = pytest.mark.program


def _status(environment: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RINGLIGHT), "status", *args], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_server_tells_of_cameras_rooms_and_queues(environment: dict[str, str], start: Callable[..., Program]) -> None:
    house = start("demo", "--port", "0").url
    asked = {**environment, "RINGLIGHT_SERVER__PORT": house.rstrip("/").rpartition(":")[2]}
    said = json.loads(_status(asked, "--json").stdout)
    assert [one["name"] for one in said["cameras"]] == ["Front Door", "Back Yard", "Driveway"]
    assert {one["view"] for one in said["cameras"]} == {"closed"}
    assert (said["state"], said["viewers"]["webrtc"], said["rooms"]["states"]["waiting"]) == ("ready", 0, 1)
    assert said["queues"]["webhooks"] == {}
    assert said["notices"] == []
    assert 0 < said["process"]["memory_bytes"] < 500_000_000
    table = _status(environment, "--once", "--server", house).stdout
    assert table.startswith(f"{house}  Ringlight ")
    assert "Back Yard" in table
    assert "no cameras" not in table


def test_without_a_server_or_a_key_it_says_so(environment: dict[str, str], start: Callable[..., Program]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    gone = _status({**environment, "RINGLIGHT_SERVER__PORT": str(port)})
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith("SERVER-GONE: ")
    guarded = start("serve", "--host", "0.0.0.0", "--port", "0", RINGLIGHT_SECRET_KEY="right" * 8)
    place = guarded.url.replace("0.0.0.0", "127.0.0.1")
    refused = _status({**environment, "RINGLIGHT_SECRET_KEY": "wrong" * 8}, "--server", place)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("KEY-NEEDED: ")
    assert _status({**environment, "RINGLIGHT_SECRET_KEY": "right" * 8}, "--server", place).returncode == 0
    assert _status(environment, "--server", "localhost:8000").returncode == 2


def test_notices_come_first_and_what_people_named_is_no_markup() -> None:
    found = {
        "version": "9", "state": "draining", "seconds": 7300.0,
        "process": {"pid": 1, "cpu_seconds": 1.0, "memory_bytes": None},
        "cameras": [
            {"name": "[red]Gate", "state": "online", "refusal": None, "view": "opening", "viewers": 2,
             "recordings": 0, "attempt": 3, "battery_percent": 40},
        ],
        "viewers": {"webrtc": 2, "players": 1, "recordings": 0},
        "rooms": {"states": {"active": 1}, "inside": 1, "waiting": 1, "sockets": 2,
                  "shown": [{"id": "desk", "state": "active", "inside": 1, "waiting": 1}]},
        "accounts": [{"account": "abc123", "state": "completed"}],
        "notices": [{"subject": "Gate", "code": "SIG-TICKET", "title": "Refused", "detail": None, "fix": "Do that."}],
        "queues": {"room_record": 3, "room_record_lost": 1, "webhooks": {"dead": 2}},
    }  # fmt: skip
    console = Console(width=100, color_system=None)
    with console.capture() as said:
        console.print(shown(found, "http://h/"))
    lines = [line.rstrip() for line in said.get().splitlines()]
    assert lines[0] == "http://h/  Ringlight 9, draining, up 2 h, 1 s of the processor"
    assert lines[1] == "! Gate: SIG-TICKET: Refused. Do that."
    assert lines[3].split() == ["[red]Gate", "online", "opening", "(3)", "2", "0", "40", "%"]
    assert "linked account …abc123: completed" in lines
    assert lines[-1] == "waits to be written down: 3 (1 lost); webhooks: 2 dead"
