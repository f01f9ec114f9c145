"""A database that cannot be used: newer, damaged, or with a certificate that is refused. The fault names the fix."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from conftest import RINGLIGHT
from ringlight.errors import StoreError
from ringlight.store.border import problem_of
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox, Put
from ringlight.store.migrating import NEWEST

WITHIN = 90.0  # seconds


def puts(count: int) -> list[Put]:
    return [Put(f"id {number}", "a", "s", "t", os.urandom(500), 1.0) for number in range(count)]


@pytest.mark.program
def test_a_server_does_not_start_on_a_newer_database_and_says_what_to_do(
    environment: dict[str, str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    database = Database(f"sqlite:///{state / 'ringlight.db'}")
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    before = (state / "ringlight.db").read_bytes()
    ran = subprocess.run(
        [str(RINGLIGHT), "serve", "--port", "0"], env=environment, cwd=tmp_path, capture_output=True, text=True,
        timeout=WITHIN, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    said = " ".join(ran.stderr.split())
    for part in ("STORE-NEWER", "9999", NEWEST, "ringlight restore --replace"):
        assert part in said
    assert (state / "ringlight.db").read_bytes() == before, "nothing was changed"


def test_a_file_that_was_overwritten_in_its_middle_is_named_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "ringlight.db"
    database = Database(f"sqlite:///{path}")
    inbox = Inbox(database)
    inbox.write(puts(200))
    database.close()
    size = path.stat().st_size
    with path.open("r+b") as file:  # all pages but the first, as a failing disk may leave them
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(StoreError) as caught:
        Inbox(Database(f"sqlite:///{path}")).latest(1000)
    assert caught.value.code == "STORE-FILE"
    assert "restore" in caught.value.fix


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('connection failed: SSL error: certificate verify failed', "STORE-CERTIFICATE"),
        ("SSL error: sslv3 alert certificate expired", "STORE-CERTIFICATE"),
        ('server certificate for "db" does not match host name "db.example"', "STORE-CERTIFICATE"),
        ("connection refused", "STORE-UNREACHABLE"),
    ],
)  # fmt: skip
def test_a_certificate_that_is_refused_is_told_from_a_server_that_is_away(said: str, code: str) -> None:
    """By libpq's words: it has no code for it."""
    problem = problem_of(sa.exc.OperationalError("SELECT", {}, psycopg.OperationalError(said)))
    assert problem.code == code
    assert said not in str(problem), "a driver's words may repeat the address with its password"
