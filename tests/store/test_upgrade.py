"""A database that a former version left behind keeps every row when this one opens it."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import ringlight.store.room_tables  # noqa: F401 - its tables belong to the schema too
from ringlight.store.backup import back_up, restore
from ringlight.store.database import Database
from ringlight.store.migrating import NEWEST, version_of
from ringlight.store.tables import SCHEMA

KEPT = sorted((Path(__file__).parent / "kept").glob("*.sql"))


def _left_behind(script: Path, place: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Make the database of a former version; return its rows, by table, as that version has them."""
    with contextlib.closing(sqlite3.connect(place)) as opened:
        opened.executescript(script.read_text(encoding="utf-8"))
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {tuple(zip([one[0] for one in rows.description], row, strict=True)) for row in rows}
            for name in names
            if not name.startswith(("sqlite_", "alembic_"))
            for rows in [opened.execute(f"SELECT * FROM {name}")]
        }


@pytest.mark.parametrize("script", KEPT, ids=lambda path: path.stem)
def test_every_row_of_a_former_version_is_there(script: Path, tmp_path: Path) -> None:
    before = _left_behind(script, tmp_path / "ringlight.db")
    assert len(before) >= 10
    assert all(before.values()), "each table has rows, or this would show nothing"
    database = Database(f"sqlite:///{tmp_path / 'ringlight.db'}")
    with database.reading() as connection:
        assert version_of(connection) == NEWEST
        for name, rows in before.items():
            found = [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}")).mappings()]
            assert len(found) == len(rows), name
            for row in rows:
                assert any(dict(row).items() <= one.items() for one in found), (name, row)
    database.close()


@pytest.mark.parametrize("script", KEPT, ids=lambda path: path.stem)
def test_its_backup_can_be_put_back_elsewhere(script: Path, tmp_path: Path) -> None:
    """The way to go back: `ringlight backup` before, `ringlight restore` after."""
    _left_behind(script, tmp_path / "ringlight.db")
    old, new = Database(f"sqlite:///{tmp_path / 'ringlight.db'}"), Database(f"sqlite:///{tmp_path / 'new.db'}")
    back_up(tmp_path / "copy", old, {}, version=script.stem)
    restore(tmp_path / "copy", new, {})
    for table in SCHEMA.sorted_tables:
        with old.reading() as one, new.reading() as two:
            assert list(one.execute(sa.select(table))) == list(two.execute(sa.select(table))), table.name
    old.close()
    new.close()
