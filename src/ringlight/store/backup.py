"""A copy of all that outlives the process in one file, and the way back: also from SQLite to PostgreSQL.

The file is a ZIP: `about.json`, a file of JSON lines for each table, and the private files as they are. It holds
tokens, so it is as secret as what it is a copy of.
"""

import base64
import json
import os
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ringlight.errors import fault_error
from ringlight.store import room_tables
from ringlight.store.database import Database
from ringlight.store.migrating import NEWEST, migrate
from ringlight.store.private_file import PrivateFile, words
from ringlight.store.tables import SealedText

__all__ = ["Contents", "back_up", "restore"]

FORMAT = 1
_TABLES = room_tables.ROOMS.metadata.sorted_tables  # by way of the last module that adds some
# What reading a ZIP brings that is damaged, or is none, or is another program's (encrypted, compressed otherwise).
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, KeyError, NotImplementedError, RuntimeError, TypeError,
    ValueError, RecursionError,
)  # fmt: skip
# What the database says to values that no table of ours takes; that it is away is none of these.
_NO_ROWS = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError, sa.exc.InterfaceError)
AT_ONCE = 500  # rows that are inserted by one statement
# A ZIP can say in a kilobyte what fills a disk. A copy of ours has some lines of description, private files of a few
# kilobytes, rows of half a megabyte at most (a webhook), and shrinks to a fiftieth at best.
LONGEST_ABOUT, LONGEST_FILE, LONGEST_LINE = 1 << 20, 16 << 20, 4 << 20  # bytes
MOST_TIMES, ALLOWANCE = 250, 64 << 20  # how much larger all of it may be than the ZIP, beyond so many bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a copy.

    Attributes:
        rows: How many, by table.
        files: Names of the private files.
    """

    rows: dict[str, int]
    files: list[str]


def back_up(target: Path, database: Database, files: Mapping[str, Path], *, version: str) -> Contents:
    """Write a copy, readable by its owner only. The server may run meanwhile: the copy is of one moment.

    Args:
        target: Where to; an older file there is replaced once the new one is whole.
        database: Whose tables are copied.
        files: Private files by their name in the copy; those that do not exist are left out.
        version: Of the program, for whoever looks into the file.

    Raises:
        StoreError: STORE-UNREACHABLE or STORE-NEWER.
        MediaError: FILE-WRITE, the target cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(".tmp", f"{target.name}.", target.parent)  # made with mode 0600
    except OSError as error:
        raise fault_error("FILE-WRITE", f"{target}: {words(error)}") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            contents = Contents(_write_tables(archive, database), _write_files(archive, files))
            about = {"format": FORMAT, "step": NEWEST, "version": version, "rows": contents.rows}
            archive.writestr("about.json", json.dumps(about, indent=2))
            archive.close()
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise fault_error("FILE-WRITE", f"{target}: {words(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return contents


def restore(source: Path, database: Database, files: Mapping[str, Path], *, replace: bool = False) -> Contents:
    """Put a copy in place, all of it or nothing. No server may run on these data.

    Args:
        source: A file of `back_up`, of this version or an older one.
        database: Where its tables go.
        files: Where its private files go, by their name in the copy.
        replace: Whether what is there already is replaced.

    Raises:
        StoreError: STORE-NEWER, a newer version made the copy; STORE-COPY, it is damaged or something else;
            STORE-IN-USE, there is something already; STORE-UNREACHABLE.
        SetupError: CFG-STATE-DIR, a private file cannot be written.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            _judge_sizes(archive, source.stat().st_size)
            about = _judge(archive)
            kept = {name: path for name, path in files.items() if f"files/{name}" in archive.namelist()}
            with database.writing() as connection:
                if not replace:
                    _need_nothing(connection, kept)
                rows = _read_tables(archive, connection, about)
                for name, path in kept.items():
                    content = archive.read(f"files/{name}")
                    PrivateFile(path).write(lambda content=content: content)  # type: ignore[misc]
            return Contents(rows, sorted(kept))
    except _DAMAGE as error:
        raise fault_error("STORE-COPY", f"{source}: {type(error).__name__}") from None
    except OSError as error:
        raise fault_error("STORE-COPY", f"{source}: {words(error)}") from error


def _write_tables(archive: zipfile.ZipFile, database: Database) -> dict[str, int]:
    rows = {}
    with database.reading() as connection:
        if connection.dialect.name == "postgresql":  # SQLite's transactions see one moment anyhow
            connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        for table in _TABLES:
            with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as out:
                rows[table.name] = _write_rows(out, connection, table)
    return rows


def _write_rows(out: IO[bytes], connection: Connection, table: sa.Table) -> int:
    count = 0
    # Secrets are copied as they are: sealed ones stay so, and need their key where they are put back.
    raw = [sa.type_coerce(one, sa.Text).label(one.name) if isinstance(one.type, SealedText) else one for one in table.c]
    ordered = sa.select(*raw).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=AT_ONCE).execute(ordered).mappings():
        out.write(json.dumps({name: _packed(value) for name, value in row.items()}).encode() + b"\n")
        count += 1
    return count


def _write_files(archive: zipfile.ZipFile, files: Mapping[str, Path]) -> list[str]:
    found = [name for name, path in sorted(files.items()) if path.is_file()]
    for name in found:
        archive.write(files[name], f"files/{name}")
    return found


def _judge_sizes(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse what unpacks to more than any copy of ours; no member is read beyond the length that it names."""
    for member in archive.infolist():
        most = LONGEST_ABOUT if member.filename == "about.json" else LONGEST_FILE
        if member.file_size > most and not member.filename.startswith("tables/"):
            raise ValueError(member.filename)
    if sum(member.file_size for member in archive.infolist()) > ALLOWANCE + MOST_TIMES * size:
        raise ValueError("it unpacks to far more than any copy")


def _judge(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Read what the copy says of itself, and all of it once: damage is found before anything is changed."""
    about: dict[str, Any] = json.loads(archive.read("about.json"))
    if about["format"] > FORMAT or about["step"] > NEWEST:
        raise fault_error("STORE-NEWER", f"the copy is of version {str(about.get('version'))[:20]}")
    if not re.fullmatch(r"[0-9]{4}", about["step"]) or about["step"] < "0001" or not isinstance(about["rows"], dict):
        raise ValueError("about.json")
    damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(damaged)
    return about


def _need_nothing(connection: Connection, files: Mapping[str, Path]) -> None:
    full = [table.name for table in _TABLES if connection.execute(sa.select(table).limit(1)).first()]
    full += [str(path) for path in files.values() if path.exists()]
    if full:
        raise fault_error("STORE-IN-USE", ", ".join(full))


def _read_tables(archive: zipfile.ZipFile, connection: Connection, about: dict[str, Any]) -> dict[str, int]:
    """Fill tables as the copy's version had them, and bring them up to this one's."""
    migrate(connection, to="base")
    migrate(connection, to=about["step"])
    then = sa.MetaData()
    then.reflect(connection)
    rows = {}
    for table in then.sorted_tables:
        if table.name not in about["rows"]:
            continue
        rows[table.name] = 0
        with archive.open(f"tables/{table.name}.jsonl") as lines:
            for some in _batches(lines, {column.name for column in table.columns}):
                _insert(connection, table, some)
                rows[table.name] += len(some)
        _go_on_counting(connection, table)
        if rows[table.name] != about["rows"][table.name]:
            raise ValueError(table.name)
    migrate(connection, to=NEWEST)
    return rows


def _insert(connection: Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    try:
        connection.execute(table.insert(), rows)
    except _NO_ROWS as error:
        raise ValueError(type(error).__name__) from None


def _batches(lines: IO[bytes], columns: set[str]) -> Iterator[list[dict[str, Any]]]:
    some: list[dict[str, Any]] = []
    while line := lines.readline(LONGEST_LINE + 1):
        row = json.loads(line)
        if len(line) > LONGEST_LINE or not isinstance(row, dict) or row.keys() != columns:
            raise ValueError("a row that is none of this table")
        some.append({name: _unpacked(value) for name, value in row.items()})
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _go_on_counting(connection: Connection, table: sa.Table) -> None:
    """Let PostgreSQL number the next row after the highest; SQLite sees to that itself."""
    key = list(table.primary_key.columns)
    if connection.dialect.name != "postgresql" or len(key) != 1:
        return
    where = {"table": table.name, "column": key[0].name}
    sequence = connection.execute(sa.text("SELECT pg_get_serial_sequence(:table, :column)"), where).scalar()
    highest = connection.execute(sa.select(sa.func.max(key[0]))).scalar() if sequence else None
    if highest is not None:
        connection.execute(sa.text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})


def _packed(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["base64"], validate=True) if isinstance(value, dict) else value
