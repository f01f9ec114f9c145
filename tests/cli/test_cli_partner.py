"""`ringlight partner`: the official API from the command line, against the simulated Ring."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import RINGLIGHT
from ringlight.faults import FAULTS
from ringlight.store import open_pairs
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.program
Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path, ring: SimulatedRing) -> Iterator[Start]:
    """Begin commands of somebody who has an app."""
    settings = {
        **environment, "RINGLIGHT_RING_URL": ring.url, "TZ": "UTC", "COLUMNS": "200",
        "RINGLIGHT_PARTNER__CLIENT_ID": "sim-client", "RINGLIGHT_PARTNER__CLIENT_SECRET": "sim-secret",
    }  # fmt: skip

    begun: list[subprocess.Popen[str]] = []

    def begin(*args: str) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        begun.append(
            subprocess.Popen(
                [str(RINGLIGHT), "partner", *args], stdin=pipe, stdout=pipe, stderr=pipe, env=settings, cwd=tmp_path,
                text=True,
            )
        )  # fmt: skip
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.communicate()


@pytest.fixture
def run(start: Start) -> Run:
    """Commands that run to their end."""

    def command(*args: str, text: str = "") -> subprocess.CompletedProcess[str]:
        running = start(*args)
        said = running.communicate(text, timeout=60)
        return subprocess.CompletedProcess(args, running.returncode, *said)

    return command


def test_a_code_links_an_account_and_token_says_what_is_kept_without_showing_it(run: Run, ring: SimulatedRing) -> None:
    nothing = run("token")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert nothing.stderr.startswith("No account is linked.")
    code = ring.world.partner.install()
    ring.world.partner.links["ada"].status = "completed"
    linked = run("token", "--code", "-", "--json", text=code + "\n")
    assert linked.returncode == 0, linked.stderr
    account = json.loads(linked.stdout)["account"]
    assert json.loads(linked.stdout) == {"account": account, "pair": 1}
    shown = run("token", "--json")
    (row,) = json.loads(shown.stdout)["accounts"]
    assert (row["account"], row["pair"], row["access_is_good"], row["renewal_was_cut_off"]) == (account, 1, True, False)
    table = run("devices")
    assert "Front Door  online" in table.stdout, table.stderr
    assert "Back Yard" in table.stdout
    used = ring.world.partner.grants
    secrets = [*used._access, *used._refresh]
    assert len(secrets) > 1
    everything = shown.stdout + shown.stderr + linked.stderr + table.stdout + table.stderr
    assert [secret for secret in secrets if secret in everything] == []
    late = run("token", "--code", code)
    assert (late.returncode, late.stderr.partition(":")[0]) == (1, "LINK-CODE-EXPIRED")


def test_an_access_token_is_tried_and_not_kept(run: Run, ring: SimulatedRing) -> None:
    tried = run("token", "--access", "-", "--json", text="sim-token\n")
    assert json.loads(tried.stdout)["kept"] is False
    wrong = run("token", "--access", "nobody's")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("PARTNER-AUTH: ")
    assert "nobody" not in wrong.stderr


def test_devices_events_clip_and_snapshot(run: Run, ring: SimulatedRing, tmp_path: Path) -> None:
    access = ("--access", "sim-token")
    listed = json.loads(run("devices", *access, "--json").stdout)
    assert [device["name"] for device in listed["devices"]] == ["Front Door", "Back Yard", "Driveway"]
    assert listed["age"] is None
    events = run("events", "front door", "--limit", "2", *access).stdout.splitlines()
    assert len(events) == 3
    assert events[1].split()[2:4] == ["ding", "15"]
    clip = run("clip", "Front Door", "door.mp4", "--seconds", "3", *access, "--json")
    assert clip.returncode == 0, clip.stderr
    assert json.loads(clip.stdout)["bytes"] == (tmp_path / "door.mp4").stat().st_size
    assert (tmp_path / "door.mp4").read_bytes()[4:8] == b"ftyp"
    still = run("snapshot", "Front Door", "door.jpg", *access)
    assert (still.returncode, still.stdout) == (0, "")
    assert still.stderr.startswith("door.jpg: ")
    assert (tmp_path / "door.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def test_a_command_that_waits_for_another_program_says_so_and_goes_on(
    start: Start, run: Run, ring: SimulatedRing, environment: dict[str, str]
) -> None:
    """Another program is renewing the account's tokens, and takes its time."""
    code = ring.world.partner.install()
    ring.world.partner.links["ada"].status = "completed"
    linked = run("token", "--code", code, "--json")
    account = json.loads(linked.stdout)["account"]
    store = open_pairs(Path(environment["RINGLIGHT_STATE_DIR"]) / "partner-tokens.json")
    pair = store.read(account)
    assert pair is not None
    store.write(account, replace(pair, expires_at=pair.obtained_at), over=pair.refresh)
    with store.lock(account):
        waiting = start("devices")
        assert waiting.stderr is not None
        said = waiting.stderr.readline()
    assert f"waiting account={account[-6:]} for=another_program" in said
    table, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, said
    assert "Front Door" in table


def test_what_cannot_be_done_is_a_fault_with_its_fix(run: Run, ring: SimulatedRing) -> None:
    access = ("--access", "sim-token")
    for args, code in (
        (("events", "Garage"), "PARTNER-NOT-FOUND"),
        (("clip", "Front Door", "x.mp4", "--at", "2026-01-01T00:00:00"), "PARTNER-CONSENT"),
        (("snapshot", "Front Door", "no/x.jpg"), "FILE-WRITE"),
    ):
        failed = run(*args, *access)
        assert (failed.returncode, failed.stdout) == (1, ""), failed
        assert failed.stderr.startswith(f"{code}: "), failed.stderr
        assert FAULTS[code].fix in failed.stderr
