"""The database under the stores: its tables through every version, its errors, and what happens when it goes away."""

import logging
import re
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pair_stores import address, in_threads, pair

from own_postgres import PROGRAMS, OwnPostgres
from ringlight.errors import SetupError, StoreError
from ringlight.store import open_pairs, room_tables
from ringlight.store.camera_link_rows import CameraLinkRows, KeptCameraLink
from ringlight.store.database import LOCKS_AT_ONCE, Database
from ringlight.store.migrating import NEWEST, migrate, version_of
from ringlight.store.pair_database import DatabasePairStore
from ringlight.store.tables import SCHEMA

CANARY = "canary-9e02-"
STEPS = Path(sys.modules["ringlight.store"].__path__[0]) / "migrations" / "versions"


def test_the_steps_make_the_tables_that_the_code_believes_in(database: Database) -> None:
    assert room_tables.OUTBOX.metadata is SCHEMA
    with database.writing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SCHEMA) == []
        assert version_of(connection) == NEWEST


def test_every_step_goes_up_and_down_with_data_in_the_tables(database: Database) -> None:
    store = DatabasePairStore(database)
    assert store.write("ada", pair(1), over=None)
    with database.writing() as connection:
        migrate(connection, to="base")
        assert set(sa.inspect(connection).get_table_names()) <= {"alembic_version"}
    with database.writing() as connection:
        migrate(connection, to=NEWEST)
    assert store.write("ada", pair(2), over=None)
    assert store.read("ada") == pair(2)


