"""A copy of everything in one file, and the way back: whole or not at all, from any database to any."""

import contextlib
import json
import os
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pair_stores import address, pair
from typer.testing import CliRunner

from own_postgres import OwnPostgres
from ringlight.cli.app import make_app
from ringlight.errors import RingError
from ringlight.store.backup import back_up, restore
from ringlight.store.database import Database
from ringlight.store.migrating import migrate
from ringlight.store.pair_database import DatabasePairStore
from ringlight.store.tables import LINKS, SCHEMA, WEBHOOK_INBOX

BODY = bytes(range(256))
HOOK = {
    "request_id": "r1", "account": "ada", "subject": "d1", "type": "motion_detected", "body": BODY,
    "received_at": 1.5, "state": "dead", "attempts": 6, "due_at": 2.5, "problem": "HOOK-HANDLER: \u00fc\n",
}  # fmt: skip


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Database]:
    """A database with something in it."""
    database = Database(address("sqlite", tmp_path / "first", None))
    DatabasePairStore(database).write("ada", pair(1), over=None)
    with database.writing() as connection:
        connection.execute(WEBHOOK_INBOX.insert(), [{**HOOK, "number": 41}])
        connection.execute(
            LINKS.insert(), [{"account": "ada", "state": "completed", "since": 3.25, "tries": 0, "version": 2}]
        )
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    postgres: OwnPostgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    database = Database(address(request.param, tmp_path / "second", postgres))
    yield database
    database.close()


def rows(database: Database) -> dict[str, list[Any]]:
    with database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))] for table in SCHEMA.sorted_tables
        }


def test_what_is_restored_is_what_was_there(full: Database, empty: Database, tmp_path: Path) -> None:
    """Also from SQLite to PostgreSQL, bytes and numbers included."""
    tokens, elsewhere = tmp_path / "tokens.json", tmp_path / "other" / "tokens.json"
    tokens.write_bytes(b'{"canary": 1}')
    made = back_up(tmp_path / "copy.zip", full, {"tokens.json": tokens, "none.json": tmp_path / "none"}, version="1")
    assert made.files == ["tokens.json"]
    back = restore(tmp_path / "copy.zip", empty, {"tokens.json": elsewhere})
    assert back == made
    assert rows(empty) == rows(full)
    assert elsewhere.read_bytes() == tokens.read_bytes()
    assert elsewhere.stat().st_mode & 0o777 == (tmp_path / "copy.zip").stat().st_mode & 0o777 == 0o600


def test_numbering_goes_on_after_the_highest(full: Database, empty: Database, tmp_path: Path) -> None:
    back_up(tmp_path / "copy.zip", full, {}, version="1")
    restore(tmp_path / "copy.zip", empty, {})
    with empty.writing() as connection:
        connection.execute(WEBHOOK_INBOX.insert(), [{**HOOK, "request_id": "r2"}])
        assert connection.execute(sa.select(sa.func.max(WEBHOOK_INBOX.c.number))).scalar() == 42


def test_nothing_that_is_there_is_overwritten_unless_asked(full: Database, empty: Database, tmp_path: Path) -> None:
    back_up(tmp_path / "copy.zip", full, {}, version="1")
    DatabasePairStore(empty).write("bob", pair(7), over=None)
    with pytest.raises(RingError, match="token_pairs") as caught:
        restore(tmp_path / "copy.zip", empty, {})
    assert caught.value.code == "STORE-IN-USE"
    assert DatabasePairStore(empty).read("bob") == pair(7)
    restore(tmp_path / "copy.zip", empty, {}, replace=True)
    assert rows(empty) == rows(full)


