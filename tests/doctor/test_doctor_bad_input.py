"""A doctor without network, without settings, without rights: a useful answer each time."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import RINGLIGHT
from ringlight.doctor.checkup import examine
from ringlight.doctor.probes import machine
from ringlight.settings import load_settings

NAMESPACE = ["unshare", "--net", "--map-root-user"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _namespaces_are_allowed() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def call(*args: str, before: tuple[str, ...] = (), **given: str) -> "subprocess.CompletedProcess[str]":
        command = [*before, str(RINGLIGHT), "doctor", *args]
        env = {**environment, **given}
        return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)

    return call


@pytest.mark.program
def test_settings_that_cannot_be_read_are_the_first_thing_to_fix(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ringlight.toml").write_text("[server]\nprot = 8000\n")
    said = run("server", "--json")
    report = json.loads(said.stdout)
    assert said.returncode == 1
    assert report["first"]["fault"]["code"] == "CFG-INVALID"
    assert "prot" in report["first"]["seen"]
    assert any(check["check"] == "port" for check in report["checks"]), "the rest is looked at with the defaults"


@pytest.mark.program
def test_a_settings_file_that_is_not_there_is_told(run: Run) -> None:
    said = run("server", "--config", "nowhere.toml")
    assert said.returncode == 1
    assert "Fix this first: CFG-INVALID" in said.stdout
    assert "nowhere.toml" in said.stdout


@pytest.mark.program
@pytest.mark.skipif(not _namespaces_are_allowed(), reason="this machine does not allow network namespaces")
def test_without_any_network_it_says_so_and_ends_in_time(run: Run) -> None:
    said = run("--json", before=tuple(NAMESPACE))
    report = json.loads(said.stdout)
    assert said.returncode == 1
    assert report["first"]["fault"]["code"] == "NET-DNS"
    assert said.stderr == ""
    assert report["seconds"] < 10


@pytest.mark.program
def test_a_report_is_written_and_one_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    url = f"ws://127.0.0.1:{free.getsockname()[1]}/ws/v2"
    said = run(url, "--report", "report.html")
    assert "REACH-REFUSED" in (tmp_path / "report.html").read_text()
    assert "Fix this first: REACH-REFUSED" in said.stdout
    assert "Read it before you send it" in said.stderr
    assert run(url, "--report", "no/such/folder.html").returncode == 1
    free.close()


@pytest.mark.anyio
async def test_a_program_that_may_open_no_sockets_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(asyncio, "open_connection", forbidden)
    monkeypatch.setattr(machine, "socket", SimpleNamespace(socket=forbidden, AF_INET=2, SOCK_DGRAM=2))
    known = load_settings(state_dir=tmp_path, ring_url="http://127.0.0.1:9", server={"port": 0})
    report = await examine(known, ("network",))
    assert report.verdict.first is not None
    assert report.verdict.first.code == "REACH-SANDBOX"


@pytest.mark.anyio
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_state_directory_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text("{}")
    (tmp_path / "tokens.json").chmod(0)
    report = await examine(load_settings(state_dir=tmp_path, server={"port": 0}), ("server",))
    assert report.verdict.first is not None
    assert report.verdict.first.code == "CFG-STATE-DIR"


@pytest.mark.program
@pytest.mark.skipif(
    not _namespaces_are_allowed() or shutil.which("iptables") is None, reason="needs network namespaces and iptables"
)
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("-A INPUT -p tcp --dport {port} -j DROP", "REACH-FIREWALL"),
        ("-A INPUT -p tcp --dport {port} -j REJECT --reject-with tcp-reset", "REACH-FIREWALL"),
        ("-A INPUT -p udp -j DROP", "MEDIA-UDP"),
    ],
)
def test_a_real_firewall_is_found(environment: dict[str, str], rule: str, code: str) -> None:
    """iptables in a namespace of its own, between the doctor and a simulated Ring."""
    command = [*NAMESPACE, sys.executable, str(Path(__file__).with_name("behind_iptables.py")), rule]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["first"]["fault"]["code"] == code, report["first"]
