"""Steps of the database's tables, up and down, with data in every table; and what a step leaves that was killed."""

import signal
import subprocess
import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.store.database import Database
from ringlight.store.migrating import NEWEST, migrate, version_of

STEPS = [f"{number:04}" for number in range(1, int(NEWEST) + 1)]
ROWS = 3  # in each table
Data = dict[str, list[dict[str, Any]]]
KILLED = """
import os, signal, sys
import ringlight.store.database as store
ours = store.migrate
def half(connection, *, to):
    ours(connection, to=to)  # all of it is made, and not committed
    print(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
store.migrate = half
with store.Database(sys.argv[1]).reading():
    pass
"""


def tables(connection: Connection) -> list[sa.Table]:
    known = sa.MetaData()
    known.reflect(connection)
    return [table for table in known.sorted_tables if table.name != "alembic_version"]


def value(column: sa.Column[Any], number: int) -> Any:
    """Something that fits, another for each row and column."""
    match column.type.python_type.__name__:
        case "str":
            return f"{column.name} {number} ❄"
        case "int":
            return number
        case "float":
            return 1.7e9 + number + 0.125
        case "bool":
            return number % 2 == 0
        case "bytes":
            return bytes([0, 255, number])
        case kind:
            raise AssertionError(f"{column}: no test value of {kind}; add one")


def fill(connection: Connection) -> None:
    for table in tables(connection):
        rows = [{column.name: value(column, number) for column in table.columns} for number in range(1, ROWS + 1)]
        connection.execute(sa.insert(table), rows)


def read(connection: Connection) -> Data:
    return {
        table.name: [dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
        for table in tables(connection)
    }


def common(data: Data, other: Data) -> Data:
    """What of the data the other schema knows as well."""
    return {
        name: [{column: row[column] for column in row if column in other[name][0]} for row in data[name]]
        for name in data
        if name in other
    }


def test_data_of_every_older_version_survives_the_way_up_and_back(database: Database) -> None:
    for step in STEPS:
        with database.writing() as connection:
            migrate(connection, to="base")
            migrate(connection, to=step)
            fill(connection)
            before = read(connection)
            assert before
            assert all(len(rows) == ROWS for rows in before.values())
        with database.writing() as connection:
            migrate(connection, to=NEWEST)
            above = read(connection)
            assert common(above, before) == common(before, above), f"from {step} up"
        with database.writing() as connection:
            migrate(connection, to=step)
            assert read(connection) == before, f"from {step} up and down again"


def test_data_of_this_version_survives_the_way_down_as_far_as_it_is_known_there(database: Database) -> None:
    for step in STEPS:
        with database.writing() as connection:
            migrate(connection, to="base")
            migrate(connection, to=NEWEST)
            fill(connection)
            before = read(connection)
        with database.writing() as connection:
            migrate(connection, to=step)
            below = read(connection)
            assert below
            assert common(below, before) == common(before, below), f"down to {step}"
        with database.writing() as connection:
            migrate(connection, to=NEWEST)
            kept = {name: rows for name, rows in read(connection).items() if rows}
            assert kept.keys() == below.keys()
            assert common(kept, below) == below, f"down to {step} and up again"


def test_a_step_that_is_killed_before_its_end_has_not_happened(where: str, database: Database) -> None:
    """The next start makes it again, with all that was there."""
    with database.writing() as connection:
        migrate(connection, to=STEPS[0])
        fill(connection)
        before = read(connection)
    database.close()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, where], capture_output=True, text=True, timeout=120, check=False
    )
    assert (killed.returncode, killed.stdout.strip()) == (-signal.SIGKILL, NEWEST), killed.stderr
    again = Database(where)
    with again.reading() as connection:
        assert version_of(connection) == NEWEST
        now = read(connection)
        assert common(now, before) == common(before, now)
    again.close()
