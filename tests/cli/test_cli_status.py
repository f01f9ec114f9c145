"""`status`: what the running server says of itself."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from conftest import RINGLIGHT, Program
from own_certificates import Authority
from patients import foreign, says
from ringlight.cli.status import shown
from ringlight.http.serving import Tls, listen

pytestmark = [pytest.mark.program, pytest.mark.anyio]
SANDBOX = Path(__file__).parents[1] / "sandbox.py"


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


async def _said_of(environment: dict[str, str], place: str) -> str:
    return (await asyncio.to_thread(_status, environment, "--server", place)).stderr.partition(":")[0]


async def test_what_is_wrong_with_the_way_is_not_taken_for_a_server_that_has_stopped(
    environment: dict[str, str], tmp_path: Path
) -> None:
    own = Authority(tmp_path)
    own.put("issuer")
    async with foreign(says(200, {}), Tls(own.certificate, own.key)) as secured, foreign(says(200, {})) as plain:
        port = secured.rpartition(":")[2]
        causes = {
            f"https://localhost:{port}": "NET-TLS",
            f"https://{plain}": "NET-TLS",
            f"http://localhost:{port}": "REACH-SCHEME",
            f"http://nobody.invalid:{port}": "NET-DNS",
            f"http://undefined:{port}": "REACH-URL",
            "http://": "REACH-URL",
            "http://[::1": "REACH-URL",
            f"http://{plain}": "REACH-OTHER",
        }
        assert {place: await _said_of(environment, place) for place in causes} == causes


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("demo", "--port", "0"), ("simulate", "--port", "0")])
def test_a_server_that_the_system_gives_no_socket_says_so(
    environment: dict[str, str], command: tuple[str, ...]
) -> None:
    found = subprocess.run(
        [sys.executable, SANDBOX, RINGLIGHT, *command], env=environment, check=False, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (found.returncode, found.stderr.partition(":")[0]) == (1, "REACH-SANDBOX")


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
