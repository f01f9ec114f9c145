"""`audit verify` and `audit export`, on the database of a server that has stopped."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from conftest import RINGLIGHT
from ringlight.rooms.audit import AuditKey
from ringlight.store.audit_rows import AuditRows
from ringlight.store.database import Database
from ringlight.store.own_key import own_key
from ringlight.store.room_rows import RoomRows
from ringlight.store.room_tables import AUDIT
from ringlight.store.rooms import NewAuditRow

pytestmark = pytest.mark.program
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def command(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RINGLIGHT), "audit", *args], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    return command


def test_the_audit_is_verified_exported_and_found_to_be_changed(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "state"
    key, database = AuditKey(own_key(state)), Database(f"sqlite:///{state / 'ringlight.db'}")
    rows = RoomRows(database, AuditRows(database, key.hashed, key.seal))
    rows.record([NewAuditRow(float(at), "person.entered", key.hidden("visit"), role="patient") for at in range(3)])
    whole = run("verify")
    assert (whole.returncode, whole.stdout) == (0, "3 rows are as they were written.\n")
    noted = whole.stderr.split()[-1]
    assert noted.startswith("3:")
    assert run("verify", "--seen", noted).returncode == 0
    exported = [json.loads(line) for line in run("export", "--fhir").stdout.splitlines()]
    assert [event["resourceType"] for event in exported] == ["AuditEvent"] * 3
    assert [json.loads(line)["number"] for line in run("export").stdout.splitlines()] == [1, 2, 3]
    with database.writing() as connection:
        connection.execute(sa.update(AUDIT).where(AUDIT.c.number == 2).values(role="clinician"))
    database.close()
    broken = run("verify")
    assert (broken.returncode, "AUDIT-BROKEN" in broken.stderr, "row 2 was changed" in broken.stderr) == (1, True, True)
    machine = run("verify", "--json")
    assert (machine.returncode, json.loads(machine.stdout)["rows"]) == (1, 1)
    assert run("verify", "--seen", "nonsense").returncode == 2
