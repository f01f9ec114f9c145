"""The unit of systemd: what it says is understood, and the program tells when it is ready."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Program
from ringlight.cli.notifying import notify

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "ringlight.service"
MOST_EXPOSED = 2.0  # of 10, as `systemd-analyze security` counts; below 2 it says OK


def _analyze(*arguments: str) -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    run = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    own = tmp_path / UNIT.name
    own.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    assert _analyze("verify", str(own)) == ""


def test_it_may_little_beside_its_work() -> None:
    said = _analyze("security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found is not None, said
    assert float(found[1]) < MOST_EXPOSED


def test_the_stop_is_given_the_time_that_draining_needs() -> None:
    """Or systemd kills what still says goodbye."""
    found = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert found is not None
    assert int(found[1]) >= 30


@pytest.mark.program
def test_it_says_when_it_is_ready_and_when_it_ends(tmp_path: Path, start: Callable[..., Program]) -> None:
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place))
        systemd.settimeout(20)
        program = start("serve", "--port", "0", NOTIFY_SOCKET=str(place))
        assert systemd.recv(100) == b"READY=1"
        assert program.stop()[0] == 0
        assert systemd.recv(100) == b"STOPPING=1"


def test_it_tells_a_socket_without_a_file_and_nothing_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"ringlight-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify("READY=1")
        assert systemd.recv(100) == b"READY=1"
    notify("READY=1")  # nobody is there any more
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")
