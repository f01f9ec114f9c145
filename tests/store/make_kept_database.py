"""Makes the kept database of a version: every table with rows in it, as that version writes them.

Usage: python tests/store/make_kept_database.py tests/store/kept/0.1.0.sql

Run it once, just before a version is released, and never again for that version: the file stands for what people have
on their disks. It is SQL, so that a change would be seen.
"""

import contextlib
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import ringlight.store.room_tables  # noqa: F401 - its tables belong to the schema too
from ringlight.store.database import Database
from ringlight.store.tables import SCHEMA

TIME = 1_790_000_000.0
CHOSEN = {
    ("links", "state"): "completed", ("webhook_inbox", "state"): "dead", ("room_outbox", "state"): "waiting",
}  # fmt: skip


def value_of(column: "sa.Column[Any]", row: int) -> Any:
    """A value that fits: of its type, the same each time, and another in each row where it has to be."""
    if (chosen := CHOSEN.get((column.table.name, column.name))) is not None:
        return chosen
    match column.type.python_type.__name__:
        case "int":
            return row
        case "float":
            return TIME + row
        case "bytes":
            return f"{column.name} {row}\0\xff".encode("latin-1")
        case "bool":
            return bool(row % 2)
        case _:
            return f"{column.name} {row} ü"


def fill(database: Database) -> None:
    with database.writing() as connection:
        for table in SCHEMA.sorted_tables:
            rows = [{column.name: value_of(column, number) for column in table.columns} for number in (1, 2)]
            connection.execute(table.insert(), rows)


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ringlight.db"
        database = Database(f"sqlite:///{place}")
        fill(database)
        database.close()
        with contextlib.closing(sqlite3.connect(place)) as opened:
            out.parent.mkdir(exist_ok=True)
            out.write_text("\n".join(opened.iterdump()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