def test_a_private_file_that_is_there_stops_it_before_any_row(full: Database, empty: Database, tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_bytes(b"old")
    back_up(tmp_path / "copy.zip", full, {"tokens.json": tmp_path / "tokens.json"}, version="1")
    with pytest.raises(RingError) as caught:
        restore(tmp_path / "copy.zip", empty, {"tokens.json": tmp_path / "tokens.json"})
    assert caught.value.code == "STORE-IN-USE"
    assert not any(rows(empty).values())


def test_a_copy_of_an_older_version_is_brought_up_to_date(empty: Database, tmp_path: Path) -> None:
    """As when an update went wrong and one goes back to the copy made before it."""
    old = Database(address("sqlite", tmp_path / "old", None))
    DatabasePairStore(old).write("ada", pair(1), over=None)
    back_up(tmp_path / "copy.zip", old, {}, version="0")
    with old.writing() as connection:
        migrate(connection, to="0001")
    old.close()
    with zipfile.ZipFile(tmp_path / "copy.zip") as now, zipfile.ZipFile(tmp_path / "then.zip", "w") as then:
        then.writestr("tables/token_pairs.jsonl", now.read("tables/token_pairs.jsonl"))
        then.writestr(
            "about.json", json.dumps({"format": 1, "step": "0001", "version": "0", "rows": {"token_pairs": 1}})
        )
    restore(tmp_path / "then.zip", empty, {})
    assert DatabasePairStore(empty).read("ada") == pair(1)
    assert rows(empty)["links"] == []


@pytest.mark.parametrize("about", [{"format": 2}, {"step": "9999"}])
def test_a_copy_of_a_newer_version_is_refused(about: dict[str, Any], full: Database, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "copy.zip", "w") as archive:
        archive.writestr("about.json", json.dumps({"format": 1, "step": "0001", "rows": {}, "version": "9", **about}))
    with pytest.raises(RingError, match="version 9") as caught:
        restore(tmp_path / "copy.zip", full, {}, replace=True)
    assert caught.value.code == "STORE-NEWER"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_copy_changes_nothing(data: st.DataObject, full: Database, tmp_path: Path) -> None:
    """Cut anywhere, or with any byte changed: it is refused, or it was whole all the same."""
    back_up(tmp_path / "copy.zip", full, {}, version="1")
    before = rows(full)
    whole = bytearray((tmp_path / "copy.zip").read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] if data.draw(st.booleans()) else whole
    if damaged is whole:
        whole[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with suppress(RingError):
        restore(tmp_path / "damaged.zip", full, {}, replace=True)
    assert rows(full) == before


def _forged(tmp_path: Path, full: Database, **members: bytes | None) -> Path:
    """Write a copy in which some members are others; names have `__` for a slash."""
    back_up(tmp_path / "copy.zip", full, {"tokens.json": tmp_path / "tokens.json"}, version="1")
    forged = tmp_path / "forged.zip"
    changed = {name.replace("__", "/").replace("_json", ".json"): content for name, content in members.items()}
    with zipfile.ZipFile(tmp_path / "copy.zip") as copy, zipfile.ZipFile(forged, "w", zipfile.ZIP_DEFLATED) as out:
        for name in {**dict.fromkeys(copy.namelist()), **changed}:
            content = changed.get(name, copy.read(name) if name in copy.namelist() else None)
            if content is not None:
                out.writestr(name, content)
    return forged


ZEROS = 80 * 1024 * 1024  # bytes that become 80 kB
FORGED: dict[str, dict[str, bytes]] = {
    "a bomb in the description": {"about_json": b" " * ZEROS + b"{}"},
    "a bomb in a private file": {"files__tokens_json": bytes(ZEROS)},
    "a bomb in a line": {"tables__links_jsonl": b'{"account":"' + b"a" * ZEROS + b'"}'},
    "a bomb in a file that nobody wants": {"files__other": bytes(ZEROS)},
    "a row that is none": {"tables__links_jsonl": b"[1]\n"},
    "a row with a column that is none": {"tables__links_jsonl": b'{"nothing": 1}\n'},
    "a row that lacks what it needs": {"tables__links_jsonl": b"{}\n"},
    "a value of another kind": {"tables__links_jsonl": b'{"account": {"a": 1}}\n'},
    "a value that is a list": {"tables__links_jsonl": b'{"account": [1]}\n'},
    "a description that is a list": {"about_json": b"[]"},
    "a description without rows": {"about_json": b'{"format": 1, "step": "0001", "rows": 7}'},
    "a step that never was": {"about_json": b'{"format": 1, "step": "0000", "rows": {}}'},
    "a step that is a path": {"about_json": b'{"format": 1, "step": "../../x", "rows": {}}'},
}


@pytest.mark.parametrize("members", FORGED.values(), ids=FORGED.keys())
def test_a_copy_that_somebody_has_forged_changes_nothing_and_fills_no_memory(
    members: dict[str, bytes], full: Database, tmp_path: Path
) -> None:
    kept = tmp_path / "tokens.json"
    kept.write_text("kept")
    forged = _forged(tmp_path, full, **members)
    target = Database(address("sqlite", tmp_path / "second", None))
    tracemalloc.start()
    try:
        with pytest.raises(RingError) as caught:
            restore(forged, target, {"tokens.json": kept}, replace=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        target.close()
    assert caught.value.code == "STORE-COPY"
    assert peak < 48 * 1024 * 1024
    assert kept.read_text() == "kept"


def test_names_in_a_copy_lead_nowhere(full: Database, empty: Database, tmp_path: Path) -> None:
    """Only what the program itself names is put in place: a name with dots and slashes is no name of it."""
    forged = _forged(tmp_path, full, **{"files__..__..__escaped": b"x", "__etc__escaped": b"x"})
    restore(forged, empty, {"tokens.json": tmp_path / "new.json"})
    assert not list(tmp_path.parent.rglob("escaped"))


def test_the_commands_copy_and_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RINGLIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    (state / "tokens.json").write_bytes(b"{}")
    with contextlib.closing(Database(f"sqlite:///{state / 'ringlight.db'}")) as database:
        DatabasePairStore(database).write("ada", pair(1), over=None)
    monkeypatch.setenv("RINGLIGHT_STATE_DIR", str(state))
    copied = CliRunner().invoke(make_app("backup"), ["backup", "copy.zip"], catch_exceptions=False)
    assert (copied.exit_code, copied.output) == (0, "copy.zip holds tokens.json, 1 of token_pairs.\n")
    monkeypatch.setenv("RINGLIGHT_STATE_DIR", str(tmp_path / "new"))
    back = CliRunner().invoke(make_app("backup"), ["restore", "copy.zip", "--json"], catch_exceptions=False)
    assert json.loads(back.output)["rows"]["token_pairs"] == 1
    assert (tmp_path / "new" / "tokens.json").read_bytes() == b"{}"
    with pytest.raises(RingError) as caught:
        CliRunner().invoke(make_app("backup"), ["restore", "copy.zip"], catch_exceptions=False)
    assert caught.value.code == "STORE-IN-USE"