def test_steps_are_numbered_so_that_their_names_are_in_their_order() -> None:
    numbers = sorted(path.stem.rpartition("_")[2] for path in STEPS.glob("[a-z]*.py"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert numbers[-1] == NEWEST


def test_a_step_that_fails_in_its_middle_leaves_nothing_of_itself(where: str) -> None:
    """Half-made tables would stop every later start."""
    database = Database(where)

    def interrupted() -> None:
        with database.writing() as connection:
            migrate(connection, to="base")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        interrupted()
    with database.reading() as connection:
        assert version_of(connection) == NEWEST
        assert sa.inspect(connection).has_table("token_pairs")
    database.close()


def test_a_database_of_a_newer_version_is_left_alone(where: str) -> None:
    first = Database(where)
    with first.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    first.close()
    later = open_pairs(where)
    with pytest.raises(StoreError, match="9999") as caught:
        later.read("ada")
    assert caught.value.code == "STORE-NEWER"
    later.close()


def test_many_who_start_at_once_make_the_tables_once(where: str) -> None:
    stores = [open_pairs(where) for _ in range(6)]

    def begin(number: int) -> None:
        assert stores[number].write(f"account {number}", pair(number + 1), over=None)

    in_threads(begin, 6)
    assert len(stores[0].accounts()) == 6
    for store in stores:
        store.close()


def test_an_up_to_date_database_opens_without_alembic(tmp_path: Path) -> None:
    """It takes as long to import as the rest together."""
    where = address("sqlite", tmp_path, None)
    made = open_pairs(where)
    assert made.accounts() == []
    made.close()
    code = "import sys; from ringlight.store import open_pairs; s = open_pairs(sys.argv[1]); s.accounts(); s.close()"
    code += "; print([name for name in sys.modules if name.startswith(('alembic', 'mako'))])"
    done = subprocess.run([sys.executable, "-c", code, where], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_opening_a_file_imports_no_database() -> None:
    code = "import sys; from ringlight.store import open_pairs; open_pairs('links.json').accounts()"
    code += "; print([name for name in sys.modules if name.startswith(('sqlalchemy', 'keyring', 'psycopg'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("mysql://u:secretword@h/n", "mysql: neither sqlite nor postgresql"),
        ("sqlite://", "the path is missing"),
        ("sqlite:///:memory:", "the path is missing"),
        ("://", "it is no address"),
        ("postgresql+asyncpg://u:secretword@h/n", "neither"),
        ("", "it is empty"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_without_its_password(wrong: str, said: str) -> None:
    with pytest.raises(SetupError, match=said) as caught:
        open_pairs(wrong)
    assert caught.value.code == "STORE-ADDRESS"
    assert "secretword" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    store = open_pairs(f"postgresql://ringlight:secretword@/none?host={tmp_path}")
    with pytest.raises(StoreError) as caught:
        store.read("ada")
    assert caught.value.code == "STORE-UNREACHABLE"
    assert "secretword" not in repr(caught.value) + str(caught.value) + repr(caught.value.__context__)
    assert caught.value.__cause__ is None
    assert "secretword" not in repr(store)
    store.close()


def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = open_pairs(f"sqlite:///{tmp_path}/file/links.db")
    with pytest.raises(StoreError) as caught:
        store.accounts()
    assert caught.value.code == "STORE-UNREACHABLE"
    store.close()


def test_a_file_that_is_no_database_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "links.db").write_text("this is a text, not a database, and long enough to be read" * 99)
    store = open_pairs(f"sqlite:///{tmp_path}/links.db")
    with pytest.raises(StoreError, match="NOTADB"):
        store.accounts()
    store.close()


def test_a_write_that_fails_keeps_the_former_pair_and_shows_none(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk, as the database reports it, without the values of the statement in any message."""
    store = DatabasePairStore(database)
    assert store.write("ada", pair(1, mark=CANARY), over=None)
    with database.writing() as connection:
        connection.execute(sa.text("ALTER TABLE token_pairs RENAME TO gone"))
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreError) as caught:
        store.write("ada", pair(2, mark=CANARY), over=pair(1, mark=CANARY).refresh)
    assert caught.value.code == "STORE-UNREACHABLE"
    assert CANARY not in str(caught.value) + repr(caught.value.__context__) + repr(caught.value.__cause__) + caplog.text
    with database.writing() as connection:
        connection.execute(sa.text("ALTER TABLE gone RENAME TO token_pairs"))
    assert store.read("ada") == pair(1, mark=CANARY)


def test_more_renewals_than_connections_for_locks_wait_and_say_so(
    postgres: OwnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringlight.store.database.LOCK_QUEUE", 0.1)
    store = open_pairs(postgres.new_database())
    with ExitStack() as held:
        for number in range(LOCKS_AT_ONCE):
            held.enter_context(store.lock(f"account {number}"))
        with pytest.raises(StoreError, match="no connection was free") as caught:
            held.enter_context(store.lock("one more"))
        assert caught.value.code == "STORE-BUSY"
        assert store.accounts() == []  # whoever holds a lock can still read and write
    with store.lock("one more"):
        pass
    store.close()


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    store = DatabasePairStore(database)
    assert store.write("ada", pair(1), over=None)
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE token_pairs SET generation = 7"))
        assert store.read("ada") == pair(1)


def test_sqlite_is_set_so_that_a_commit_survives_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/links.db")
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    database.close()


def test_a_writer_that_stays_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringlight.store.engine.BUSY_TIMEOUT", 0.1)
    store = open_pairs(f"sqlite:///{tmp_path}/links.db")
    assert store.write("ada", pair(1), over=None)
    other = sqlite3.connect(tmp_path / "links.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="SQLITE_BUSY"):
        store.write("ada", pair(2), over=pair(1).refresh)
    other.execute("ROLLBACK")
    other.close()
    assert store.write("ada", pair(2), over=pair(1).refresh)
    store.close()


@pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")
def test_a_database_that_comes_back_is_used_again() -> None:
    """PostgreSQL is gone for a minute: what was under way fails with a fault, what comes later works."""
    server = OwnPostgres()
    try:
        store = open_pairs(server.new_database())
        assert store.write("ada", pair(1), over=None)
        held = store.lock("ada")
        held.__enter__()
        server.kill()
        with pytest.raises(StoreError, match=re.compile("OperationalError|AdminShutdown")):
            store.read("ada")
        held.__exit__(None, None, None)  # it went with the server, and that is no error of ours
        server.start()
        with store.lock("ada"):
            assert store.read("ada") == pair(1)
            assert store.write("ada", pair(2), over=pair(1).refresh)
        store.close()
    finally:
        server.close()


def test_a_second_opening_in_one_process_takes_no_lock_from_the_first(tmp_path: Path) -> None:
    """Else whoever closes the file next, in another process, throws away what the first has yet to write."""
    address = f"sqlite:///{tmp_path / 'kept.db'}"
    count = [sys.executable, "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
             "print(c.execute('SELECT count(*) FROM camera_links').fetchone()[0]); c.close()",
             str(tmp_path / "kept.db")]  # fmt: skip
    first = Database(address)
    rows = CameraLinkRows(first)
    rows.add(KeptCameraLink("one", "door", False, 1.0, 2.0))
    second = Database(address)
    assert len(CameraLinkRows(second).all(0.0)) == 1
    second.close()
    assert subprocess.run(count, capture_output=True, text=True, check=True).stdout.strip() == "1"
    rows.add(KeptCameraLink("two", "door", False, 1.0, 2.0))
    assert subprocess.run(count, capture_output=True, text=True, check=True).stdout.strip() == "2"
    first.close()
